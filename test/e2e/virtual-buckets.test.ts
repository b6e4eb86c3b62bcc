/** Buckets whose name at the gateway is another one upstream, or a prefix in a shared one. */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketLocationCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListMultipartUploadsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  paginateListObjectsV2,
  PutBucketPolicyCommand,
  GetBucketPolicyCommand,
  GetBucketTaggingCommand,
  PutObjectCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { runGateway, type RunningGateway } from '../support/running-gateway.ts';
import { sendRaw, type RawAnswer, type RawRequest } from './support/signed-request.ts';

const PREFIX = 'teams/a/';
const SETTINGS = `
buckets:
  - { name: team-a, target: shared-data/${PREFIX} }
  - { name: team-b, target: shared-data/teams/b/ }
  - { name: frozen, target: shared-data/frozen/, readOnly: true }
  - { name: renamed, target: other-name }
  - { name: small, target: shared-small/s/, maxObjectSize: 6MiB }
`;
/** Least part of a multipart upload but the last. */
const PART = 5 * 1024 * 1024;

let folder: string;
let gateway: RunningGateway;
let s3: S3Client;
/** Talks to the store behind the gateway's back. */
let upstream: S3Client;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bucketwarden-virtual-'));
  const file = join(folder, 'bucketwarden.yaml');
  await writeFile(file, SETTINGS);
  gateway = await runGateway({ file });
  s3 = gateway.client();
  upstream = gateway.upstreamClient();
  for (const Bucket of ['shared-data', 'other-name', 'shared-small'])
    await upstream.send(new CreateBucketCommand({ Bucket }));
});

afterAll(async () => {
  await gateway.stop();
  await rm(folder, { recursive: true });
});

async function put(Key: string, Body = Key): Promise<void> {
  await upstream.send(new PutObjectCommand({ Bucket: 'shared-data', Key, Body }));
}

async function upstreamKeys(Bucket = 'shared-data'): Promise<readonly (string | undefined)[]> {
  const { Contents = [] } = await upstream.send(new ListObjectsV2Command({ Bucket }));
  return Contents.map(({ Key }) => Key);
}

function signed(request: RawRequest): Promise<RawAnswer> {
  return sendRaw(gateway, { ...request, credentials: gateway.root });
}

describe('objects', () => {
  test('are written below the prefix, and read, copied and deleted there', async () => {
    await put('teams/b/secret');
    await put('secret');
    await s3.send(new PutObjectCommand({ Bucket: 'team-a', Key: 'x/1', Body: 'one', Metadata: { m: '1' } }));
    expect(await upstreamKeys()).toContain('teams/a/x/1');
    const got = await s3.send(new GetObjectCommand({ Bucket: 'team-a', Key: 'x/1' }));
    expect(await got.Body?.transformToString()).toBe('one');
    const head = await s3.send(new HeadObjectCommand({ Bucket: 'team-a', Key: 'x/1' }));
    expect(head.Metadata).toEqual({ m: '1' });
    await s3.send(new CopyObjectCommand({ Bucket: 'team-b', Key: 'y', CopySource: 'team-a/x/1' }));
    expect(await upstreamKeys()).toContain('teams/b/y');
    await s3.send(new CopyObjectCommand({ Bucket: 'renamed', Key: 'z', CopySource: 'team-b/y' }));
    expect(await upstreamKeys('other-name')).toEqual(['z']);
    await s3.send(new DeleteObjectCommand({ Bucket: 'team-a', Key: 'x/1' }));
    expect(await upstreamKeys()).not.toContain('teams/a/x/1');
  });

  test.each([
    '../b/secret',
    '../../secret',
    'x/../../b/secret',
    '.',
    '..',
    './../b/secret',
    '../a',
    '/../../b/secret',
  ])('the key `%s` reaches nothing outside', async (key) => {
    await put('teams/b/secret');
    await put('secret');
    gateway.upstream.clear();
    const answer = await signed({ path: `/team-a/${key}` });
    expect(answer).toMatchObject({ status: 400, code: 'InvalidArgument' });
    expect(answer.body).not.toContain('shared-data');
    expect(gateway.upstream.requestLines()).toEqual([]);
  });

  test('an error names what the client knows', async () => {
    const answer = await signed({ path: '/team-a/absent' });
    expect(answer).toMatchObject({ status: 404, code: 'NoSuchKey' });
    expect(answer.body).toContain('<Resource>/team-a/absent</Resource>');
    expect(answer.body).not.toContain('teams/a');
    expect(answer.body).not.toContain('shared-data');
  });

  test('a key that is too long with the prefix is refused with the length that is left', async () => {
    const answer = await signed({ path: `/team-a/${'k'.repeat(1020)}` });
    expect(answer).toMatchObject({ status: 400, code: 'KeyTooLongError' });
    expect(answer.body).toContain(`<MaxSizeAllowed>${1024 - PREFIX.length}</MaxSizeAllowed>`);
  });

  test('presigned URLs work', async () => {
    await put('teams/a/presigned', 'by URL');
    const url = await getSignedUrl(s3, new GetObjectCommand({ Bucket: 'team-a', Key: 'presigned' }));
    expect(await (await fetch(url)).text()).toBe('by URL');
  });
});

describe('listings', () => {
  const KEYS = ['a', 'b/1', 'b/2', 'c d+é&%2F', 'd', 'z/'];

  beforeEach(async () => {
    for (const key of await upstreamKeys())
      await upstream.send(new DeleteObjectCommand({ Bucket: 'shared-data', Key: key }));
    for (const key of KEYS) await put(PREFIX + key);
    await put('teams/');
    await put(PREFIX);
    await put('teams/a');
    await put('teams/aa/x');
    await put('teams/b/x');
  });

  test('show the keys below the prefix, and no others', async () => {
    const page = await s3.send(new ListObjectsV2Command({ Bucket: 'team-a' }));
    expect(page.Contents?.map(({ Key }) => Key)).toEqual(KEYS);
    expect(page).toMatchObject({ Name: 'team-a', Prefix: '', KeyCount: KEYS.length, IsTruncated: false });
    const first = await s3.send(new ListObjectsCommand({ Bucket: 'team-a' }));
    expect(first.Contents?.map(({ Key }) => Key)).toEqual(KEYS);
    expect(first).toMatchObject({ Name: 'team-a', Prefix: '', Marker: '' });
  });

  test('group by a delimiter, with and without encoding', async () => {
    for (const EncodingType of ['url', undefined] as const) {
      const page = await s3.send(
        new ListObjectsV2Command({ Bucket: 'team-a', Delimiter: '/', EncodingType }),
      );
      expect(page.CommonPrefixes).toEqual([{ Prefix: 'b/' }, { Prefix: 'z/' }]);
      const odd = EncodingType === 'url' ? encodeURIComponent('c d+é&%2F') : 'c d+é&%2F';
      expect(page.Contents?.map(({ Key }) => Key)).toEqual(['a', odd, 'd']);
    }
  });

  test('a prefix of the client comes behind the one of the bucket', async () => {
    const page = await s3.send(
      new ListObjectsV2Command({ Bucket: 'team-a', Prefix: 'b/', StartAfter: 'b/1' }),
    );
    expect(page.Contents?.map(({ Key }) => Key)).toEqual(['b/2']);
    expect(page).toMatchObject({ Prefix: 'b/', StartAfter: 'b/1' });
  });

  test.each(['../', '../b/', 'b/../../b/'])('the prefix `%s` leads nowhere', async (prefix) => {
    const answer = await signed({
      path: '/team-a',
      query: { 'list-type': '2', prefix },
    });
    expect(answer).toMatchObject({ status: 400, code: 'InvalidArgument' });
  });

  test('go on page by page, by token and by marker, whatever the size of a page', async () => {
    for (const pageSize of [1, 2, 3]) {
      const keys: (string | undefined)[] = [];
      for await (const page of paginateListObjectsV2({ client: s3, pageSize }, { Bucket: 'team-a' })) {
        keys.push(...(page.Contents ?? []).map(({ Key }) => Key));
        const token = page.NextContinuationToken ?? '';
        expect(Buffer.from(token, 'base64').toString('latin1')).not.toContain('teams');
        expect(token).not.toContain('teams');
      }
      expect(keys).toEqual(KEYS);
      const marked: (string | undefined)[] = [];
      for (let Marker: string | undefined, more = true; more;) {
        const page = await s3.send(new ListObjectsCommand({ Bucket: 'team-a', MaxKeys: pageSize, Marker }));
        marked.push(...(page.Contents ?? []).map(({ Key }) => Key));
        Marker = page.NextMarker ?? page.Contents?.at(-1)?.Key;
        more = page.IsTruncated === true;
      }
      expect(marked).toEqual(KEYS);
    }
  });

  test('a token of one bucket is none of another, and none can be made up', async () => {
    const { NextContinuationToken: token } = await s3.send(
      new ListObjectsV2Command({ Bucket: 'team-a', MaxKeys: 1 }),
    );
    for (const [Bucket, ContinuationToken] of [
      ['team-b', token],
      ['team-a', 'dGVhbXMvYi94'],
      ['team-a', `A${token?.slice(1)}`],
    ])
      await expect(s3.send(new ListObjectsV2Command({ Bucket, ContinuationToken }))).rejects.toMatchObject({
        name: 'InvalidArgument',
        message: 'The continuation token provided is incorrect',
      });
  });

  test('the owner in them is the owner at the gateway', async () => {
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: 'team-a', FetchOwner: true }));
    const { Owner } = await s3.send(new ListBucketsCommand({}));
    expect(Contents[0]?.Owner?.ID).toBe(Owner?.ID);
  });
});

describe('many keys at once', () => {
  test('are deleted below the prefix, and named as the client does', async () => {
    await put('teams/a/1');
    await put('teams/b/1');
    const { Deleted, Errors } = await s3.send(
      new DeleteObjectsCommand({ Bucket: 'team-a', Delete: { Objects: [{ Key: '1' }, { Key: 'absent' }] } }),
    );
    expect(Deleted?.map(({ Key }) => Key)).toEqual(['1', 'absent']);
    expect(Errors).toBeUndefined();
    const left = await upstreamKeys();
    expect(left).not.toContain('teams/a/1');
    expect(left).toContain('teams/b/1');
  });

  test('one that leads out refuses them all', async () => {
    await put('teams/a/2');
    await expect(
      s3.send(
        new DeleteObjectsCommand({
          Bucket: 'team-a',
          Delete: { Objects: [{ Key: '2' }, { Key: '../b/1' }] },
        }),
      ),
    ).rejects.toMatchObject({ name: 'InvalidArgument' });
    expect(await upstreamKeys()).toContain('teams/a/2');
  });
});

describe('multipart uploads', () => {
  test('are made, listed, filled, copied into and completed under the names of the client', async () => {
    await put('teams/a/source', 'x'.repeat(100));
    const started = await s3.send(new CreateMultipartUploadCommand({ Bucket: 'team-a', Key: 'big/1' }));
    expect(started).toMatchObject({ Bucket: 'team-a', Key: 'big/1' });
    const { UploadId } = started;
    const of = { Bucket: 'team-a', Key: 'big/1', UploadId };
    const uploads = await s3.send(new ListMultipartUploadsCommand({ Bucket: 'team-a', Delimiter: '/' }));
    expect(uploads).toMatchObject({ Bucket: 'team-a', CommonPrefixes: [{ Prefix: 'big/' }] });
    const whole = await s3.send(new ListMultipartUploadsCommand({ Bucket: 'team-a', Prefix: 'b' }));
    expect(whole.Uploads?.map(({ Key }) => Key)).toEqual(['big/1']);
    const one = await s3.send(new UploadPartCommand({ ...of, PartNumber: 1, Body: Buffer.alloc(PART, 1) }));
    const two = await s3.send(
      new UploadPartCopyCommand({
        ...of,
        PartNumber: 2,
        CopySource: 'team-a/source',
        CopySourceRange: 'bytes=0-9',
      }),
    );
    const parts = await s3.send(new ListPartsCommand(of));
    expect(parts).toMatchObject({ Bucket: 'team-a', Key: 'big/1' });
    expect(parts.Parts?.map(({ Size }) => Size)).toEqual([PART, 10]);
    const done = await s3.send(
      new CompleteMultipartUploadCommand({
        ...of,
        MultipartUpload: {
          Parts: [
            { PartNumber: 1, ETag: one.ETag },
            { PartNumber: 2, ETag: two.CopyPartResult?.ETag },
          ],
        },
      }),
    );
    expect(done).toMatchObject({ Bucket: 'team-a', Key: 'big/1', Location: `${gateway.url}/team-a/big/1` });
    expect(await upstreamKeys()).toContain('teams/a/big/1');
  });
});

describe('the bucket itself', () => {
  test('is found, located and listed by its own name, the shared one is not there', async () => {
    await s3.send(new HeadBucketCommand({ Bucket: 'team-a' }));
    await s3.send(new GetBucketLocationCommand({ Bucket: 'team-a' }));
    const { Buckets = [] } = await s3.send(new ListBucketsCommand({}));
    expect(Buckets.map(({ Name }) => Name)).toEqual(['frozen', 'renamed', 'small', 'team-a', 'team-b']);
    await expect(s3.send(new HeadBucketCommand({ Bucket: 'shared-data' }))).rejects.toMatchObject({
      $metadata: { httpStatusCode: 404 },
    });
    await expect(s3.send(new CreateBucketCommand({ Bucket: 'shared-data' }))).rejects.toMatchObject({
      name: 'AccessDenied',
    });
  });

  test('cannot be made again or deleted', async () => {
    await expect(s3.send(new CreateBucketCommand({ Bucket: 'team-a' }))).rejects.toMatchObject({
      name: 'BucketAlreadyExists',
    });
    gateway.upstream.clear();
    await expect(s3.send(new DeleteBucketCommand({ Bucket: 'team-a' }))).rejects.toMatchObject({
      name: 'NotImplemented',
    });
    await expect(s3.send(new GetBucketTaggingCommand({ Bucket: 'team-a' }))).rejects.toMatchObject({
      name: 'NotImplemented',
    });
    expect(gateway.upstream.requestLines()).toEqual([]);
  });

  test('has a policy of its own, which speaks of its own name', async () => {
    const Policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: 'arn:aws:s3:::team-a/public/*' },
      ],
    });
    await s3.send(new PutBucketPolicyCommand({ Bucket: 'team-a', Policy }));
    expect((await s3.send(new GetBucketPolicyCommand({ Bucket: 'team-a' }))).Policy).toBe(Policy);
    await put('teams/a/public/page', 'for all');
    await put('teams/a/private', 'not for all');
    expect(await (await fetch(`${gateway.url}/team-a/public/page`)).text()).toBe('for all');
    expect((await fetch(`${gateway.url}/team-a/private`)).status).toBe(403);
    expect((await fetch(`${gateway.url}/team-a/public/../private`)).status).toBe(403);
  });

  test('of another name upstream is one like any other', async () => {
    await s3.send(new PutObjectCommand({ Bucket: 'renamed', Key: 'k', Body: '1' }));
    const page = await s3.send(new ListObjectsV2Command({ Bucket: 'renamed' }));
    expect(page.Name).toBe('renamed');
    expect(page.Contents?.map(({ Key }) => Key)).toContain('k');
    await expect(s3.send(new GetBucketTaggingCommand({ Bucket: 'renamed' }))).rejects.toMatchObject({
      name: 'NoSuchTagSet',
    });
  });
});

describe('a read-only bucket', () => {
  test('is read and listed, and takes no change', async () => {
    await put('frozen/1', 'kept');
    const got = await s3.send(new GetObjectCommand({ Bucket: 'frozen', Key: '1' }));
    expect(await got.Body?.transformToString()).toBe('kept');
    gateway.upstream.clear();
    const readOnly = { name: 'AccessDenied', message: 'This bucket is read-only.' };
    for (const command of [
      new PutObjectCommand({ Bucket: 'frozen', Key: '1', Body: 'new' }),
      new CopyObjectCommand({ Bucket: 'frozen', Key: '2', CopySource: 'frozen/1' }),
      new CreateMultipartUploadCommand({ Bucket: 'frozen', Key: '2' }),
    ] as const)
      await expect(s3.send(command as PutObjectCommand)).rejects.toMatchObject(readOnly);
    await expect(s3.send(new DeleteObjectCommand({ Bucket: 'frozen', Key: '1' }))).rejects.toMatchObject(
      readOnly,
    );
    await expect(
      s3.send(new DeleteObjectsCommand({ Bucket: 'frozen', Delete: { Objects: [{ Key: '1' }] } })),
    ).rejects.toMatchObject(readOnly);
    expect(gateway.upstream.requestLines()).toEqual([]);
    await s3.send(new CopyObjectCommand({ Bucket: 'team-b', Key: 'from-frozen', CopySource: 'frozen/1' }));
  });
});

describe('the largest object of a bucket', () => {
  const LIMIT = 6 * 1024 * 1024;
  const tooLarge = { name: 'EntityTooLarge', MaxSizeAllowed: String(LIMIT) };

  test('holds for one upload', async () => {
    await s3.send(new PutObjectCommand({ Bucket: 'small', Key: 'fits', Body: Buffer.alloc(LIMIT) }));
    await expect(
      s3.send(new PutObjectCommand({ Bucket: 'small', Key: 'big', Body: Buffer.alloc(LIMIT + 1) })),
    ).rejects.toMatchObject({ ...tooLarge, ProposedSize: String(LIMIT + 1) });
  });

  test('holds for a copy', async () => {
    await s3.send(new PutObjectCommand({ Bucket: 'team-a', Key: 'big', Body: Buffer.alloc(LIMIT + 1) }));
    await expect(
      s3.send(new CopyObjectCommand({ Bucket: 'small', Key: 'big', CopySource: 'team-a/big' })),
    ).rejects.toMatchObject(tooLarge);
  });

  test('holds for the parts of an upload together', async () => {
    const of = { Bucket: 'small', Key: 'parts' };
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand(of));
    const Parts = [];
    for (const PartNumber of [1, 2]) {
      const Body = Buffer.alloc(PART);
      const { ETag } = await s3.send(new UploadPartCommand({ ...of, UploadId, PartNumber, Body }));
      Parts.push({ PartNumber, ETag });
    }
    await expect(
      s3.send(new CompleteMultipartUploadCommand({ ...of, UploadId, MultipartUpload: { Parts } })),
    ).rejects.toMatchObject({ ...tooLarge, ProposedSize: String(2 * PART) });
    await s3.send(new AbortMultipartUploadCommand({ ...of, UploadId }));
    expect(await upstreamKeys('shared-small')).not.toContain('s/parts');
  });
});
