import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { IdentityStoreError, openSqliteStore } from '../../src/identity/index.ts';
import {
  EXAMPLE_KEY_ID,
  EXAMPLE_SECRET,
  keyAddition,
  newMasterKey,
  now,
  temporaryFolder,
  temporaryStore,
} from './fixtures.ts';
import { describeStore } from './store-behaviour.ts';

describeStore('SQLite', () => {
  const path = join(temporaryFolder(), 'identity.db');
  return [temporaryStore(path), temporaryStore(path)];
});

describe('the SQLite file', () => {
  test('it and what lies beside it are for its owner alone, in a folder made for it', async () => {
    const folder = join(temporaryFolder(), 'new', 'data');
    const store = temporaryStore(join(folder, 'identity.db'));
    await store.addKey(keyAddition({ masterKey: newMasterKey() }));
    expect(readdirSync(folder)).toContain('identity.db-wal');
    for (const file of readdirSync(folder)) {
      expect([file, statSync(join(folder, file)).mode & 0o777]).toEqual([file, 0o600]);
    }
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  test('what was written is there after closing and opening', async () => {
    const path = join(temporaryFolder(), 'identity.db');
    const first = openSqliteStore(path, { now });
    const addition = keyAddition({ masterKey: newMasterKey() });
    await first.addKey(addition);
    await first.close();
    await first.close();
    expect((await temporaryStore(path).findKey(EXAMPLE_KEY_ID))?.key).toEqual(addition.key);
  });

  test('a file of a newer version is refused, and not changed', () => {
    const path = join(temporaryFolder(), 'identity.db');
    void openSqliteStore(path, { now }).close();
    const database = new DatabaseSync(path);
    database.exec('INSERT INTO migrations (version, applied_at) VALUES (99, 0)');
    database.close();
    expect(() => openSqliteStore(path, { now })).toThrow(/schema version 99.*a newer version made it/);
  });

  test('what is no database is refused by name', () => {
    const path = join(temporaryFolder(), 'identity.db');
    writeFileSync(path, 'these are not the bytes of a database file\n'.repeat(100));
    expect(() => openSqliteStore(path, { now })).toThrow(IdentityStoreError);
    expect(() => openSqliteStore(path, { now })).toThrow(path);
  });

  test('a folder in its place is refused', () => {
    const path = join(temporaryFolder(), 'identity.db');
    mkdirSync(path);
    expect(() => openSqliteStore(path, { now })).toThrow(IdentityStoreError);
  });

  test('a damaged row rejects instead of giving a key with less in it', async () => {
    const path = join(temporaryFolder(), 'identity.db');
    const store = temporaryStore(path);
    await store.addKey(keyAddition({ masterKey: newMasterKey() }));
    const database = new DatabaseSync(path);
    database.exec(`UPDATE principals SET tags = '{"team":1}'`);
    database.close();
    await expect(store.findKey(EXAMPLE_KEY_ID)).rejects.toThrow(/tags/);
  });

  test('no secret is in any file', async () => {
    const folder = temporaryFolder();
    const store = temporaryStore(join(folder, 'identity.db'));
    await store.addKey(keyAddition({ masterKey: newMasterKey() }));
    for (const file of readdirSync(folder)) {
      expect(readFileSync(join(folder, file)).includes(EXAMPLE_SECRET)).toBe(false);
    }
  });

  test('processes that open a new store at once all succeed', async () => {
    const path = join(temporaryFolder(), 'identity.db');
    const program = `
      const { openSqliteStore } = await import(${JSON.stringify(new URL('../../src/identity/index.ts', import.meta.url).href)});
      const store = openSqliteStore(${JSON.stringify(path)}, { now: Date.now });
      await store.addBucket({ name: 'bucket-' + process.pid, ownerAccount: '111122223333', upstream: undefined, createdAt: 1 });
      await store.close();`;
    const children = Array.from({ length: 4 }, () =>
      spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: 'inherit' }),
    );
    const exits = await Promise.all(children.map((child) => once(child, 'exit')));
    expect(exits.map(([code]) => Number(code))).toEqual([0, 0, 0, 0]);
    expect(await temporaryStore(path).listBuckets()).toHaveLength(4);
  });
});
