/** Two stores behind one gateway: a bucket is in one of them, by name, by pattern or by default. */
import {
  CopyObjectCommand,
  CreateBucketCommand,
  GetObjectCommand,
  HeadBucketCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDevStore } from '../../src/devstore/index.ts';
import { Secret } from '../../src/sigv4/index.ts';
import { runGateway, type RunningGateway } from '../support/running-gateway.ts';

interface Store {
  readonly endpoint: string;
  readonly client: S3Client;
  close(): Promise<void>;
}

const SECRET = randomBytes(20).toString('hex');
/** The environment of the harness names an upstream of its own, which is not wanted here. */
const NO_UPSTREAM = {
  UPSTREAM_ENDPOINT: undefined,
  UPSTREAM_ACCESS_KEY_ID: undefined,
  UPSTREAM_SECRET_ACCESS_KEY: undefined,
};

let folder: string;
let first: Store;
let second: Store;
let gateway: RunningGateway;
let s3: S3Client;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bucketwarden-upstreams-'));
  first = await openStore('first', 'us-east-1');
  second = await openStore('second', 'eu-central-1');
  gateway = await run(settings({ patterns: 'logs-*', name: 'exact' }));
  s3 = gateway.client();
  for (const Bucket of ['logs-1', 'shared-data', 'hidden'])
    await first.client.send(new CreateBucketCommand({ Bucket }));
  for (const Bucket of ['exact', 'logs-1']) await second.client.send(new CreateBucketCommand({ Bucket }));
});

afterAll(async () => {
  await gateway.stop();
  await first.close();
  await second.close();
  await rm(folder, { recursive: true });
});

async function openStore(name: string, region: string): Promise<Store> {
  const credentials = { accessKeyId: 'STOREKEY', secretAccessKey: SECRET };
  const store = createDevStore({
    directory: join(folder, name),
    credentials: { accessKeyId: 'STOREKEY', secretAccessKey: new Secret(SECRET) },
    region,
    now: Date.now,
  });
  const { endpoint } = await store.listen();
  const client = new S3Client({ endpoint, region, forcePathStyle: true, credentials, maxAttempts: 1 });
  return {
    endpoint,
    client,
    async close() {
      client.destroy();
      await store.close();
    },
  };
}

function settings(buckets: { readonly patterns: string; readonly name: string }): string {
  const keys = `accessKeyId: STOREKEY, secretAccessKey: ${SECRET}`;
  return `
upstreams:
  - { name: first, endpoint: '${first.endpoint}', ${keys}, buckets: ['${buckets.patterns}'], default: true }
  - { name: second, endpoint: '${second.endpoint}', region: eu-central-1, ${keys}, buckets: ['${buckets.name}'] }
buckets:
  - { name: virtual, target: shared-data/v/, upstream: first }
`;
}

async function run(yaml: string, dataDir?: string): Promise<RunningGateway> {
  const file = join(folder, `${randomBytes(4).toString('hex')}.yaml`);
  await writeFile(file, yaml);
  return runGateway({ file, env: NO_UPSTREAM, ...(dataDir !== undefined && { dataDir }) });
}

test('a bucket is where its name says, each upstream signed for in its own region', async () => {
  await s3.send(new PutObjectCommand({ Bucket: 'logs-1', Key: 'k', Body: 'in the first' }));
  await s3.send(new PutObjectCommand({ Bucket: 'exact', Key: 'k', Body: 'in the second' }));
  const one = await first.client.send(new GetObjectCommand({ Bucket: 'logs-1', Key: 'k' }));
  expect(await one.Body?.transformToString()).toBe('in the first');
  const two = await second.client.send(new GetObjectCommand({ Bucket: 'exact', Key: 'k' }));
  expect(await two.Body?.transformToString()).toBe('in the second');
  const other = await second.client.send(new ListObjectsV2Command({ Bucket: 'logs-1' }));
  expect(other.KeyCount).toBe(0);
});

test('the list of buckets is that of both, and of no bucket that only exists upstream', async () => {
  await s3.send(new CreateBucketCommand({ Bucket: 'made' }));
  const { Buckets = [] } = await s3.send(new ListBucketsCommand({}));
  expect(Buckets.map(({ Name }) => Name)).toEqual(['exact', 'logs-1', 'made', 'virtual']);
  await expect(s3.send(new HeadBucketCommand({ Bucket: 'hidden' }))).rejects.toMatchObject({
    $metadata: { httpStatusCode: 404 },
  });
  await first.client.send(new HeadBucketCommand({ Bucket: 'made' }));
});

test('a copy within one works, from one to the other it is refused and says what to do', async () => {
  await s3.send(new PutObjectCommand({ Bucket: 'logs-1', Key: 'source', Body: '1' }));
  await s3.send(new CopyObjectCommand({ Bucket: 'virtual', Key: 'copy', CopySource: 'logs-1/source' }));
  await expect(
    s3.send(new CopyObjectCommand({ Bucket: 'exact', Key: 'copy', CopySource: 'logs-1/source' })),
  ).rejects.toMatchObject({
    name: 'InvalidRequest',
    message:
      'The bucket `logs-1` is kept in another store than `exact`: read the object and write it instead of copying it.',
  });
});

test('a bucket made through the gateway stays where it was made when the patterns change', async () => {
  const made = await run(settings({ patterns: 'a-*', name: 'exact' }));
  await made.client().send(new CreateBucketCommand({ Bucket: 'moving' }));
  await made.client().send(new PutObjectCommand({ Bucket: 'moving', Key: 'k', Body: 'first' }));
  await made.stop({ keepData: true });
  // Somebody else's bucket of that name.
  await second.client.send(new CreateBucketCommand({ Bucket: 'moving' }));
  const later = await run(settings({ patterns: 'a-*', name: 'moving' }), made.dataDir);
  const got = await later.client().send(new GetObjectCommand({ Bucket: 'moving', Key: 'k' }));
  expect(await got.Body?.transformToString()).toBe('first');
  await later.stop();
});

test('a bucket whose upstream is gone cannot be made again elsewhere, and keeps its policy', async () => {
  const policy = {
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Deny', Principal: '*', Action: 's3:GetObject', Resource: 'arn:aws:s3:::orphan/*' },
    ],
  };
  const both = settings({ patterns: 'a-*', name: 'orphan' });
  const made = await run(both);
  await made.client().send(new CreateBucketCommand({ Bucket: 'orphan' }));
  await made.client().send(new PutBucketPolicyCommand({ Bucket: 'orphan', Policy: JSON.stringify(policy) }));
  await made.client().send(new PutObjectCommand({ Bucket: 'orphan', Key: 'k', Body: 'secret' }));
  await made.stop({ keepData: true });

  const without = both.replace(/^ *- \{ name: second.*\n/m, '');
  const later = await run(without, made.dataDir);
  await expect(later.client().send(new CreateBucketCommand({ Bucket: 'orphan' }))).rejects.toMatchObject({
    name: 'BucketAlreadyOwnedByYou',
  });
  await expect(first.client.send(new HeadBucketCommand({ Bucket: 'orphan' }))).rejects.toMatchObject({
    $metadata: { httpStatusCode: 404 },
  });
  await later.stop({ keepData: true });

  const again = await run(both, made.dataDir);
  await expect(
    again.client().send(new GetObjectCommand({ Bucket: 'orphan', Key: 'k' })),
  ).rejects.toMatchObject({ name: 'AccessDenied' });
  await again.stop();
});
