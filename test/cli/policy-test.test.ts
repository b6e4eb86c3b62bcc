import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../identity/fixtures.ts';
import { policy } from './command-run.ts';

const ROOT = join(import.meta.dirname, '../..');

const READ = {
  Version: '2012-10-17',
  Statement: [
    {
      Sid: 'Office',
      Effect: 'Allow',
      Action: 's3:GetObject',
      Resource: 'arn:aws:s3:::logs/*',
      Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } },
    },
    {
      Effect: 'Deny',
      Action: 's3:*',
      Resource: '*',
      Condition: { Bool: { 'aws:SecureTransport': 'false' } },
    },
  ],
};

const CASE = {
  id: 'from-office',
  principal: 'arn:aws:iam::111122223333:user/alice',
  identityPolicies: [READ],
  action: 's3:GetObject',
  resource: 'arn:aws:s3:::logs/a',
  context: { 'aws:SourceIp': '10.1.2.3' },
  expected: 'Allow',
};

function file(...lines: readonly (object | string)[]): string {
  const path = join(temporaryFolder(), 'cases.jsonl');
  writeFileSync(
    path,
    lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'),
  );
  return path;
}

test('passes every case of the repository, in all files together', async () => {
  const files = globSync(['test/policy/cases/*.jsonl', 'policies/**/*.cases.jsonl'], { cwd: ROOT }).map(
    (each) => join(ROOT, each),
  );
  const cases = files.flatMap((each) => readFileSync(each, 'utf8').split('\n').filter(Boolean)).length;
  const { code, stdout, stderr } = await policy(['test', ...files]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toBe(`${cases} passed, 0 failed\n`);
  expect(cases).toBeGreaterThan(400);
});

describe('a case that fails', () => {
  test('is one line with its place, id, note, what was expected and got; below it stands why', async () => {
    const path = file(CASE, '', {
      ...CASE,
      id: 'from-home',
      context: { 'aws:SourceIp': '203.0.113.7' },
      note: 'VPN',
    });
    const { code, stdout } = await policy(['test', path]);
    expect(code).toBe(1);
    expect(stdout.split('\n')).toEqual([
      `${path}:3: from-home: expected Allow, got Deny (VPN)`,
      '    no identity policy allows it.',
      '    The Allow in `identityPolicies[0]`, statement `Office` (identity policy) would allow it if `aws:SourceIp` were in `10.0.0.0/8`; it is `203.0.113.7`.',
      '1 passed, 1 failed',
      '',
    ]);
  });

  test('by a statement names it, and what would undo it', async () => {
    const plain = { ...CASE, context: { ...CASE.context, 'aws:SecureTransport': false } };
    const { stdout } = await policy(['test', file(plain)]);
    expect(stdout).toContain(': expected Allow, got Deny by `identityPolicies[0]`, statement 2\n');
    expect(stdout).toContain('refuses it, since `aws:SecureTransport` is `false`.');
    expect(stdout).toContain('It would not, if `aws:SecureTransport` were not `false`.');
  });

  test('for a policy that is refused says what is wrong with it', async () => {
    const { code, stdout } = await policy([
      'test',
      file({ ...CASE, identityPolicies: [{ Statement: [{}] }] }),
    ]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/from-office: expected Allow, got MalformedPolicyDocument: .*Effect/);
  });
});

describe('what is no case', () => {
  test.each([
    ['no JSON', 'x', 'the line is not a JSON object'],
    ['an unknown kind', { ...CASE, kind: 'guess' }, 'unknown kind `guess`'],
    ['an unknown expectation', { ...CASE, expected: 'Perhaps' }, 'unknown expected `Perhaps` for decision'],
  ])('is an error of the file with its line: %s', async (_, line, problem) => {
    const path = file(CASE, line, CASE);
    const { code, stdout, stderr } = await policy(['test', path]);
    expect(code).toBe(2);
    expect(stderr).toBe(`${path}:2: no policy case: ${problem}\n`);
    // The others are run all the same.
    expect(stdout).toBe('2 passed, 0 failed\n');
  });

  test('a file that cannot be read', async () => {
    const { code, stdout, stderr } = await policy(['test', '/nonexistent.jsonl', file(CASE)]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '1 passed, 0 failed\n' });
    expect(stderr).toMatch(/^`\/nonexistent\.jsonl` cannot be read: ENOENT/);
  });

  test('no file at all is a wrong command line', async () => {
    expect(await policy(['test'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('FILE... missing.'),
    });
  });
});

test('--json prints one result a line, the passing ones too, and nothing else', async () => {
  const deny = { ...CASE, id: 'plain', context: { 'aws:SecureTransport': 'false' }, expected: 'Deny' };
  const { code, stdout } = await policy(['test', '--json', file(CASE, deny, { ...CASE, expected: 'Deny' })]);
  expect(code).toBe(1);
  expect(
    stdout
      .trimEnd()
      .split('\n')
      .map((line): unknown => JSON.parse(line)),
  ).toEqual([
    {
      id: 'from-office',
      expected: 'Allow',
      got: 'Allow',
      ok: true,
      by: { policy: 'identityPolicies[0]', sid: 'Office', index: 0 },
    },
    { id: 'plain', expected: 'Deny', got: 'Deny', ok: true, by: { policy: 'identityPolicies[0]', index: 1 } },
    {
      id: 'from-office',
      expected: 'Deny',
      got: 'Allow',
      ok: false,
      by: { policy: 'identityPolicies[0]', sid: 'Office', index: 0 },
    },
  ]);
});

test('standard input is a file too; CRLF ends a line, and U+2028 within a string does not', async () => {
  const odd = { ...CASE, resource: 'arn:aws:s3:::logs/a\u2028b' };
  const piped = `${JSON.stringify(CASE)}\r\n\r\n${JSON.stringify(odd)}\r\n`;
  expect(await policy(['test', '-'], { piped })).toEqual({
    code: 0,
    stdout: '2 passed, 0 failed\n',
    stderr: '',
  });
});
