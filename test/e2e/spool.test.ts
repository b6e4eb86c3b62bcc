/** Uploads of unknown length through the AWS SDK, with a spool. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runGateway, type RunningGateway } from '../support/running-gateway.ts';

const Bucket = 'spooled';
const OBJECT = randomBytes(3 * 1024 * 1024 + 1);

let folder: string;
let gateway: RunningGateway;
let client: S3Client;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bucketwarden-spool-'));
  const file = join(folder, 'bucketwarden.yaml');
  await writeFile(
    file,
    [
      `spool: { directory: ${JSON.stringify(join(folder, 'spool'))}, maxBodySize: 4MiB, maxTotalSize: 8MiB }`,
      'buckets:',
      '  - { name: spooled-small, maxObjectSize: 1MiB }',
      '',
    ].join('\n'),
  );
  gateway = await runGateway({ file });
  // Without a checksum to compute it sends a stream of unknown length as it is, in chunks of HTTP.
  client = gateway.client(gateway.root, { requestChecksumCalculation: 'WHEN_REQUIRED' });
  await client.send(new CreateBucketCommand({ Bucket }));
});

afterAll(async () => {
  await gateway.stop();
  await rm(folder, { recursive: true, force: true });
});

function* pieces(object: Buffer): Generator<Buffer> {
  for (let at = 0; at < object.length; at += 100_000) yield object.subarray(at, at + 100_000);
}

test('an object is stored with its length, and everything that was said of it', async () => {
  const input = { Bucket, Key: 'object', Body: Readable.from(pieces(OBJECT)) };
  await client.send(new PutObjectCommand({ ...input, ContentType: 'text/csv', Metadata: { team: 'red' } }));
  const got = await client.send(new GetObjectCommand({ Bucket, Key: 'object' }));
  expect(got).toMatchObject({
    ContentLength: OBJECT.length,
    ContentType: 'text/csv',
    Metadata: { team: 'red' },
  });
  expect(OBJECT.equals((await got.Body?.transformToByteArray()) ?? Buffer.alloc(0))).toBe(true);
  expect(await readdir(join(folder, 'spool'))).toEqual([]);
});

test('several come at once, as many as there is room for', async () => {
  for (let round = 0; round < 3; round++) {
    const keys = [`${round}-a`, `${round}-b`];
    await Promise.all(
      keys.map((Key) =>
        client.send(new PutObjectCommand({ Bucket, Key, Body: Readable.from(pieces(OBJECT)) })),
      ),
    );
    for (const Key of keys) {
      const head = await client.send(new HeadObjectCommand({ Bucket, Key }));
      expect(head.ContentLength).toBe(OBJECT.length);
    }
  }
});

test('a part is stored with its length', async () => {
  const target = { Bucket, Key: 'parts' };
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(target));
  const Body = Readable.from(pieces(OBJECT));
  const part = await client.send(new UploadPartCommand({ ...target, UploadId, PartNumber: 1, Body }));
  const { Parts } = await client.send(new ListPartsCommand({ ...target, UploadId }));
  expect(Parts).toMatchObject([{ PartNumber: 1, Size: OBJECT.length, ETag: part.ETag }]);
});

test("the bucket's largest object holds for what does not tell its length", async () => {
  const Small = 'spooled-small';
  await client.send(new CreateBucketCommand({ Bucket: Small }));
  const put = (bytes: number): Promise<unknown> => {
    const Body = Readable.from(pieces(OBJECT.subarray(0, bytes)));
    return client.send(new PutObjectCommand({ Bucket: Small, Key: 'object', Body }));
  };
  await expect(put(1024 * 1024 + 1)).rejects.toMatchObject({
    name: 'EntityTooLarge',
    MaxSizeAllowed: String(1024 * 1024),
  });
  await put(1024 * 1024);
  await expect(
    client.send(new PutObjectCommand({ Bucket, Key: 'k', Body: Readable.from([OBJECT, OBJECT]) })),
  ).rejects.toMatchObject({ name: 'EntityTooLarge', MaxSizeAllowed: String(4 * 1024 * 1024) });
});
