/** Key look-ups, and what a signature says of the body. The signature itself: test/sigv4. */
import { randomBytes } from 'node:crypto';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createKeyDirectory } from '../../src/identity/index.ts';
import { Secret } from '../../src/sigv4/index.ts';
import { keyAddition, newMasterKey, temporaryStore } from '../identity/fixtures.ts';
import {
  ACCESS_KEY_ID,
  NOW,
  presign,
  SECRET_ACCESS_KEY,
  signByHeader,
  UNSIGNED,
  type Signable,
} from '../sigv4/independent-signer.ts';
import { authenticated, KEY, keyDirectory, refusalOf } from './stages.ts';

const GET: Signable = { method: 'GET', path: '/bucket/key' };
const UNKNOWN = {
  status: 403,
  code: 'InvalidAccessKeyId',
  message: 'The AWS Access Key Id you provided does not exist in our records.',
  details: { AWSAccessKeyId: ACCESS_KEY_ID },
};

function put(headers: Readonly<Record<string, string>>, payloadHash = UNSIGNED): Signable {
  return { method: 'PUT', path: '/bucket/key', headers, payloadHash };
}

describe('a key', () => {
  test('of the store is found with its secret and its principal', async () => {
    const store = temporaryStore();
    const masterKey = newMasterKey();
    await store.addKey(keyAddition({ masterKey, accessKeyId: ACCESS_KEY_ID, secret: SECRET_ACCESS_KEY }));
    const keys = createKeyDirectory({
      store,
      masterKey,
      cacheSize: 10,
      now: () => NOW,
      pollInterval: 0,
      onProblem: () => undefined,
    });
    onTestFinished(() => {
      keys.close();
    });
    for (const signed of [await signByHeader(GET), await presign(GET, { expiresIn: 60 })]) {
      const { caller } = await authenticated(signed, { dependencies: { keys } });
      expect(caller).toMatchObject({ type: 'key', key: { principal: { userName: 'alice', type: 'user' } } });
    }
    await store.setKeyStatus(ACCESS_KEY_ID, 'Inactive');
    await keys.refresh();
    const refused = await refusalOf(authenticated(await signByHeader(GET), { dependencies: { keys } }));
    expect(refused).toMatchObject(UNKNOWN);
  });

  test.each([
    ['unknown', [], 'unknown access key'],
    ['disabled', [{ ...KEY, status: 'Inactive' }], 'the access key is disabled'],
    ['expired', [{ ...KEY, expiresAt: NOW }], 'the access key has expired'],
  ] as const)('that is %s does not exist for the client; the log knows why', async (_, keys, reason) => {
    const signed = await signByHeader(GET);
    const refused = await refusalOf(authenticated(signed, { dependencies: { keys: keyDirectory(...keys) } }));
    expect(refused).toMatchObject({ ...UNKNOWN, reason });
  });

  test('is good until the millisecond at which it expires', async () => {
    const keys = keyDirectory({ ...KEY, expiresAt: NOW + 1 });
    const { caller } = await authenticated(await signByHeader(GET), { dependencies: { keys } });
    expect(caller.type).toBe('key');
  });

  test.each(['header', 'presigned'])('with a session token beside it is refused (%s)', async (form) => {
    const request = { ...GET, sessionToken: randomBytes(16).toString('base64') };
    const signed =
      form === 'header' ? await signByHeader(request) : await presign(request, { expiresIn: 60 });
    expect(await refusalOf(authenticated(signed))).toMatchObject({
      status: 400,
      code: 'InvalidToken',
      message: 'The provided token is malformed or otherwise invalid.',
    });
  });

  test('that cannot be looked up is neither good nor bad', async () => {
    const keys = { ...keyDirectory(), find: () => Promise.reject(new Error('disk gone')) };
    const result = authenticated(await signByHeader(GET), { dependencies: { keys } });
    await expect(result).rejects.toThrow('disk gone');
  });

  test('with another secret does not match', async () => {
    const keys = keyDirectory({
      ...KEY,
      secretAccessKey: new Secret('x'),
    });
    const refused = await refusalOf(authenticated(await signByHeader(GET), { dependencies: { keys } }));
    expect(refused).toMatchObject({
      code: 'SignatureDoesNotMatch',
      details: { AWSAccessKeyId: ACCESS_KEY_ID },
    });
  });
});

describe('headers that need not be signed', () => {
  test('can be made to need it', async () => {
    const signed = await signByHeader(GET);
    const headers = [...signed.headers, ['Range', 'bytes=0-1']] as const;
    expect(await authenticated({ ...signed, headers })).toMatchObject({ caller: { type: 'key' } });
    const dependencies = { headersToSign: new Set(['range']) };
    expect(await refusalOf(authenticated({ ...signed, headers }, { dependencies }))).toMatchObject({
      status: 403,
      code: 'AccessDenied',
      details: { HeadersNotSigned: 'range' },
    });
    const all = await signByHeader({ ...GET, headers: { range: 'bytes=0-1' } });
    expect(await authenticated(all, { dependencies })).toMatchObject({ caller: { type: 'key' } });
  });
});

describe('an anonymous request', () => {
  const headers = [['host', 'gateway.example']] as const;

  test('is one without a signature', async () => {
    const request = await authenticated({ method: 'GET', target: '/bucket/key', headers });
    expect(request).toMatchObject({ caller: { type: 'anonymous' }, payloadHash: UNSIGNED, body: undefined });
  });

  test('cannot override response headers', async () => {
    const target = '/bucket/key?response-content-type=text%2Fhtml';
    expect(await refusalOf(authenticated({ method: 'GET', target, headers }))).toMatchObject({
      status: 400,
      code: 'InvalidRequest',
      message: 'Request specific response headers cannot be used for anonymous GET requests.',
    });
  });

  test('cannot have signed chunks', async () => {
    const more = [['x-amz-content-sha256', 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD']] as const;
    const request = { method: 'PUT', target: '/bucket/key', headers: [...headers, ...more] };
    expect(await refusalOf(authenticated(request))).toMatchObject({ status: 400, code: 'InvalidRequest' });
  });

  test('can have a body of a declared hash', async () => {
    const sha256 = 'a'.repeat(64);
    const more = [
      ['x-amz-content-sha256', sha256],
      ['content-length', '5'],
    ] as const;
    const request = await authenticated({
      method: 'PUT',
      target: '/bucket/key',
      headers: [...headers, ...more],
    });
    expect(request.body).toMatchObject({ payload: { kind: 'sha256', sha256 }, length: 5 });
  });
});

describe('a body', () => {
  test.each([
    ['a'.repeat(64), { kind: 'sha256', sha256: 'a'.repeat(64) }],
    [UNSIGNED, { kind: 'unsigned' }],
    ['STREAMING-AWS4-HMAC-SHA256-PAYLOAD', { kind: 'chunked-signed', trailer: false }],
    ['STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER', { kind: 'chunked-signed', trailer: true }],
    ['STREAMING-UNSIGNED-PAYLOAD-TRAILER', { kind: 'chunked-unsigned' }],
  ])('is declared by the payload line `%s`', async (payloadHash, payload) => {
    const trailer = payloadHash.endsWith('-TRAILER') ? { 'x-amz-trailer': 'x-amz-checksum-crc32' } : {};
    const framed = payloadHash.startsWith('STREAMING-');
    const request = put(
      { 'content-length': '99', ...(framed && { 'x-amz-decoded-content-length': '5' }), ...trailer },
      payloadHash,
    );
    const { body, payloadHash: effective } = await authenticated(await signByHeader(request));
    expect(body).toMatchObject({ payload, length: framed ? 5 : 99 });
    expect(effective).toBe(payloadHash);
  });

  test.each([
    ['GET', '/bucket/key', undefined],
    ['DELETE', '/bucket/key', undefined],
    ['POST', '/bucket', 'delete'],
    ['PUT', '/bucket/key', 'tagging'],
  ])('in chunks is for uploads only, not for %s %s?%s', async (method, path, parameter) => {
    const signed = await signByHeader({
      method,
      path,
      query: parameter === undefined ? [] : [[parameter, '']],
      payloadHash: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
    });
    expect(await refusalOf(authenticated(signed))).toMatchObject({
      status: 400,
      code: 'InvalidRequest',
      message: 'The value of x-amz-content-sha256 header is invalid.',
    });
  });

  test.each([
    ['GET', { 'content-length': '1' }],
    ['HEAD', { 'content-length': '1' }],
    ['DELETE', { 'transfer-encoding': 'chunked' }],
    ['PUT', { 'content-length': '1', 'x-amz-copy-source': '/bucket/other' }],
  ])('is refused by an operation that takes none: %s %o', async (method, headers) => {
    const signed = await signByHeader({ method, path: '/bucket/key', headers });
    expect(await refusalOf(authenticated(signed))).toMatchObject({
      code: 'InvalidRequest',
      message: expect.stringContaining('takes no request body'),
    });
  });

  test('of length 0 is none', async () => {
    const signed = await signByHeader({ ...GET, headers: { 'content-length': '0' } });
    expect((await authenticated(signed)).body).toBeUndefined();
  });

  test('without a length is refused', async () => {
    expect(await refusalOf(authenticated(await signByHeader(put({}))))).toMatchObject({
      status: 411,
      code: 'MissingContentLength',
      message: 'You must provide the Content-Length HTTP header.',
    });
  });
});
