/** Our verifier and signer against the AWS SDK's, over requests of any shape. */
import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { S3Error } from '../../src/s3/index.ts';
import { createSigningKeys, Secret, signRequest } from '../../src/sigv4/index.ts';
import {
  ACCESS_KEY_ID,
  encodeText,
  HOST,
  NOW,
  presign,
  REGION,
  SECRET_ACCESS_KEY,
  signByHeader,
  UNSIGNED,
  verify,
  type Signable,
  type WireParts,
} from './independent-signer.ts';

const ODD = [
  '.',
  '..',
  '/',
  '//',
  '+',
  '%',
  '%2F',
  '%25',
  ' ',
  '&',
  '=',
  '?',
  '#',
  '~',
  "!'()*",
  'é',
  'é',
  '💾',
];
const text = fc
  .array(fc.oneof(fc.string({ unit: 'binary', maxLength: 8 }), fc.constantFrom(...ODD)), { maxLength: 6 })
  .map((parts) => parts.join(''));
const path = text.map((key) => `/bucket/${key}`);
const parameterName = text.filter(
  (name) => name !== '' && !/^x-amz-/i.test(name) && name !== 'Signature' && name !== 'AWSAccessKeyId',
);
const query = fc.array(fc.tuple(parameterName, text), { maxLength: 5 });
/** Without control characters, which HTTP does not carry; with spaces and tabs wherever they may stand. */
const headerValue = fc
  .array(fc.oneof(fc.string({ unit: 'binary', maxLength: 6 }), fc.constantFrom(' ', '  ', '\t', 'ÿ', '€')), {
    maxLength: 5,
  })
  .map((parts) => parts.join('').replaceAll(/[^\t\x20-\x7e\u0080-\u{10ffff}]/gu, ''));
const headers = fc.dictionary(
  fc.constantFrom('content-type', 'x-amz-meta-a', 'x-amz-meta-b', 'x-amz-acl', 'range', 'x-custom'),
  headerValue,
  { noNullPrototype: true },
);
const payloadHash = fc.oneof(
  fc.constantFrom(UNSIGNED, 'STREAMING-UNSIGNED-PAYLOAD-TRAILER', 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD'),
  fc.string().map((body) => createHash('sha256').update(body).digest('hex')),
);
const signable: fc.Arbitrary<Signable> = fc.record({
  method: fc.constantFrom('GET', 'PUT', 'POST', 'DELETE', 'HEAD'),
  path,
  query,
  headers,
  payloadHash,
});
const signatureForm = fc.constantFrom('header', 'presigned');

function sign(request: Signable, form: string): Promise<WireParts> {
  return form === 'header' ? signByHeader(request) : presign(request, { expiresIn: 300 });
}

describe('a request that the AWS SDK signed', () => {
  test('verifies, whatever its key, query and headers are', async () => {
    await fc.assert(
      fc.asyncProperty(signable, signatureForm, async (request, form) => {
        const claim = verify(await sign(request, form));
        expect(claim).toMatchObject({ form, accessKeyId: ACCESS_KEY_ID, payloadHash: request.payloadHash });
      }),
      { numRuns: 300 },
    );
  });

  test('verifies when the client escapes more or less than it must, or orders the query anew', async () => {
    await fc.assert(
      fc.asyncProperty(signable, signatureForm, async (request, form) => {
        const signed = await sign(request, form);
        const [rawPath = '', rawQuery] = signed.target.split('?');
        const lower = rawPath.replaceAll(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase());
        const plain = lower.replaceAll('%2b', '+').replaceAll('%3d', '=').replaceAll('%2e', '.');
        const reversed = rawQuery?.split('&').toReversed().join('&');
        const target = reversed === undefined ? plain : `${plain}?${reversed}`;
        expect(() => verify({ ...signed, target })).not.toThrow();
      }),
    );
  });

  test('verifies over the joined values of a header that comes twice', async () => {
    const signed = await signByHeader({
      method: 'GET',
      path: '/b/k',
      headers: { 'x-amz-meta-a': 'one,two' },
    });
    const others = signed.headers.filter(([name]) => name !== 'x-amz-meta-a');
    const twice = [...others, ['X-Amz-Meta-A', 'one'], ['x-amz-meta-a', ' two']] as const;
    expect(() => verify({ ...signed, headers: twice })).toThrow('does not match');
    const exact = [...others, ['X-Amz-Meta-A', 'one'], ['x-amz-meta-a', 'two']] as const;
    expect(() => verify({ ...signed, headers: exact })).not.toThrow();
  });

  test('is refused after any single change', async () => {
    await fc.assert(
      fc.asyncProperty(signable, signatureForm, fc.nat(), async (request, form, seed) => {
        const signed = await sign(request, form);
        const changes = changesOf(signed);
        const change = changes[seed % changes.length] as WireParts;
        expect(() => verify(change)).toThrow(S3Error);
      }),
      { numRuns: 400 },
    );
  });

  test('is refused with another secret', async () => {
    const signed = await signByHeader({ method: 'GET', path: '/b/k' });
    expect(() => verify(signed, { secret: `${SECRET_ACCESS_KEY}x` })).toThrow(
      expect.objectContaining({ code: 'SignatureDoesNotMatch' }),
    );
  });

  test.each([
    ['a letter that latin1 would cut to the right one', 0x100],
    ['upper case', -32],
  ])('is refused when a digit of the signature is %s', async (_, distance) => {
    const signed = await presign({ method: 'GET', path: '/b/k' }, { expiresIn: 60 });
    const target = signed.target.replace(
      /(X-Amz-Signature=\d*)([a-f])/,
      (_whole, before: string, digit: string) =>
        before + encodeText(String.fromCharCode(digit.charCodeAt(0) + distance)),
    );
    expect(target).not.toBe(signed.target);
    expect(() => verify({ ...signed, target })).toThrow(
      expect.objectContaining({ code: 'SignatureDoesNotMatch' }),
    );
  });
});

/** Every request that differs from `signed` in one thing that was signed, or in the signature. */
function changesOf(signed: WireParts): WireParts[] {
  const changes: WireParts[] = [
    { ...signed, method: signed.method === 'GET' ? 'PUT' : 'GET' },
    { ...signed, target: signed.target.replace('/bucket/', '/bucket//') },
    { ...signed, target: signed.target.replace('/bucket/', '/bucket/./') },
    { ...signed, target: signed.target.replace('/bucket/', '/Bucket/') },
    { ...signed, target: `${signed.target}${signed.target.includes('?') ? '&' : '?'}acl` },
    { ...signed, headers: [...signed.headers, ['x-amz-copy-source', '/bucket/other']] },
    { ...signed, headers: [...signed.headers, ['content-md5', '1B2M2Y8AsgTpgAmY7PhCfg==']] },
    { ...signed, headers: [...signed.headers, ['host', HOST]] },
  ];
  const [rawPath = '', rawQuery = ''] = signed.target.split('?');
  const parameters = rawQuery === '' ? [] : rawQuery.split('&');
  for (let i = 0; i < parameters.length; i++) {
    const changed = parameters.with(i, changeLast(parameters[i] as string));
    changes.push({ ...signed, target: `${rawPath}?${changed.join('&')}` });
    const fewer = parameters.toSpliced(i, 1);
    changes.push({
      ...signed,
      target: [rawPath, ...(fewer.length === 0 ? [] : [fewer.join('&')])].join('?'),
    });
  }
  for (let i = 0; i < signed.headers.length; i++) {
    const [name, value] = signed.headers[i] as readonly [string, string];
    changes.push({ ...signed, headers: signed.headers.with(i, [name, changeLast(value)]) });
  }
  return changes;
}

function changeLast(value: string): string {
  return value.endsWith('1') ? `${value.slice(0, -1)}2` : `${value.slice(0, -1)}1`;
}

describe('a request that the gateway signs', () => {
  const signingKeys = createSigningKeys({ max: 4 });
  const signer = {
    credentials: {
      accessKeyId: ACCESS_KEY_ID,
      secretAccessKey: new Secret(SECRET_ACCESS_KEY),
      secretVersion: '1',
    },
    region: REGION,
    signingKeys,
  };

  test('has the signature that the AWS SDK gives it, and verifies', async () => {
    await fc.assert(
      fc.asyncProperty(signable, async (request) => {
        const expected = await signByHeader(request);
        const wireHeaders = Object.entries(request.headers ?? {}).map(
          ([name, value]) => [name, Buffer.from(value, 'utf8').toString('latin1')] as const,
        );
        const raw = signRequest(
          {
            method: request.method,
            path: request.path,
            query: (request.query ?? []).map(([name, value]) => ({ name, value })),
            headers: [['host', HOST], ...wireHeaders],
            payloadHash: request.payloadHash ?? UNSIGNED,
          },
          signer,
          NOW,
        );
        const pairs = raw.flatMap((name, i) => (i % 2 === 0 ? [[name, raw[i + 1] ?? ''] as const] : []));
        expect(new Map(pairs)).toEqual(new Map(expected.headers));
        expect(() => verify({ ...expected, headers: pairs })).not.toThrow();
      }),
      { numRuns: 300 },
    );
  });
});
