/** Public access blocks by the SDK: what is kept, what is refused, and who still gets in. */
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteBucketPolicyCommand,
  DeleteObjectCommand,
  DeletePublicAccessBlockCommand,
  GetBucketPolicyCommand,
  GetBucketPolicyStatusCommand,
  GetObjectCommand,
  GetPublicAccessBlockCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  PutObjectCommand,
  PutPublicAccessBlockCommand,
  type PublicAccessBlockConfiguration,
  type S3Client,
} from '@aws-sdk/client-s3';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runGateway, type Credentials, type RunningGateway } from '../support/running-gateway.ts';
import { sendRaw } from './support/signed-request.ts';

const ACCOUNT = '000000000000';
const OTHER_ACCOUNT = '111122223333';
const NONE: Required<PublicAccessBlockConfiguration> = {
  BlockPublicAcls: false,
  IgnorePublicAcls: false,
  BlockPublicPolicy: false,
  RestrictPublicBuckets: false,
};

interface Statement {
  readonly [element: string]: unknown;
}

const policyOf = (...statements: readonly Statement[]): string =>
  JSON.stringify({ Version: '2012-10-17', Statement: statements });

const toEveryone = (bucket: string): Statement => ({
  Sid: 'PublicRead',
  Effect: 'Allow',
  Principal: '*',
  Action: 's3:GetObject',
  Resource: `arn:aws:s3:::${bucket}/*`,
});

const toUser = (bucket: string): Statement => ({
  ...toEveryone(bucket),
  Sid: 'UserRead',
  Principal: { AWS: `arn:aws:iam::${ACCOUNT}:user/user` },
});

const EVERYTHING = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 's3:*', Resource: '*' }] };

let gateway: RunningGateway;
let s3: S3Client;

beforeAll(async () => {
  gateway = await runGateway();
  s3 = gateway.client();
});

afterAll(async () => {
  await gateway.stop();
});

async function makeBucket(Bucket: string): Promise<void> {
  await s3.send(new CreateBucketCommand({ Bucket }));
  await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'content' }));
}

async function block(Bucket: string, PublicAccessBlockConfiguration: PublicAccessBlockConfiguration) {
  return s3.send(new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration }));
}

const anonymously = async (url: string): Promise<readonly [status: number, body: string, id: string]> => {
  const response = await fetch(url);
  return [response.status, await response.text(), response.headers.get('x-amz-request-id') ?? ''];
};

const read = async (from: RunningGateway, Bucket: string, credentials: Credentials): Promise<string> => {
  const { Body } = await from.client(credentials).send(new GetObjectCommand({ Bucket, Key: 'k' }));
  return (await Body?.transformToString()) ?? '';
};

describe('the configuration of a bucket', () => {
  test('is stored, given back, replaced as a whole, and removed', async () => {
    const Bucket = 'kept';
    await makeBucket(Bucket);
    const get = new GetPublicAccessBlockCommand({ Bucket });
    await expect(s3.send(get)).rejects.toMatchObject({
      name: 'NoSuchPublicAccessBlockConfiguration',
      message: 'The public access block configuration was not found',
      BucketName: Bucket,
      $metadata: { httpStatusCode: 404 },
    });
    const put = await block(Bucket, { BlockPublicAcls: true, RestrictPublicBuckets: true });
    expect(put.$metadata.httpStatusCode).toBe(200);
    expect((await s3.send(get)).PublicAccessBlockConfiguration).toEqual({
      ...NONE,
      BlockPublicAcls: true,
      RestrictPublicBuckets: true,
    });
    await block(Bucket, { IgnorePublicAcls: true });
    expect((await s3.send(get)).PublicAccessBlockConfiguration).toEqual({ ...NONE, IgnorePublicAcls: true });
    const remove = new DeletePublicAccessBlockCommand({ Bucket });
    expect((await s3.send(remove)).$metadata.httpStatusCode).toBe(204);
    expect((await s3.send(remove)).$metadata.httpStatusCode).toBe(204);
    await expect(s3.send(get)).rejects.toMatchObject({ name: 'NoSuchPublicAccessBlockConfiguration' });
  });

  test('goes with its bucket, and no part of it is known upstream', async () => {
    const Bucket = 'short-lived';
    await s3.send(new CreateBucketCommand({ Bucket }));
    gateway.upstream.clear();
    await block(Bucket, { BlockPublicPolicy: true });
    expect(gateway.upstream.requestLines()).toEqual([]);
    await s3.send(new DeleteBucketCommand({ Bucket }));
    await s3.send(new CreateBucketCommand({ Bucket }));
    await expect(s3.send(new GetPublicAccessBlockCommand({ Bucket }))).rejects.toMatchObject({
      name: 'NoSuchPublicAccessBlockConfiguration',
    });
  });

  test('that is wrong, or whose bytes nothing proves, replaces nothing', async () => {
    const Bucket = 'strict';
    await makeBucket(Bucket);
    await block(Bucket, { BlockPublicPolicy: true });
    const send = (body: string, more: { readonly payloadHash?: string } = {}) =>
      sendRaw(gateway, {
        method: 'PUT',
        path: `/${Bucket}`,
        query: { publicAccessBlock: '' },
        body,
        ...more,
        credentials: gateway.root,
      });
    const flag = '<BlockPublicPolicy>false</BlockPublicPolicy>';
    const document = `<PublicAccessBlockConfiguration>${flag}</PublicAccessBlockConfiguration>`;
    const bad = document.replaceAll('BlockPublicPolicy>', 'BlockPublicPolicies>');
    expect(await send(bad)).toMatchObject({ status: 400, code: 'MalformedXML' });
    expect(await send('')).toMatchObject({ status: 400, code: 'MalformedXML' });
    expect(await send(document, { payloadHash: 'UNSIGNED-PAYLOAD' })).toMatchObject({
      status: 400,
      code: 'InvalidRequest',
      message: 'Missing required header for this request: Content-MD5 OR x-amz-checksum-*',
    });
    await expect(block(Bucket, {})).rejects.toMatchObject({ name: 'InvalidRequest' });
    const { PublicAccessBlockConfiguration: kept } = await s3.send(
      new GetPublicAccessBlockCommand({ Bucket }),
    );
    expect(kept).toEqual({ ...NONE, BlockPublicPolicy: true });
  });

  test('has actions of its own', async () => {
    const Bucket = 'guarded';
    await makeBucket(Bucket);
    await s3.send(new PutBucketPolicyCommand({ Bucket, Policy: policyOf(toEveryone(Bucket)) }));
    const grants = (Action: string): object => ({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action, Resource: `arn:aws:s3:::${Bucket}` }],
    });
    const writer = gateway.client(await gateway.keyWithPolicy('w', grants('s3:PutBucketPublicAccessBlock')));
    const reader = gateway.client(await gateway.keyWithPolicy('r', grants('s3:GetBucketPublicAccessBlock')));
    const judge = gateway.client(await gateway.keyWithPolicy('j', grants('s3:GetBucketPolicyStatus')));
    const put = new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration: NONE });
    const get = new GetPublicAccessBlockCommand({ Bucket });
    const remove = new DeletePublicAccessBlockCommand({ Bucket });
    const status = new GetBucketPolicyStatusCommand({ Bucket });
    await writer.send(put);
    expect((await reader.send(get)).PublicAccessBlockConfiguration).toEqual(NONE);
    expect((await judge.send(status)).PolicyStatus).toEqual({ IsPublic: true });
    await writer.send(remove);
    const denied = { name: 'AccessDenied', $metadata: { httpStatusCode: 403 } };
    await expect(writer.send(get)).rejects.toMatchObject(denied);
    await expect(writer.send(status)).rejects.toMatchObject(denied);
    await expect(reader.send(put)).rejects.toMatchObject(denied);
    await expect(reader.send(remove)).rejects.toMatchObject(denied);
    await expect(judge.send(get)).rejects.toMatchObject(denied);
  });

  test('is for the account of the owner alone, whatever a policy says', async () => {
    const Bucket = 'own-account';
    await makeBucket(Bucket);
    const Policy = policyOf({
      Effect: 'Allow',
      Principal: '*',
      Action: ['s3:GetBucketPolicyStatus', 's3:GetBucketPublicAccessBlock', 's3:PutBucketPublicAccessBlock'],
      Resource: `arn:aws:s3:::${Bucket}`,
    });
    await s3.send(new PutBucketPolicyCommand({ Bucket, Policy }));
    for (const query of ['publicAccessBlock', 'policyStatus']) {
      const [status, body, id] = await anonymously(`${gateway.url}/${Bucket}?${query}`);
      expect([status, body]).toEqual([403, expect.stringContaining('<Code>AccessDenied</Code>')]);
      expect(await gateway.record(id)).toMatchObject({
        errorReason: "the caller is not of the account of the bucket's owner",
      });
    }
  });
});

describe('the status of a policy', () => {
  test('is that of the stored policy', async () => {
    const Bucket = 'status';
    await makeBucket(Bucket);
    const status = new GetBucketPolicyStatusCommand({ Bucket });
    await expect(s3.send(status)).rejects.toMatchObject({
      name: 'NoSuchBucketPolicy',
      $metadata: { httpStatusCode: 404 },
    });
    await s3.send(new PutBucketPolicyCommand({ Bucket, Policy: policyOf(toUser(Bucket)) }));
    expect((await s3.send(status)).PolicyStatus).toEqual({ IsPublic: false });
    await s3.send(
      new PutBucketPolicyCommand({ Bucket, Policy: policyOf(toUser(Bucket), toEveryone(Bucket)) }),
    );
    expect((await s3.send(status)).PolicyStatus).toEqual({ IsPublic: true });
    // It is no less public for what is blocked besides.
    await block(Bucket, { RestrictPublicBuckets: true });
    expect((await s3.send(status)).PolicyStatus).toEqual({ IsPublic: true });
  });
});

describe('BlockPublicPolicy', () => {
  test('refuses a public policy in the words of S3, and leaves the one before in force', async () => {
    const Bucket = 'no-public-policy';
    await makeBucket(Bucket);
    const before = policyOf(toUser(Bucket));
    await s3.send(new PutBucketPolicyCommand({ Bucket, Policy: before }));
    await block(Bucket, { BlockPublicPolicy: true });
    const open = new PutBucketPolicyCommand({ Bucket, Policy: policyOf(toEveryone(Bucket)) });
    await expect(s3.send(open)).rejects.toMatchObject({
      name: 'AccessDenied',
      $metadata: { httpStatusCode: 403 },
      message: `User: arn:aws:iam::${ACCOUNT}:root is not authorized to perform: s3:PutBucketPolicy on resource: "arn:aws:s3:::${Bucket}" because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.`,
    });
    expect((await s3.send(new GetBucketPolicyCommand({ Bucket }))).Policy).toBe(before);
    expect((await anonymously(`${gateway.url}/${Bucket}/k`))[0]).toBe(403);
    const narrowed = { ...toEveryone(Bucket), Condition: { IpAddress: { 'aws:SourceIp': '127.0.0.0/8' } } };
    await s3.send(new PutBucketPolicyCommand({ Bucket, Policy: policyOf(narrowed) }));
    expect((await anonymously(`${gateway.url}/${Bucket}/k`)).slice(0, 2)).toEqual([200, 'content']);
    await s3.send(new DeletePublicAccessBlockCommand({ Bucket }));
    await s3.send(open);
  });

  test('says first that a policy is no policy', async () => {
    const Bucket = 'no-public-policy-either';
    await makeBucket(Bucket);
    await block(Bucket, { BlockPublicPolicy: true });
    const Policy = policyOf({ ...toEveryone(Bucket), Action: 's3:GetObjekt' });
    await expect(s3.send(new PutBucketPolicyCommand({ Bucket, Policy }))).rejects.toMatchObject({
      name: 'MalformedPolicy',
    });
  });

  test('leaves a public policy that is there already', async () => {
    const Bucket = 'public-before';
    await makeBucket(Bucket);
    await s3.send(new PutBucketPolicyCommand({ Bucket, Policy: policyOf(toEveryone(Bucket)) }));
    await block(Bucket, { BlockPublicPolicy: true });
    expect((await anonymously(`${gateway.url}/${Bucket}/k`)).slice(0, 2)).toEqual([200, 'content']);
  });
});

describe('RestrictPublicBuckets', () => {
  test('keeps a public policy for the account of the owner, until the policy is not public', async () => {
    const Bucket = 'restricted';
    await makeBucket(Bucket);
    const guest = await gateway.keyWithPolicy('guest', {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Deny', Action: 's3:DeleteObject', Resource: '*' }],
    });
    await s3.send(new PutBucketPolicyCommand({ Bucket, Policy: policyOf(toEveryone(Bucket)) }));
    const url = `${gateway.url}/${Bucket}/k`;
    expect((await anonymously(url))[0]).toBe(200);
    await block(Bucket, { RestrictPublicBuckets: true });
    const [status, body, id] = await anonymously(url);
    expect([status, body]).toEqual([403, expect.stringContaining('<Message>Access Denied</Message>')]);
    expect(await gateway.record(id)).toMatchObject({
      errorCode: 'AccessDenied',
      errorReason: `s3:GetObject on arn:aws:s3:::${Bucket}/k: RestrictPublicBuckets, and the bucket policy is public by bucket policy of ${Bucket}, statement \`PublicRead\``,
      decision: {
        effect: 'Deny',
        restrictPublicBuckets: true,
        reason: 'the bucket policy is public, and RestrictPublicBuckets keeps it from other accounts',
        nearest: [{ by: { sid: 'PublicRead', index: 0 }, role: 'resource', effect: 'Allow', mismatches: [] }],
      },
    });
    // Of the account, by that policy alone.
    expect(await read(gateway, Bucket, guest)).toBe('content');
    const narrowed = { ...toEveryone(Bucket), Condition: { IpAddress: { 'aws:SourceIp': '127.0.0.0/8' } } };
    await s3.send(new PutBucketPolicyCommand({ Bucket, Policy: policyOf(narrowed) }));
    const [allowed, , allowedId] = await anonymously(url);
    expect(allowed).toBe(200);
    expect(await gateway.record(allowedId)).toMatchObject({
      decision: { effect: 'Allow', restrictPublicBuckets: true },
    });
    await s3.send(new DeleteBucketPolicyCommand({ Bucket }));
    expect((await anonymously(url))[0]).toBe(403);
  });
});

describe('for the whole gateway', () => {
  let strict: RunningGateway;
  let user: Credentials;
  let policies: string;

  beforeAll(async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'bucketwarden-'));
    const file = join(dataDir, 'settings.yaml');
    await writeFile(
      file,
      `buckets:\n  - { name: 'theirs-*', owner: '${OTHER_ACCOUNT}' }\npublicAccessBlock: { blockPublicPolicy: true }\n`,
    );
    policies = join(dataDir, 'policies');
    await mkdir(policies);
    for (const [name, statements] of [
      ['theirs-public', [toUser('theirs-public'), toEveryone('theirs-public')]],
      ['theirs-shared', [toUser('theirs-shared')]],
    ] as const)
      await writeFile(join(policies, `${name}.json`), policyOf(...statements));
    strict = await runGateway({
      file,
      dataDir,
      env: { UPSTREAM_BUCKETS: 'theirs-*', PUBLIC_ACCESS_BLOCK_RESTRICT_PUBLIC_BUCKETS: 'true' },
    });
    user = await strict.keyWithPolicy('user', EVERYTHING);
    const upstream = strict.upstreamClient();
    for (const Bucket of ['theirs-public', 'theirs-shared']) {
      await upstream.send(new CreateBucketCommand({ Bucket }));
      await upstream.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'content' }));
    }
  });

  afterAll(async () => {
    await strict.stop();
  });

  test('a public policy is refused for every bucket, whatever the bucket itself allows', async () => {
    const Bucket = 'anybodys';
    const client = strict.client();
    await client.send(new CreateBucketCommand({ Bucket }));
    await client.send(new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration: NONE }));
    const open = new PutBucketPolicyCommand({ Bucket, Policy: policyOf(toEveryone(Bucket)) });
    await expect(client.send(open)).rejects.toMatchObject({
      name: 'AccessDenied',
      message: expect.stringMatching(/prevented by the BlockPublicPolicy setting/) as string,
    });
    // What the bucket says of itself is given back as it is.
    const { PublicAccessBlockConfiguration: own } = await client.send(
      new GetPublicAccessBlockCommand({ Bucket }),
    );
    expect(own).toEqual(NONE);
  });

  test('a public policy of a file holds for the account of the owner alone, also where it names others', async () => {
    expect(await read(strict, 'theirs-shared', user)).toBe('content');
    await expect(read(strict, 'theirs-public', user)).rejects.toMatchObject({
      name: 'AccessDenied',
      message: 'Access Denied',
    });
    expect((await anonymously(`${strict.url}/theirs-public/k`))[0]).toBe(403);
    const client = strict.client(user);
    for (const refused of [
      new ListObjectsV2Command({ Bucket: 'theirs-public' }),
      new DeleteObjectCommand({ Bucket: 'theirs-public', Key: 'k' }),
    ])
      await expect(client.send(refused as ListObjectsV2Command)).rejects.toMatchObject({
        name: 'AccessDenied',
      });
  });

  test('the other accounts are back when the public statement is gone', async () => {
    await writeFile(join(policies, 'theirs-public.json'), policyOf(toUser('theirs-public')));
    await expect
      .poll(() => read(strict, 'theirs-public', user).catch(String), { timeout: 5000 })
      .toBe('content');
  });
});
