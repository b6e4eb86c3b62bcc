/** `policy explain` and `policy simulate` on what a real gateway has logged and stored. */
import {
  CreateBucketCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runPolicyCommand } from '../../src/cli/index.ts';
import { runGateway, type Credentials, type RunningGateway } from '../support/running-gateway.ts';

const BUCKET = 'reports';
const NO_CONFIG = { BUCKETWARDEN_DATA_DIR: '/nonexistent/bucketwarden' };

let gateway: RunningGateway;
let alice: Credentials;
let client: S3Client;

beforeAll(async () => {
  gateway = await runGateway();
  const root = gateway.client();
  await root.send(new CreateBucketCommand({ Bucket: BUCKET }));
  await root.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'public/a', Body: 'a' }));
  alice = await gateway.keyWithPolicy('alice', {
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'ReadPublic',
        Effect: 'Allow',
        Action: ['s3:GetObject', 's3:DeleteObject'],
        Resource: `arn:aws:s3:::${BUCKET}/public/*`,
      },
      {
        Sid: 'WriteFromOffice',
        Effect: 'Allow',
        Action: 's3:PutObject',
        Resource: `arn:aws:s3:::${BUCKET}/public/*`,
        Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } },
      },
    ],
  });
  client = gateway.client(alice);
});

afterAll(async () => {
  await gateway.stop();
});

/** The request id of a request, whatever becomes of it. */
async function sent(work: Promise<{ readonly $metadata: { readonly requestId?: string } }>): Promise<string> {
  const { requestId } = await work.then(
    (output) => output.$metadata,
    (error: unknown) => (error as { readonly $metadata: { readonly requestId?: string } }).$metadata,
  );
  if (requestId === undefined) throw new Error('the answer has no request id');
  await gateway.record(requestId);
  return requestId;
}

interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function policy(
  args: readonly string[],
  env: Readonly<Record<string, string>> = { BUCKETWARDEN_DATA_DIR: gateway.dataDir },
): Promise<Run> {
  const written = { stdout: '', stderr: '' };
  const code = await runPolicyCommand(args, {
    stdout: { write: (text) => (written.stdout += text) },
    stderr: { write: (text) => (written.stderr += text) },
    stdin: Readable.from([gateway.lines.map((line) => `${JSON.stringify(line)}\n`).join('')]),
    env,
    now: Date.now,
    randomBytes,
  });
  return { code, ...written };
}

const policyOf = (...Statement: readonly object[]): string =>
  JSON.stringify({ Version: '2012-10-17', Statement });

const simulate = (principal: string, ...more: readonly string[]): Promise<Run> => {
  const resource = `arn:aws:s3:::${BUCKET}/public/a`;
  return policy([
    'simulate',
    '--principal',
    principal,
    '--action',
    's3:DeleteObject',
    '--resource',
    resource,
    ...more,
  ]);
};

const explain = (requestId: string, env?: Readonly<Record<string, string>>): Promise<Run> =>
  policy(['explain', requestId, '--audit', '-'], env);

describe('policy explain', () => {
  test('tells an allowed request: who, what, when, from where, and the statement that allowed it', async () => {
    const id = await sent(client.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'public/a' })));
    const { code, stdout, stderr } = await explain(id);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(`Request ${id}: allowed, and answered with 200.`);
    expect(stdout).toMatch(/When +20\d\d-\d\d-\d\dT/);
    expect(stdout).toMatch(
      new RegExp(String.raw`Who +arn:aws:iam::000000000000:user/alice, access key ${alice.accessKeyId}`),
    );
    expect(stdout).toMatch(/From +127\.0\.0\.1, aws-sdk-js/);
    expect(stdout).toMatch(/What +GetObject reports\/public\/a/);
    expect(stdout).toMatch(
      /s3:GetObject on `arn:aws:s3:::reports\/public\/a`: allowed by `AKIA\w+\/alice-\w+`, statement `ReadPublic`/,
    );
    expect(stdout).toContain(
      'By the policies of now: the same decision.\n  The policies are still the same texts.',
    );
  });

  test('tells a refused request: the condition that failed, with what was wanted and what was there', async () => {
    const id = await sent(client.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'public/b', Body: 'b' })));
    const { code, stdout } = await explain(id);
    expect(code).toBe(0);
    expect(stdout).toContain(
      `Request ${id}: refused by policy, with 403 AccessDenied: no identity policy allows it.`,
    );
    expect(stdout).toMatch(
      /statement `WriteFromOffice` \(identity policy\) would allow it if `aws:SourceIp` were in `10\.0\.0\.0\/8`; it is `127\.0\.0\.1`\./,
    );
    // What is about another action is of no interest beside that.
    expect(stdout).not.toContain('ReadPublic');
  });

  test('without a store in reach, says so and tells the rest', async () => {
    const id = await sent(client.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'public/b', Body: 'b' })));
    const { code, stdout } = await explain(id, NO_CONFIG);
    expect(code).toBe(0);
    expect(stdout).toContain('would allow it if');
    expect(stdout).toContain(
      'By the policies of now: not asked. There is no store at `/nonexistent/bucketwarden/bucketwarden.db`.',
    );
  });

  test('after a policy has changed: what it would decide now, and which text is another one', async () => {
    const Bucket = 'changing';
    const root = gateway.client();
    await root.send(new CreateBucketCommand({ Bucket }));
    await root.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'k' }));
    const grant = {
      Sid: 'Shared',
      Effect: 'Allow',
      Principal: { AWS: 'arn:aws:iam::000000000000:user/alice' },
      Action: 's3:GetObject',
      Resource: `arn:aws:s3:::${Bucket}/*`,
    };
    await root.send(new PutBucketPolicyCommand({ Bucket, Policy: policyOf(grant) }));
    const id = await sent(client.send(new GetObjectCommand({ Bucket, Key: 'k' })));
    expect((await explain(id)).stdout).toContain('The policies are still the same texts.');

    await root.send(new PutBucketPolicyCommand({ Bucket, Policy: policyOf({ ...grant, Effect: 'Deny' }) }));
    const changed = (await explain(id)).stdout;
    expect(changed).toContain(
      's3:GetObject on `arn:aws:s3:::changing/k`: Deny instead, refused by `bucket policy of changing`, statement `Shared`',
    );
    expect(changed).toContain('Changed since: `bucket policy of changing`');

    // A file of the live folder comes before what was stored, also one that cannot be read.
    const file = join(gateway.dataDir, 'policies', `${Bucket}.json`);
    await writeFile(file, policyOf(grant));
    expect((await explain(id)).stdout).toContain('By the policies of now: the same decision.');
    await writeFile(file, 'x');
    expect((await explain(id)).stdout).toMatch(
      /Deny instead, a policy could not be evaluated: .*changing\.json:1:1: /,
    );
  });

  test('lists the keys that a DeleteObjects was refused', async () => {
    const Objects = ['public/x', 'secret/y', 'secret/../public/z'].map((Key) => ({ Key }));
    const id = await sent(client.send(new DeleteObjectsCommand({ Bucket: BUCKET, Delete: { Objects } })));
    const { stdout } = await explain(id);
    expect(stdout).toContain(': allowed, and answered with 200; 2 of 3 keys were refused by policy.');
    expect(stdout).toContain('Refused keys (2 of 3):');
    expect(stdout).toContain(
      's3:DeleteObject on `arn:aws:s3:::reports/secret/y`: no identity policy allows it',
    );
    expect(stdout).not.toContain('reports/public/x`: no');
  });

  test('a key that looks like a path, refused for what it resolves to', async () => {
    const id = await sent(client.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'public/../secret' })));
    const { stdout } = await explain(id);
    expect(stdout).toContain('s3:GetObject on `arn:aws:s3:::reports/secret`: no identity policy allows it');
    expect(stdout).toContain('The key is `public/../secret`; some stores resolve it to this one');
  });

  test('a signature that does not match, and an unknown key: no policy was asked', async () => {
    const wrong = gateway.client({ ...alice, secretAccessKey: `${alice.secretAccessKey}\n` });
    const id = await sent(wrong.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'public/a' })));
    const { stdout } = await explain(id);
    expect(stdout).toContain('refused with 403 SignatureDoesNotMatch, before any policy was asked');
    expect(stdout).toMatch(/does not match\. .*(?:secret|line break)/i);
    expect(stdout).not.toContain(alice.secretAccessKey);

    const unknown = gateway.client({ accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'x'.repeat(40) });
    const other = await sent(unknown.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'public/a' })));
    expect((await explain(other)).stdout).toContain(
      '`AKIAIOSFODNN7EXAMPLE` is no key of this gateway. `bucketwarden keys list`',
    );
  });

  test('a bucket that does not exist, and a key that is not there', async () => {
    const root = gateway.client();
    const bucket = await sent(root.send(new GetObjectCommand({ Bucket: 'no-such-bucket', Key: 'k' })));
    expect((await explain(bucket)).stdout).toContain('`no-such-bucket` was not made through the gateway');
    const missing = await sent(client.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'public/none' })));
    const { stdout } = await explain(missing);
    expect(stdout).toContain('The upstream answered 404');
    expect(stdout).toContain('only who may s3:ListBucket on `arn:aws:s3:::reports` is told so');
  });

  test('as JSON: the same, with the context of the decision', async () => {
    const id = await sent(client.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'public/b', Body: 'b' })));
    const { stdout } = await policy(['explain', id, '--audit', '-', '--format', 'json']);
    expect(JSON.parse(stdout)).toMatchObject({
      requestId: id,
      principal: 'arn:aws:iam::000000000000:user/alice',
      status: 403,
      decisions: [{ effect: 'Deny', action: 's3:PutObject', reason: 'no identity policy allows it' }],
      context: { 'aws:SourceIp': '127.0.0.1' },
      now: { decisions: [{ outcome: 'same' }] },
    });
  });

  test('--last-denied shows the latest refusals with their ids', async () => {
    const id = await sent(client.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'secret/last' })));
    const { code, stdout } = await policy([
      'explain',
      '--last-denied',
      '--principal',
      'alice',
      '--bucket',
      BUCKET,
      '--max',
      '2',
      '--audit',
      '-',
    ]);
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(2);
    expect(lines[1]).toMatch(
      new RegExp(`^${id} .* GetObject reports/secret/last: refused by policy, with 403`),
    );
  });

  test('an id that is not there: what to check', async () => {
    const { code, stdout, stderr } = await explain('0123456789ABCDEF');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('No record of the request `0123456789ABCDEF` in standard input. To check:');
  });
});

describe('policy simulate, of what is in force', () => {
  test('decides as the gateway does, and warns that a user alone has less than a key', async () => {
    expect((await simulate('alice', '--policy-dir', '/nonexistent', '--enforced')).code).toBe(2);
    expect(await simulate(alice.accessKeyId)).toMatchObject({ code: 0, stderr: '' });
    const alone = await simulate('alice');
    expect(alone.code).toBe(1);
    expect(alone.stderr).toContain(`--principal with \`${alice.accessKeyId}\``);
    expect((await simulate('nobody')).stderr).toContain('`nobody` is neither an access key nor a user');
  });
});
