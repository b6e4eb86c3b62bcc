import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runPolicyCase } from '../../src/policy/index.ts';

const ROOT = join(import.meta.dirname, '../..');
const FILES = globSync(['test/policy/cases/*.jsonl', 'policies/**/*.cases.jsonl'], { cwd: ROOT }).sort();

test('there are case files, for the engine and for every template', () => {
  expect(FILES.filter((file) => file.startsWith('test')).length).toBeGreaterThan(5);
  const templates = globSync('policies/**/*.json', { cwd: ROOT });
  expect(templates.length).toBeGreaterThan(6);
  for (const template of templates) {
    expect(FILES).toContain(template.replace(/\.json$/, '.cases.jsonl'));
  }
});

describe.each(FILES)('%s', (file) => {
  const lines = readFileSync(join(ROOT, file), 'utf8').split('\n').filter(Boolean);

  test('has cases, with distinct ids', () => {
    const ids = lines.map((line) => runPolicyCase(line).id);
    expect(ids.length).toBeGreaterThan(0);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).not.toContain('');
  });

  test.each(lines.map((line) => [runPolicyCase(line).id, line] as const))('%s', (_, line) => {
    const { got, expected } = runPolicyCase(line);
    expect(got).toBe(expected);
  });
});
