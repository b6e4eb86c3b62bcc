import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createKeyDirectory, openSqliteStore, parseMasterKey } from '../../src/identity/index.ts';
import { evaluate } from '../../src/policy/index.ts';
import { now, temporaryFolder } from '../identity/fixtures.ts';
import { keys } from './command-run.ts';

const SCOPED = ['issue', '--user', 'alice', '--bucket', 'reports', '--prefix', '2026/'] as const;

/** What a gateway on the same data folder knows of the key. */
async function resolve(dataDir: string, accessKeyId: string) {
  const store = openSqliteStore(join(dataDir, 'bucketwarden.db'), { now });
  const masterKey = parseMasterKey(readFileSync(join(dataDir, 'master.key'), 'utf8'), 'test');
  const directory = createKeyDirectory({
    store,
    masterKey,
    cacheSize: 1,
    now,
    pollInterval: 0,
    onProblem: ({ error }) => {
      throw error;
    },
  });
  try {
    return await directory.find(accessKeyId);
  } finally {
    await store.close();
  }
}

describe('keys issue', () => {
  test('before the first start: makes the data folder, and a key that works', async () => {
    const dataDir = join(temporaryFolder(), 'data');
    const run = await keys([...SCOPED, '--output', 'json'], { dataDir });
    expect(run.code).toBe(0);
    const issued = JSON.parse(run.stdout);
    expect(issued).toEqual({
      UserName: 'alice',
      AccessKeyId: expect.stringMatching(/^AKIA[A-Z2-7]{16}$/),
      Status: 'Active',
      SecretAccessKey: expect.stringMatching(/^[A-Za-z0-9+/]{40}$/),
      CreateDate: '2026-03-01T12:00:00Z',
      Arn: 'arn:aws:iam::000000000000:user/alice',
      Origin: 'issued',
    });
    expect(run.stderr).toMatch(/^warning: A new master key lies in `.*data\/master\.key`/);
    expect(statSync(dataDir).mode & 0o777).toBe(0o700);

    const key = await resolve(dataDir, issued.AccessKeyId);
    expect(key?.secretAccessKey.expose()).toBe(issued.SecretAccessKey);
    const decide = (action: string, resource: string) =>
      evaluate(
        {
          action,
          resource: `arn:aws:s3:::${resource}`,
          resourceAccount: '000000000000',
          principal: key?.principal ?? { type: 'anonymous' },
          context: () => undefined,
        },
        { identity: key?.policies },
      ).effect;
    expect(decide('s3:GetObject', 'reports/2026/a')).toBe('Allow');
    expect(decide('s3:PutObject', 'reports/2026/a')).toBe('Deny');
    expect(decide('s3:GetObject', 'reports/2025/a')).toBe('Deny');
  });

  test('as text: lines to paste, the rest comments, and that the secret is shown once', async () => {
    const dataDir = temporaryFolder();
    const run = await keys([...SCOPED, '--expires', '30d', '--read-write'], { dataDir });
    const lines = run.stdout.trimEnd().split('\n');
    const commands = lines.filter((line) => !line.startsWith('#'));
    expect(commands).toEqual([
      expect.stringMatching(/^export AWS_ACCESS_KEY_ID=AKIA[A-Z2-7]{16}$/),
      expect.stringMatching(/^export AWS_SECRET_ACCESS_KEY=[A-Za-z0-9+/]{40}$/),
    ]);
    expect(run.stdout).toContain('# May: read-write in reports/2026/*');
    expect(run.stdout).toContain('# Expires: 2026-03-31T12:00:00Z');
    expect(run.stdout).toContain('shown once');
  });

  test('a line break in a prefix adds no line to what a shell evaluates', async () => {
    const args = ['issue', '--user', 'alice', '--bucket', 'reports', '--prefix', 'a\nexport X=1\n/'];
    const run = await keys(args, { dataDir: temporaryFolder() });
    expect(run.stdout).toContain('# May: read-only in reports/a?export X=1?/*\n');
  });

  test('two keys of one user have scopes of their own', async () => {
    const dataDir = temporaryFolder();
    const issue = async (...args: readonly string[]): Promise<string> => {
      const run = await keys(['issue', '--user', 'alice', ...args, '--output', 'json'], { dataDir });
      return JSON.parse(run.stdout).AccessKeyId;
    };
    const one = await resolve(dataDir, await issue('--bucket', 'one'));
    const two = await resolve(dataDir, await issue('--bucket', 'two', '--write-only'));
    expect(two?.principal).toEqual(one?.principal);
    expect(one?.policies.labels).toHaveLength(1);
    expect(two?.policies.labels).toHaveLength(1);
  });

  test('without a scope nothing is issued, and it says what to give', async () => {
    const dataDir = join(temporaryFolder(), 'data');
    const run = await keys(['issue', '--user', 'alice'], { dataDir });
    expect(run).toMatchObject({ code: 2, stdout: '' });
    expect(run.stderr).toMatch(/--bucket NAME.*--policy-file FILE.*--no-policy/);
    expect(existsSync(dataDir)).toBe(false);
  });

  test('--no-policy makes a key without rights of its own', async () => {
    const dataDir = temporaryFolder();
    const run = await keys(['issue', '--user', 'alice', '--no-policy', '--output', 'json'], { dataDir });
    const key = await resolve(dataDir, JSON.parse(run.stdout).AccessKeyId);
    expect(key?.policies.labels).toEqual([]);
  });

  test("a policy file is the key's policy; a broken one is refused with file, line and column", async () => {
    const dataDir = temporaryFolder();
    const good = join(dataDir, 'nightly.json');
    const text =
      '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}}';
    writeFileSync(good, text);
    const run = await keys(['issue', '--user', 'alice', '--policy-file', good, '--output', 'json'], {
      dataDir,
    });
    const shown = await keys(['show', JSON.parse(run.stdout).AccessKeyId, '--output', 'json'], { dataDir });
    expect(JSON.parse(shown.stdout).Policies).toEqual([
      { PolicyName: 'nightly', PolicyDocument: JSON.parse(text) },
    ]);

    const broken = join(dataDir, 'broken.json');
    writeFileSync(broken, '{\n  "Version": "2012-10-17",\n  "Statment": []\n}\n');
    const refused = await keys(['issue', '--user', 'alice', '--policy-file', broken], { dataDir });
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toMatch(/broken\.json:3:\d+: /);
    expect((await keys(['list', '--output', 'json'], { dataDir })).stdout).not.toContain('broken');

    const missing = await keys(['issue', '--user', 'alice', '--policy-file', join(dataDir, 'none')], {
      dataDir,
    });
    expect(missing.stderr).toMatch(/cannot be read.*ENOENT/);
  });

  test('a prefix without its final slash warns, one with it does not', async () => {
    const dataDir = temporaryFolder();
    const args = ['issue', '--user', 'alice', '--bucket', 'reports', '--prefix'];
    await keys([...args, 'team/'], { dataDir });
    expect((await keys([...args, 'team/'], { dataDir })).stderr).toBe('');
    const run = await keys([...args, 'team'], { dataDir });
    expect(run.code).toBe(0);
    expect(run.stderr).toMatch(/^warning: the prefix `team` has no final slash.*--prefix 'team\/'/);
    expect((await keys([...args, '/team/'], { dataDir })).stderr).toMatch(/starts with a slash/);
  });

  test('new tags of a user that exists are told, since they hold for its other keys', async () => {
    const dataDir = temporaryFolder();
    const args = ['issue', '--user', 'alice', '--bucket', 'reports', '--output', 'json'];
    await keys([...args, '--tag', 'team=red', '--tag', 'note=a=b'], { dataDir });
    expect((await keys([...args, '--tag', 'team=red'], { dataDir })).stderr).toBe('');
    const run = await keys([...args, '--tag', 'team=blue'], { dataDir });
    expect(run.stderr).toContain('user alice exists; the new tags (team=blue) hold for all its keys');
    const key = await resolve(dataDir, JSON.parse(run.stdout).AccessKeyId);
    expect(key?.principal.tags).toEqual({ team: 'blue', note: 'a=b' });
    const clash = await keys([...args, '--tag', 'Team=green'], { dataDir });
    expect(clash).toMatchObject({ code: 2, stdout: '' });
  });

  test('policies that the user has besides the scope are told', async () => {
    const dataDir = temporaryFolder();
    await keys(['issue', '--user', 'alice', '--bucket', 'reports'], { dataDir });
    const store = openSqliteStore(join(dataDir, 'bucketwarden.db'), { now });
    const arn = 'arn:aws:iam::000000000000:user/alice';
    await store.putPolicy({ type: 'principal', arn }, { name: 'everything', document: '{}' });
    await store.close();
    const run = await keys(['issue', '--user', 'alice', '--bucket', 'reports'], { dataDir });
    expect(run.stderr).toContain('policies of its own (`everything`)');
  });

  test.each([
    [['--bucket', 'reports'], /--user is missing/],
    [['--user', 'alice', '--bucket', 'Reports'], /`Reports` is no bucket name/],
    [['--user', 'alice', '--bucket', 'reports*'], /is no bucket name/],
    [['--user', 'alice', '--bucket', 'arn:aws:s3:::reports'], /is no bucket name/],
    [['--user', 'al/ice', '--bucket', 'reports'], /`al\/ice` is no user name/],
    [['--user', 'root', '--bucket', 'reports'], /reserved for the administrator/],
    [['--user', 'alice', '--bucket', 'reports', '--bucket', 'other'], /--bucket is given twice/],
    [['--user', 'alice', '--bucket', 'reports', '--read-only', '--read-write'], /exclude each other/],
    [['--user', 'alice', '--bucket', 'reports', '--policy-file', 'x'], /exclude each other/],
    [['--user', 'alice', '--bucket', 'reports', '--no-policy'], /--no-policy excludes/],
    [['--user', 'alice', '--prefix', 'a/'], /--prefix needs --bucket/],
    [['--user', 'alice', '--write-only'], /--write-only needs --bucket/],
    [['--user', 'alice', '--bucket', 'reports', '--prefix', ''], /prefix is empty/],
    [['--user', 'alice', '--bucket', 'reports', '--expires', 'soon'], /neither a duration/],
    [['--user', 'alice', '--bucket', 'reports', '--expires', '2020-01-01'], /has passed/],
    [['--user', 'alice', '--bucket', 'reports', '--tag', 'red'], /KEY=VALUE/],
    [['--user', 'alice', '--bucket', 'reports', '--tag', 'a=1', '--tag', 'a=2'], /one key twice/],
    [['--user', 'alice', '--bucket', 'reports', '--description', 'a\nb'], /one line/],
    [['--user', 'alice', '--bucket', 'reports', '--output', 'yaml'], /`text` or `json`/],
    [
      ['--user', 'alice', '--bucket', 'reports', '--secret-access-key', 'x'],
      /--secret-access-key is not taken.*standard input/,
    ],
    [['--user', 'alice', '--bucket', 'reports', 'extra'], /1 argument given, 0 expected/],
  ])('%j is a usage error that says why', async (args, message) => {
    const run = await keys(['issue', ...args], { dataDir: temporaryFolder() });
    expect(run).toMatchObject({ code: 2, stdout: '' });
    expect(run.stderr).toMatch(message);
  });

  test('what cannot be opened is a failure that names it', async () => {
    const dataDir = temporaryFolder();
    mkdirSync(join(dataDir, 'bucketwarden.db'));
    const run = await keys(SCOPED, { dataDir });
    expect(run).toMatchObject({ code: 1, stdout: '' });
    expect(run.stderr).toContain(join(dataDir, 'bucketwarden.db'));
  });

  test('another master key than that of the store is a failure that says what to set', async () => {
    const dataDir = temporaryFolder();
    await keys(SCOPED, { dataDir });
    const run = await keys(SCOPED, { dataDir, env: { BUCKETWARDEN_MASTER_KEY: 'ab'.repeat(32) } });
    expect(run).toMatchObject({ code: 1, stdout: '' });
    expect(run.stderr).toMatch(/encrypted with another master key.*BUCKETWARDEN_MASTER_KEY/);
    expect(run.stderr).not.toContain('abab');
  });

  test('the configuration file says where the store is; a wrong one is a failure', async () => {
    const dataDir = temporaryFolder();
    const file = join(dataDir, 'gateway.yaml');
    const store = join(dataDir, 'elsewhere.db');
    writeFileSync(file, `store: sqlite:${store}\naccountId: '111122223333'\n`);
    const run = await keys([...SCOPED, '-c', file, '--output', 'json'], { dataDir });
    expect(JSON.parse(run.stdout).Arn).toBe('arn:aws:iam::111122223333:user/alice');
    expect(existsSync(store)).toBe(true);
    const wrong = await keys([...SCOPED, '-c', join(dataDir, 'none.yaml')], { dataDir });
    expect(wrong).toMatchObject({ code: 1, stdout: '' });
    expect(wrong.stderr).toContain('none.yaml');
  });
});
