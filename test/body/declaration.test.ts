import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  CHECKSUM_ALGORITHMS,
  parseBodyDeclaration,
  parseSpoolableDeclaration,
  withoutAwsChunked,
  type BodyDeclaration,
  type BodyRules,
  type ChecksumAlgorithm,
  type PayloadDeclaration,
} from '../../src/body/index.ts';
import { WireHeaders } from '../../src/s3/index.ts';
import { checksumOf } from './aws-chunked-client.ts';

const UNSIGNED: PayloadDeclaration = { kind: 'unsigned' };
const UNSIGNED_TRAILER: PayloadDeclaration = { kind: 'chunked-unsigned' };
const chunks = { signatureLength: 64, verifyChunk: () => false, verifyTrailer: () => false } as const;
const SIGNED: PayloadDeclaration = { kind: 'chunked-signed', trailer: false, chunks };
const SIGNED_TRAILER: PayloadDeclaration = { kind: 'chunked-signed', trailer: true, chunks };

const STREAM: BodyRules = { mode: 'stream', maxLength: 5 * 1024 ** 3 };
const BUFFERED: BodyRules = { mode: 'buffered', maxLength: 1024 };

const TRAILER = { 'x-amz-decoded-content-length': '5', 'x-amz-trailer': 'x-amz-checksum-crc32' };
const HELLO = Buffer.from('hello');
const MD5 = createHash('md5').update(HELLO).digest('base64');

type Fields = Readonly<Record<string, string>>;

function parse(fields: Fields, payload = UNSIGNED, rules = STREAM): BodyDeclaration {
  return parseBodyDeclaration(new WireHeaders(Object.entries(fields).flat()), payload, rules);
}

function refusal(fields: Fields, payload = UNSIGNED, rules = STREAM): unknown {
  try {
    return parse(fields, payload, rules);
  } catch (error) {
    return error;
  }
}

const checksumHeader = (algorithm: ChecksumAlgorithm): Fields => ({
  [CHECKSUM_ALGORITHMS[algorithm].header]: checksumOf(algorithm, HELLO),
});

describe('the length', () => {
  test.each([
    [UNSIGNED, { 'content-length': '5' }],
    [UNSIGNED, { 'content-length': '5', 'x-amz-decoded-content-length': '5' }],
    [SIGNED, { 'content-length': '91', 'x-amz-decoded-content-length': '5' }],
    [SIGNED, { 'transfer-encoding': 'Chunked', 'x-amz-decoded-content-length': '5' }],
    [SIGNED_TRAILER, { 'content-length': '200', ...TRAILER }],
    [UNSIGNED_TRAILER, { 'transfer-encoding': 'chunked', ...TRAILER }],
  ])('%j with %j is 5', (payload, fields) => {
    expect(parse(fields, payload).length).toBe(5);
  });

  test.each([
    [UNSIGNED, {}],
    [UNSIGNED, { 'transfer-encoding': 'chunked' }],
    [UNSIGNED, { 'transfer-encoding': 'chunked', 'x-amz-decoded-content-length': '5' }],
    [SIGNED, { 'content-length': '91' }],
    [UNSIGNED_TRAILER, { 'transfer-encoding': 'chunked', 'x-amz-trailer': 'x-amz-checksum-crc32' }],
  ])('%j with %j is missing', (payload, fields) => {
    expect(refusal(fields, payload)).toMatchObject({
      code: 'MissingContentLength',
      status: 411,
      message: 'You must provide the Content-Length HTTP header.',
    });
  });

  test.each([
    [UNSIGNED, { 'transfer-encoding': 'chunked' }],
    [SIGNED, { 'content-length': '91' }],
    [SIGNED_TRAILER, { 'content-length': '91', 'x-amz-trailer': 'x-amz-checksum-xxhash3' }],
    [UNSIGNED_TRAILER, { 'transfer-encoding': 'chunked', 'x-amz-trailer': 'x-amz-checksum-crc32' }],
  ])('%j with %j may be unknown to who can spool the body', (payload, fields) => {
    const headers = new WireHeaders(Object.entries(fields).flat());
    const { length, ...declared } = parseSpoolableDeclaration(headers, payload, STREAM);
    expect(length).toBeUndefined();
    expect(declared).toMatchObject({ payload, maxLength: STREAM.maxLength });
  });

  test.each([
    [UNSIGNED, {}, STREAM],
    [UNSIGNED, { 'transfer-encoding': 'chunked', 'x-amz-decoded-content-length': '5' }, STREAM],
    [UNSIGNED, { 'transfer-encoding': 'chunked' }, BUFFERED],
  ])('%j with %j is missing for everybody', (payload, fields, rules) => {
    const headers = new WireHeaders(Object.entries(fields).flat());
    const parsing = (): unknown => parseSpoolableDeclaration(headers, payload, rules);
    expect(parsing).toThrow('You must provide the Content-Length HTTP header.');
  });

  test.each([
    [SIGNED, { 'content-length': '4', 'x-amz-decoded-content-length': '5' }],
    // The sign of an aws-chunked body whose payload line does not say so.
    [UNSIGNED, { 'content-length': '91', 'x-amz-decoded-content-length': '5' }],
  ])('%j with %j contradicts itself', (payload, fields) => {
    expect(refusal(fields, payload)).toMatchObject({
      code: 'IncompleteBody',
      message: 'You did not provide the number of bytes specified by the Content-Length HTTP header',
    });
  });

  test.each(['-1', '+5', '5.0', '0x5', '', ' ', '5,5', '1e3', '9007199254740992', '99999999999999999', '٥'])(
    '%j is not one',
    (text) => {
      for (const name of ['content-length', 'x-amz-decoded-content-length'])
        expect(refusal({ 'content-length': '91', [name]: text }, SIGNED)).toMatchObject({
          code: 'InvalidArgument',
          message: `The value of ${name} must be a non-negative integer`,
          details: { ArgumentName: name, ArgumentValue: text },
        });
    },
  );

  test('above what the operation takes', () => {
    const length = String(STREAM.maxLength);
    expect(parse({ 'content-length': length }).length).toBe(STREAM.maxLength);
    expect(refusal({ 'content-length': String(STREAM.maxLength + 1) })).toMatchObject({
      code: 'EntityTooLarge',
      details: { ProposedSize: String(STREAM.maxLength + 1), MaxSizeAllowed: length },
    });
    expect(refusal({ 'content-length': '1025' }, UNSIGNED, BUFFERED)).toMatchObject({
      code: 'MaxMessageLengthExceeded',
      message: 'Your request was too big.',
      details: { MaxMessageLengthBytes: '1024' },
    });
  });

  test('counts the object, not its framing', () => {
    const rules: BodyRules = { mode: 'stream', maxLength: 5 };
    expect(parse({ 'content-length': '200', ...TRAILER }, UNSIGNED_TRAILER, rules).length).toBe(5);
  });

  test('a small request without a body has length 0', () => {
    expect(parse({}, UNSIGNED, BUFFERED).length).toBe(0);
    expect(refusal({ 'transfer-encoding': 'chunked' }, UNSIGNED, BUFFERED)).toMatchObject({
      code: 'MissingContentLength',
    });
  });

  test.each(['identity', 'gzip, chunked', 'chunked,chunked', ''])('transfer-encoding %j', (value) => {
    expect(refusal({ 'transfer-encoding': value })).toMatchObject({
      code: 'NotImplemented',
      details: { Header: 'Transfer-Encoding' },
    });
  });

  test('two ways of saying where the body ends', () => {
    const fields = { 'content-length': '5', 'transfer-encoding': 'chunked' };
    for (const payload of [UNSIGNED, SIGNED])
      expect(refusal(fields, payload)).toMatchObject({ code: 'InvalidRequest' });
  });

  test.each([SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER])('%j for a small body', (payload) => {
    const fields = { 'content-length': '91', ...TRAILER };
    expect(refusal(fields, payload, BUFFERED)).toMatchObject({
      code: 'InvalidRequest',
      message: 'The value of x-amz-content-sha256 header is invalid.',
    });
  });
});

describe('x-amz-trailer', () => {
  test.each(Object.keys(CHECKSUM_ALGORITHMS) as ChecksumAlgorithm[])('announces %s', (algorithm) => {
    for (const name of [`x-amz-checksum-${algorithm}`, `X-Amz-Checksum-${algorithm.toUpperCase()}`])
      for (const payload of [SIGNED_TRAILER, UNSIGNED_TRAILER])
        expect(parse({ 'content-length': '200', ...TRAILER, 'x-amz-trailer': name }, payload).trailer).toBe(
          algorithm,
        );
  });

  test.each([
    undefined,
    '',
    'x-amz-checksum-md4',
    'x-amz-checksum-',
    'crc32',
    'x-amz-meta-a',
    'x-amz-checksum-crc32,x-amz-checksum-sha1',
    'x-amz-checksum-crc32,x-amz-meta-a',
  ])('%j is not supported', (name) => {
    const fields = {
      'content-length': '200',
      'x-amz-decoded-content-length': '5',
      ...(name === undefined ? {} : { 'x-amz-trailer': name }),
    };
    for (const payload of [SIGNED_TRAILER, UNSIGNED_TRAILER])
      expect(refusal(fields, payload)).toMatchObject({
        code: 'InvalidRequest',
        message: 'The value specified in the x-amz-trailer header is not supported',
      });
  });

  test('with a form that has no trailer', () => {
    for (const [payload, length] of [
      [UNSIGNED, '5'],
      [SIGNED, '91'],
    ] as const)
      expect(refusal({ 'content-length': length, ...TRAILER }, payload)).toMatchObject({
        code: 'MalformedTrailerError',
      });
  });
});

describe('checksum headers', () => {
  test.each(Object.keys(CHECKSUM_ALGORITHMS) as ChecksumAlgorithm[])('%s', (algorithm) => {
    const { header, label } = CHECKSUM_ALGORITHMS[algorithm];
    const fields = { 'content-length': '5', ...checksumHeader(algorithm) };
    const expected = { algorithm, value: Buffer.from(checksumOf(algorithm, HELLO), 'base64') };
    expect(parse(fields).checksum).toEqual(expected);
    expect(parse({ ...fields, 'x-amz-sdk-checksum-algorithm': label }).checksum).toEqual(expected);
    for (const value of ['', '!', 'AA', 'AAAAAAA', 'AAAA,AAAA', `${checksumOf(algorithm, HELLO)} x`])
      expect(refusal({ ...fields, [header]: value })).toMatchObject({
        code: 'InvalidRequest',
        message: `Value for ${header} header is invalid.`,
      });
  });

  test('base64 with unused bits set, without padding, or of the URL alphabet is invalid', () => {
    for (const value of ['NhCmhh==', 'NhCmhg', '-_-_-g=='])
      expect(refusal({ 'content-length': '5', 'x-amz-checksum-crc32': value })).toMatchObject({
        message: 'Value for x-amz-checksum-crc32 header is invalid.',
      });
  });

  test('two, or one beside a trailer', () => {
    const single = {
      code: 'InvalidRequest',
      message: 'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.',
    };
    expect(
      refusal({ 'content-length': '5', ...checksumHeader('crc32'), ...checksumHeader('sha1') }),
    ).toMatchObject(single);
    for (const algorithm of ['crc32', 'sha1'] as const)
      expect(
        refusal({ 'content-length': '200', ...TRAILER, ...checksumHeader(algorithm) }, UNSIGNED_TRAILER),
      ).toMatchObject(single);
  });

  test('an algorithm that is not known is refused, not skipped', () => {
    expect(refusal({ 'content-length': '5', 'x-amz-checksum-md4': 'AAAA' })).toMatchObject({
      code: 'InvalidRequest',
      message: 'The algorithm type you specified in x-amz-checksum- header is invalid.',
    });
  });

  test('headers of that prefix that are no checksum', () => {
    for (const name of ['x-amz-checksum-algorithm', 'x-amz-checksum-type', 'x-amz-checksum-mode'])
      expect(parse({ 'content-length': '5', [name]: 'CRC32' }).checksum).toBeUndefined();
  });

  test('x-amz-sdk-checksum-algorithm without its checksum, or with another', () => {
    const fields = { 'content-length': '5', 'x-amz-sdk-checksum-algorithm': 'SHA1' };
    expect(refusal(fields)).toMatchObject({
      code: 'InvalidRequest',
      message:
        'x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.',
    });
    const mismatch = {
      code: 'InvalidRequest',
      message: 'Value for x-amz-sdk-checksum-algorithm header is invalid.',
    };
    expect(refusal({ ...fields, ...checksumHeader('crc32') })).toMatchObject(mismatch);
    expect(refusal({ ...fields, ...TRAILER, 'content-length': '200' }, UNSIGNED_TRAILER)).toMatchObject(
      mismatch,
    );
    const agrees = { ...TRAILER, 'content-length': '200', 'x-amz-sdk-checksum-algorithm': 'crc32' };
    expect(parse(agrees, UNSIGNED_TRAILER).trailer).toBe('crc32');
  });

  test('Content-MD5 is what the SDKs mean by MD5', () => {
    const fields = { 'content-length': '5', 'x-amz-sdk-checksum-algorithm': 'MD5' };
    expect(parse({ ...fields, 'content-md5': MD5 }).md5).toEqual(Buffer.from(MD5, 'base64'));
    expect(parse({ ...fields, ...checksumHeader('md5') }).checksum?.algorithm).toBe('md5');
    expect(refusal({ ...fields, 'x-amz-checksum-crc32': 'NhCmhg==', 'content-md5': MD5 })).toMatchObject({
      message: 'Value for x-amz-sdk-checksum-algorithm header is invalid.',
    });
    expect(refusal(fields)).toMatchObject({ code: 'InvalidRequest' });
  });

  test('of the object are not compared with a body that is not the object', () => {
    const fields = {
      'content-length': '5',
      'x-amz-checksum-sha256': 'composite-3',
      'x-amz-sdk-checksum-algorithm': 'CRC32',
    };
    const rules: BodyRules = { ...BUFFERED, checksumHeaders: 'object' };
    expect(parse(fields, UNSIGNED, rules).checksum).toBeUndefined();
  });
});

describe('Content-MD5', () => {
  test('is 16 bytes in base64', () => {
    const declaration = parse({ 'content-length': '5', 'content-md5': MD5 });
    expect(declaration.md5?.toString('base64')).toBe(MD5);
  });

  test.each(['', 'x', MD5.slice(0, -1), `${MD5}=`, `${MD5},${MD5}`, createHash('md5').digest('hex')])(
    '%j is malformed',
    (value) => {
      expect(refusal({ 'content-length': '5', 'content-md5': value })).toMatchObject({
        code: 'InvalidDigest',
        status: 400,
        message: 'The Content-MD5 you specified is not valid.',
      });
    },
  );
});

test.each([
  [undefined, undefined],
  ['aws-chunked', undefined],
  ['AWS-Chunked', undefined],
  ['aws-chunked,gzip', 'gzip'],
  ['gzip, aws-chunked', 'gzip'],
  ['aws-chunked, br , aws-chunked,gzip', 'br, gzip'],
  ['aws-chunked,aws-chunked', undefined],
  ['gzip ,br', 'gzip ,br'],
  ['x-aws-chunked', 'x-aws-chunked'],
  ['', ''],
])('the Content-Encoding %j is stored as %j', (sent, stored) => {
  expect(withoutAwsChunked(sent)).toBe(stored);
});
