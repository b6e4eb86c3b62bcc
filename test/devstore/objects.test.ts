import { createHash, randomBytes } from 'node:crypto';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import { codeOf, startStore, type TestStore } from './support.ts';

const Bucket = 'bucket';

async function startWithBucket(): Promise<TestStore> {
  const store = await startStore();
  await store.client.send(new CreateBucketCommand({ Bucket }));
  return store;
}

async function readBody(store: TestStore, Key: string, Range?: string): Promise<Buffer> {
  const { Body } = await store.client.send(
    new GetObjectCommand({ Bucket, Key, ...(Range !== undefined && { Range }) }),
  );
  return Buffer.from((await Body?.transformToByteArray()) ?? []);
}

describe('objects', () => {
  test('come back with everything that was said about them', async () => {
    const { client } = await startWithBucket();
    const described = {
      ContentType: 'text/plain; charset=utf-8',
      CacheControl: 'max-age=60',
      ContentDisposition: 'attachment; filename="a b.txt"',
      ContentEncoding: 'identity',
      ContentLanguage: 'de',
      Metadata: { owner: 'alice', 'two-words': 'a  b' },
      StorageClass: 'STANDARD_IA',
    } as const;
    const Expires = new Date('2030-01-01T00:00:00Z');
    const put = await client.send(
      new PutObjectCommand({ Bucket, Key: 'key', Body: 'hello', Tagging: 'a=1&b=2', Expires, ...described }),
    );
    expect(put.ETag).toBe('"5d41402abc4b2a76b9719d911017c592"');
    const got = await client.send(new GetObjectCommand({ Bucket, Key: 'key' }));
    expect(await got.Body?.transformToString()).toBe('hello');
    expect(got).toMatchObject({ ...described, ETag: put.ETag, ContentLength: 5, TagCount: 2 });
    expect(got.ExpiresString).toBe('Tue, 01 Jan 2030 00:00:00 GMT');
    expect(got.AcceptRanges).toBe('bytes');
    const head = await client.send(new HeadObjectCommand({ Bucket, Key: 'key' }));
    expect(head).toMatchObject({ ...described, ETag: put.ETag, ContentLength: 5, TagCount: 2 });
    expect(head.LastModified).toEqual(got.LastModified);
  });

  test('of no bytes, and of many, keep every byte', async () => {
    const store = await startWithBucket();
    for (const size of [0, 1, 65_536, 262_144, 262_145, 3_000_001]) {
      const Body = randomBytes(size);
      const { ETag } = await store.client.send(new PutObjectCommand({ Bucket, Key: 'key', Body }));
      expect(ETag).toBe(`"${createHash('md5').update(Body).digest('hex')}"`);
      expect((await readBody(store, 'key')).equals(Body)).toBe(true);
    }
    expect(store.failures).toEqual([]);
  });

  test('have a type even when nobody said one', async () => {
    const { send } = await startWithBucket();
    await send({ method: 'PUT', path: '/bucket/key', body: 'x' });
    const { headers } = await send({ method: 'GET', path: '/bucket/key' });
    expect(headers['content-type']).toBe('binary/octet-stream');
  });

  test.each([
    'a//b',
    'a/../b',
    './a',
    '../../etc/passwd',
    '/leading',
    'trailing/',
    'a%2Fb',
    'a b+c',
    'ä\u0308 é e\u0301 日本語 😀',
    'a?b#c&d=e',
    'quote"\'<>&\\|',
    '\u0000\u0001\u001f\u007f',
    'k'.repeat(1024),
    'é'.repeat(512),
  ])('keep their key byte for byte: %j', async (Key) => {
    const store = await startWithBucket();
    await store.client.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
    expect((await readBody(store, Key)).toString()).toBe(Key);
    const listed = await store.send({
      method: 'GET',
      path: '/bucket',
      query: [{ name: 'encoding-type', value: 'url' }],
    });
    const [, encoded = ''] = /<Contents><Key>([^<]*)</.exec(listed.body.toString()) ?? [];
    expect(decodeURIComponent(encoded)).toBe(Key);
    await store.client.send(new DeleteObjectCommand({ Bucket, Key }));
    expect(await codeOf(store.client.send(new GetObjectCommand({ Bucket, Key })))).toBe('NoSuchKey');
  });

  test('`a` and `a/b` stand side by side, and NFC beside NFD', async () => {
    const store = await startWithBucket();
    for (const Key of ['a', 'a/b', 'a/', 'é', 'e\u0301'])
      await store.client.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
    for (const Key of ['a', 'a/b', 'a/', 'é', 'e\u0301'])
      expect((await readBody(store, Key)).toString()).toBe(Key);
  });

  test('have no key above 1,024 bytes', async () => {
    const { client } = await startWithBucket();
    const put = new PutObjectCommand({ Bucket, Key: 'é'.repeat(513), Body: '' });
    expect(await codeOf(client.send(put))).toBe('KeyTooLongError');
  });

  test('user metadata above 2 KB, a wrong storage class and bad tags are refused', async () => {
    const { client } = await startWithBucket();
    const put = (extra: object): Promise<string> =>
      codeOf(client.send(new PutObjectCommand({ Bucket, Key: 'key', Body: 'x', ...extra })));
    expect(await put({ Metadata: { large: 'x'.repeat(2048) } })).toBe('MetadataTooLarge');
    expect(await put({ StorageClass: 'CHEAP' })).toBe('InvalidStorageClass');
    expect(await put({ Tagging: 'a=1&a=2' })).toBe('InvalidArgument');
    expect(await put({ Tagging: 'a=%3C' })).toBe('InvalidTag');
    expect(await codeOf(client.send(new HeadObjectCommand({ Bucket, Key: 'key' })))).toBe('NotFound');
  });

  test('HEAD of a missing one has no body', async () => {
    const { send } = await startWithBucket();
    const { status, body } = await send({ method: 'HEAD', path: '/bucket/missing' });
    expect([status, body.length]).toEqual([404, 0]);
  });

  test('response headers can be overridden', async () => {
    const { client } = await startWithBucket();
    await client.send(new PutObjectCommand({ Bucket, Key: 'key', Body: 'x', ContentType: 'text/plain' }));
    const got = await client.send(
      new GetObjectCommand({
        Bucket,
        Key: 'key',
        ResponseContentType: 'application/json',
        ResponseCacheControl: 'no-store',
        ResponseContentDisposition: 'inline',
        ResponseContentEncoding: 'identity',
        ResponseContentLanguage: 'fr',
      }),
    );
    await got.Body?.transformToByteArray();
    expect(got).toMatchObject({
      ContentType: 'application/json',
      CacheControl: 'no-store',
      ContentDisposition: 'inline',
      ContentEncoding: 'identity',
      ContentLanguage: 'fr',
    });
  });
});

describe('ranges', () => {
  // Source: RFC 9110, section 14.1.2.
  test.each([
    ['bytes=0-0', '0', 'bytes 0-0/10'],
    ['bytes=2-4', '234', 'bytes 2-4/10'],
    ['bytes=7-', '789', 'bytes 7-9/10'],
    ['bytes=7-99', '789', 'bytes 7-9/10'],
    ['bytes=-3', '789', 'bytes 7-9/10'],
    ['bytes=-99', '0123456789', 'bytes 0-9/10'],
  ])('%s', async (Range, expected, contentRange) => {
    const { client } = await startWithBucket();
    await client.send(new PutObjectCommand({ Bucket, Key: 'key', Body: '0123456789' }));
    const got = await client.send(new GetObjectCommand({ Bucket, Key: 'key', Range }));
    expect(await got.Body?.transformToString()).toBe(expected);
    expect(got.$metadata.httpStatusCode).toBe(206);
    expect(got.ContentRange).toBe(contentRange);
    const head = await client.send(new HeadObjectCommand({ Bucket, Key: 'key', Range }));
    expect(head).toMatchObject({ ContentRange: contentRange, ContentLength: expected.length });
  });

  test.each(['bytes=10-', 'bytes=10-12', 'bytes=-0'])('%s is not satisfiable', async (range) => {
    const { client, send } = await startWithBucket();
    await client.send(new PutObjectCommand({ Bucket, Key: 'key', Body: '0123456789' }));
    const answer = await send({ method: 'GET', path: '/bucket/key', headers: { range } });
    expect(answer).toMatchObject({ status: 416, code: 'InvalidRange' });
    expect(answer.headers['content-range']).toBe('bytes */10');
  });

  test.each(['bytes=4-2', 'bytes=0-1,3-4', 'lines=1-2', 'bytes=x-'])('%s is ignored', async (range) => {
    const { client, send } = await startWithBucket();
    await client.send(new PutObjectCommand({ Bucket, Key: 'key', Body: '0123456789' }));
    const answer = await send({ method: 'GET', path: '/bucket/key', headers: { range } });
    expect([answer.status, answer.body.toString()]).toEqual([200, '0123456789']);
  });

  test('reach across the chunks in which files are read', async () => {
    const store = await startWithBucket();
    const Body = randomBytes(1_000_000);
    await store.client.send(new PutObjectCommand({ Bucket, Key: 'key', Body }));
    const part = await readBody(store, 'key', 'bytes=100000-899999');
    expect(part.equals(Body.subarray(100_000, 900_000))).toBe(true);
  });
});

describe('deletes', () => {
  test('are no error for what does not exist', async () => {
    const { send } = await startWithBucket();
    expect((await send({ method: 'DELETE', path: '/bucket/missing' })).status).toBe(204);
  });

  test('take many keys at once, odd ones too, and tell of each', async () => {
    const { client } = await startWithBucket();
    const keys = ['a', 'a/b', '<&>"', 'é', '\u0001', ' space '];
    for (const Key of keys) await client.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }));
    const Objects = [...keys.map((Key) => ({ Key })), { Key: 'missing' }, { Key: 'v', VersionId: '1' }];
    const { Deleted, Errors } = await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    expect(Deleted?.map(({ Key }) => Key)).toEqual([...keys, 'missing']);
    expect(Errors).toMatchObject([{ Key: 'v', Code: 'NotImplemented' }]);
    for (const Key of keys)
      expect(await codeOf(client.send(new HeadObjectCommand({ Bucket, Key })))).toBe('NotFound');
  });

  test('are silent about success when asked to', async () => {
    const { client } = await startWithBucket();
    const answer = await client.send(
      new DeleteObjectsCommand({ Bucket, Delete: { Quiet: true, Objects: [{ Key: 'a' }] } }),
    );
    expect(answer.Deleted).toBeUndefined();
  });

  test('need a digest of their document, and at most 1,000 keys', async () => {
    const { client, send } = await startWithBucket();
    const query = [{ name: 'delete', value: '' }];
    const body = '<Delete><Object><Key>a</Key></Object></Delete>';
    expect(await send({ method: 'POST', path: '/bucket', query, body })).toMatchObject({
      status: 400,
      code: 'InvalidRequest',
    });
    const Objects = Array.from({ length: 1001 }, (_, i) => ({ Key: String(i) }));
    expect(await codeOf(client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } })))).toBe(
      'MalformedXML',
    );
  });
});
