/** Access keys, from the command line to what they may do in the running gateway. */
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runGateway, type Credentials, type RunningGateway } from '../support/running-gateway.ts';

const Bucket = 'docs';
/** A change takes effect within this time. */
const SOON_MS = 1_000;
let gateway: RunningGateway;

beforeAll(async () => {
  gateway = await runGateway();
  const s3 = gateway.client();
  await s3.send(new CreateBucketCommand({ Bucket }));
  await s3.send(new CreateBucketCommand({ Bucket: 'other' }));
  for (const Key of ['team-a/k', 'team-b/k']) await s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
});

afterAll(async () => {
  await gateway.stop();
});

async function issue(...args: readonly string[]): Promise<Credentials> {
  const printed = await gateway.keys(['issue', ...args, '--output', 'json']);
  const { AccessKeyId, SecretAccessKey } = JSON.parse(printed) as Record<
    'AccessKeyId' | 'SecretAccessKey',
    string
  >;
  return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey };
}

/** The outcome of each of some common requests: `ok`, or the error's code. */
async function rights(credentials: Credentials): Promise<Record<string, string>> {
  const s3 = gateway.client(credentials);
  const commands = {
    read: s3.send(new GetObjectCommand({ Bucket, Key: 'team-a/k' })),
    readOther: s3.send(new GetObjectCommand({ Bucket, Key: 'team-b/k' })),
    write: s3.send(new PutObjectCommand({ Bucket, Key: 'team-a/new', Body: 'x' })),
    writeOther: s3.send(new PutObjectCommand({ Bucket, Key: 'team-b/new', Body: 'x' })),
    list: s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'team-a/' })),
    listOther: s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'team-b/' })),
    remove: s3.send(new DeleteObjectCommand({ Bucket, Key: 'team-a/none' })),
    otherBucket: s3.send(new PutObjectCommand({ Bucket: 'other', Key: 'team-a/k', Body: 'x' })),
  };
  const outcomes = Object.entries(commands).map(async ([name, command]): Promise<[string, string]> => {
    try {
      await command;
      return [name, 'ok'];
    } catch (error) {
      return [name, (error as Error).name];
    }
  });
  return Object.fromEntries(await Promise.all(outcomes));
}

const no = 'AccessDenied';
const NOTHING = {
  read: no,
  readOther: no,
  write: no,
  writeOther: no,
  list: no,
  listOther: no,
  remove: no,
  otherBucket: no,
};

describe('keys issue', () => {
  test.each([
    ['a bucket, read-only', [], { read: 'ok', readOther: 'ok', list: 'ok', listOther: 'ok' }],
    ['a prefix, read-only', ['--prefix', 'team-a/', '--read-only'], { read: 'ok', list: 'ok' }],
    [
      'a prefix, read-write',
      ['--prefix', 'team-a/', '--read-write'],
      { read: 'ok', list: 'ok', write: 'ok', remove: 'ok' },
    ],
    ['a prefix, write-only', ['--prefix', 'team-a/', '--write-only'], { write: 'ok' }],
  ])('for %s: that, and nothing else', async (name, options, allowed) => {
    const key = await issue('--user', name.replaceAll(/\W+/g, '-'), '--bucket', Bucket, ...options);
    expect(await rights(key)).toEqual({ ...NOTHING, ...allowed });
  });

  test('wildcards in a prefix are characters of keys', async () => {
    const key = await issue('--user', 'wild', '--bucket', Bucket, '--prefix', '*');
    expect(await rights(key)).toEqual(NOTHING);
  });

  test('two keys of one user do different things', async () => {
    const reader = await issue('--user', 'two', '--bucket', Bucket);
    const writer = await issue('--user', 'two', '--bucket', Bucket, '--write-only');
    expect((await rights(reader))['write']).toBe(no);
    expect((await rights(writer))['read']).toBe(no);
  });
});

describe('a change takes effect in the running gateway within a second', () => {
  test('disable, and delete', async () => {
    const key = await issue('--user', 'ending', '--bucket', Bucket);
    expect(await until(key, 'ok')).toBeLessThan(SOON_MS);
    await gateway.keys(['disable', key.accessKeyId]);
    expect(await until(key, 'InvalidAccessKeyId')).toBeLessThan(SOON_MS);
    const another = await issue('--user', 'ending', '--bucket', Bucket);
    expect(await until(another, 'ok')).toBeLessThan(SOON_MS);
    await gateway.keys(['delete', another.accessKeyId]);
    expect(await until(another, 'InvalidAccessKeyId')).toBeLessThan(SOON_MS);
  });

  test('expiry', async () => {
    // The command takes whole seconds: the key ends one to two seconds from now.
    const expires = new Date(Math.floor(Date.now() / 1000) * 1000 + 2_000);
    const key = await issue(
      '--user',
      'mayfly',
      '--bucket',
      Bucket,
      '--expires',
      expires.toISOString().replace('.000', ''),
    );
    expect(await until(key, 'ok')).toBeLessThan(SOON_MS);
    const took = await until(key, 'InvalidAccessKeyId');
    expect(took).not.toBeNaN();
    expect(Date.now()).toBeGreaterThanOrEqual(expires.getTime());
    expect(Date.now()).toBeLessThan(expires.getTime() + SOON_MS);
  });

  test('import of an existing key, its secret from standard input', async () => {
    const key = { accessKeyId: 'AKIAIMPORTEDKEY00001', secretAccessKey: randomBytes(30).toString('base64') };
    expect(await until(key, 'InvalidAccessKeyId')).toBeLessThan(SOON_MS);
    const printed = await gateway.keys(
      ['import', '--user', 'moved', '--access-key-id', key.accessKeyId, '--bucket', Bucket],
      `${key.secretAccessKey}\n`,
    );
    expect(printed).not.toContain(key.secretAccessKey);
    expect(await until(key, 'ok')).toBeLessThan(SOON_MS);
    const wrong = { ...key, secretAccessKey: `${key.secretAccessKey}x` };
    expect(await until(wrong, 'SignatureDoesNotMatch')).toBeLessThan(SOON_MS);
  });
});

describe('the root key', () => {
  test('ends when the variables change or go, and the data stays', async () => {
    const [one, two] = [rootOf('ONE'), rootOf('TWO')];
    const first = await runGateway({ root: one });
    const { dataDir } = first;
    await first.client(one).send(new CreateBucketCommand({ Bucket: 'kept' }));
    expect(await list(first, one)).toBe('ok');
    await first.stop({ keepData: true });

    const second = await runGateway({ dataDir, root: two });
    expect(await list(second, two)).toBe('ok');
    expect(await list(second, one)).toBe('InvalidAccessKeyId');
    const { Buckets } = await second.client(two).send(new ListBucketsCommand());
    expect(Buckets?.map(({ Name }) => Name)).toEqual(['kept']);
    await second.stop({ keepData: true });

    // The same id with another secret: the old secret ends.
    const changed = { ...two, secretAccessKey: randomBytes(20).toString('hex') };
    const third = await runGateway({ dataDir, root: changed });
    expect(await list(third, two)).toBe('SignatureDoesNotMatch');
    expect(await list(third, changed)).toBe('ok');
    await third.stop({ keepData: true });

    const removed = { ROOT_ACCESS_KEY_ID: undefined, ROOT_SECRET_ACCESS_KEY: undefined };
    const fourth = await runGateway({ dataDir, env: removed });
    expect(await list(fourth, changed)).toBe('InvalidAccessKeyId');
    await fourth.stop();
  });
});

/** Asks until the answer is this one; how long it took, in milliseconds. */
async function until(credentials: Credentials, expected: string): Promise<number> {
  const started = Date.now();
  const s3 = gateway.client(credentials);
  for (;;) {
    const outcome = await s3.send(new ListObjectsV2Command({ Bucket })).then(
      () => 'ok',
      (error: unknown) => (error as Error).name,
    );
    const elapsed = Date.now() - started;
    if (outcome === expected || elapsed > 5_000) return outcome === expected ? elapsed : Number.NaN;
  }
}

/** `ok`, or the code of the refusal. */
function list(running: RunningGateway, root: Credentials): Promise<string> {
  return running
    .client(root)
    .send(new ListBucketsCommand())
    .then(
      () => 'ok',
      (error: unknown) => (error as Error).name,
    );
}

function rootOf(name: string): Credentials {
  return { accessKeyId: `AKIAROOT${name}`, secretAccessKey: randomBytes(20).toString('hex') };
}
