import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  decryptSecret,
  ensureRootKey,
  IdentityInputError,
  type IdentityStore,
  type MasterKey,
} from '../../src/identity/index.ts';
import { Secret } from '../../src/sigv4/index.ts';
import {
  ACCOUNT,
  EXAMPLE_KEY_ID,
  EXAMPLE_SECRET,
  keyAddition,
  newMasterKey,
  now,
  temporaryStore,
} from './fixtures.ts';

interface Start {
  readonly id?: string;
  readonly secret?: string;
  readonly accountId?: string;
}

function starter(store: IdentityStore, masterKey: MasterKey) {
  return ({ id, secret = EXAMPLE_SECRET, accountId = ACCOUNT }: Start = {}) =>
    ensureRootKey({
      store,
      masterKey,
      configured: id === undefined ? undefined : { accessKeyId: id, secretAccessKey: new Secret(secret) },
      accountId,
      now,
      randomBytes,
    });
}

function setUp() {
  const store = temporaryStore();
  const masterKey = newMasterKey();
  const rootKeys = async () =>
    (await store.listKeys()).filter(({ principal }) => principal.type === 'root').map(({ key }) => key);
  return { store, masterKey, start: starter(store, masterKey), rootKeys };
}

describe('with nothing configured', () => {
  test('the first start makes a root key and tells its secret, the second neither', async () => {
    const { store, masterKey, start } = setUp();
    const first = await start();
    if (first.kind !== 'created') throw new Error(`made no key: ${first.kind}`);
    const found = await store.findKey(first.accessKeyId);
    expect(found?.principal).toMatchObject({
      type: 'root',
      arn: `arn:aws:iam::${ACCOUNT}:root`,
      accountId: ACCOUNT,
    });
    const { accessKeyId } = first;
    const stored = decryptSecret(found?.key.encryptedSecret ?? '', { accessKeyId, masterKey });
    expect(stored.expose()).toBe(first.secretAccessKey.expose());
    expect(await start()).toEqual({ kind: 'existing', accessKeyId, status: 'Active' });
  });

  test('starts at once make one key', async () => {
    const { start, rootKeys } = setUp();
    const outcomes = await Promise.all([start(), start(), start()]);
    expect(outcomes.map(({ kind }) => kind).sort()).toEqual(['created', 'existing', 'existing']);
    expect(new Set(outcomes.map(({ accessKeyId }) => accessKeyId)).size).toBe(1);
    expect(await rootKeys()).toHaveLength(1);
  });

  test('a disabled root key stays disabled, and no other is made', async () => {
    const { store, start } = setUp();
    const { accessKeyId } = await start();
    await store.setKeyStatus(accessKeyId, 'Inactive');
    expect(await start()).toEqual({ kind: 'existing', accessKeyId, status: 'Inactive' });
  });

  test('a deleted one is made anew', async () => {
    const { store, start } = setUp();
    const { accessKeyId } = await start();
    await store.deleteKey(accessKeyId);
    const next = await start();
    expect(next.kind).toBe('created');
    expect(next.accessKeyId).not.toBe(accessKeyId);
  });
});

describe('with a configured root key', () => {
  test('that one is the root key, and a generated one ends', async () => {
    const { store, start, rootKeys } = setUp();
    const generated = await start();
    expect(await start({ id: EXAMPLE_KEY_ID })).toEqual({
      kind: 'configured',
      accessKeyId: EXAMPLE_KEY_ID,
      endedKeys: [generated.accessKeyId],
    });
    expect(await store.findKey(generated.accessKeyId)).toBeUndefined();
    expect((await rootKeys()).map(({ accessKeyId }) => accessKeyId)).toEqual([EXAMPLE_KEY_ID]);
  });

  test('an unchanged one writes nothing', async () => {
    const { store, start } = setUp();
    await start({ id: EXAMPLE_KEY_ID });
    const token = await store.changeToken();
    expect(await start({ id: EXAMPLE_KEY_ID })).toMatchObject({ endedKeys: [] });
    expect(await store.changeToken()).toBe(token);
  });

  test('a changed secret ends the old secret', async () => {
    const { masterKey, start, rootKeys } = setUp();
    await start({ id: EXAMPLE_KEY_ID });
    await start({ id: EXAMPLE_KEY_ID, secret: 'another-secret-key' });
    const [key, ...others] = await rootKeys();
    expect(others).toEqual([]);
    const stored = decryptSecret(key?.encryptedSecret ?? '', { accessKeyId: EXAMPLE_KEY_ID, masterKey });
    expect(stored.expose()).toBe('another-secret-key');
  });

  test('a changed id ends the old key', async () => {
    const { store, start, rootKeys } = setUp();
    await start({ id: 'OLDROOTKEY' });
    expect(await start({ id: 'NEWROOTKEY' })).toMatchObject({ endedKeys: ['OLDROOTKEY'] });
    expect(await store.findKey('OLDROOTKEY')).toBeUndefined();
    expect(await rootKeys()).toHaveLength(1);
  });

  test('removing it ends it; a new one is made and told', async () => {
    const { store, start } = setUp();
    await start({ id: EXAMPLE_KEY_ID });
    expect(await start()).toMatchObject({ kind: 'created', endedKeys: [EXAMPLE_KEY_ID] });
    expect(await store.findKey(EXAMPLE_KEY_ID)).toBeUndefined();
  });

  test('one that was disabled in the store is active again: the configuration decides', async () => {
    const { store, start, rootKeys } = setUp();
    await start({ id: EXAMPLE_KEY_ID });
    await store.setKeyStatus(EXAMPLE_KEY_ID, 'Inactive');
    await start({ id: EXAMPLE_KEY_ID });
    expect(await rootKeys()).toMatchObject([{ accessKeyId: EXAMPLE_KEY_ID, status: 'Active' }]);
  });

  test('the id of a key of a user is refused, and nothing changes', async () => {
    const { store, masterKey, start } = setUp();
    const generated = await start();
    await store.addKey(keyAddition({ masterKey }));
    await expect(start({ id: EXAMPLE_KEY_ID })).rejects.toThrow(/user\/alice.*keys delete/);
    expect((await store.findKey(EXAMPLE_KEY_ID))?.principal.type).toBe('user');
    expect(await store.findKey(generated.accessKeyId)).toBeDefined();
  });

  test.each([
    { id: 'no/slash' },
    { id: EXAMPLE_KEY_ID, secret: 'a b c d e f' },
    { id: EXAMPLE_KEY_ID, secret: 'short' },
  ])('$id with a secret that cannot be one is refused', async (configured) => {
    await expect(setUp().start(configured)).rejects.toThrow(IdentityInputError);
  });

  test('another account has another root: the old one ends', async () => {
    const { start, rootKeys } = setUp();
    await start({ id: EXAMPLE_KEY_ID });
    await start({ id: EXAMPLE_KEY_ID, accountId: '444455556666' });
    expect(await rootKeys()).toHaveLength(1);
  });
});
