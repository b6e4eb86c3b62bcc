import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { type CommandIo } from '../../src/cli/index.ts';
import { decryptSecret, openSqliteStore, parseMasterKey } from '../../src/identity/index.ts';
import { EXAMPLE_KEY_ID, EXAMPLE_SECRET, now, temporaryFolder } from '../identity/fixtures.ts';
import { keys, type RunOptions } from './command-run.ts';

const IMPORT = [
  'import',
  '--user',
  'alice',
  '--access-key-id',
  EXAMPLE_KEY_ID,
  '--bucket',
  'reports',
] as const;

async function storedSecret(dataDir: string): Promise<string | undefined> {
  const store = openSqliteStore(join(dataDir, 'bucketwarden.db'), { now });
  const found = await store.findKey(EXAMPLE_KEY_ID);
  await store.close();
  const masterKey = parseMasterKey(readFileSync(join(dataDir, 'master.key'), 'utf8'), 'test');
  return (
    found && decryptSecret(found.key.encryptedSecret, { accessKeyId: EXAMPLE_KEY_ID, masterKey }).expose()
  );
}

/** A terminal at which `typed` is typed, a chunk for each string. */
function terminal(...typed: readonly string[]) {
  const rawModes: boolean[] = [];
  const stdin: CommandIo['stdin'] = Object.assign(Readable.from(typed.map((text) => Buffer.from(text))), {
    isTTY: true,
    setRawMode: (raw: boolean) => rawModes.push(raw),
  });
  return { stdin, rawModes };
}

describe('keys import', () => {
  test.each([EXAMPLE_SECRET, `${EXAMPLE_SECRET}\n`, `${EXAMPLE_SECRET}\r\n`])(
    'the secret is what standard input has (%j), less one line break',
    async (piped) => {
      const dataDir = temporaryFolder();
      const run = await keys([...IMPORT, '--output', 'json'], { dataDir, piped });
      expect(run.code).toBe(0);
      expect(JSON.parse(run.stdout)).toEqual({
        UserName: 'alice',
        AccessKeyId: EXAMPLE_KEY_ID,
        Status: 'Active',
        CreateDate: '2026-03-01T12:00:00Z',
        Arn: 'arn:aws:iam::000000000000:user/alice',
        Origin: 'imported',
      });
      expect(run.stdout + run.stderr).not.toContain(EXAMPLE_SECRET);
      expect(await storedSecret(dataDir)).toBe(EXAMPLE_SECRET);
    },
  );

  test.each([
    ['', /empty/],
    ['\n', /empty/],
    [`${EXAMPLE_SECRET}\n\n`, /line break/],
    [`aws_secret_access_key = ${EXAMPLE_SECRET}\n`, /white space/],
    [`${EXAMPLE_SECRET} `, /white space/],
    ['x'.repeat(5_000), /more than 4096 bytes/],
  ])('%j is refused, unshown, before anything is made', async (piped, message) => {
    const dataDir = join(temporaryFolder(), 'data');
    const run = await keys(IMPORT, { dataDir, piped });
    expect(run.code).toBeGreaterThan(0);
    expect(run.stdout).toBe('');
    expect(run.stderr).toMatch(message);
    expect(run.stderr).not.toContain(EXAMPLE_SECRET);
    expect(existsSync(dataDir)).toBe(false);
  });

  test('on a terminal it asks, without echo, and takes back what is erased', async () => {
    const dataDir = temporaryFolder();
    const { stdin, rawModes } = terminal(
      `${EXAMPLE_SECRET.slice(0, 5)}XY`,
      '\u007f\u0008',
      `${EXAMPLE_SECRET.slice(5)}\r`,
    );
    const run = await keys(IMPORT, { dataDir, stdin });
    expect(run.code).toBe(0);
    expect(run.stderr).toContain('Secret access key: \n');
    expect(run.stdout + run.stderr).not.toContain(EXAMPLE_SECRET.slice(0, 5));
    expect(rawModes).toEqual([true, false]);
    expect(await storedSecret(dataDir)).toBe(EXAMPLE_SECRET);
  });

  test('an interrupt at the prompt changes nothing and gives the terminal back', async () => {
    const dataDir = join(temporaryFolder(), 'data');
    const { stdin, rawModes } = terminal('wJalr', '\u0003');
    const run = await keys(IMPORT, { dataDir, stdin });
    expect(run).toMatchObject({ code: 1, stdout: '' });
    expect(rawModes).toEqual([true, false]);
    expect(existsSync(dataDir)).toBe(false);
  });

  test('an id that is there already is refused, and stays as it was', async () => {
    const options: RunOptions = { dataDir: temporaryFolder(), piped: EXAMPLE_SECRET };
    await keys(IMPORT, options);
    const run = await keys(IMPORT, { ...options, piped: 'another-secret' });
    expect(run).toMatchObject({ code: 1, stdout: '' });
    expect(run.stderr).toMatch(/There is an access key `AKIAIOSFODNN7EXAMPLE`.*delete it first/);
    expect(await storedSecret(options.dataDir)).toBe(EXAMPLE_SECRET);
  });

  test('without a scope the key has no rights of its own, which is told', async () => {
    const dataDir = temporaryFolder();
    const run = await keys(['import', '--user', 'alice', '--access-key-id', EXAMPLE_KEY_ID], {
      dataDir,
      piped: EXAMPLE_SECRET,
    });
    expect(run.code).toBe(0);
    expect(run.stderr).toMatch(/only what bucket policies grant/);
    const shown = await keys(['show', EXAMPLE_KEY_ID, '--output', 'json'], { dataDir });
    expect(JSON.parse(shown.stdout).Policies).toEqual([]);
  });

  test.each([
    [['--user', 'alice'], /--access-key-id is missing/],
    [['--user', 'alice', '--access-key-id', 'a/b/c'], /`a\/b\/c` is no access key id/],
    [['--access-key-id', EXAMPLE_KEY_ID], /--user is missing/],
    [['--user', 'alice', `--secret-access-key=${EXAMPLE_SECRET}`], /--secret-access-key is not taken/],
    [['--user', 'alice', '--access-key-id', EXAMPLE_KEY_ID, EXAMPLE_SECRET], /1 argument given, 0 expected/],
  ])('%j is a usage error', async (args, message) => {
    const run = await keys(['import', ...args], { dataDir: temporaryFolder(), piped: EXAMPLE_SECRET });
    expect(run).toMatchObject({ code: 2, stdout: '' });
    expect(run.stderr).toMatch(message);
    expect(run.stderr).not.toContain(EXAMPLE_SECRET);
  });
});
