import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { PolicyCaseError, runPolicyCase } from '../../src/policy/index.ts';

const ROOT = join(import.meta.dirname, '../..');
const FILES = globSync(['test/policy/cases/*.jsonl', 'policies/**/*.cases.jsonl'], { cwd: ROOT }).sort();

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

test('there are case files, for the engine and for every template', () => {
  expect(FILES.filter((file) => file.startsWith('test')).length).toBeGreaterThan(5);
  const templates = globSync('policies/**/*.json', { cwd: ROOT });
  expect(templates.length).toBeGreaterThan(6);
  for (const template of templates) {
    expect(FILES).toContain(template.replace(/\.json$/, '.cases.jsonl'));
  }
});

test.each(FILES.filter((file) => file.startsWith('policies')))('%s tests the template beside it', (file) => {
  const template: unknown = JSON.parse(read(file.replace(/\.cases\.jsonl$/, '.json')));
  for (const line of read(file).split('\n').filter(Boolean)) {
    const fields = JSON.parse(line) as Record<string, unknown>;
    const candidates = [
      fields['document'],
      fields['resourcePolicy'],
      ...((fields['identityPolicies'] as unknown[]) ?? []),
    ];
    expect(candidates).toContainEqual(template);
  }
});

describe.each(FILES)('%s', (file) => {
  const lines = read(file).split('\n').filter(Boolean);

  test('has cases, with distinct ids', () => {
    const ids = lines.map((line) => runPolicyCase(line).id);
    expect(ids.length).toBeGreaterThan(0);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).not.toContain('');
  });

  test.each(lines.map((line) => [(JSON.parse(line) as { id: string }).id, line] as const))(
    '%s',
    (_, line) => {
      const { got, expected } = runPolicyCase(line);
      expect(got).toBe(expected);
    },
  );
});

describe('a line that is no case is an error of the file', () => {
  const decision = {
    principal: 'arn:aws:iam::111122223333:user/alice',
    action: 's3:GetObject',
    resource: 'arn:aws:s3:::logs/a',
    expected: 'Deny',
  };

  test.each([
    ['not JSON', 'x'],
    ['no object', '[]'],
    ['an unknown kind', JSON.stringify({ ...decision, kind: 'guess' })],
    ['an unknown expectation', JSON.stringify({ ...decision, expected: 'Maybe' })],
    ['an expectation of another kind', JSON.stringify({ ...decision, expected: 'Valid' })],
    ['no principal', JSON.stringify({ ...decision, principal: undefined })],
    ['a strange principal', JSON.stringify({ ...decision, principal: 'alice' })],
    ['a scheme that ends in arn', JSON.stringify({ ...decision, principal: `x${decision.principal}` })],
    ['more than a root', JSON.stringify({ ...decision, principal: 'arn:aws:iam::111122223333:roots' })],
    ['a strange context', JSON.stringify({ ...decision, context: { 'aws:UserAgent': {} } })],
    [
      'an unknown policy type',
      JSON.stringify({ kind: 'validation', policyType: 'x', document: {}, expected: 'Valid' }),
    ],
  ])('%s', (_, line) => {
    expect(() => runPolicyCase(line)).toThrow(PolicyCaseError);
  });

  test('a policy that is refused is a failing result', () => {
    const result = runPolicyCase(JSON.stringify({ ...decision, identityPolicies: [{ Statement: [{}] }] }));
    expect(result.ok).toBe(false);
    expect(result.got).toContain('MalformedPolicyDocument');
  });

  test('the deciding statement is told', () => {
    const allow = { Sid: 'A', Effect: 'Allow', Action: '*', Resource: '*' };
    const line = JSON.stringify({
      ...decision,
      expected: 'Allow',
      identityPolicies: [{ Statement: [allow] }],
    });
    expect(runPolicyCase(line)).toMatchObject({
      ok: true,
      by: { policy: 'identityPolicies[0]', sid: 'A', index: 0 },
    });
  });
});
