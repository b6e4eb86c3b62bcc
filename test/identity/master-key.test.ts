import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { loadMasterKey, MasterKeyError, parseMasterKey } from '../../src/identity/index.ts';
import { Secret } from '../../src/sigv4/index.ts';
import { keyAddition, newMasterKey, temporaryFolder, temporaryStore } from './fixtures.ts';

function load(
  dataDir: string,
  options: { configured?: string; store?: ReturnType<typeof temporaryStore> } = {},
) {
  return loadMasterKey({
    configured: options.configured === undefined ? undefined : new Secret(options.configured),
    dataDir,
    store: options.store ?? temporaryStore(),
    randomBytes,
  });
}

describe('the master key', () => {
  test('hex and base64 of the same bytes are the same key', () => {
    const bytes = randomBytes(32);
    const hex = parseMasterKey(bytes.toString('hex'), 'test');
    expect(parseMasterKey(`${bytes.toString('base64')}\n`, 'test').id).toBe(hex.id);
    expect(parseMasterKey(bytes.toString('hex').toUpperCase(), 'test').bytes).toEqual(bytes);
    expect(hex.id).toMatch(/^[0-9a-f]{16}$/);
  });

  test.each(['', 'secret', 'ab'.repeat(31), 'zz'.repeat(32), randomBytes(31).toString('base64')])(
    '`%s` is refused without being shown',
    (text) => {
      expect(() => parseMasterKey(text, 'the configured master key')).toThrow(MasterKeyError);
    },
  );

  test('it does not print', () => {
    const masterKey = newMasterKey();
    const hex = masterKey.bytes.toString('hex');
    const printed = inspect(masterKey) + JSON.stringify(masterKey) + inspect({ ...masterKey });
    expect(printed).toContain(masterKey.id);
    expect(printed.replaceAll(' ', '')).not.toContain(hex.slice(0, 8));
    expect(printed).not.toMatch(/bytes|Buffer/);
  });

  test('the configured one is used, and no file is made', async () => {
    const folder = temporaryFolder();
    const loaded = await load(folder, { configured: 'ab'.repeat(32) });
    expect(loaded).toMatchObject({ source: 'configured', file: undefined, warnings: [] });
    expect(readdirSync(folder)).toEqual([]);
  });

  test('without one, a 0600 file is made, with a warning that it lies beside the data; the next start uses it', async () => {
    const folder = join(temporaryFolder(), 'data');
    const first = await load(folder);
    expect(first.source).toBe('created');
    expect(first.warnings.join()).toContain('beside the data');
    const file = join(folder, 'master.key');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(readdirSync(folder)).toEqual(['master.key']);
    expect(parseMasterKey(readFileSync(file, 'utf8'), 'test').id).toBe(first.masterKey.id);

    const second = await load(folder);
    expect(second).toMatchObject({ source: 'file', warnings: [] });
    expect(second.masterKey.id).toBe(first.masterKey.id);
  });

  test('two starts at once end with one key', async () => {
    const folder = temporaryFolder();
    const [one, two] = await Promise.all([load(folder), load(folder)]);
    expect(one.masterKey.id).toBe(two.masterKey.id);
    expect([one.source, two.source].sort()).toEqual(['created', 'file']);
  });

  test('a file open to others is refused, one open to its group is warned about', async () => {
    const folder = temporaryFolder();
    await load(folder);
    const file = join(folder, 'master.key');
    chmodSync(file, 0o644);
    await expect(load(folder)).rejects.toThrow(/mode 0644.*chmod 600/);
    chmodSync(file, 0o660);
    expect((await load(folder)).warnings.join()).toContain('mode 0660');
  });

  test('a malformed file is refused and kept', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'master.key');
    writeFileSync(file, 'oops\n', { mode: 0o600 });
    await expect(load(folder)).rejects.toThrow(MasterKeyError);
    expect(readFileSync(file, 'utf8')).toBe('oops\n');
  });

  test('what is no file is refused', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'master.key'), { mode: 0o700 });
    await expect(load(folder)).rejects.toThrow(MasterKeyError);
  });

  test('a missing master key with secrets in the store is an error, never a new master key', async () => {
    const folder = temporaryFolder();
    const store = temporaryStore();
    const masterKey = newMasterKey();
    await store.addKey(keyAddition({ masterKey }));
    await expect(load(folder, { store })).rejects.toThrow(
      new RegExp(`id ${masterKey.id}, and there is no master key.*BUCKETWARDEN_MASTER_KEY`),
    );
    expect(existsSync(join(folder, 'master.key'))).toBe(false);
  });

  test('a wrong master key is an error that names both ids', async () => {
    const store = temporaryStore();
    const masterKey = newMasterKey();
    await store.addKey(keyAddition({ masterKey }));
    const wrong = newMasterKey();
    await expect(load(temporaryFolder(), { store, configured: wrong.bytes.toString('hex') })).rejects.toThrow(
      new RegExp(`1 with id ${masterKey.id}.*\\(id ${wrong.id}\\).*BUCKETWARDEN_MASTER_KEY`),
    );
    const right = await load(temporaryFolder(), { store, configured: masterKey.bytes.toString('hex') });
    expect(right.masterKey.id).toBe(masterKey.id);
  });
});
