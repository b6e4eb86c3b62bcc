import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { runPolicyCommand } from '../../src/cli/index.ts';
import { LINT_RULE_IDS } from '../../src/policy/index.ts';

const GOOD = { Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::logs/*' };
const document = (...Statement: readonly object[]): string =>
  JSON.stringify({ Version: '2012-10-17', Statement }, undefined, 2);

let folder: string;
let files: Readonly<Record<'good' | 'warned' | 'refused' | 'logs', string>>;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'policy-lint-'));
  const write = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  files = {
    good: write('good.json', document(GOOD)),
    warned: write('a warning.json', document({ ...GOOD, Resource: 'arn:aws:s3:::logs/team*' })),
    refused: write('refused.json', document({ ...GOOD, Effect: 'allow' })),
    logs: write('logs.json', document({ ...GOOD, Principal: { AWS: '111122223333' } })),
  };
});

afterAll(() => rmSync(folder, { recursive: true }));

async function lint(args: readonly string[], piped = '') {
  const written = { stdout: '', stderr: '' };
  const code = await runPolicyCommand(['lint', ...args], {
    stdout: { write: (text) => (written.stdout += text) },
    stderr: { write: (text) => (written.stderr += text) },
    stdin: Readable.from([Buffer.from(piped)]),
    env: {},
    now: () => 0,
    randomBytes,
  });
  return { code, ...written };
}

test('a file that is not UTF-8 is an error at its first wrong byte', async () => {
  const file = join(folder, 'latin1.json');
  const text = document({ ...GOOD, Resource: 'arn:aws:s3:::logs/\u{1f600}caf\u00e9/*' });
  const [before = '', after = ''] = text.split('\u00e9');
  writeFileSync(file, Buffer.concat([Buffer.from(before), Buffer.from([0xe9]), Buffer.from(after)]));
  const last = before.split('\n');
  const { code, stdout } = await lint([file]);
  expect(code).toBe(1);
  expect(stdout).toContain(`${file}:${last.length}:${(last.at(-1) ?? '').length + 1}: error: `);
  expect(stdout).toContain('not UTF-8');
});

describe('the exit code', () => {
  test('is 0 without errors, with warnings too', async () => {
    expect(await lint([files.good])).toEqual({ code: 0, stdout: 'nothing to say in 1 file\n', stderr: '' });
    expect(await lint([files.good, files.warned])).toMatchObject({ code: 0, stderr: '' });
  });

  test('is 1 with errors, and with --strict for warnings', async () => {
    expect(await lint([files.good, files.refused])).toMatchObject({ code: 1, stderr: '' });
    expect(await lint([files.warned, '--strict'])).toMatchObject({ code: 1 });
    expect(await lint([files.good, '--strict'])).toMatchObject({ code: 0 });
  });

  test.each([
    ['no file', [], /FILE\.\.\. missing/],
    ['another type', ['x', '--type', 'resource'], /--type is `auto`, `bucket`/],
    ['another format', ['x', '--format', 'xml'], /--format is/],
    ['two buckets', ['x', '--bucket', 'a', '--bucket-from-name'], /Give one of them/],
    ['an unknown option', ['x', '--fix'], /--fix/],
  ])('is 2 for a wrong command line: %s', async (_, args, message) => {
    const run = await lint(args);
    expect(run).toMatchObject({ code: 2, stdout: '' });
    expect(run.stderr).toMatch(message);
  });

  test('is 2 for a file that cannot be read', async () => {
    const run = await lint([files.good, join(folder, 'none.json')]);
    expect(run).toMatchObject({ code: 2, stdout: '' });
    expect(run.stderr).toMatch(/none\.json` cannot be read.*ENOENT/);
  });
});

test('text has place, severity, what is wrong, the rule, and what to do', async () => {
  const { stdout } = await lint([files.warned, files.refused]);
  expect(stdout).toBe(
    [
      `${files.warned}:7:19: warning: \`arn:aws:s3:::logs/team*\` also names \`logs/team-evil/\` [prefix-without-slash]`,
      '    write `arn:aws:s3:::logs/team/*`',
      `${files.refused}:5:17: error: Invalid effect: allow [malformed]`,
      '    write `Allow` or `Deny`, in this case',
      '1 error, 1 warning in 2 files',
      '',
    ].join('\n'),
  );
});

test('what stands in a policy does not steer the terminal', async () => {
  const { stdout } = await lint(['-'], document({ ...GOOD, Action: 's3:\u001b[2J\u202eGet' }));
  expect(stdout).toContain('\\u{1b}[2J\\u{202e}Get');
});

test('standard input is a file, and the type can be given', async () => {
  const { code, stdout } = await lint(['-', '--type', 'bucket'], document(GOOD));
  expect(code).toBe(1);
  expect(stdout).toContain('-:4:5: error: Missing required field Principal [malformed]');
});

test('a bucket policy can be checked for the bucket that its file is named after', async () => {
  expect(await lint([files.logs])).toMatchObject({ code: 0 });
  expect(await lint([files.logs, '--bucket-from-name'])).toMatchObject({ code: 0 });
  const other = await lint([files.logs, '--bucket', 'other']);
  expect(other.code).toBe(1);
  expect(other.stdout).toContain('[invalid-resource]');
});

test('JSON has an object for each file', async () => {
  const { stdout } = await lint([files.good, files.warned, '--format', 'json']);
  expect(JSON.parse(stdout)).toEqual([
    { file: files.good, type: 'identity', findings: [] },
    {
      file: files.warned,
      type: 'identity',
      findings: [
        {
          rule: 'prefix-without-slash',
          severity: 'warning',
          line: 7,
          column: 19,
          statement: { index: 0 },
          message: '`arn:aws:s3:::logs/team*` also names `logs/team-evil/`',
          fix: 'write `arn:aws:s3:::logs/team/*`',
        },
      ],
    },
  ]);
});

/**
 * The part of SARIF 2.1.0 that is written, property by property as in sections 3.13 to 3.52 of the standard, and strict:
 * its schema allows no other properties either. With what code scanning asks for beside it (an id, a description and
 * a help text of each rule, one location of each result).
 */
const Message = z.strictObject({ text: z.string().min(1), markdown: z.string().min(1).optional() });
const Level = z.enum(['none', 'note', 'warning', 'error']);
const Sarif = z.strictObject({
  $schema: z.url(),
  version: z.literal('2.1.0'),
  runs: z
    .array(
      z.strictObject({
        tool: z.strictObject({
          driver: z.strictObject({
            name: z.string().min(1),
            rules: z.array(
              z.strictObject({
                id: z.string().min(1),
                name: z.string().regex(/^[A-Z][A-Za-z0-9]*$/),
                shortDescription: Message,
                fullDescription: Message,
                help: Message,
                defaultConfiguration: z.strictObject({ level: Level }),
                properties: z.strictObject({ tags: z.array(z.string()) }),
              }),
            ),
          }),
        }),
        columnKind: z.enum(['utf16CodeUnits', 'unicodeCodePoints']),
        results: z.array(
          z.strictObject({
            ruleId: z.string(),
            ruleIndex: z.int().min(0),
            level: Level,
            message: Message,
            locations: z
              .array(
                z.strictObject({
                  physicalLocation: z.strictObject({
                    artifactLocation: z.strictObject({
                      uri: z.string().regex(/^[A-Za-z0-9%:/._~!$&'()*+,;=@-]+$/),
                    }),
                    region: z.strictObject({ startLine: z.int().min(1), startColumn: z.int().min(1) }),
                  }),
                }),
              )
              .length(1),
            partialFingerprints: z.record(z.string(), z.string()),
          }),
        ),
      }),
    )
    .length(1),
});

describe('SARIF', () => {
  test('has every rule, and each finding at its place', async () => {
    const { stdout } = await lint([files.warned, files.refused, '-', '--format', 'sarif'], '');
    const [run] = Sarif.parse(JSON.parse(stdout)).runs;
    expect(run?.tool.driver.rules.map(({ id }) => id)).toEqual(LINT_RULE_IDS);
    expect(run?.results).toMatchObject([
      { ruleId: 'prefix-without-slash', level: 'warning' },
      { ruleId: 'malformed', level: 'error' },
      { ruleId: 'invalid-json', level: 'error' },
    ]);
    for (const { ruleId, ruleIndex } of run?.results ?? []) expect(LINT_RULE_IDS[ruleIndex]).toBe(ruleId);
    const places = run?.results.map(({ locations }) => locations[0]?.physicalLocation);
    expect(places?.map((place) => place?.artifactLocation.uri)).toEqual([
      expect.stringMatching(/^file:\/\/\/.*\/a%20warning\.json$/),
      expect.stringMatching(/^file:\/\/\/.*\/refused\.json$/),
      'stdin',
    ]);
    expect(places?.[0]?.region).toEqual({ startLine: 7, startColumn: 19 });
  });

  test('leaves relative paths relative', async () => {
    const { stdout } = await lint(['./policies/bucket/public-read.json', '--format', 'sarif']);
    const [run] = Sarif.parse(JSON.parse(stdout)).runs;
    expect(run?.results[0]?.locations[0]?.physicalLocation.artifactLocation.uri).toBe(
      'policies/bucket/public-read.json',
    );
  });

  test('tells a finding again by the same fingerprint when lines come before it', async () => {
    const text = document({ ...GOOD, Resource: 'arn:aws:s3:::logs/team*' });
    const [before, after] = await Promise.all(
      [text, text.replace('{', '{\n\n')].map(async (each) => {
        const { stdout } = await lint(['-', '--format', 'sarif'], each);
        return Sarif.parse(JSON.parse(stdout)).runs[0]?.results[0];
      }),
    );
    expect(after?.partialFingerprints).toEqual(before?.partialFingerprints);
    expect(after?.locations).not.toEqual(before?.locations);
  });
});
