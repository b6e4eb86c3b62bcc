import { randomBytes } from 'node:crypto';
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteObjectTaggingCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  type CopyObjectCommandInput,
} from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import { codeOf, startStore, type TestStore } from './support.ts';

const Bucket = 'bucket';

async function startWithSource(): Promise<TestStore> {
  const store = await startStore();
  await store.client.send(new CreateBucketCommand({ Bucket }));
  await store.client.send(
    new PutObjectCommand({
      Bucket,
      Key: 'source',
      Body: 'data',
      ContentType: 'text/plain',
      Metadata: { a: '1' },
      Tagging: 'tag=old',
      ChecksumAlgorithm: 'SHA256',
    }),
  );
  return store;
}

const copy = (extra: Partial<CopyObjectCommandInput> = {}): CopyObjectCommand =>
  new CopyObjectCommand({ Bucket, Key: 'copy', CopySource: `${Bucket}/source`, ...extra });

describe('copies', () => {
  test('take metadata, tags and the kind of checksum along', async () => {
    const { client } = await startWithSource();
    const { CopyObjectResult } = await client.send(copy());
    const head = await client.send(new HeadObjectCommand({ Bucket, Key: 'copy', ChecksumMode: 'ENABLED' }));
    expect(head).toMatchObject({
      ETag: CopyObjectResult?.ETag,
      ContentType: 'text/plain',
      Metadata: { a: '1' },
      TagCount: 1,
      ChecksumSHA256: CopyObjectResult?.ChecksumSHA256,
    });
    expect(head.ChecksumSHA256).toMatch(/=$/);
    const got = await client.send(new GetObjectCommand({ Bucket, Key: 'copy' }));
    expect(await got.Body?.transformToString()).toBe('data');
  });

  test('replace metadata and tags when told to', async () => {
    const { client } = await startWithSource();
    const replaced = {
      MetadataDirective: 'REPLACE',
      ContentType: 'text/html',
      Metadata: { b: '2' },
      TaggingDirective: 'REPLACE',
      Tagging: 'tag=new',
      StorageClass: 'ONEZONE_IA',
      ChecksumAlgorithm: 'CRC32C',
    } as const;
    await client.send(copy(replaced));
    const head = await client.send(new HeadObjectCommand({ Bucket, Key: 'copy', ChecksumMode: 'ENABLED' }));
    expect(head).toMatchObject({
      ContentType: 'text/html',
      Metadata: { b: '2' },
      StorageClass: 'ONEZONE_IA',
    });
    expect(head.ChecksumCRC32C).toBeDefined();
    const { TagSet } = await client.send(new GetObjectTaggingCommand({ Bucket, Key: 'copy' }));
    expect(TagSet).toEqual([{ Key: 'tag', Value: 'new' }]);
  });

  test('onto themselves must change something', async () => {
    const { client } = await startWithSource();
    expect(await codeOf(client.send(copy({ Key: 'source' })))).toBe('InvalidRequest');
    await client.send(copy({ Key: 'source', MetadataDirective: 'REPLACE', Metadata: { c: '3' } }));
    const head = await client.send(new HeadObjectCommand({ Bucket, Key: 'source' }));
    expect(head.Metadata).toEqual({ c: '3' });
    await client.send(copy({ Key: 'source', StorageClass: 'GLACIER_IR' }));
    const got = await client.send(new GetObjectCommand({ Bucket, Key: 'source' }));
    expect(await got.Body?.transformToString()).toBe('data');
    expect(got.StorageClass).toBe('GLACIER_IR');
  });

  test('of odd keys', async () => {
    const { client } = await startWithSource();
    const odd = 'a/../b%2F+ é?versionId=1';
    await client.send(new PutObjectCommand({ Bucket, Key: odd, Body: 'odd' }));
    await client.send(copy({ CopySource: `/${Bucket}/${encodeURIComponent(odd)}` }));
    const got = await client.send(new GetObjectCommand({ Bucket, Key: 'copy' }));
    expect(await got.Body?.transformToString()).toBe('odd');
  });

  const past = new Date('2020-01-01T00:00:00Z');
  const future = new Date(Date.now() + 86_400_000);
  test.each([
    [{ CopySourceIfMatch: '"8d777f385d3dfec8815d20f7496026dc"' }, 'no error'], // MD5 of `data`
    [{ CopySourceIfMatch: '"other"' }, 'PreconditionFailed'],
    [{ CopySourceIfNoneMatch: '"other"' }, 'no error'],
    [{ CopySourceIfNoneMatch: '*' }, 'PreconditionFailed'],
    [{ CopySourceIfModifiedSince: past }, 'no error'],
    [{ CopySourceIfModifiedSince: future }, 'PreconditionFailed'],
    [{ CopySourceIfUnmodifiedSince: future }, 'no error'],
    [{ CopySourceIfUnmodifiedSince: past }, 'PreconditionFailed'],
    [{ IfNoneMatch: '*' }, 'no error'],
    [{ Key: 'source', MetadataDirective: 'REPLACE', IfNoneMatch: '*' }, 'PreconditionFailed'],
    [{ CopySource: 'bucket/missing' }, 'NoSuchKey'],
    [{ CopySource: 'missing/source' }, 'NoSuchBucket'],
    [{ CopySource: 'bucket/source?versionId=1' }, 'NotImplemented'],
    [{ MetadataDirective: 'KEEP' }, 'InvalidArgument'],
  ])('with %j: %s', async (extra, outcome) => {
    const { client } = await startWithSource();
    expect(await codeOf(client.send(copy(extra as Partial<CopyObjectCommandInput>)))).toBe(outcome);
  });

  test('of large objects, while the source is overwritten, are whole', async () => {
    const { client } = await startWithSource();
    const bodies = [randomBytes(2_000_000), randomBytes(2_000_000)] as const;
    await client.send(new PutObjectCommand({ Bucket, Key: 'source', Body: bodies[0] }));
    await Promise.all([
      ...Array.from({ length: 4 }, (_, i) => client.send(copy({ Key: `copy-${i}` }))),
      client.send(new PutObjectCommand({ Bucket, Key: 'source', Body: bodies[1] })),
    ]);
    for (let i = 0; i < 4; i++) {
      const got = await client.send(new GetObjectCommand({ Bucket, Key: `copy-${i}` }));
      const bytes = Buffer.from((await got.Body?.transformToByteArray()) ?? []);
      expect(bodies.some((body) => body.equals(bytes))).toBe(true);
    }
  });
});

describe('tags of objects', () => {
  test('are put, read and deleted, and leave the object alone', async () => {
    const { client } = await startWithSource();
    const target = { Bucket, Key: 'source' };
    const before = await client.send(new HeadObjectCommand(target));
    const TagSet = [
      { Key: 'a b', Value: '' },
      { Key: 'ключ', Value: 'x+y=z' },
    ];
    await client.send(new PutObjectTaggingCommand({ ...target, Tagging: { TagSet } }));
    expect((await client.send(new GetObjectTaggingCommand(target))).TagSet).toEqual(TagSet);
    const after = await client.send(new HeadObjectCommand(target));
    expect([after.ETag, after.LastModified]).toEqual([before.ETag, before.LastModified]);
    await client.send(new DeleteObjectTaggingCommand(target));
    expect((await client.send(new GetObjectTaggingCommand(target))).TagSet).toEqual([]);
  });

  test('are at most ten, without repetition', async () => {
    const { client } = await startWithSource();
    const put = (TagSet: { Key: string; Value: string }[]): Promise<string> =>
      codeOf(client.send(new PutObjectTaggingCommand({ Bucket, Key: 'source', Tagging: { TagSet } })));
    const many = Array.from({ length: 11 }, (_, i) => ({ Key: `k${i}`, Value: '' }));
    expect(await put(many)).toBe('BadRequest');
    expect(await put([many[0], many[0]] as { Key: string; Value: string }[])).toBe('InvalidTag');
    expect(await put([{ Key: 'aws:x', Value: '' }])).toBe('InvalidTag');
    expect(await put([{ Key: 'k'.repeat(129), Value: '' }])).toBe('InvalidTag');
    expect(await codeOf(client.send(new GetObjectTaggingCommand({ Bucket, Key: 'missing' })))).toBe(
      'NoSuchKey',
    );
  });
});
