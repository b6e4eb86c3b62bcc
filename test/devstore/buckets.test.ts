import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteBucketTaggingCommand,
  GetBucketLocationCommand,
  GetBucketTaggingCommand,
  HeadBucketCommand,
  ListBucketsCommand,
  PutBucketTaggingCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import { codeOf, filesOf, startStore } from './support.ts';

describe('buckets', () => {
  test('are made, found, listed in the order of their names and deleted', async () => {
    const { client } = await startStore({ now: () => Date.now() });
    for (const Bucket of ['team-b', 'team-a', 'other'])
      await client.send(new CreateBucketCommand({ Bucket }));
    const { Buckets, Owner } = await client.send(new ListBucketsCommand({}));
    expect(Buckets?.map(({ Name }) => Name)).toEqual(['other', 'team-a', 'team-b']);
    expect(Buckets?.[0]?.CreationDate).toBeInstanceOf(Date);
    expect(Owner?.ID).toMatch(/^[0-9a-f]{64}$/);
    expect((await client.send(new HeadBucketCommand({ Bucket: 'other' }))).BucketRegion).toBe('us-east-1');
    await client.send(new DeleteBucketCommand({ Bucket: 'other' }));
    expect(await codeOf(client.send(new HeadBucketCommand({ Bucket: 'other' })))).toBe('NotFound');
  });

  test('are listed by prefix and page by page', async () => {
    const { client } = await startStore();
    for (const Bucket of ['aaa', 'team-1', 'team-2', 'team-3', 'zzz'])
      await client.send(new CreateBucketCommand({ Bucket }));
    const first = await client.send(new ListBucketsCommand({ Prefix: 'team-', MaxBuckets: 2 }));
    expect(first.Buckets?.map(({ Name }) => Name)).toEqual(['team-1', 'team-2']);
    const { ContinuationToken } = first;
    const second = await client.send(
      new ListBucketsCommand({ Prefix: 'team-', MaxBuckets: 2, ContinuationToken }),
    );
    expect(second.Buckets?.map(({ Name }) => Name)).toEqual(['team-3']);
    expect(second.ContinuationToken).toBeUndefined();
  });

  test('that exist are not made again, and bad names are refused', async () => {
    const { client, send } = await startStore();
    await client.send(new CreateBucketCommand({ Bucket: 'bucket' }));
    expect(await codeOf(client.send(new CreateBucketCommand({ Bucket: 'bucket' })))).toBe(
      'BucketAlreadyOwnedByYou',
    );
    expect(await send({ method: 'PUT', path: '/Bad_Name', body: '' })).toMatchObject({
      status: 400,
      code: 'InvalidBucketName',
    });
  });

  test('with objects are not deleted; unfinished uploads go with the bucket', async () => {
    const { client, directory, close } = await startStore();
    await client.send(new CreateBucketCommand({ Bucket: 'bucket' }));
    await client.send(new PutObjectCommand({ Bucket: 'bucket', Key: 'key', Body: 'x' }));
    expect(await codeOf(client.send(new DeleteBucketCommand({ Bucket: 'bucket' })))).toBe('BucketNotEmpty');

    await client.send(new CreateBucketCommand({ Bucket: 'uploads' }));
    const target = { Bucket: 'uploads', Key: 'key' };
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(target));
    await client.send(new UploadPartCommand({ ...target, UploadId, PartNumber: 1, Body: 'part' }));
    await client.send(new DeleteBucketCommand({ Bucket: 'uploads' }));
    await close();
    expect((await filesOf(directory)).data).toHaveLength(1);
  });

  test('tell their location, and refuse to be made elsewhere', async () => {
    const east = await startStore();
    await east.client.send(new CreateBucketCommand({ Bucket: 'bucket' }));
    const location = await east.send({
      method: 'GET',
      path: '/bucket',
      query: [{ name: 'location', value: '' }],
    });
    expect(location.body.toString()).toContain(
      '<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/"></LocationConstraint>',
    );
    const west = await startStore({ region: 'eu-west-1' });
    await west.client.send(new CreateBucketCommand({ Bucket: 'bucket' }));
    expect(
      (await west.client.send(new GetBucketLocationCommand({ Bucket: 'bucket' }))).LocationConstraint,
    ).toBe('eu-west-1');
    const elsewhere = new CreateBucketCommand({
      Bucket: 'elsewhere',
      CreateBucketConfiguration: { LocationConstraint: 'eu-central-1' },
    });
    expect(await codeOf(west.client.send(elsewhere))).toBe('IllegalLocationConstraintException');
  });

  test('keep tags', async () => {
    const { client } = await startStore();
    const Bucket = 'bucket';
    await client.send(new CreateBucketCommand({ Bucket }));
    expect(await codeOf(client.send(new GetBucketTaggingCommand({ Bucket })))).toBe('NoSuchTagSet');
    const TagSet = [{ Key: 'cost centre', Value: 'a+b=c' }];
    await client.send(new PutBucketTaggingCommand({ Bucket, Tagging: { TagSet } }));
    expect((await client.send(new GetBucketTaggingCommand({ Bucket }))).TagSet).toEqual(TagSet);
    await client.send(new DeleteBucketTaggingCommand({ Bucket }));
    expect(await codeOf(client.send(new GetBucketTaggingCommand({ Bucket })))).toBe('NoSuchTagSet');
  });

  test('that do not exist answer NoSuchBucket', async () => {
    const { client, send } = await startStore();
    expect(
      await codeOf(client.send(new PutObjectCommand({ Bucket: 'missing', Key: 'key', Body: 'x' }))),
    ).toBe('NoSuchBucket');
    for (const query of [[], [{ name: 'location', value: '' }], [{ name: 'uploads', value: '' }]])
      expect(await send({ method: 'GET', path: '/missing', query })).toMatchObject({
        status: 404,
        code: 'NoSuchBucket',
      });
  });
});

describe('what is not implemented', () => {
  test.each([
    ['a sub-resource', { query: [{ name: 'acl', value: '' }] }],
    ['a parameter that its row does not know', { query: [{ name: 'versionId', value: 'x' }] }],
    ['a header that its row does not know', { headers: { 'x-amz-request-payer': 'requester' } }],
  ])('is refused and never passed over: %s', async (_, part) => {
    const { send } = await startStore();
    expect(await send({ method: 'GET', path: '/bucket/key', ...part })).toMatchObject({
      status: 501,
      code: 'NotImplemented',
    });
  });

  test('a parameter that comes twice is refused', async () => {
    const { send } = await startStore();
    const query = ['a', 'b'].map((value) => ({ name: 'prefix', value }));
    expect(await send({ method: 'GET', path: '/bucket', query })).toMatchObject({ code: 'InvalidArgument' });
  });

  test('a body where none belongs is refused', async () => {
    const { send } = await startStore();
    expect(await send({ method: 'DELETE', path: '/bucket/key', body: 'x' })).toMatchObject({
      status: 400,
      code: 'InvalidRequest',
    });
  });
});
