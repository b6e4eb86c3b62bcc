/** Bucket policies: by the API, as files, and what they decide. */
import {
  CreateBucketCommand,
  DeleteBucketPolicyCommand,
  DeleteObjectCommand,
  GetBucketPolicyCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runGateway, type Credentials, type RunningGateway } from '../support/running-gateway.ts';
import { sendRaw } from './support/signed-request.ts';

const ACCOUNT = '000000000000';
const OTHER_ACCOUNT = '111122223333';

interface Statement {
  readonly [element: string]: unknown;
}

const policyOf = (...statements: readonly Statement[]): string =>
  JSON.stringify({ Version: '2012-10-17', Statement: statements });

function publicRead(bucket: string): string {
  return policyOf({
    Effect: 'Allow',
    Principal: '*',
    Action: 's3:GetObject',
    Resource: `arn:aws:s3:::${bucket}/*`,
  });
}

let gateway: RunningGateway;
let s3: S3Client;
/** May do everything by its identity policy. */
let user: Credentials;
/** May do nothing by its identity policy. */
let guest: Credentials;

beforeAll(async () => {
  gateway = await startWithBuckets();
  s3 = gateway.client();
  user = await gateway.keyWithPolicy('user', {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: 's3:*', Resource: '*' }],
  });
  const issued = await gateway.keys(['issue', '--user', 'guest', '--no-policy', '--output', 'json']);
  const { AccessKeyId = '', SecretAccessKey = '' } = JSON.parse(issued) as Record<string, string>;
  guest = { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey };
});

afterAll(async () => {
  await gateway.stop();
});

/** The buckets `theirs-*` belong to another account. */
async function startWithBuckets(): Promise<RunningGateway> {
  const dataDir = await mkdtemp(join(tmpdir(), 'bucketwarden-'));
  const file = join(dataDir, 'settings.yaml');
  await writeFile(file, `buckets:\n  - { name: 'theirs-*', owner: '${OTHER_ACCOUNT}' }\n`);
  return runGateway({ file, dataDir, env: { UPSTREAM_BUCKETS: 'theirs-*' } });
}

async function makeBucket(Bucket: string, Policy?: string): Promise<void> {
  await s3.send(new CreateBucketCommand({ Bucket }));
  await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'content' }));
  if (Policy !== undefined) await s3.send(new PutBucketPolicyCommand({ Bucket, Policy }));
}

const read = (Bucket: string, credentials: Credentials): Promise<unknown> =>
  gateway.client(credentials).send(new GetObjectCommand({ Bucket, Key: 'k' }));

describe('by the API', () => {
  test('put, got as it was written, deleted', async () => {
    const Bucket = 'by-api';
    await makeBucket(Bucket);
    await expect(s3.send(new GetBucketPolicyCommand({ Bucket }))).rejects.toMatchObject({
      name: 'NoSuchBucketPolicy',
      $metadata: { httpStatusCode: 404 },
    });
    const Policy = `  ${publicRead(Bucket)}\n`.trimStart();
    const put = await s3.send(new PutBucketPolicyCommand({ Bucket, Policy }));
    expect(put.$metadata.httpStatusCode).toBe(204);
    expect((await s3.send(new GetBucketPolicyCommand({ Bucket }))).Policy).toBe(Policy);
    expect(await sendRaw(gateway, { path: `/${Bucket}/k` })).toMatchObject({ status: 200, body: 'content' });
    const deleted = await s3.send(new DeleteBucketPolicyCommand({ Bucket }));
    expect(deleted.$metadata.httpStatusCode).toBe(204);
    expect(await sendRaw(gateway, { path: `/${Bucket}/k` })).toMatchObject({
      status: 403,
      code: 'AccessDenied',
    });
  });

  test('the upstream never sees one', async () => {
    await makeBucket('unseen');
    gateway.upstream.clear();
    await s3.send(new PutBucketPolicyCommand({ Bucket: 'unseen', Policy: publicRead('unseen') }));
    await s3.send(new GetBucketPolicyCommand({ Bucket: 'unseen' }));
    await s3.send(new DeleteBucketPolicyCommand({ Bucket: 'unseen' }));
    expect(gateway.upstream.requestLines()).toEqual([]);
  });

  const allow = {
    Effect: 'Allow',
    Principal: '*',
    Action: 's3:GetObject',
    Resource: 'arn:aws:s3:::malformed/*',
  };
  test.each([
    ['not JSON', 'Hello', "Policies must be valid JSON and the first byte must be '{'"],
    ['a space first', ` ${policyOf(allow)}`, "Policies must be valid JSON and the first byte must be '{'"],
    [
      'another bucket',
      policyOf({ ...allow, Resource: 'arn:aws:s3:::other/*' }),
      'Policy has invalid resource',
    ],
    ['an unknown action', policyOf({ ...allow, Action: 's3:Fetch' }), 'Policy has invalid action'],
    ['no principal', policyOf({ ...allow, Principal: undefined }), 'Missing required field Principal'],
    ['no resource', policyOf({ ...allow, Resource: undefined }), 'Missing required field Resource'],
    ['a made-up principal', policyOf({ ...allow, Principal: { AWS: 'me' } }), 'Invalid principal in policy'],
    [
      'an object action on the bucket',
      policyOf({ ...allow, Resource: 'arn:aws:s3:::malformed' }),
      'Action does not apply to any resource(s) in statement',
    ],
    [
      'a condition that the action has not',
      policyOf({ ...allow, Condition: { StringEquals: { 's3:prefix': 'a' } } }),
      'Conditions do not apply to combination of actions and resources in statement',
    ],
    [
      'a version that there is not',
      JSON.stringify({ Version: '2020-01-01', Statement: [allow] }),
      'The policy must contain a valid version string',
    ],
  ])('%s is MalformedPolicy, in AWS’s words', async (_, text, sentence) => {
    await s3.send(new CreateBucketCommand({ Bucket: 'malformed' })).catch(() => undefined);
    const put = s3.send(new PutBucketPolicyCommand({ Bucket: 'malformed', Policy: text }));
    await expect(put).rejects.toMatchObject({
      name: 'MalformedPolicy',
      message: sentence,
      $metadata: { httpStatusCode: 400 },
    });
  });

  test('a malformed one does not replace a good one', async () => {
    const Bucket = 'keeps-good';
    await makeBucket(Bucket, publicRead(Bucket));
    const bad = new PutBucketPolicyCommand({ Bucket, Policy: '{' });
    await expect(s3.send(bad)).rejects.toMatchObject({ name: 'MalformedPolicy' });
    expect(await sendRaw(gateway, { path: `/${Bucket}/k` })).toMatchObject({ status: 200 });
  });

  test('the policy operations need their own actions', async () => {
    const Bucket = 'guarded';
    await makeBucket(Bucket);
    const objects = await gateway.keyWithPolicy('objects-only', {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: ['s3:*Object*', 's3:ListBucket'], Resource: '*' }],
    });
    const client = gateway.client(objects);
    await expect(client.send(new GetBucketPolicyCommand({ Bucket }))).rejects.toMatchObject({
      name: 'AccessDenied',
    });
    const put = new PutBucketPolicyCommand({ Bucket, Policy: publicRead(Bucket) });
    await expect(client.send(put)).rejects.toMatchObject({ name: 'AccessDenied' });
    expect(await sendRaw(gateway, { path: `/${Bucket}`, query: { policy: '' } })).toMatchObject({
      status: 403,
    });
  });
});

describe('what they decide', () => {
  test('a public read is a read, and nothing else', async () => {
    const Bucket = 'public-read';
    await makeBucket(Bucket, publicRead(Bucket));
    const path = `/${Bucket}/k`;
    const got = await sendRaw(gateway, { path });
    expect(got).toMatchObject({ status: 200, body: 'content' });
    expect(await gateway.record(String(got.headers['x-amz-request-id']))).toMatchObject({
      principal: 'anonymous',
      decision: { effect: 'Allow', by: { index: 0 } },
    });
    expect(await sendRaw(gateway, { method: 'HEAD', path })).toMatchObject({ status: 200 });
    expect(await sendRaw(gateway, { method: 'PUT', path, headers: { 'content-length': '0' } })).toMatchObject(
      { status: 403 },
    );
    expect(await sendRaw(gateway, { method: 'DELETE', path })).toMatchObject({ status: 403 });
    expect(await sendRaw(gateway, { path: `/${Bucket}` })).toMatchObject({ status: 403 });
    // Not there, and not to be listed: 403 as on AWS.
    expect(await sendRaw(gateway, { path: `/${Bucket}/none` })).toMatchObject({ status: 403 });
    expect(await sendRaw(gateway, { path, query: { 'response-content-type': 'text/html' } })).toMatchObject({
      status: 400,
      code: 'InvalidRequest',
    });
  });

  test('an explicit Deny beats every Allow, the administrator’s too', async () => {
    const Bucket = 'denied';
    await makeBucket(
      Bucket,
      policyOf(
        {
          Sid: 'All',
          Effect: 'Allow',
          Principal: '*',
          Action: 's3:*',
          Resource: [`arn:aws:s3:::${Bucket}`, `arn:aws:s3:::${Bucket}/*`],
        },
        {
          Sid: 'Frozen',
          Effect: 'Deny',
          Principal: '*',
          Action: 's3:PutObject',
          Resource: `arn:aws:s3:::${Bucket}/frozen/*`,
        },
      ),
    );
    for (const credentials of [user, gateway.root]) {
      const put = new PutObjectCommand({ Bucket, Key: 'frozen/k', Body: 'x' });
      const refused = await gateway
        .client(credentials)
        .send(put)
        .catch((error: unknown) => error);
      expect(refused).toMatchObject({ name: 'AccessDenied' });
      const { $metadata } = refused as { $metadata: { requestId?: string } };
      expect(await gateway.record($metadata.requestId ?? '')).toMatchObject({
        decision: { effect: 'Deny', action: 's3:PutObject', by: { sid: 'Frozen', index: 1 } },
      });
      await gateway.client(credentials).send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x' }));
    }
  });

  test('a refusal tells a caller of the account what is missing, and others nothing', async () => {
    const Bucket = 'told';
    await makeBucket(Bucket);
    await expect(read(Bucket, guest)).rejects.toMatchObject({
      name: 'AccessDenied',
      message: `User: arn:aws:iam::${ACCOUNT}:user/guest is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::told/k" because no identity-based policy allows the s3:GetObject action`,
    });
    expect(await sendRaw(gateway, { path: `/${Bucket}/k` })).toMatchObject({ message: 'Access Denied' });
  });

  test('an Allow to one user is for that user', async () => {
    const Bucket = 'for-guest';
    const AWS = `arn:aws:iam::${ACCOUNT}:user/guest`;
    const Resource = `arn:aws:s3:::${Bucket}/*`;
    await makeBucket(
      Bucket,
      policyOf({ Effect: 'Allow', Principal: { AWS }, Action: 's3:GetObject', Resource }),
    );
    await read(Bucket, guest);
    expect(await sendRaw(gateway, { path: `/${Bucket}/k` })).toMatchObject({ status: 403 });
  });

  test('a missing key is 404 with ListBucket, and 403 without', async () => {
    const Bucket = 'missing';
    await makeBucket(Bucket);
    const blind = await gateway.keyWithPolicy('blind', {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: `arn:aws:s3:::${Bucket}/*` }],
    });
    const get = new GetObjectCommand({ Bucket, Key: 'none' });
    const head = new HeadObjectCommand({ Bucket, Key: 'none' });
    await expect(gateway.client(user).send(get)).rejects.toMatchObject({ name: 'NoSuchKey' });
    await expect(gateway.client(user).send(head)).rejects.toMatchObject({
      $metadata: { httpStatusCode: 404 },
    });
    await expect(gateway.client(blind).send(get)).rejects.toMatchObject({ name: 'AccessDenied' });
    await expect(gateway.client(blind).send(head)).rejects.toMatchObject({
      $metadata: { httpStatusCode: 403 },
    });
  });
});

describe('a bucket of another account', () => {
  const Bucket = 'theirs-data';

  beforeAll(async () => {
    const upstream = gateway.upstreamClient();
    await upstream.send(new CreateBucketCommand({ Bucket }));
    await upstream.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'theirs' }));
    // The owner has no key at this gateway: the policy comes as a file.
    const AWS = `arn:aws:iam::${ACCOUNT}:user/user`;
    await putFile(
      gateway,
      Bucket,
      policyOf({
        Effect: 'Allow',
        Principal: { AWS: [AWS, `arn:aws:iam::${ACCOUNT}:user/guest`] },
        Action: ['s3:GetObject', 's3:PutBucketPolicy', 's3:GetBucketPolicy'],
        Resource: [`arn:aws:s3:::${Bucket}`, `arn:aws:s3:::${Bucket}/*`],
      }),
    );
  });

  test('needs both sides: the bucket’s policy and the caller’s own', async () => {
    await read(Bucket, user);
    // The bucket allows it, the identity does not.
    await expect(read(Bucket, guest)).rejects.toMatchObject({
      name: 'AccessDenied',
      message: 'Access Denied',
    });
    // The identity allows it, the bucket does not.
    const remove = new DeleteObjectCommand({ Bucket, Key: 'k' });
    await expect(gateway.client(user).send(remove)).rejects.toMatchObject({ name: 'AccessDenied' });
    await expect(gateway.client(gateway.root).send(remove)).rejects.toMatchObject({ name: 'AccessDenied' });
  });

  test('its policy is its owner’s alone', async () => {
    const get = gateway.client(user).send(new GetBucketPolicyCommand({ Bucket }));
    await expect(get).rejects.toMatchObject({ name: 'MethodNotAllowed', $metadata: { httpStatusCode: 405 } });
  });

  test('is not listed among the caller’s, and its name is taken', async () => {
    const { Buckets = [] } = await gateway.client(user).send(new ListBucketsCommand());
    expect(Buckets.map(({ Name }) => Name)).not.toContain(Bucket);
    const create = gateway.client(user).send(new CreateBucketCommand({ Bucket }));
    await expect(create).rejects.toMatchObject({ name: 'BucketAlreadyExists' });
  });
});

describe('as files', () => {
  test('a file holds within a second of being written, changed and removed', async () => {
    const Bucket = 'file';
    await makeBucket(Bucket);
    const path = `/${Bucket}/k`;
    const started = Date.now();
    await putFile(gateway, Bucket, publicRead(Bucket));
    expect(Date.now() - started).toBeLessThan(1_000);
    const got = await sendRaw(gateway, { path });
    expect(got).toMatchObject({ status: 200 });
    const record = await gateway.record(String(got.headers['x-amz-request-id']));
    expect(record).toMatchObject({
      decision: { by: { policy: expect.stringContaining('file.json') as string } },
    });
    expect((await s3.send(new GetBucketPolicyCommand({ Bucket }))).Policy).toBe(publicRead(Bucket));

    await putFile(gateway, Bucket, publicRead(Bucket).replace('"Allow"', '"Deny"'));
    expect(await sendRaw(gateway, { path })).toMatchObject({ status: 403 });
    await expect(read(Bucket, gateway.root)).rejects.toMatchObject({ name: 'AccessDenied' });

    const gone = gateway.line(({ msg, bucket }) => msg === 'bucket policy file is gone' && bucket === Bucket);
    await rm(join(gateway.dataDir, 'policies', `${Bucket}.json`));
    await gone;
    await read(Bucket, gateway.root);
  });

  test('a broken one never replaces a working one, and is named with line and column', async () => {
    const Bucket = 'last-good';
    await makeBucket(Bucket);
    await putFile(gateway, Bucket, publicRead(Bucket));
    const file = join(gateway.dataDir, 'policies', `${Bucket}.json`);
    const complaint = gateway.line(
      ({ msg, file: named }) => msg === 'bucket policy file is broken' && named === file,
    );
    await replaceFile(file, '{\n  "Version": "2012-10-17",\n  "Statement": [}\n');
    expect(await complaint).toMatchObject({ problem: expect.stringContaining(`${file}:3:`) as string });
    expect(await sendRaw(gateway, { path: `/${Bucket}/k` })).toMatchObject({ status: 200 });
    // Repaired: it is taken up again.
    await putFile(gateway, Bucket, publicRead(Bucket).replace('/*', '/other'));
    expect(await sendRaw(gateway, { path: `/${Bucket}/k` })).toMatchObject({ status: 403 });
  });

  test('the API cannot change what a file says: 405, and the file is named', async () => {
    const Bucket = 'read-only';
    await makeBucket(Bucket);
    await putFile(gateway, Bucket, publicRead(Bucket));
    const put = new PutBucketPolicyCommand({ Bucket, Policy: publicRead(Bucket) });
    for (const command of [put, new DeleteBucketPolicyCommand({ Bucket })]) {
      const refused = await s3.send(command as typeof put).catch((error: unknown) => error);
      expect(refused).toMatchObject({ name: 'MethodNotAllowed', $metadata: { httpStatusCode: 405 } });
      expect((refused as Error).message).toContain('read-only.json');
    }
  });

  test('one that is broken at the start denies its bucket, and only that', async () => {
    const first = await runGateway();
    await first.client().send(new CreateBucketCommand({ Bucket: 'broken' }));
    await first.client().send(new PutObjectCommand({ Bucket: 'broken', Key: 'k', Body: 'x' }));
    await first.client().send(new CreateBucketCommand({ Bucket: 'sound' }));
    await mkdir(join(first.dataDir, 'policies'), { recursive: true });
    await first.stop({ keepData: true });
    const file = join(first.dataDir, 'policies', 'broken.json');
    await writeFile(file, '{"Version": "2012-10-17",\n "Statement": [{"Effect": "Alow"}]}');
    const second = await runGateway({ dataDir: first.dataDir });
    try {
      const client = second.client();
      const line = await second.line(({ msg }) => msg === 'bucket policy file is broken');
      expect(line['problem']).toMatch(new RegExp(`^${file}:2:\\d+: `));
      await expect(client.send(new GetObjectCommand({ Bucket: 'broken', Key: 'k' }))).rejects.toMatchObject({
        name: 'AccessDenied',
      });
      await expect(client.send(new ListObjectsV2Command({ Bucket: 'broken' }))).rejects.toMatchObject({
        name: 'AccessDenied',
      });
      expect(await sendRaw(second, { path: '/broken/k' })).toMatchObject({ status: 403 });
      await client.send(new ListObjectsV2Command({ Bucket: 'sound' }));
      const put = new PutBucketPolicyCommand({ Bucket: 'broken', Policy: publicRead('broken') });
      const refused = await client.send(put).catch((error: unknown) => error);
      expect(refused).toMatchObject({ name: 'MethodNotAllowed', $metadata: { httpStatusCode: 405 } });
      expect((refused as Error).message).toContain('broken.json');
      await putFile(second, 'broken', publicRead('broken'));
      expect(await sendRaw(second, { path: '/broken/k' })).toMatchObject({ status: 200 });
    } finally {
      await second.stop();
    }
  });
});

/** Writes a policy file as tools do, and waits until the gateway says that it holds. */
async function putFile(running: RunningGateway, bucket: string, text: string): Promise<void> {
  const seen = running.lines.length;
  const loaded = running.line(
    (line) =>
      line['msg'] === 'bucket policy loaded' &&
      line['bucket'] === bucket &&
      running.lines.indexOf(line) >= seen,
  );
  await replaceFile(join(running.dataDir, 'policies', `${bucket}.json`), text);
  await loaded;
}

async function replaceFile(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text);
  await rename(`${file}.new`, file);
}
