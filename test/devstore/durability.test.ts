import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { describe, expect, test, vi } from 'vitest';
import { createDevStore } from '../../src/devstore/index.ts';
import { Secret } from '../../src/sigv4/index.ts';
import { codeOf, filesOf, makeFolder, REGION, signRaw, startStore, type TestStore } from './support.ts';

const Bucket = 'bucket';
const Key = 'key';

/** What happens on the other side of a socket is seen a little later. */
function eventually(check: () => Promise<void>): Promise<void> {
  return vi.waitFor(check, { timeout: 10_000, interval: 10 });
}

async function startWithBucket(): Promise<TestStore> {
  const store = await startStore();
  await store.client.send(new CreateBucketCommand({ Bucket }));
  return store;
}

/** Sends the head of a PUT that declares `length` bytes. */
async function openPut(
  { endpoint }: TestStore,
  options: { readonly length: number; readonly headers?: Record<string, string>; readonly path?: string },
): Promise<Socket> {
  const { target, headers } = signRaw(endpoint, REGION, {
    method: 'PUT',
    path: options.path ?? '/bucket/key',
    payloadHash: 'UNSIGNED-PAYLOAD',
    ...(options.headers !== undefined && { headers: options.headers }),
  });
  const socket = connect(Number(new URL(endpoint).port), '127.0.0.1');
  let head = `PUT ${target} HTTP/1.1\r\ncontent-length: ${options.length}\r\n`;
  for (let i = 0; i < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`;
  socket.write(`${head}\r\n`);
  await once(socket, 'connect');
  return socket;
}

describe('uploads that break off', () => {
  test.each([
    ['before the first byte', 0],
    ['in the middle', 100_000],
    ['one byte short', 199_999],
  ])('%s store nothing and leave no file', async (_, sent) => {
    const store = await startWithBucket();
    await store.client.send(new PutObjectCommand({ Bucket, Key, Body: 'before' }));
    const socket = await openPut(store, { length: 200_000 });
    socket.write(Buffer.alloc(sent));
    await eventually(async () => expect((await filesOf(store.directory)).temporary).toHaveLength(1));
    socket.destroy();
    await eventually(async () => expect((await filesOf(store.directory)).temporary).toHaveLength(0));
    const got = await store.client.send(new GetObjectCommand({ Bucket, Key }));
    expect(await got.Body?.transformToString()).toBe('before');
    expect((await filesOf(store.directory)).data).toHaveLength(1);
    expect(store.failures).toEqual([]);
  });

  test('with a half-closed connection store nothing either', async () => {
    const store = await startWithBucket();
    const socket = await openPut(store, { length: 200_000 });
    socket.end(Buffer.alloc(100_000));
    socket.resume();
    await once(socket, 'close');
    await eventually(async () => expect(await filesOf(store.directory)).toEqual({ data: [], temporary: [] }));
    expect(await codeOf(store.client.send(new HeadObjectCommand({ Bucket, Key })))).toBe('NotFound');
  });

  test('while waiting for 100 Continue store nothing', async () => {
    const store = await startWithBucket();
    const socket = await openPut(store, { length: 5, headers: { expect: '100-continue' } });
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 100 Continue/);
    socket.destroy();
    await eventually(async () => expect(await filesOf(store.directory)).toEqual({ data: [], temporary: [] }));
  });

  test('refusals come before the body is asked for', async () => {
    const store = await startWithBucket();
    const socket = await openPut(store, {
      length: 5,
      headers: { expect: '100-continue' },
      path: '/missing/key',
    });
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 404 [^]*NoSuchBucket/);
    socket.resume();
    await once(socket, 'close');
  });

  test('a refusal in the middle of a body leaves the connection usable', async () => {
    const store = await startWithBucket();
    const Body = randomBytes(2_000_000);
    const wrong = new PutObjectCommand({ Bucket, Key, Body, ContentMD5: '1B2M2Y8AsgTpgAmY7PhCfg==' });
    expect(await codeOf(store.client.send(wrong))).toBe('BadDigest');
    expect(await codeOf(store.client.send(new PutObjectCommand({ Bucket: 'none', Key, Body })))).toBe(
      'NoSuchBucket',
    );
    expect(await codeOf(store.client.send(new PutObjectCommand({ Bucket, Key, Body })))).toBe('no error');
  });
});

describe('a restart', () => {
  test('keeps buckets, objects, tags and unfinished uploads', async () => {
    const directory = await makeFolder();
    const before = await startStore({ directory });
    await before.client.send(new CreateBucketCommand({ Bucket }));
    const Body = randomBytes(300_000);
    await before.client.send(new PutObjectCommand({ Bucket, Key, Body, Tagging: 'a=b' }));
    const target = { Bucket, Key: 'upload' };
    const { UploadId } = await before.client.send(new CreateMultipartUploadCommand(target));
    await before.client.send(new UploadPartCommand({ ...target, UploadId, PartNumber: 1, Body: 'part' }));
    await before.close();

    const { client } = await startStore({ directory });
    const got = await client.send(new GetObjectCommand({ Bucket, Key }));
    expect(Buffer.from((await got.Body?.transformToByteArray()) ?? []).equals(Body)).toBe(true);
    const { TagSet } = await client.send(new GetObjectTaggingCommand({ Bucket, Key }));
    expect(TagSet).toEqual([{ Key: 'a', Value: 'b' }]);
    expect((await client.send(new ListPartsCommand({ ...target, UploadId }))).Parts).toHaveLength(1);
  });

  test('deletes what a crash left behind, and nothing else', async () => {
    const directory = await makeFolder();
    const before = await startStore({ directory });
    await before.client.send(new CreateBucketCommand({ Bucket }));
    await before.client.send(new PutObjectCommand({ Bucket, Key, Body: 'kept' }));
    await before.close();
    const { data } = await filesOf(directory);
    await writeFile(join(directory, 'data', 'f'.repeat(32)), 'not committed');
    await writeFile(join(directory, 'tmp', '0'.repeat(32)), 'half written');

    const { client } = await startStore({ directory });
    expect(await filesOf(directory)).toEqual({ data, temporary: [] });
    const got = await client.send(new GetObjectCommand({ Bucket, Key }));
    expect(await got.Body?.transformToString()).toBe('kept');
  });

  test('is not possible while the folder is open', async () => {
    const { directory } = await startStore();
    const second = createDevStore({
      directory,
      credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: new Secret('secret') },
      region: REGION,
      now: Date.now,
    });
    await expect(second.listen()).rejects.toThrow(/is another process using it/);
  });
});

describe('at once', () => {
  test('many writers of one key leave one of them, whole', async () => {
    const store = await startWithBucket();
    const bodies = Array.from({ length: 12 }, (_, i) => randomBytes(50_000 + i * 1000));
    await Promise.all(
      bodies.map((Body, i) =>
        store.client.send(new PutObjectCommand({ Bucket, Key, Body, Metadata: { writer: String(i) } })),
      ),
    );
    const got = await store.client.send(new GetObjectCommand({ Bucket, Key }));
    const winner = bodies[Number(got.Metadata?.['writer'])] as Buffer;
    expect(Buffer.from((await got.Body?.transformToByteArray()) ?? []).equals(winner)).toBe(true);
    expect(got.ETag).toBe(`"${createHash('md5').update(winner).digest('hex')}"`);
    await store.close();
    expect((await filesOf(store.directory)).data).toHaveLength(1);
  });

  test('readers keep what they read while it is replaced and deleted', async () => {
    const store = await startWithBucket();
    const Body = randomBytes(20_000_000);
    await store.client.send(new PutObjectCommand({ Bucket, Key, Body }));
    const { target, headers } = signRaw(store.endpoint, REGION, { method: 'GET', path: '/bucket/key' });
    const { hostname, port } = new URL(store.endpoint);
    // Not read from yet: the store cannot have sent it all.
    const [response] = await once(get({ hostname, port, path: target, headers, agent: false }), 'response');
    await store.client.send(new PutObjectCommand({ Bucket, Key, Body: 'new' }));
    await store.client.send(new DeleteObjectCommand({ Bucket, Key }));
    expect((await filesOf(store.directory)).data).toHaveLength(1);
    const chunks: Buffer[] = [];
    for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
    expect(Buffer.concat(chunks).equals(Body)).toBe(true);
    await eventually(async () => expect((await filesOf(store.directory)).data).toHaveLength(0));
    expect(store.failures).toEqual([]);
  });

  test('closing lets a transfer finish', async () => {
    const store = await startWithBucket();
    const Body = randomBytes(20_000_000);
    await store.client.send(new PutObjectCommand({ Bucket, Key, Body }));
    const { target, headers } = signRaw(store.endpoint, REGION, { method: 'GET', path: '/bucket/key' });
    const { hostname, port } = new URL(store.endpoint);
    const [response] = await once(get({ hostname, port, path: target, headers, agent: false }), 'response');
    const closed = store.close();
    const chunks: Buffer[] = [];
    for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
    expect(Buffer.concat(chunks).equals(Body)).toBe(true);
    await closed;
  });

  test('a reader that goes away lets go of the file', async () => {
    const store = await startWithBucket();
    await store.client.send(new PutObjectCommand({ Bucket, Key, Body: randomBytes(20_000_000) }));
    const { target, headers } = signRaw(store.endpoint, REGION, { method: 'GET', path: '/bucket/key' });
    const { hostname, port } = new URL(store.endpoint);
    const [response] = await once(get({ hostname, port, path: target, headers, agent: false }), 'response');
    (response as { destroy(): void }).destroy();
    await store.client.send(new DeleteObjectCommand({ Bucket, Key }));
    await eventually(async () => expect((await filesOf(store.directory)).data).toHaveLength(0));
    expect(store.failures).toEqual([]);
  });

  test('a data file that is gone is an error, not an empty object', async () => {
    const store = await startWithBucket();
    await store.client.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }));
    const { data } = await filesOf(store.directory);
    const [file = ''] = data;
    await rm(join(store.directory, 'data', file));
    expect(await codeOf(store.client.send(new GetObjectCommand({ Bucket, Key })))).toBe('InternalError');
    expect(store.failures).toHaveLength(1);
  });
});
