import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  createBucketDirectory,
  createKeyDirectory,
  encryptSecret,
  ensureRootKey,
  type IdentityProblem,
} from '../../src/identity/index.ts';
import { evaluate, type Decision } from '../../src/policy/index.ts';
import { Secret } from '../../src/sigv4/index.ts';
import {
  ACCOUNT,
  EXAMPLE_KEY_ID,
  EXAMPLE_SECRET,
  keyAddition,
  newMasterKey,
  NOW,
  now,
  temporaryFolder,
  temporaryStore,
} from './fixtures.ts';

function allow(action: string) {
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: action, Resource: '*' }],
  });
}

/** Two handles on one file, as two processes have: the directory reads through one, tests write through either. */
function setUp() {
  const path = join(temporaryFolder(), 'identity.db');
  const store = temporaryStore(path);
  const other = temporaryStore(path);
  const masterKey = newMasterKey();
  const problems: IdentityProblem[] = [];
  const options = {
    store,
    cacheSize: 100,
    now,
    pollInterval: 0,
    onProblem: (problem: IdentityProblem) => problems.push(problem),
  };
  const keys = createKeyDirectory({ ...options, masterKey });
  const buckets = createBucketDirectory(options);
  onTestFinished(() => {
    keys.close();
    buckets.close();
  });
  const decide = async (action: string, resourceDocument?: string): Promise<Decision> => {
    const key = await keys.find(EXAMPLE_KEY_ID);
    if (key === undefined) throw new Error('unknown key');
    if (resourceDocument !== undefined) {
      await other.putBucketPolicy('reports', { document: resourceDocument, changedAt: NOW });
      await buckets.refresh();
    }
    const policy = (await buckets.find('reports'))?.policy;
    return evaluate(
      {
        action,
        resource: 'arn:aws:s3:::reports/a',
        resourceAccount: ACCOUNT,
        principal: key.principal,
        context: () => undefined,
      },
      { identity: key.policies, ...(policy?.state === 'usable' ? { resource: policy.compiled } : {}) },
    );
  };
  return { store, other, masterKey, problems, keys, buckets, decide };
}

describe('the key directory', () => {
  test('resolves a key to its secret, principal and policies', async () => {
    const { store, masterKey, keys } = setUp();
    await store.addKey(
      keyAddition({
        masterKey,
        tags: { team: 'red' },
        policies: [{ name: 'scope', document: allow('s3:GetObject') }],
        key: { expiresAt: NOW + 5 },
      }),
    );
    const found = await keys.find(EXAMPLE_KEY_ID);
    expect(found?.secretAccessKey.expose()).toBe(EXAMPLE_SECRET);
    expect(found).toMatchObject({
      accessKeyId: EXAMPLE_KEY_ID,
      principal: {
        type: 'user',
        arn: `arn:aws:iam::${ACCOUNT}:user/alice`,
        accountId: ACCOUNT,
        userName: 'alice',
        tags: { team: 'red' },
      },
      expiresAt: NOW + 5,
      status: 'Active',
    });
    expect(found?.policies.labels).toHaveLength(1);
    expect(inspect(found, { depth: 10 })).not.toContain(EXAMPLE_SECRET);
  });

  test('unknown and impossible ids are undefined', async () => {
    const { keys } = setUp();
    for (const id of ['AKIAUNKNOWN', '', 'x'.repeat(129), `${EXAMPLE_KEY_ID}\0`]) {
      expect(await keys.find(id)).toBeUndefined();
    }
  });

  test('a disabled key is found as inactive, an expired one with its time', async () => {
    const { store, masterKey, keys } = setUp();
    await store.addKey(keyAddition({ masterKey, key: { status: 'Inactive', expiresAt: NOW - 1 } }));
    expect(await keys.find(EXAMPLE_KEY_ID)).toMatchObject({ status: 'Inactive', expiresAt: NOW - 1 });
  });

  test('what another process changes is seen after refresh: issued, disabled, re-scoped, deleted', async () => {
    const { other, masterKey, keys, decide } = setUp();
    expect(await keys.find(EXAMPLE_KEY_ID)).toBeUndefined();
    await other.addKey(keyAddition({ masterKey }));
    await keys.refresh();
    expect((await keys.find(EXAMPLE_KEY_ID))?.status).toBe('Active');
    await other.setKeyStatus(EXAMPLE_KEY_ID, 'Inactive');
    await keys.refresh();
    expect((await keys.find(EXAMPLE_KEY_ID))?.status).toBe('Inactive');
    expect((await decide('s3:GetObject')).effect).toBe('Deny');
    await other.putPolicy(
      { type: 'key', accessKeyId: EXAMPLE_KEY_ID },
      { name: 'scope', document: allow('s3:GetObject') },
    );
    await keys.refresh();
    expect((await decide('s3:GetObject')).effect).toBe('Allow');
    await other.deleteKey(EXAMPLE_KEY_ID);
    await keys.refresh();
    expect(await keys.find(EXAMPLE_KEY_ID)).toBeUndefined();
  });

  test('the polling timer sees changes by itself', async () => {
    const path = join(temporaryFolder(), 'identity.db');
    const masterKey = newMasterKey();
    const other = temporaryStore(path);
    const keys = createKeyDirectory({
      store: temporaryStore(path),
      masterKey,
      cacheSize: 10,
      now: Date.now,
      pollInterval: 5,
      onProblem: () => undefined,
    });
    onTestFinished(() => {
      keys.close();
    });
    await other.addKey(keyAddition({ masterKey }));
    await expect
      .poll(() => keys.find(EXAMPLE_KEY_ID), { timeout: 5_000 })
      .toMatchObject({ status: 'Active' });
    await other.setKeyStatus(EXAMPLE_KEY_ID, 'Inactive');
    await expect
      .poll(() => keys.find(EXAMPLE_KEY_ID), { timeout: 5_000 })
      .toMatchObject({ status: 'Inactive' });
  });

  test('the version of a secret changes with the secret, also back to one it had, and not with anything else', async () => {
    const { store, masterKey, keys } = setUp();
    const version = async (): Promise<string | undefined> => {
      await keys.refresh();
      return (await keys.find(EXAMPLE_KEY_ID))?.secretVersion;
    };
    await store.addKey(keyAddition({ masterKey }));
    const first = await version();
    await store.setKeyStatus(EXAMPLE_KEY_ID, 'Inactive');
    expect(await version()).toBe(first);
    await store.deleteKey(EXAMPLE_KEY_ID);
    await store.addKey(keyAddition({ masterKey }));
    expect(await version()).not.toBe(first);
  });

  test('a key without policies may do nothing beyond what the bucket policy grants', async () => {
    const { store, masterKey, decide } = setUp();
    await store.addKey(keyAddition({ masterKey }));
    expect((await decide('s3:GetObject')).effect).toBe('Deny');
    const granted = await decide('s3:GetObject', bucketPolicy('Allow', 's3:GetObject'));
    expect(granted.effect).toBe('Allow');
    expect((await decide('s3:PutObject')).effect).toBe('Deny');
  });

  test('policies of the user hold for every key of it, those of a key for it alone; the name tells whose it is', async () => {
    const { store, masterKey, keys, decide } = setUp();
    await store.addKey(
      keyAddition({ masterKey, policies: [{ name: 'scope', document: allow('s3:PutObject') }] }),
    );
    await store.addKey(keyAddition({ masterKey, accessKeyId: 'AKIASECOND' }));
    const arn = `arn:aws:iam::${ACCOUNT}:user/alice`;
    await store.putPolicy({ type: 'principal', arn }, { name: 'read', document: allow('s3:GetObject') });
    await keys.refresh();
    expect(await decide('s3:GetObject')).toMatchObject({ effect: 'Allow', by: { policy: 'alice/read' } });
    expect(await decide('s3:PutObject')).toMatchObject({
      effect: 'Allow',
      by: { policy: `${EXAMPLE_KEY_ID}/scope` },
    });
    expect((await keys.find('AKIASECOND'))?.policies.labels).toHaveLength(1);
  });

  test('a policy that cannot be read denies all, whatever else allows, and is told', async () => {
    const { store, masterKey, problems, decide } = setUp();
    await store.addKey(
      keyAddition({
        masterKey,
        policies: [
          { name: 'broken', document: '{"Version":"2012-10-17","Statement":[{"Effect":"Deny",' },
          { name: 'good', document: allow('s3:*') },
        ],
      }),
    );
    const decision = await decide('s3:GetObject', bucketPolicy('Allow', 's3:*'));
    expect(decision).toMatchObject({
      effect: 'Deny',
      because: { kind: 'explicit', by: { policy: `${EXAMPLE_KEY_ID}/broken`, sid: 'UnusablePolicy' } },
    });
    expect(problems).toMatchObject([
      { kind: 'policy', subject: EXAMPLE_KEY_ID, policy: `${EXAMPLE_KEY_ID}/broken` },
    ]);
  });

  test.each([
    ['altered', 'v1.aaaaaaaaaaaaaaaa.AAAA.AAAA.AAAA'],
    ['moved from another key', undefined],
  ])('a secret that is %s makes the key unknown, and is told', async (_case, text) => {
    const { store, masterKey, problems, keys } = setUp();
    const moved = encryptSecret(new Secret(EXAMPLE_SECRET), {
      accessKeyId: 'AKIAANOTHER',
      masterKey,
      randomBytes,
    });
    await store.addKey(keyAddition({ masterKey, key: { encryptedSecret: text ?? moved } }));
    expect(await keys.find(EXAMPLE_KEY_ID)).toBeUndefined();
    expect(problems).toMatchObject([{ kind: 'secret', subject: EXAMPLE_KEY_ID }]);
  });

  test('a store that fails rejects', async () => {
    const { store, keys } = setUp();
    await store.close();
    await expect(keys.find(EXAMPLE_KEY_ID)).rejects.toThrow(/not open/);
  });

  test('the root key may do everything but what a bucket policy denies', async () => {
    const { store, masterKey, decide } = setUp();
    await ensureRootKey({
      store,
      masterKey,
      configured: { accessKeyId: EXAMPLE_KEY_ID, secretAccessKey: new Secret(EXAMPLE_SECRET) },
      accountId: ACCOUNT,
      now,
      randomBytes,
    });
    expect(await decide('s3:DeleteBucket')).toMatchObject({ effect: 'Allow' });
    expect((await decide('s3:GetObject', bucketPolicy('Deny', 's3:GetObject'))).effect).toBe('Deny');
    expect((await decide('s3:PutObject')).effect).toBe('Allow');
  });
});

describe('the bucket directory', () => {
  test('finds record and compiled policy, and sees changes after refresh', async () => {
    const { other, buckets } = setUp();
    expect(await buckets.find('reports')).toBeUndefined();
    const record = { name: 'reports', ownerAccount: ACCOUNT, upstream: 'default', createdAt: NOW };
    await other.addBucket(record);
    await buckets.refresh();
    expect(await buckets.find('reports')).toEqual({ record, policy: undefined });
    const document = bucketPolicy('Allow', 's3:GetObject');
    await other.putBucketPolicy('reports', { document, changedAt: NOW });
    await buckets.refresh();
    expect((await buckets.find('reports'))?.policy).toMatchObject({ state: 'usable', document });
    await other.deleteBucket('reports');
    await buckets.refresh();
    expect(await buckets.find('reports')).toBeUndefined();
  });

  test('finds the CORS rules, and none where they cannot be read, which is told', async () => {
    const { other, problems, buckets } = setUp();
    const rule = '<AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod>';
    const document = `<CORSConfiguration><CORSRule>${rule}</CORSRule></CORSConfiguration>`;
    await other.putBucketCors('reports', { document, changedAt: NOW });
    expect((await buckets.find('reports'))?.cors).toMatchObject([{ allowedOrigins: ['*'] }]);
    await other.putBucketCors('reports', { document: '<CORS', changedAt: NOW });
    await buckets.refresh();
    expect((await buckets.find('reports'))?.cors).toBeUndefined();
    expect(problems.map(({ kind, subject }) => [kind, subject])).toEqual([['bucket-cors', 'reports']]);
  });

  test('finds the public access block, and all of it where it cannot be read, which is told', async () => {
    const { other, problems, buckets } = setUp();
    const document =
      '<PublicAccessBlockConfiguration><BlockPublicPolicy>true</BlockPublicPolicy></PublicAccessBlockConfiguration>';
    const all = {
      blockPublicAcls: true,
      ignorePublicAcls: true,
      blockPublicPolicy: true,
      restrictPublicBuckets: true,
    };
    await other.putPublicAccessBlock('reports', { document, changedAt: NOW });
    expect((await buckets.find('reports'))?.publicAccessBlock).toEqual({
      blockPublicAcls: false,
      ignorePublicAcls: false,
      blockPublicPolicy: true,
      restrictPublicBuckets: false,
    });
    await other.putPublicAccessBlock('reports', { document: '<PublicAccess', changedAt: NOW });
    await buckets.refresh();
    expect((await buckets.find('reports'))?.publicAccessBlock).toEqual(all);
    expect(problems.map(({ kind, subject }) => [kind, subject])).toEqual([
      ['public-access-block', 'reports'],
    ]);
  });

  test('a stored policy that is none for this bucket is marked unusable, and told', async () => {
    const { other, problems, buckets } = setUp();
    await other.putBucketPolicy('reports', { document: '{', changedAt: NOW });
    expect((await buckets.find('reports'))?.policy).toEqual({ state: 'unusable', document: '{' });
    const elsewhere = bucketPolicy('Allow', 's3:GetObject');
    await other.putBucketPolicy('another', { document: elsewhere, changedAt: NOW });
    await buckets.refresh();
    expect((await buckets.find('another'))?.policy?.state).toBe('unusable');
    expect(problems.map(({ kind, subject }) => [kind, subject])).toEqual([
      ['bucket-policy', 'reports'],
      ['bucket-policy', 'another'],
    ]);
  });
});

function bucketPolicy(effect: 'Allow' | 'Deny', action: string): string {
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: effect,
        Principal: effect === 'Deny' ? '*' : { AWS: `arn:aws:iam::${ACCOUNT}:user/alice` },
        Action: action,
        Resource: ['arn:aws:s3:::reports', 'arn:aws:s3:::reports/*'],
      },
    ],
  });
}
