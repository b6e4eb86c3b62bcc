/** The AWS SDK through a balancer that rewrites what it was told to, and a gateway that knows its public URL. */
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  UploadPartCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { createPresignedPost } from '@aws-sdk/s3-presigned-post';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runGateway, type RunningGateway } from '../support/running-gateway.ts';

const Bucket = 'behind';
const PREFIX = '/object/storage';

describe.each([
  ['keeps host and path', { keepHost: true, keepPath: true }],
  ['takes the prefix away', { keepHost: true, keepPath: false }],
  ['takes the prefix away and has a host of its own', { keepHost: false, keepPath: false }],
])('a balancer that %s', (_, { keepHost, keepPath }) => {
  let gateway: RunningGateway;
  let balancer: Server;
  let url: string;
  let s3: S3Client;

  beforeAll(async () => {
    balancer = createServer((incoming, answer) => {
      const headers = incoming.rawHeaders.map((text, index, all) =>
        !keepHost && all[index - 1]?.toLowerCase() === 'host' && index % 2 === 1
          ? `127.0.0.1:${gateway.port}`
          : text,
      );
      const path = keepPath ? incoming.url : incoming.url?.slice(PREFIX.length) || '/';
      const passedOn = request({
        host: '127.0.0.1',
        port: gateway.port,
        method: incoming.method ?? 'GET',
        path,
        headers: [...headers, 'X-Forwarded-For', '203.0.113.7', 'X-Forwarded-Proto', 'https'],
      });
      passedOn.on('response', (response) => {
        answer.writeHead(response.statusCode ?? 0, response.rawHeaders);
        pipeline(response, answer).catch(() => answer.destroy());
      });
      passedOn.on('error', () => answer.destroy());
      pipeline(incoming, passedOn).catch(() => passedOn.destroy());
    });
    balancer.listen(0, '127.0.0.1');
    await once(balancer, 'listening');
    url = `http://127.0.0.1:${(balancer.address() as AddressInfo).port}${PREFIX}`;
    gateway = await runGateway({ env: { PUBLIC_URLS: url, TRUSTED_PROXIES: '127.0.0.1' } });
    s3 = gateway.client(gateway.root, { endpoint: url });
    await s3.send(new CreateBucketCommand({ Bucket }));
  });

  afterAll(async () => {
    balancer.closeAllConnections();
    balancer.close();
    await gateway.stop();
  });

  test.each(['plain', 'a b+c/\u00e9%2F', 'object/storage/k', '..', 'a//b/'])(
    'passes objects through: %j',
    async (Key) => {
      await s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
      const got = await s3.send(new GetObjectCommand({ Bucket, Key }));
      expect(await got.Body?.transformToString()).toBe(Key);
      await s3.send(
        new CopyObjectCommand({
          Bucket,
          Key: `copy of ${Key}`,
          CopySource: `${Bucket}/${encodeURIComponent(Key)}`,
        }),
      );
      const presigned = await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: `copy of ${Key}` }));
      expect(presigned.startsWith(`${url}/`)).toBe(true);
      expect(await (await fetch(presigned)).text()).toBe(Key);
    },
  );

  test('passes listings through', async () => {
    expect((await s3.send(new ListBucketsCommand())).Buckets?.map(({ Name }) => Name)).toEqual([Bucket]);
    const listed = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'object/' }));
    expect(listed.Contents?.map(({ Key }) => Key)).toEqual(['object/storage/k']);
  });

  test('leads clients to where they came by', async () => {
    const Key = 'in parts \u00e9';
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }));
    const part = { Bucket, Key, UploadId, PartNumber: 1 };
    const { ETag } = await s3.send(new UploadPartCommand({ ...part, Body: 'x' }));
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
    const done = await s3.send(
      new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload }),
    );
    expect(done.Location).toBe(`${url}/${Bucket}/in%20parts%20%C3%A9`);
  });

  test('passes form uploads through', async () => {
    const { url: action, fields } = await createPresignedPost(s3, { Bucket, Key: 'form' });
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.set(name, value);
    form.set('success_action_status', '201');
    form.set('file', new Blob(['of a form']));
    const refused = await fetch(action, { method: 'POST', body: form });
    // A field that its policy does not know.
    expect(refused.status).toBe(403);
    form.delete('success_action_status');
    const response = await fetch(action, { method: 'POST', body: form });
    expect(response.status).toBe(204);
    // A form is not signed for a host: where that is replaced, the public URL cannot be told.
    const expected = keepHost ? url : `https://127.0.0.1:${gateway.port}`;
    expect(response.headers.get('location')).toBe(`${expected}/${Bucket}/form`);
  });

  test('is not the client in the record', async () => {
    const response = await s3.send(new PutObjectCommand({ Bucket, Key: 'r', Body: '' }));
    const record = await gateway.record(response.$metadata.requestId ?? '');
    expect(record).toMatchObject({ remoteAddress: '203.0.113.7', peerAddress: '127.0.0.1' });
  });
});
