import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ensureRootKey, openIdentity } from '../../src/identity/index.ts';
import { Secret } from '../../src/sigv4/index.ts';
import { EXAMPLE_KEY_ID, EXAMPLE_SECRET, NOW, now, temporaryFolder } from '../identity/fixtures.ts';
import { keys } from './command-run.ts';

async function withKey(): Promise<string> {
  const dataDir = temporaryFolder();
  const args = ['import', '--user', 'alice', '--access-key-id', EXAMPLE_KEY_ID, '--bucket', 'reports'];
  const more = ['--description', 'nightly report', '--expires', '2026-04-01', '--tag', 'team=red'];
  await keys([...args, ...more], { dataDir, piped: EXAMPLE_SECRET });
  return dataDir;
}

/** The store as a running gateway has it open. */
async function gateway(dataDir: string) {
  const source = {
    store: { kind: 'sqlite', path: join(dataDir, 'bucketwarden.db') },
    dataDir,
    masterKey: undefined,
  } as const;
  const identity = await openIdentity(source, { now, randomBytes });
  onTestFinished(() => identity.store.close());
  return identity;
}

async function withRootKey(dataDir: string, configured: boolean): Promise<string> {
  const { store, masterKey } = await gateway(dataDir);
  const secretAccessKey = new Secret(EXAMPLE_SECRET);
  const outcome = await ensureRootKey({
    store,
    masterKey,
    configured: configured ? { accessKeyId: 'ROOTKEYEXAMPLE', secretAccessKey } : undefined,
    accountId: '000000000000',
    now,
    randomBytes,
  });
  return outcome.accessKeyId;
}

describe('keys list', () => {
  test('as JSON has the names of IAM, and no secret', async () => {
    const dataDir = await withKey();
    const run = await keys(['list', '--output', 'json'], { dataDir });
    expect(JSON.parse(run.stdout)).toEqual({
      AccessKeyMetadata: [
        {
          UserName: 'alice',
          AccessKeyId: EXAMPLE_KEY_ID,
          Status: 'Active',
          CreateDate: '2026-03-01T12:00:00Z',
          ExpirationDate: '2026-04-01T00:00:00Z',
          Description: 'nightly report',
          Arn: 'arn:aws:iam::000000000000:user/alice',
          Origin: 'imported',
        },
      ],
    });
    expect(run.stdout).not.toMatch(/secret/i);
  });

  test('as text is a table that shows what has expired', async () => {
    const dataDir = await withKey();
    const run = await keys(['list'], { dataDir });
    expect(run.stdout.split('\n')).toEqual([
      'ACCESS KEY ID         USER   STATUS  CREATED               EXPIRES               DESCRIPTION',
      'AKIAIOSFODNN7EXAMPLE  alice  Active  2026-03-01T12:00:00Z  2026-04-01T00:00:00Z  nightly report',
      '',
    ]);
    const later = await keys(['list'], { dataDir, now: NOW + 40 * 86_400_000 });
    expect(later.stdout).toContain('  Expired  ');
  });

  test('of one user, or of none', async () => {
    const dataDir = await withKey();
    expect((await keys(['list', '--user', 'alice'], { dataDir })).stdout).toContain(EXAMPLE_KEY_ID);
    expect((await keys(['list', '--user', 'bob'], { dataDir })).stdout).toBe('No access keys.\n');
    const none = await keys(['list', '--user', 'bob', '--output', 'json'], { dataDir });
    expect(JSON.parse(none.stdout)).toEqual({ AccessKeyMetadata: [] });
  });

  test('names the administrator', async () => {
    const dataDir = temporaryFolder();
    await withRootKey(dataDir, false);
    expect((await keys(['list'], { dataDir })).stdout).toContain('(administrator)');
  });
});

describe('keys show', () => {
  test('has tags and policies, and no secret', async () => {
    const dataDir = await withKey();
    const run = await keys(['show', EXAMPLE_KEY_ID, '--output', 'json'], { dataDir });
    const shown = JSON.parse(run.stdout);
    expect(shown).toMatchObject({
      UserName: 'alice',
      AccessKeyId: EXAMPLE_KEY_ID,
      UserId: expect.stringMatching(/^AIDA/),
      Tags: [{ Key: 'team', Value: 'red' }],
      UserPolicies: [],
    });
    expect(shown.Policies).toMatchObject([
      { PolicyName: 'scope', PolicyDocument: { Version: '2012-10-17' } },
    ]);
    expect(run.stdout).not.toMatch(/secret/i);
    const text = await keys(['show', EXAMPLE_KEY_ID], { dataDir });
    expect(text.stdout).toContain('team=red');
    expect(text.stdout).toContain('Policy of the key: scope');
    expect(text.stdout).not.toMatch(/secret/i);
  });
});

describe('keys disable, enable, delete', () => {
  test('reach a gateway that runs on the same store', async () => {
    const dataDir = await withKey();
    const { store } = await gateway(dataDir);
    const status = async () => (await store.findKey(EXAMPLE_KEY_ID))?.key.status;
    const disabled = await keys(['disable', EXAMPLE_KEY_ID], { dataDir });
    expect(disabled).toMatchObject({
      code: 0,
      stdout: `Access key ${EXAMPLE_KEY_ID} of user alice disabled.\n`,
    });
    expect(await status()).toBe('Inactive');
    expect((await keys(['disable', EXAMPLE_KEY_ID], { dataDir })).code).toBe(0);
    const enabled = await keys(['enable', EXAMPLE_KEY_ID, '--output', 'json'], { dataDir });
    expect(JSON.parse(enabled.stdout)).toMatchObject({ AccessKeyId: EXAMPLE_KEY_ID, Status: 'Active' });
    expect(await status()).toBe('Active');
    expect((await keys(['delete', EXAMPLE_KEY_ID], { dataDir })).code).toBe(0);
    expect(await store.findKey(EXAMPLE_KEY_ID)).toBeUndefined();
  });

  test.each(['show', 'disable', 'enable', 'delete'])('%s of an unknown key is a failure', async (command) => {
    const dataDir = temporaryFolder();
    const run = await keys([command, 'AKIAUNKNOWN'], { dataDir });
    expect(run).toMatchObject({ code: 1, stdout: '' });
    expect(run.stderr).toMatch(/There is no access key `AKIAUNKNOWN` in `.*`.*keys list/);
  });

  test.each(['show', 'disable', 'enable', 'delete'])('%s needs exactly one key', async (command) => {
    const dataDir = temporaryFolder();
    const none = await keys([command], { dataDir });
    expect(none).toMatchObject({ code: 2, stdout: '' });
    expect(none.stderr).toContain('ACCESS_KEY_ID missing');
    expect((await keys([command, 'A', 'B'], { dataDir })).code).toBe(2);
  });

  test.each(['disable', 'enable', 'delete'])(
    '%s of the configured root key is refused: the next start would undo it',
    async (command) => {
      const dataDir = temporaryFolder();
      const id = await withRootKey(dataDir, true);
      const run = await keys([command, id], { dataDir });
      expect(run).toMatchObject({ code: 1, stdout: '' });
      expect(run.stderr).toContain('BUCKETWARDEN_ROOT_ACCESS_KEY_ID');
    },
  );

  test('a generated root key can be deleted, with a word on what follows', async () => {
    const dataDir = temporaryFolder();
    const id = await withRootKey(dataDir, false);
    const run = await keys(['delete', id], { dataDir });
    expect(run.code).toBe(0);
    expect(run.stderr).toContain('the next start of the gateway makes a new one');
  });
});

describe('help', () => {
  const options = { dataDir: '/nonexistent' };

  test('keys without a command, or with a wrong one, lists the commands', async () => {
    for (const args of [[], ['isue']]) {
      const run = await keys(args, options);
      expect(run).toMatchObject({ code: 2, stdout: '' });
      expect(run.stderr).toContain('bucketwarden keys issue');
    }
  });

  test.each([['--help'], ['-h'], ['help']])('keys %s prints it on standard output', async (word) => {
    const run = await keys([word], options);
    expect(run).toMatchObject({ code: 0, stderr: '' });
    for (const command of ['issue', 'import', 'list', 'show', 'disable', 'enable', 'delete']) {
      expect(run.stdout).toContain(`bucketwarden keys ${command}`);
    }
  });

  test.each(['issue', 'import', 'list', 'show', 'disable', 'enable', 'delete'])(
    'keys %s --help prints usage and options, whatever else is given',
    async (command) => {
      const run = await keys([command, '--wrong', '--help'], options);
      expect(run).toMatchObject({ code: 0, stderr: '' });
      expect(run.stdout).toMatch(new RegExp(`^Usage: bucketwarden keys ${command}`));
      expect(run.stdout).toContain('--output text|json');
    },
  );
});
