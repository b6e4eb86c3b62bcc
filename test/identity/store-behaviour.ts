import { describe, expect, test } from 'vitest';
import { type IdentityStore, type StoredPolicy } from '../../src/identity/index.ts';
import { ACCOUNT, EXAMPLE_KEY_ID, keyAddition, newMasterKey, NOW } from './fixtures.ts';

/** What every store does, whatever it is built on. `openPair` opens one new store twice, as two processes would. */
export function describeStore(name: string, openPair: () => readonly [IdentityStore, IdentityStore]): void {
  const masterKey = newMasterKey();
  const policy: StoredPolicy = { name: 'scope', document: '{"Version":"2012-10-17","Statement":[]}' };
  const open = (): IdentityStore => openPair()[0];
  const arn = `arn:aws:iam::${ACCOUNT}:user/alice`;

  describe(`${name}: keys`, () => {
    test('an unknown key is undefined, and cannot be changed', async () => {
      const store = open();
      expect(await store.findKey(EXAMPLE_KEY_ID)).toBeUndefined();
      expect(await store.setKeyStatus(EXAMPLE_KEY_ID, 'Inactive')).toBe(false);
      expect(await store.deleteKey(EXAMPLE_KEY_ID)).toBe(false);
      expect(await store.listKeys()).toEqual([]);
    });

    test('an added key is found with its principal and policies, every field as it was', async () => {
      const store = open();
      const addition = keyAddition({
        masterKey,
        tags: { team: 'red', 'cost centre': '' },
        policies: [policy, { name: 'a', document: '{}' }],
        key: { expiresAt: NOW + 1, description: 'nightly', status: 'Inactive', origin: 'imported' },
      });
      expect(await store.addKey(addition)).toBe(true);
      expect(await store.findKey(EXAMPLE_KEY_ID)).toEqual({
        key: addition.key,
        principal: addition.principal,
        principalPolicies: [],
        keyPolicies: [{ name: 'a', document: '{}' }, policy],
      });
      expect(await store.findPrincipal(arn)).toEqual({ principal: addition.principal, policies: [] });
    });

    test('ids are compared exactly', async () => {
      const store = open();
      await store.addKey(keyAddition({ masterKey }));
      expect(await store.findKey(EXAMPLE_KEY_ID.toLowerCase())).toBeUndefined();
      expect(await store.findKey(`${EXAMPLE_KEY_ID} `)).toBeUndefined();
      expect(await store.findKey(`${EXAMPLE_KEY_ID}\0`)).toBeUndefined();
    });

    test('a taken id is refused, and nothing of the refused addition stays', async () => {
      const store = open();
      const first = keyAddition({ masterKey });
      await store.addKey(first);
      const second = keyAddition({ masterKey, userName: 'bob', policies: [policy] });
      expect(await store.addKey(second)).toBe(false);
      expect(await store.findPrincipal(second.principal.arn)).toBeUndefined();
      expect(await store.findKey(EXAMPLE_KEY_ID)).toMatchObject({ key: first.key, keyPolicies: [] });
    });

    test('a second key of a user keeps its id and adds to its tags; scopes stay apart', async () => {
      const store = open();
      const first = keyAddition({ masterKey, tags: { team: 'red', site: 'a' }, policies: [policy] });
      await store.addKey(first);
      await store.addKey(keyAddition({ masterKey, accessKeyId: 'AKIASECOND', tags: { team: 'blue' } }));
      await store.addKey(keyAddition({ masterKey, accessKeyId: 'AKIATHIRD' }));
      const third = await store.findKey('AKIATHIRD');
      expect(third?.principal.userId).toBe(first.principal.userId);
      expect(third?.principal.tags).toEqual({ team: 'blue', site: 'a' });
      expect(third?.keyPolicies).toEqual([]);
      expect((await store.findKey(EXAMPLE_KEY_ID))?.keyPolicies).toEqual([policy]);
    });

    test('keys are listed by user, then age, then id; or those of one user', async () => {
      const store = open();
      await store.addKey(keyAddition({ masterKey, accessKeyId: 'K3', userName: 'bob' }));
      await store.addKey(keyAddition({ masterKey, accessKeyId: 'K2', key: { createdAt: NOW + 5 } }));
      await store.addKey(keyAddition({ masterKey, accessKeyId: 'K1', key: { createdAt: NOW + 5 } }));
      await store.addKey(keyAddition({ masterKey, accessKeyId: 'K9' }));
      const ids = async (filter?: { userName: string }) =>
        (await store.listKeys(filter)).map(({ key }) => key.accessKeyId);
      expect(await ids()).toEqual(['K9', 'K1', 'K2', 'K3']);
      expect(await ids({ userName: 'bob' })).toEqual(['K3']);
      expect(await ids({ userName: 'nobody' })).toEqual([]);
    });

    test('a deleted key takes its own policies with it; the user and its policies stay', async () => {
      const store = open();
      await store.addKey(keyAddition({ masterKey, policies: [policy] }));
      await store.putPolicy({ type: 'principal', arn }, policy);
      expect(await store.deleteKey(EXAMPLE_KEY_ID)).toBe(true);
      expect(await store.findKey(EXAMPLE_KEY_ID)).toBeUndefined();
      await store.addKey(keyAddition({ masterKey }));
      expect(await store.findKey(EXAMPLE_KEY_ID)).toMatchObject({
        keyPolicies: [],
        principalPolicies: [policy],
      });
    });

    test('policies of users and keys are put, replaced and deleted; unknown owners are refused', async () => {
      const store = open();
      await store.addKey(keyAddition({ masterKey }));
      for (const owner of [
        { type: 'principal', arn },
        { type: 'key', accessKeyId: EXAMPLE_KEY_ID },
      ] as const) {
        expect(await store.putPolicy(owner, policy)).toBe(true);
        expect(await store.putPolicy(owner, { ...policy, document: '{"changed":1}' })).toBe(true);
        const found = await store.findKey(EXAMPLE_KEY_ID);
        const policies = owner.type === 'key' ? found?.keyPolicies : found?.principalPolicies;
        expect(policies).toEqual([{ ...policy, document: '{"changed":1}' }]);
        expect(await store.deletePolicy(owner, policy.name)).toBe(true);
        expect(await store.deletePolicy(owner, policy.name)).toBe(false);
      }
      expect(await store.putPolicy({ type: 'principal', arn: `${arn}x` }, policy)).toBe(false);
      expect(await store.putPolicy({ type: 'key', accessKeyId: 'AKIANONE' }, policy)).toBe(false);
    });

    test('it counts the secrets of each master key', async () => {
      const store = open();
      expect(await store.masterKeyUse()).toEqual(new Map());
      const other = newMasterKey();
      await store.addKey(keyAddition({ masterKey, accessKeyId: 'K1' }));
      await store.addKey(keyAddition({ masterKey, accessKeyId: 'K2' }));
      await store.addKey(keyAddition({ masterKey: other, accessKeyId: 'K3' }));
      expect(await store.masterKeyUse()).toEqual(
        new Map([
          [masterKey.id, 2],
          [other.id, 1],
        ]),
      );
    });
  });

  describe(`${name}: buckets`, () => {
    test('a bucket is registered once, found, listed in byte order, and deleted', async () => {
      const store = open();
      const bucket = { name: 'reports', ownerAccount: ACCOUNT, upstream: 'default', createdAt: NOW };
      expect(await store.findBucket('reports')).toBeUndefined();
      expect(await store.addBucket(bucket)).toBe(true);
      expect(await store.addBucket({ ...bucket, ownerAccount: '444455556666' })).toBe(false);
      expect(await store.findBucket('reports')).toEqual({ record: bucket, policy: undefined });
      await store.addBucket({ ...bucket, name: 'a.b' });
      await store.addBucket({ ...bucket, name: 'a-b' });
      expect((await store.listBuckets()).map((each) => each.name)).toEqual(['a-b', 'a.b', 'reports']);
      expect(await store.deleteBucket('reports')).toBe(true);
      expect(await store.deleteBucket('reports')).toBe(false);
      expect(await store.findBucket('reports')).toBeUndefined();
    });

    test('a deleted bucket takes its policy with it, so that the next of its name starts without', async () => {
      const store = open();
      const bucket = { name: 'reports', ownerAccount: ACCOUNT, upstream: 'default', createdAt: NOW };
      await store.addBucket(bucket);
      await store.putBucketPolicy('reports', { document: '{"old":1}', changedAt: NOW });
      await store.putBucketPolicy('reports', { document: '{"new":1}', changedAt: NOW + 1 });
      expect(await store.findBucket('reports')).toEqual({
        record: bucket,
        policy: { document: '{"new":1}', changedAt: NOW + 1 },
      });
      await store.deleteBucket('reports');
      await store.addBucket(bucket);
      expect(await store.findBucket('reports')).toEqual({ record: bucket, policy: undefined });
    });

    test('a new bucket starts without what was set for its name; one that is there keeps what it has', async () => {
      const store = open();
      const bucket = { name: 'reports', ownerAccount: ACCOUNT, upstream: 'default', createdAt: NOW };
      await store.putBucketPolicy('reports', { document: '{}', changedAt: NOW });
      await store.putBucketCors('reports', { document: '<cors/>', changedAt: NOW });
      await store.putPublicAccessBlock('reports', { document: '<block/>', changedAt: NOW });
      expect(await store.addBucket(bucket)).toBe(true);
      expect(await store.findBucket('reports')).toEqual({ record: bucket, policy: undefined });
      await store.putBucketPolicy('reports', { document: '{}', changedAt: NOW });
      expect(await store.addBucket({ ...bucket, ownerAccount: '444455556666' })).toBe(false);
      expect(await store.findBucket('reports')).toEqual({
        record: bucket,
        policy: { document: '{}', changedAt: NOW },
      });
    });

    test('a CORS configuration is put, replaced and deleted, and goes with its bucket', async () => {
      const store = open();
      const bucket = { name: 'reports', ownerAccount: ACCOUNT, upstream: 'default', createdAt: NOW };
      await store.putBucketCors('reports', { document: '<old/>', changedAt: NOW });
      expect(await store.findBucket('reports')).toEqual({ cors: { document: '<old/>', changedAt: NOW } });
      expect(await store.listBuckets()).toEqual([]);
      await store.addBucket(bucket);
      await store.putBucketPolicy('reports', { document: '{}', changedAt: NOW + 2 });
      await store.putBucketCors('reports', { document: '<new/>', changedAt: NOW + 1 });
      expect(await store.findBucket('reports')).toEqual({
        record: bucket,
        policy: { document: '{}', changedAt: NOW + 2 },
        cors: { document: '<new/>', changedAt: NOW + 1 },
      });
      expect(await store.deleteBucketCors('reports')).toBe(true);
      expect(await store.deleteBucketCors('reports')).toBe(false);
      await store.putBucketCors('reports', { document: '<again/>', changedAt: NOW });
      expect(await store.deleteBucket('reports')).toBe(true);
      expect(await store.findBucket('reports')).toBeUndefined();
    });

    test('a public access block is put, replaced and deleted, and goes with its bucket', async () => {
      const store = open();
      const bucket = { name: 'reports', ownerAccount: ACCOUNT, upstream: 'default', createdAt: NOW };
      await store.putPublicAccessBlock('reports', { document: '<old/>', changedAt: NOW });
      expect(await store.findBucket('reports')).toEqual({
        publicAccessBlock: { document: '<old/>', changedAt: NOW },
      });
      expect(await store.listBuckets()).toEqual([]);
      await store.addBucket(bucket);
      await store.putBucketCors('reports', { document: '<cors/>', changedAt: NOW + 2 });
      await store.putPublicAccessBlock('reports', { document: '<new/>', changedAt: NOW + 1 });
      expect(await store.findBucket('reports')).toEqual({
        record: bucket,
        cors: { document: '<cors/>', changedAt: NOW + 2 },
        publicAccessBlock: { document: '<new/>', changedAt: NOW + 1 },
      });
      expect(await store.deletePublicAccessBlock('reports')).toBe(true);
      expect(await store.deletePublicAccessBlock('reports')).toBe(false);
      await store.putPublicAccessBlock('reports', { document: '<again/>', changedAt: NOW });
      expect(await store.deleteBucket('reports')).toBe(true);
      expect(await store.findBucket('reports')).toBeUndefined();
      await store.putPublicAccessBlock('upstream', { document: '<alone/>', changedAt: NOW });
      expect(await store.deleteBucket('upstream')).toBe(true);
    });

    test('a bucket that only exists upstream may have a policy', async () => {
      const store = open();
      await store.putBucketPolicy('upstream', { document: '{}', changedAt: NOW });
      expect(await store.findBucket('upstream')).toEqual({
        record: undefined,
        policy: { document: '{}', changedAt: NOW },
      });
      expect(await store.listBuckets()).toEqual([]);
      expect(await store.deleteBucketPolicy('upstream')).toBe(true);
      expect(await store.deleteBucketPolicy('upstream')).toBe(false);
      expect(await store.findBucket('upstream')).toBeUndefined();
    });
  });

  describe(`${name}: two processes`, () => {
    test('each sees what the other wrote', async () => {
      const [one, two] = openPair();
      await one.addKey(keyAddition({ masterKey }));
      expect((await two.findKey(EXAMPLE_KEY_ID))?.key.status).toBe('Active');
      await two.setKeyStatus(EXAMPLE_KEY_ID, 'Inactive');
      expect((await one.findKey(EXAMPLE_KEY_ID))?.key.status).toBe('Inactive');
    });

    test('the change token moves with every change of either, and rests otherwise', async () => {
      const [one, two] = openPair();
      let before = await one.changeToken();
      const changes = [
        () => one.addKey(keyAddition({ masterKey })),
        () => two.setKeyStatus(EXAMPLE_KEY_ID, 'Inactive'),
        () => one.putBucketPolicy('reports', { document: '{}', changedAt: NOW }),
        () => two.putBucketCors('reports', { document: '<a/>', changedAt: NOW }),
        () => one.putPublicAccessBlock('reports', { document: '<a/>', changedAt: NOW }),
        () => two.deletePublicAccessBlock('reports'),
        () => two.deleteKey(EXAMPLE_KEY_ID),
      ];
      for (const change of changes) {
        expect(await one.changeToken()).toBe(before);
        await change();
        const after = await one.changeToken();
        expect(after).not.toBe(before);
        before = after;
      }
      await two.findBucket('reports');
      await one.findBucket('reports');
      expect(await one.changeToken()).toBe(before);
    });
  });
}
