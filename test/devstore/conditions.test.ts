import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import { codeOf, startStore, type TestStore } from './support.ts';

const Bucket = 'bucket';
const Key = 'key';
const MODIFIED = Date.parse('2026-03-01T12:00:00Z');
const ETAG = '"9dd4e461268c8034f5c8564e155c67a6"'; // MD5 of `x`
const BEFORE = 'Sun, 01 Mar 2026 11:59:59 GMT';
const AT = 'Sun, 01 Mar 2026 12:00:00 GMT';

/** With an object `x` that was written half a second after MODIFIED: dates tell whole seconds. */
async function startWithObject(): Promise<TestStore> {
  const store = await startStore({ now: () => MODIFIED + 500 });
  const sent = { signedAt: MODIFIED };
  await store.send({ method: 'PUT', path: '/bucket', ...sent });
  await store.send({ method: 'PUT', path: '/bucket/key', body: 'x', ...sent });
  return store;
}

describe('reads', () => {
  // Source: RFC 9110, section 13.2.2, and the table of the S3 API reference (GetObject, "Overriding").
  test.each([
    [{ 'if-match': ETAG }, 200],
    [{ 'if-match': ETAG.slice(1, -1) }, 200],
    [{ 'if-match': '*' }, 200],
    [{ 'if-match': `"other", ${ETAG}` }, 200],
    [{ 'if-match': '"other"' }, 412],
    [{ 'if-none-match': ETAG }, 304],
    [{ 'if-none-match': `W/${ETAG}` }, 304],
    [{ 'if-none-match': '*' }, 304],
    [{ 'if-none-match': '"other"' }, 200],
    [{ 'if-modified-since': AT }, 304],
    [{ 'if-modified-since': BEFORE }, 200],
    [{ 'if-modified-since': 'yesterday' }, 200],
    [{ 'if-unmodified-since': AT }, 200],
    [{ 'if-unmodified-since': BEFORE }, 412],
    [{ 'if-match': ETAG, 'if-unmodified-since': BEFORE }, 200],
    [{ 'if-match': '"other"', 'if-unmodified-since': AT }, 412],
    [{ 'if-none-match': ETAG, 'if-modified-since': BEFORE }, 304],
    [{ 'if-none-match': '"other"', 'if-modified-since': AT }, 200],
    [{ 'if-match': '"other"', 'if-none-match': ETAG }, 412],
  ])('with %j answer %d', async (headers, status) => {
    const { send } = await startWithObject();
    for (const method of ['GET', 'HEAD']) {
      const answer = await send({ method, path: '/bucket/key', headers, signedAt: MODIFIED });
      expect(answer.status).toBe(status);
    }
  });

  test.each([
    [ETAG, 206],
    ['"other"', 200],
    [AT, 206],
    [BEFORE, 200],
  ])('with a range and If-Range %s answer %d', async (value, status) => {
    const { send } = await startWithObject();
    const headers = { range: 'bytes=0-0', 'if-range': value };
    const answer = await send({ method: 'GET', path: '/bucket/key', headers, signedAt: MODIFIED });
    expect(answer.status).toBe(status);
  });
});

test('a 304 has validators and no body, a 412 says what failed', async () => {
  const { send } = await startWithObject();
  const get = { method: 'GET', path: '/bucket/key', signedAt: MODIFIED };
  const unchanged = await send({ ...get, headers: { 'if-none-match': ETAG } });
  expect(unchanged.headers).toMatchObject({ etag: ETAG, 'last-modified': AT });
  expect(unchanged.body.length).toBe(0);
  const changed = await send({ ...get, headers: { 'if-match': '"other"' } });
  expect(changed.code).toBe('PreconditionFailed');
  expect(changed.body.toString()).toContain('<Condition>If-Match</Condition>');
});

describe('writes', () => {
  test('with If-None-Match: * make an object once', async () => {
    const { client } = await startStore();
    await client.send(new CreateBucketCommand({ Bucket }));
    const put = (Body: string): Promise<string> =>
      codeOf(client.send(new PutObjectCommand({ Bucket, Key, Body, IfNoneMatch: '*' })));
    expect(await put('first')).toBe('no error');
    expect(await put('second')).toBe('PreconditionFailed');
    const got = await client.send(new GetObjectCommand({ Bucket, Key }));
    expect(await got.Body?.transformToString()).toBe('first');
  });

  test('with If-None-Match: * let one of many at once win', async () => {
    const { client } = await startStore();
    await client.send(new CreateBucketCommand({ Bucket }));
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        codeOf(client.send(new PutObjectCommand({ Bucket, Key, Body: `${i}`, IfNoneMatch: '*' }))),
      ),
    );
    expect(outcomes.filter((outcome) => outcome === 'no error')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === 'PreconditionFailed')).toHaveLength(7);
  });

  test('with If-Match replace what they name and nothing else', async () => {
    const { client } = await startStore();
    await client.send(new CreateBucketCommand({ Bucket }));
    const put = (Body: string, IfMatch: string): Promise<string> =>
      codeOf(client.send(new PutObjectCommand({ Bucket, Key, Body, IfMatch })));
    expect(await put('x', ETAG)).toBe('NoSuchKey');
    await client.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }));
    expect(await put('y', '"other"')).toBe('PreconditionFailed');
    expect(await put('y', ETAG)).toBe('no error');
    expect(await put('z', ETAG)).toBe('PreconditionFailed');
  });

  test('with a condition that S3 does not take are refused', async () => {
    const { client, send } = await startStore();
    await client.send(new CreateBucketCommand({ Bucket }));
    for (const headers of [
      { 'if-none-match': '"x"' },
      { 'if-unmodified-since': AT },
      { 'if-modified-since': AT },
    ])
      expect(await send({ method: 'PUT', path: '/bucket/key', body: 'x', headers })).toMatchObject({
        status: 501,
        code: 'NotImplemented',
      });
  });

  test('deletes with If-Match', async () => {
    const { client } = await startStore();
    await client.send(new CreateBucketCommand({ Bucket }));
    await client.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }));
    const remove = (IfMatch: string): Promise<string> =>
      codeOf(client.send(new DeleteObjectCommand({ Bucket, Key, IfMatch })));
    expect(await remove('"other"')).toBe('PreconditionFailed');
    expect(await remove(ETAG)).toBe('no error');
    expect(await codeOf(client.send(new HeadObjectCommand({ Bucket, Key })))).toBe('NotFound');
  });
});
