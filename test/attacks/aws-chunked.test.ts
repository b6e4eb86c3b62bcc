/**
 * The aws-chunked framing, broken in every place. Source: S3 API reference, "Transferring Payload in Multiple Chunks
 * (Chunked Upload)", with and without trailing headers.
 */
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { render, type Header, type SignedRequest } from '../support/raw-signer.ts';
import { SDK_CHECKSUM_NAMES, sdkChecksum } from '../support/sdk-checksums.ts';
import { BUCKET, openArena, type Arena, type Refusal } from './arena.ts';
import {
  checksumHeader,
  FORMS,
  frame,
  framedUpload,
  nth,
  otherSignature,
  SIGNED,
  SIGNED_TRAILER,
  UNSIGNED_TRAILER,
  type Form,
  type Upload,
} from './framed-upload.ts';

let arena: Arena;

beforeAll(async () => {
  arena = await openArena();
});

afterAll(async () => {
  await arena.finish();
});

const CHUNKS = ['a', 'b', 'c', 'd'].map((letter) => Buffer.alloc(256 * 1024, letter));
const OBJECT = Buffer.concat(CHUNKS);
type Options = Partial<Upload> & Pick<Upload, 'form' | 'key'>;

const upload = (options: Options): Promise<SignedRequest> =>
  framedUpload(arena, { chunks: CHUNKS, ...options });

const MISMATCH: Refusal = { status: 403, code: 'SignatureDoesNotMatch' };
const INCOMPLETE: Refusal = {
  status: 400,
  code: 'IncompleteBody',
  message: 'The request body terminated unexpectedly',
};
const WRONG_LENGTH: Refusal = {
  status: 400,
  code: 'IncompleteBody',
  message: 'You did not provide the number of bytes specified by the Content-Length HTTP header',
};
const UNSUPPORTED_TRAILER: Refusal = {
  status: 400,
  code: 'InvalidRequest',
  message: 'The value specified in the x-amz-trailer header is not supported',
};
const TRAILER: Refusal = {
  status: 400,
  code: 'MalformedTrailerError',
  message:
    'The request contained trailing data that was not well-formed or did not conform to our published schema.',
};

describe.each(FORMS)('%s', (form) => {
  const signed = form !== UNSIGNED_TRAILER;

  test('that the payload line does not speak of is never stored', async () => {
    for (const payloadHash of ['UNSIGNED-PAYLOAD', undefined]) {
      const request = arena.sign({
        method: 'PUT',
        target: `/${BUCKET}/undeclared`,
        headers: [['content-encoding', 'gzip, AWS-Chunked']],
        body: '5\r\nhello\r\n0\r\n\r\n',
        ...(payloadHash !== undefined && { payloadHash }),
      });
      await arena.storesNothing('undeclared', request, { status: 400, code: 'InvalidRequest' });
    }
  });

  test('is stored without its framing, and without `aws-chunked` in its encoding', async () => {
    for (const [sent, stored] of [
      ['aws-chunked', undefined],
      ['aws-chunked,gzip', 'gzip'],
      ['gzip, AWS-CHUNKED', 'gzip'],
    ] as const) {
      const request = await upload({ form, key: 'good' });
      const resigned = arena.sign({
        method: 'PUT',
        target: request.target,
        payloadHash: form,
        headers: request.headers
          .filter(([name]) => /^(content-encoding|x-amz-decoded|x-amz-trailer)/.test(name))
          .map(([name, value]) => [name, name === 'content-encoding' ? sent : value] as const),
      });
      const body = Buffer.concat(
        (await frame(resigned, { form, chunks: CHUNKS })).map(({ text }) => Buffer.from(text)),
      );
      const framed = [
        ...resigned.headers.filter(([name]) => name !== 'Content-Length'),
        ['Content-Length', String(body.length)] as const,
      ];
      expect((await arena.send({ ...resigned, headers: framed, body })).status).toBe(200);
      const got = await arena.get('good');
      expect(got.body === OBJECT.toString('latin1')).toBe(true);
      expect(got.headers['content-encoding']).toBe(stored);
    }
  });

  test.each<[string, Partial<Upload>, Refusal]>([
    ['a missing last chunk', { change: (pieces) => pieces.slice(0, CHUNKS.length * 3) }, INCOMPLETE],
    ['a missing last line', { change: (pieces) => pieces.slice(0, -1) }, INCOMPLETE],
    [
      'a missing middle chunk',
      { change: (pieces) => [...pieces.slice(0, 3), ...pieces.slice(6)] },
      WRONG_LENGTH,
    ],
    [
      'bytes after the last chunk',
      { change: (pieces) => [...pieces, { kind: 'last', text: 'x' }] },
      INCOMPLETE,
    ],
    ['a second body behind', { change: (pieces) => [...pieces, ...pieces] }, INCOMPLETE],
    ['a decoded length too small', { decodedLength: OBJECT.length - 1 }, WRONG_LENGTH],
    ['a decoded length too large', { decodedLength: OBJECT.length + 1 }, WRONG_LENGTH],
    ['a decoded length beyond the encoded one', { decodedLength: OBJECT.length * 2 }, WRONG_LENGTH],
    [
      'no decoded length',
      { decodedLength: null },
      {
        status: 411,
        code: 'MissingContentLength',
        message: 'You must provide the Content-Length HTTP header.',
      },
    ],
    ['a negative decoded length', { decodedLength: -1 }, { status: 400, code: 'InvalidArgument' }],
    [
      'a decoded length that is no number',
      { decodedLength: '1e3' },
      { status: 400, code: 'InvalidArgument' },
    ],
    [
      'a size that is larger than its data',
      { change: nth('size', 1, (line) => line.replace('40000', '40001')) },
      signed ? MISMATCH : INCOMPLETE,
    ],
    [
      'a size that is smaller than its data',
      { change: nth('size', 1, (line) => line.replace('40000', '3ffff')) },
      signed ? MISMATCH : INCOMPLETE,
    ],
    ['a negative size', { change: nth('size', 1, (line) => `-${line}`) }, INCOMPLETE],
    ['a signed size', { change: nth('size', 1, (line) => `+${line}`) }, INCOMPLETE],
    ['a size in 0x notation', { change: nth('size', 1, (line) => `0x${line}`) }, INCOMPLETE],
    ['white space before a size', { change: nth('size', 1, (line) => ` ${line}`) }, INCOMPLETE],
    [
      'a huge size',
      { change: nth('size', 1, (line) => line.replace('40000', 'ffffffffffffffff')) },
      WRONG_LENGTH,
    ],
    [
      'a size beyond 64 bits',
      { change: nth('size', 1, (line) => line.replace('40000', `1${'0'.repeat(16)}`)) },
      INCOMPLETE,
    ],
    ['no size', { change: nth('size', 1, (line) => line.replace('40000', '')) }, INCOMPLETE],
    [
      'an endless size line',
      { change: nth('size', 1, (line) => line.replace('40000', '0'.repeat(2000))) },
      INCOMPLETE,
    ],
    [
      'an unknown extension',
      { change: nth('size', 1, (line) => line.replace('40000', '40000;name=value')) },
      INCOMPLETE,
    ],
    [
      'a size line that ends in LF',
      { change: nth('size', 1, (line) => line.replace('\r\n', '\n')) },
      INCOMPLETE,
    ],
    ['data that does not end in CRLF', { change: nth('end', 1, () => 'xy') }, INCOMPLETE],
    ['data without an end', { change: nth('end', 1, () => undefined) }, INCOMPLETE],
  ])('%s is refused, and nothing stored', async (_, options, refusal) => {
    await arena.storesNothing('broken', await upload({ form, key: 'broken', ...options }), refusal);
  });

  test.each([
    ['GET', ''],
    ['DELETE', ''],
    ['POST', '?uploads'],
    ['PUT', '?tagging'],
    ['POST', '?uploadId=x'],
    ['POST', '/?delete'],
  ] as const)('is refused on another operation: %s %s', async (method, rest) => {
    const target = rest === '/?delete' ? `/${BUCKET}?delete` : `/${BUCKET}/k${rest}`;
    await arena.refuses(
      arena.sign({ method, target, payloadHash: form, headers: [['x-amz-decoded-content-length', '0']] }),
      { status: 501, code: 'NotImplemented' },
    );
    await arena.refuses(arena.sign({ method, target, payloadHash: form }), {
      status: 400,
      code: 'InvalidRequest',
      message: 'The value of x-amz-content-sha256 header is invalid.',
    });
  });

  test('with a wrong signature of the request itself never opens the body', async () => {
    const request = await upload({ form, key: 'stranger' });
    const headers = request.headers.map(
      ([name, value]) => [name, name === 'Authorization' ? otherSignature(value) : value] as const,
    );
    await arena.refuses({ ...request, headers }, MISMATCH);
    await arena.checkAbsent('stranger');
  });

  test('without any signature is anonymous, and nothing is granted', async () => {
    const request = await upload({ form, key: 'stranger' });
    const headers = request.headers.filter(([name]) => name !== 'Authorization');
    await arena.refuses(
      { ...request, headers },
      signed
        ? { status: 400, code: 'InvalidRequest', message: /^Anonymous requests don't support/ }
        : { status: 403, code: 'AccessDenied' },
    );
    await arena.checkAbsent('stranger');
  });

  test('of an unknown key never opens the body', async () => {
    const request = await upload({ form, key: 'stranger' });
    const headers = request.headers.map(
      ([name, value]) =>
        [
          name,
          value.replace(`Credential=${arena.gateway.root.accessKeyId}`, 'Credential=AKIANOBODY'),
        ] as const,
    );
    await arena.refuses({ ...request, headers }, { status: 403, code: 'InvalidAccessKeyId' });
  });
});

describe.each<Form>([SIGNED, SIGNED_TRAILER])('signatures of %s', (form) => {
  test.each<[string, Partial<Upload>, Refusal]>([
    ['the first chunk', { change: nth('size', 0, otherSignature) }, MISMATCH],
    ['a middle chunk', { change: nth('size', 2, otherSignature) }, MISMATCH],
    ['the last chunk with data', { change: nth('size', -2, otherSignature) }, MISMATCH],
    ['the empty chunk at the end', { change: nth('size', -1, otherSignature) }, MISMATCH],
    ['a chunk whose data was changed', { change: nth('data', 1, (data) => `x${data.slice(1)}`) }, MISMATCH],
    [
      'the last chunk, whose data was changed',
      { change: nth('data', -1, (data) => `${data.slice(1)}x`) },
      MISMATCH,
    ],
    [
      'two chunks in another order',
      { change: (pieces) => [...pieces.slice(3, 6), ...pieces.slice(0, 3), ...pieces.slice(6)] },
      MISMATCH,
    ],
    [
      'a chunk that comes twice',
      { change: (pieces) => [...pieces.slice(0, 3), ...pieces.slice(0, 3), ...pieces.slice(6)] },
      MISMATCH,
    ],
    [
      'a chunk without a signature',
      { change: nth('size', 1, (line) => line.replace(/;.*\r/, '\r')) },
      INCOMPLETE,
    ],
    [
      'a signature of another length',
      { change: nth('size', 1, (line) => line.replace('\r\n', '0\r\n')) },
      INCOMPLETE,
    ],
    [
      'a signature in upper case',
      { change: nth('size', 0, (line) => line.toUpperCase().replace('CHUNK-SIGNATURE', 'chunk-signature')) },
      MISMATCH,
    ],
  ])('%s: refused', async (_, options, refusal) => {
    await arena.storesNothing('broken', await upload({ form, key: 'broken', ...options }), refusal);
  });

  test('a chunk below 8192 bytes that is not the last is refused', async () => {
    const chunks = [Buffer.alloc(8192, 'a'), Buffer.alloc(8191, 'b'), Buffer.alloc(10, 'c')];
    await arena.storesNothing('tiny', await upload({ form, key: 'tiny', chunks }), {
      status: 400,
      code: 'InvalidChunkSizeError',
      message: 'Only the last chunk is allowed to have a size less than 8192 bytes',
      elements: { Chunk: '2', BadChunkSize: '8191' },
    });
  });

  test('chunks of another request do not fit', async () => {
    const other = await upload({ form, key: 'other' });
    const request = await upload({ form, key: 'broken', headers: [['x-amz-meta-a', '1']] });
    await arena.storesNothing('broken', { ...request, body: other.body }, MISMATCH);
  });
});

describe.each([SIGNED_TRAILER, UNSIGNED_TRAILER] as const)('a trailer of %s', (form) => {
  test.each(SDK_CHECKSUM_NAMES)('%s is verified, and kept with the object', async (algorithm) => {
    const key = `trailer-${algorithm}`;
    const header = checksumHeader(algorithm);
    const value = await sdkChecksum(algorithm, OBJECT);
    const wrong = await sdkChecksum(algorithm, Buffer.from('another object'));
    await arena.storesNothing(key, await upload({ form, key, algorithm, trailerValue: wrong }), {
      status: 400,
      code: 'BadDigest',
      message: `The ${algorithm} you specified did not match the calculated checksum.`,
    });
    for (const trailerValue of ['', '!', value.slice(4), `AAAA${value}`])
      await arena.storesNothing(key, await upload({ form, key, algorithm, trailerValue }), {
        status: 400,
        code: 'InvalidRequest',
        message: `Value for ${header} trailing header is invalid.`,
      });

    const stored = await arena.send(await upload({ form, key, algorithm }));
    expect(stored.status).toBe(200);
    const told = { [header]: value, 'x-amz-checksum-type': 'FULL_OBJECT' };
    expect(stored.headers).toMatchObject(told);
    const headers: readonly Header[] = [['x-amz-checksum-mode', 'ENABLED']];
    const got = await arena.send(arena.sign({ target: `/${BUCKET}/${key}`, headers }));
    expect(got.headers).toMatchObject(told);
    expect(got.body === OBJECT.toString('latin1')).toBe(true);
    await arena.send(arena.sign({ method: 'DELETE', target: `/${BUCKET}/${key}` }));
  });
});

describe('trailers', () => {
  const crc = 'AAAAAA==';
  test.each<[string, Partial<Upload>, Refusal]>([
    [
      'a wrong value',
      { trailerValue: crc },
      { status: 400, code: 'BadDigest', message: /^The CRC32 you specified/ },
    ],
    [
      'an undecodable value',
      { trailerValue: 'not base64' },
      {
        status: 400,
        code: 'InvalidRequest',
        message: 'Value for x-amz-checksum-crc32 trailing header is invalid.',
      },
    ],
    [
      'a value of another length',
      { trailerValue: 'AAAA' },
      {
        status: 400,
        code: 'InvalidRequest',
        message: 'Value for x-amz-checksum-crc32 trailing header is invalid.',
      },
    ],
    ['another name than announced', { trailerName: 'x-amz-checksum-sha256' }, TRAILER],
    ['a header smuggled in', { trailerName: 'x-amz-meta-a' }, TRAILER],
    ['none', { change: nth('trailer', 0, () => undefined) }, TRAILER],
    ['two', { change: nth('trailer', 0, (line) => line + line) }, TRAILER],
    ['one beside it', { change: nth('trailer', 0, (line) => `${line}x-amz-meta-a:b\r\n`) }, TRAILER],
    [
      'an endless one',
      { change: nth('trailer', 0, (line) => line.replace(':', `:${'A'.repeat(3000)}`)) },
      TRAILER,
    ],
  ])('%s: refused in both forms', async (_, options, refusal) => {
    for (const form of [SIGNED_TRAILER, UNSIGNED_TRAILER] as const)
      await arena.storesNothing('broken', await upload({ form, key: 'broken', ...options }), refusal);
  });

  test.each<[string, Partial<Upload>, Refusal]>([
    ['wrong', { change: nth('trailer-signature', 0, otherSignature) }, MISMATCH],
    ['missing', { change: nth('trailer-signature', 0, () => undefined) }, TRAILER],
    ['malformed', { change: nth('trailer-signature', 0, () => 'x-amz-trailer-signature:00\r\n') }, TRAILER],
    ['of another value', { change: nth('trailer', 0, () => `x-amz-checksum-crc32:${crc}\r\n`) }, MISMATCH],
  ])('a signature that is %s: refused', async (_, options, refusal) => {
    await arena.storesNothing(
      'broken',
      await upload({ form: SIGNED_TRAILER, key: 'broken', ...options }),
      refusal,
    );
  });

  test('a signature in the unsigned form is one line too many', async () => {
    const change = nth('trailer', 0, (line) => `${line}x-amz-trailer-signature:${'0'.repeat(64)}\r\n`);
    await arena.storesNothing(
      'broken',
      await upload({ form: UNSIGNED_TRAILER, key: 'broken', change }),
      TRAILER,
    );
  });

  test.each<[string, readonly Header[], Refusal]>([
    ['not announced', [], UNSUPPORTED_TRAILER],
    ['announced as a header of the object', [['x-amz-trailer', 'x-amz-meta-a']], UNSUPPORTED_TRAILER],
    ['announced twice', [['x-amz-trailer', 'x-amz-checksum-crc32,x-amz-checksum-sha1']], UNSUPPORTED_TRAILER],
    [
      'beside a checksum header',
      [
        ['x-amz-trailer', 'x-amz-checksum-crc32'],
        ['x-amz-checksum-crc32', crc],
      ],
      { status: 400, code: 'InvalidRequest', message: /^Expecting a single x-amz-checksum- header/ },
    ],
  ])('%s: refused before the body', async (_, headers, refusal) => {
    const request = arena.sign({
      method: 'PUT',
      target: `/${BUCKET}/early`,
      payloadHash: UNSIGNED_TRAILER,
      headers: [['x-amz-decoded-content-length', '5'], ['Content-Length', '60'], ...headers],
    });
    await arena.refuses(request, refusal);
  });

  test('of HTTP itself never become headers', async () => {
    const request = arena.sign({
      method: 'PUT',
      target: `/${BUCKET}/http-trailer`,
      payloadHash: UNSIGNED_TRAILER,
      headers: [
        ['x-amz-decoded-content-length', '5'],
        ['x-amz-trailer', 'x-amz-checksum-crc32'],
      ],
      unsigned: [
        ['Transfer-Encoding', 'chunked'],
        ['Trailer', 'x-amz-meta-evil'],
      ],
    });
    const sum = Buffer.alloc(4);
    sum.writeUInt32BE(crc32('hello'));
    const encoded = `5\r\nhello\r\n0\r\nx-amz-checksum-crc32:${sum.toString('base64')}\r\n\r\n`;
    const http = `${encoded.length.toString(16)}\r\n${encoded}\r\n0\r\nx-amz-meta-evil: 1\r\nHost: evil\r\n\r\n`;
    arena.gateway.upstream.clear();
    expect((await arena.send({ ...request, body: Buffer.from(http) })).status).toBe(200);
    expect(arena.gateway.upstream.sent.join('')).not.toContain('evil');
    const got = await arena.get('http-trailer');
    expect(got.body).toBe('hello');
    expect(Object.keys(got.headers)).not.toContain('x-amz-meta-evil');
  });
});

describe('framing that the payload line does not announce', () => {
  test('is refused by its decoded length', async () => {
    const framed = await upload({ form: SIGNED, key: 'raw' });
    for (const payloadHash of ['UNSIGNED-PAYLOAD', undefined])
      await arena.refuses(
        arena.sign({
          method: 'PUT',
          target: `/${BUCKET}/raw`,
          body: framed.body,
          ...(payloadHash !== undefined && { payloadHash }),
          headers: [
            ['content-encoding', 'aws-chunked'],
            ['x-amz-decoded-content-length', String(OBJECT.length)],
          ],
        }),
        WRONG_LENGTH,
      );
    await arena.checkAbsent('raw');
  });
});

test('a body in single bytes is verified like any other', async () => {
  const chunks = [Buffer.from('hello')];
  const good = await upload({ form: SIGNED_TRAILER, key: 'drop', chunks });
  const bad = await upload({
    form: SIGNED_TRAILER,
    key: 'dropped',
    chunks,
    change: nth('trailer-signature', 0, otherSignature),
  });
  const statuses: number[] = [];
  for (const request of [good, bad]) {
    const connection = await arena.connect();
    connection.socket.setNoDelay(true);
    for (const byte of render(request)) await connection.write(Buffer.of(byte));
    const response = await connection.response();
    statuses.push(response.status);
    connection.socket.end();
    await connection.closed;
  }
  expect(statuses).toEqual([200, 403]);
  expect((await arena.get('drop')).body).toBe('hello');
  await arena.checkAbsent('dropped');
});

test('a refusal in the first chunk leaves the connection in step', async () => {
  const request = await upload({ form: SIGNED, key: 'step', change: nth('size', 0, otherSignature) });
  const connection = await arena.connect();
  void connection.write(render(request));
  void connection.write(render(arena.sign({ target: `/${BUCKET}?location` })));
  await arena.checkRefusal(await connection.response(), MISMATCH);
  expect((await connection.response()).body).toContain('LocationConstraint');
  connection.socket.end();
  await connection.closed;
});
