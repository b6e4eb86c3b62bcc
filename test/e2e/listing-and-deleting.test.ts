/** Listings, V1 and V2, and DeleteObjects: many keys at once, each of them decided alone. */
import {
  CreateBucketCommand,
  DeleteObjectsCommand,
  type DeleteObjectsCommandOutput,
  ListObjectsCommand,
  type ListObjectsCommandInput,
  type ListObjectsCommandOutput,
  ListObjectsV2Command,
  type ListObjectsV2CommandInput,
  type ListObjectsV2CommandOutput,
  paginateListObjectsV2,
  PutBucketPolicyCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runGateway, type Credentials, type RunningGateway } from '../support/running-gateway.ts';
import { sendRaw } from './support/signed-request.ts';

const Bucket = 'docs';
const KEYS = ['a', 'a/1', 'a/2', 'b/x/1', 'b/x/2', 'b/y', 'c d+e', 'z&<>'];
let gateway: RunningGateway;
let s3: S3Client;

beforeAll(async () => {
  gateway = await runGateway();
  s3 = gateway.client();
  await s3.send(new CreateBucketCommand({ Bucket }));
  for (const Key of KEYS) await s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
});

afterAll(async () => {
  await gateway.stop();
});

type Listing = ListObjectsCommandOutput | ListObjectsV2CommandOutput;
const keysOf = ({ Contents = [] }: Listing): unknown => Contents.map(({ Key }) => Key);
const prefixesOf = ({ CommonPrefixes = [] }: Listing): unknown => CommonPrefixes.map(({ Prefix }) => Prefix);

type ListingInput = Omit<ListObjectsV2CommandInput & ListObjectsCommandInput, 'Bucket'>;

describe.each([
  ['ListObjects', (input: ListingInput) => s3.send(new ListObjectsCommand({ Bucket, ...input }))],
  ['ListObjectsV2', (input: ListingInput) => s3.send(new ListObjectsV2Command({ Bucket, ...input }))],
] as const)('%s', (_, send) => {
  const list = (input: ListingInput): Promise<Listing> => send(input);

  test('all keys, in UTF-8 order', async () => {
    const listed = await list({});
    expect(keysOf(listed)).toEqual(KEYS);
    expect(listed).toMatchObject({ Name: Bucket, IsTruncated: false, MaxKeys: 1000 });
  });

  test('by prefix and delimiter', async () => {
    const listed = await list({ Prefix: 'b/', Delimiter: '/' });
    expect(keysOf(listed)).toEqual(['b/y']);
    expect(prefixesOf(listed)).toEqual(['b/x/']);
    expect(prefixesOf(await list({ Delimiter: '/' }))).toEqual(['a/', 'b/']);
  });

  test('with encoding-type=url, keys come escaped', async () => {
    const listed = await list({ EncodingType: 'url', Prefix: 'c' });
    expect(keysOf(listed)).toEqual(['c%20d%2Be']);
  });
});

test('V1 pages by marker', async () => {
  const first = await s3.send(new ListObjectsCommand({ Bucket, MaxKeys: 3 }));
  expect(keysOf(first)).toEqual(KEYS.slice(0, 3));
  expect(first.IsTruncated).toBe(true);
  const second = await s3.send(new ListObjectsCommand({ Bucket, MaxKeys: 3, Marker: 'a/2' }));
  expect(keysOf(second)).toEqual(KEYS.slice(3, 6));
});

test('V2 pages by continuation token, and starts after a key', async () => {
  const pages: unknown[] = [];
  for await (const page of paginateListObjectsV2({ client: s3, pageSize: 3 }, { Bucket }))
    pages.push(keysOf(page));
  expect(pages).toEqual([KEYS.slice(0, 3), KEYS.slice(3, 6), KEYS.slice(6)]);
  const after = await s3.send(new ListObjectsV2Command({ Bucket, StartAfter: 'b/x/2', FetchOwner: true }));
  expect(keysOf(after)).toEqual(KEYS.slice(5));
});

test('max-keys=0 is an empty listing', async () => {
  const listed = await s3.send(new ListObjectsV2Command({ Bucket, MaxKeys: 0 }));
  expect(listed).toMatchObject({ KeyCount: 0, IsTruncated: false });
});

test('a key confined to a prefix lists below it only', async () => {
  const reader = await issue(['--user', 'prefixed', '--bucket', Bucket, '--prefix', 'b/']);
  const client = gateway.client(reader);
  expect(keysOf(await client.send(new ListObjectsV2Command({ Bucket, Prefix: 'b/' })))).toEqual(
    KEYS.slice(3, 6),
  );
  for (const Prefix of [undefined, '', 'a/', 'b'])
    await expect(client.send(new ListObjectsV2Command({ Bucket, Prefix }))).rejects.toMatchObject({
      name: 'AccessDenied',
    });
});

async function put(keys: readonly string[]): Promise<void> {
  for (const Key of keys) await s3.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }));
}

function remove(
  client: S3Client,
  keys: readonly string[],
  options: { readonly Quiet?: boolean } = {},
): Promise<DeleteObjectsCommandOutput> {
  const Objects = keys.map((Key) => ({ Key }));
  return client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects, ...options } }));
}

describe('DeleteObjects', () => {
  test('tells of every key, also of those that were not there', async () => {
    await put(['del/1', 'del/ü & <2>']);
    const { Deleted, Errors } = await remove(s3, ['del/1', 'del/ü & <2>', 'del/none']);
    expect(Deleted).toEqual([{ Key: 'del/1' }, { Key: 'del/ü & <2>' }, { Key: 'del/none' }]);
    expect(Errors).toBeUndefined();
    expect(keysOf(await s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'del/' })))).toEqual([]);
  });

  test('quiet tells of errors only', async () => {
    await put(['del/1']);
    const { Deleted, Errors } = await remove(s3, ['del/1'], { Quiet: true });
    expect(Deleted).toBeUndefined();
    expect(Errors).toBeUndefined();
  });

  test('decides each key alone, sends upstream what is allowed only, and records each', async () => {
    const user = await issue(['--user', 'cleaner', '--bucket', Bucket, '--prefix', 'del/', '--read-write']);
    await put(['del/1', 'del/2', 'kept']);
    gateway.upstream.clear();
    const answer = await remove(gateway.client(user), ['del/1', 'kept', 'del/2']);
    expect(answer.$metadata).toMatchObject({ httpStatusCode: 200 });
    expect(answer.Deleted).toEqual([{ Key: 'del/1' }, { Key: 'del/2' }]);
    expect(answer.Errors).toEqual([{ Key: 'kept', Code: 'AccessDenied', Message: 'Access Denied' }]);
    expect(gateway.upstream.sent.join('')).not.toContain('kept');
    expect(keysOf(await s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'kept' })))).toEqual(['kept']);
    const record = await gateway.record(answer.$metadata.requestId ?? '');
    expect(record).toMatchObject({
      operation: 'DeleteObjects',
      entries: [
        { key: 'del/1', status: 204, decision: { effect: 'Allow', action: 's3:DeleteObject' } },
        { key: 'kept', status: 403, errorCode: 'AccessDenied', decision: { effect: 'Deny' } },
        { key: 'del/2', status: 204, decision: { effect: 'Allow' } },
      ],
    });
  });

  test('a versioned entry needs s3:DeleteObjectVersion', async () => {
    const user = await issue(['--user', 'cleaner', '--bucket', Bucket, '--prefix', 'del/', '--read-write']);
    gateway.upstream.clear();
    const answer = await gateway
      .client(user)
      .send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: 'del/1', VersionId: 'v1' }] } }));
    expect(answer.Errors).toEqual([
      { Key: 'del/1', VersionId: 'v1', Code: 'AccessDenied', Message: 'Access Denied' },
    ]);
    expect(gateway.upstream.requestLines()).toEqual([]);
  });

  test('with all keys denied nothing goes upstream', async () => {
    const reader = await issue(['--user', 'only-reader', '--bucket', Bucket]);
    gateway.upstream.clear();
    const answer = await remove(gateway.client(reader), ['a', 'a/1']);
    expect(answer.Errors).toHaveLength(2);
    expect(gateway.upstream.requestLines()).toEqual([]);
  });

  test('an explicit Deny of the bucket policy holds for its key', async () => {
    await put(['del/1', 'del/locked']);
    const Policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Deny',
          Principal: '*',
          Action: 's3:DeleteObject',
          Resource: `arn:aws:s3:::${Bucket}/del/locked`,
        },
      ],
    });
    await s3.send(new PutBucketPolicyCommand({ Bucket, Policy }));
    const { Deleted, Errors } = await remove(s3, ['del/locked', 'del/1']);
    expect(Deleted).toEqual([{ Key: 'del/1' }]);
    expect(Errors).toMatchObject([{ Key: 'del/locked', Code: 'AccessDenied' }]);
  });

  test.each([
    ['no keys', '<Delete></Delete>'],
    ['not XML', 'hello'],
    ['a document type', '<!DOCTYPE d [<!ENTITY e "x">]><Delete><Object><Key>&e;</Key></Object></Delete>'],
    ['1,001 keys', `<Delete>${'<Object><Key>k</Key></Object>'.repeat(1001)}</Delete>`],
  ])('a body with %s is MalformedXML', async (_, body) => {
    gateway.upstream.clear();
    const answer = await sendRaw(gateway, {
      method: 'POST',
      path: `/${Bucket}`,
      query: { delete: '' },
      headers: { 'content-md5': createHash('md5').update(body).digest('base64') },
      body,
      credentials: gateway.root,
    });
    expect(answer).toMatchObject({ status: 400, code: 'MalformedXML' });
    expect(gateway.upstream.requestLines()).toEqual([]);
  });

  test('a body that its checksum does not fit is refused', async () => {
    const body = '<Delete><Object><Key>a</Key></Object></Delete>';
    const answer = await sendRaw(gateway, {
      method: 'POST',
      path: `/${Bucket}`,
      query: { delete: '' },
      headers: { 'content-md5': createHash('md5').update('other').digest('base64') },
      body,
      credentials: gateway.root,
    });
    expect(answer).toMatchObject({ status: 400, code: 'BadDigest' });
  });
});

async function issue(args: readonly string[]): Promise<Credentials> {
  const { AccessKeyId, SecretAccessKey } = JSON.parse(
    await gateway.keys(['issue', ...args, '--output', 'json']),
  ) as Record<'AccessKeyId' | 'SecretAccessKey', string>;
  return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey };
}
