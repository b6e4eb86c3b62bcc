/** Buckets through the AWS SDK: made, found, listed, removed, and never taken over. */
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteBucketTaggingCommand,
  GetBucketAclCommand,
  GetBucketLocationCommand,
  GetBucketPolicyCommand,
  GetBucketTaggingCommand,
  GetBucketVersioningCommand,
  HeadBucketCommand,
  ListBucketsCommand,
  paginateListBuckets,
  PutBucketAclCommand,
  PutBucketPolicyCommand,
  PutBucketTaggingCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runGateway, type RunningGateway } from '../support/running-gateway.ts';
import { sendRaw } from './support/signed-request.ts';

let gateway: RunningGateway;
let s3: S3Client;
/** Talks to the store behind the gateway's back. */
let upstream: S3Client;

beforeAll(async () => {
  gateway = await runGateway({ env: { UPSTREAM_BUCKETS: 'shared-*,absent' } });
  s3 = gateway.client();
  upstream = gateway.upstreamClient();
});

afterAll(async () => {
  await gateway.stop();
});

describe('CreateBucket', () => {
  test('answers with the location, and the bucket is there', async () => {
    const made = await s3.send(new CreateBucketCommand({ Bucket: 'made' }));
    expect(made.Location).toBe('/made');
    const head = await s3.send(new HeadBucketCommand({ Bucket: 'made' }));
    expect(head.BucketRegion).toBe('us-east-1');
  });

  test('again is 409 BucketAlreadyOwnedByYou', async () => {
    await s3.send(new CreateBucketCommand({ Bucket: 'twice' }));
    await expect(s3.send(new CreateBucketCommand({ Bucket: 'twice' }))).rejects.toMatchObject({
      name: 'BucketAlreadyOwnedByYou',
      $metadata: { httpStatusCode: 409 },
    });
  });

  test('never takes over a bucket that exists upstream only', async () => {
    await upstream.send(new CreateBucketCommand({ Bucket: 'theirs' }));
    await expect(s3.send(new CreateBucketCommand({ Bucket: 'theirs' }))).rejects.toMatchObject({
      name: 'BucketAlreadyExists',
      $metadata: { httpStatusCode: 409 },
    });
    await expect(s3.send(new HeadBucketCommand({ Bucket: 'theirs' }))).rejects.toMatchObject({
      name: 'NotFound',
    });
  });

  test('nor one that the configuration names', async () => {
    await upstream.send(new CreateBucketCommand({ Bucket: 'shared-made' }));
    await expect(s3.send(new CreateBucketCommand({ Bucket: 'shared-made' }))).rejects.toMatchObject({
      name: 'BucketAlreadyExists',
    });
  });

  test('takes no location but the gateway’s own region', async () => {
    const elsewhere = new CreateBucketCommand({
      Bucket: 'elsewhere',
      CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' },
    });
    await expect(s3.send(elsewhere)).rejects.toMatchObject({
      name: 'IllegalLocationConstraintException',
      $metadata: { httpStatusCode: 400 },
    });
  });

  test.each(['Upper', 'ab', '-dash', 'a..b', '192.168.5.4', 'xn--punycode', 'x-s3alias'])(
    'refuses the name `%s`',
    async (name) => {
      const answer = await sendRaw(gateway, { method: 'PUT', path: `/${name}`, credentials: gateway.root });
      expect(answer).toMatchObject({ status: 400, code: 'InvalidBucketName' });
    },
  );

  test('two at once make one', async () => {
    const made = await Promise.allSettled(
      Array.from({ length: 4 }, () => s3.send(new CreateBucketCommand({ Bucket: 'raced' }))),
    );
    expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const reasons = made.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
    const conflict = expect.objectContaining({ $metadata: expect.objectContaining({ httpStatusCode: 409 }) });
    expect(reasons).toEqual(reasons.map(() => conflict));
  });
});

describe('a bucket', () => {
  const Bucket = 'settings';

  beforeAll(async () => {
    await s3.send(new CreateBucketCommand({ Bucket }));
  });

  test('GetBucketLocation is empty in us-east-1, as on AWS', async () => {
    const location = await s3.send(new GetBucketLocationCommand({ Bucket }));
    expect(location.LocationConstraint).toBeUndefined();
    const raw = await sendRaw(gateway, {
      path: `/${Bucket}`,
      query: { location: '' },
      credentials: gateway.root,
    });
    expect(raw.body).toContain('<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/"');
  });

  test('the location of one that is gone upstream is NoSuchBucket', async () => {
    await expect(s3.send(new GetBucketLocationCommand({ Bucket: 'absent' }))).rejects.toMatchObject({
      name: 'NoSuchBucket',
      $metadata: { httpStatusCode: 404 },
    });
    await expect(s3.send(new GetBucketAclCommand({ Bucket: 'absent' }))).rejects.toMatchObject({
      name: 'NoSuchBucket',
    });
  });

  test('tags: put, get, deleted', async () => {
    const TagSet = [{ Key: 'team', Value: 'blue + green @ 1/2' }];
    await expect(s3.send(new GetBucketTaggingCommand({ Bucket }))).rejects.toMatchObject({
      name: 'NoSuchTagSet',
    });
    await s3.send(new PutBucketTaggingCommand({ Bucket, Tagging: { TagSet } }));
    expect((await s3.send(new GetBucketTaggingCommand({ Bucket }))).TagSet).toEqual(TagSet);
    await s3.send(new DeleteBucketTaggingCommand({ Bucket }));
    await expect(s3.send(new GetBucketTaggingCommand({ Bucket }))).rejects.toMatchObject({
      name: 'NoSuchTagSet',
    });
  });

  test('its ACL is the owner’s full control, and none that grants more can be set', async () => {
    const acl = await s3.send(new GetBucketAclCommand({ Bucket }));
    expect(acl.Grants).toHaveLength(1);
    expect(acl.Grants?.[0]).toMatchObject({ Permission: 'FULL_CONTROL', Grantee: { ID: acl.Owner?.ID } });
    await s3.send(new PutBucketAclCommand({ Bucket, ACL: 'private' }));
    await s3.send(
      new PutBucketAclCommand({ Bucket, AccessControlPolicy: { Owner: acl.Owner, Grants: acl.Grants } }),
    );
    const everyone = [
      {
        Grantee: { Type: 'Group' as const, URI: 'http://acs.amazonaws.com/groups/global/AllUsers' },
        Permission: 'READ' as const,
      },
    ];
    await expect(
      s3.send(
        new PutBucketAclCommand({ Bucket, AccessControlPolicy: { Owner: acl.Owner, Grants: everyone } }),
      ),
    ).rejects.toMatchObject({ name: 'AccessControlListNotSupported' });
    await expect(
      s3.send(new PutBucketAclCommand({ Bucket, ACL: 'public-read-write' })),
    ).rejects.toMatchObject({ name: 'AccessControlListNotSupported' });
    await expect(
      s3.send(new CreateBucketCommand({ Bucket: 'open', ACL: 'public-read' })),
    ).rejects.toMatchObject({ name: 'AccessControlListNotSupported' });
  });

  test('a bucket that the gateway does not know is 404 to who may list it, and 403 to others', async () => {
    await expect(s3.send(new HeadBucketCommand({ Bucket: 'unknown' }))).rejects.toMatchObject({
      name: 'NotFound',
      $metadata: { httpStatusCode: 404 },
    });
    const put = new PutObjectCommand({ Bucket: 'unknown', Key: 'k', Body: 'x' });
    await expect(s3.send(put)).rejects.toMatchObject({ name: 'NoSuchBucket' });
    const stranger = await gateway.keyWithPolicy(
      'stranger',
      policyOf('s3:ListBucket', 'arn:aws:s3:::settings'),
    );
    const refused = gateway.client(stranger).send(new HeadBucketCommand({ Bucket: 'unknown' }));
    await expect(refused).rejects.toMatchObject({ $metadata: { httpStatusCode: 403 } });
    const anonymous = await sendRaw(gateway, { path: '/unknown/key' });
    expect(anonymous).toMatchObject({ status: 403, code: 'AccessDenied' });
  });
});

describe('DeleteBucket', () => {
  test('of one that is not empty is 409', async () => {
    await s3.send(new CreateBucketCommand({ Bucket: 'full' }));
    await s3.send(new PutObjectCommand({ Bucket: 'full', Key: 'k', Body: 'x' }));
    await expect(s3.send(new DeleteBucketCommand({ Bucket: 'full' }))).rejects.toMatchObject({
      name: 'BucketNotEmpty',
      $metadata: { httpStatusCode: 409 },
    });
    await s3.send(new HeadBucketCommand({ Bucket: 'full' }));
  });

  test('removes the policy with it: a new bucket of that name starts without', async () => {
    const Bucket = 'reborn';
    const Policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: `arn:aws:s3:::${Bucket}/*` },
      ],
    });
    await s3.send(new CreateBucketCommand({ Bucket }));
    await s3.send(new PutBucketPolicyCommand({ Bucket, Policy }));
    await s3.send(new PutBucketTaggingCommand({ Bucket, Tagging: { TagSet: [{ Key: 'a', Value: 'b' }] } }));
    await s3.send(new DeleteBucketCommand({ Bucket }));
    await expect(s3.send(new HeadBucketCommand({ Bucket }))).rejects.toMatchObject({ name: 'NotFound' });
    await s3.send(new CreateBucketCommand({ Bucket }));
    await expect(s3.send(new GetBucketPolicyCommand({ Bucket }))).rejects.toMatchObject({
      name: 'NoSuchBucketPolicy',
    });
    await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x' }));
    expect(await sendRaw(gateway, { path: `/${Bucket}/k` })).toMatchObject({ status: 403 });
  });

  test('removes the policy of a bucket that only the configuration names, too', async () => {
    const Bucket = 'shared-policy';
    await upstream.send(new CreateBucketCommand({ Bucket }));
    const Policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Principal: '*', Action: 's3:ListBucket', Resource: `arn:aws:s3:::${Bucket}` },
      ],
    });
    await s3.send(new PutBucketPolicyCommand({ Bucket, Policy }));
    expect(await sendRaw(gateway, { path: `/${Bucket}` })).toMatchObject({ status: 200 });
    await s3.send(new DeleteBucketCommand({ Bucket }));
    await s3.send(new CreateBucketCommand({ Bucket }));
    expect(await sendRaw(gateway, { path: `/${Bucket}` })).toMatchObject({ status: 403 });
  });

  test('one that vanished upstream can be deleted, and made again', async () => {
    const Bucket = 'vanished';
    await s3.send(new CreateBucketCommand({ Bucket }));
    await upstream.send(new DeleteBucketCommand({ Bucket }));
    await expect(s3.send(new DeleteBucketCommand({ Bucket }))).rejects.toMatchObject({
      name: 'NoSuchBucket',
    });
    await s3.send(new CreateBucketCommand({ Bucket }));
  });
});

describe('ListBuckets', () => {
  test('shows the gateway’s buckets, not what else is in the upstream’s account', async () => {
    await upstream.send(new CreateBucketCommand({ Bucket: 'private-to-upstream' }));
    await upstream.send(new CreateBucketCommand({ Bucket: 'shared-listed' }));
    await s3.send(new CreateBucketCommand({ Bucket: 'listed' }));
    const names = await namesFor(s3);
    expect(names).toContain('listed');
    expect(names).toContain('shared-listed');
    expect(names).not.toContain('private-to-upstream');
    expect(names).toEqual(names.toSorted());
  });

  test('shows only what the caller may see', async () => {
    await s3.send(new CreateBucketCommand({ Bucket: 'team-a' }));
    await s3.send(new CreateBucketCommand({ Bucket: 'team-b' }));
    const key = await gateway.keyWithPolicy('lister', {
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Action: 's3:ListAllMyBuckets', Resource: '*' },
        { Effect: 'Allow', Action: 's3:ListBucket', Resource: 'arn:aws:s3:::team-a' },
      ],
    });
    expect(await namesFor(gateway.client(key))).toEqual(['team-a']);
  });

  test('needs s3:ListAllMyBuckets on everything', async () => {
    const key = await gateway.keyWithPolicy(
      'no-lister',
      policyOf('s3:ListAllMyBuckets', 'arn:aws:s3:::team-a'),
    );
    await expect(namesFor(gateway.client(key))).rejects.toMatchObject({ name: 'AccessDenied' });
    expect(await sendRaw(gateway, { path: '/' })).toMatchObject({ status: 403, code: 'AccessDenied' });
  });

  test('in pages, and by prefix', async () => {
    for (const name of ['page-1', 'page-2', 'page-3'])
      await s3.send(new CreateBucketCommand({ Bucket: name }));
    const pages: (string | undefined)[][] = [];
    for await (const page of paginateListBuckets({ client: s3, pageSize: 2 }, { Prefix: 'page-' }))
      pages.push((page.Buckets ?? []).map(({ Name }) => Name));
    expect(pages).toEqual([['page-1', 'page-2'], ['page-3']]);
  });
});

test('GetBucketVersioning reaches the upstream, which has none', async () => {
  gateway.upstream.clear();
  await expect(s3.send(new GetBucketVersioningCommand({ Bucket: 'settings' }))).rejects.toMatchObject({
    $metadata: { httpStatusCode: 501 },
  });
  expect(gateway.upstream.requestLines()).toHaveLength(1);
});

function policyOf(action: string, resource: string): object {
  return { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: action, Resource: resource }] };
}

async function namesFor(client: S3Client): Promise<readonly string[]> {
  const { Buckets = [] } = await client.send(new ListBucketsCommand());
  return Buckets.map(({ Name = '' }) => Name);
}
