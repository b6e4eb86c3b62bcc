import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { exampleText, RULE_EXAMPLES } from '../../scripts/lint-examples.ts';
import { renderLintPage } from '../../scripts/lint-page.ts';
import { LINT_RULE_IDS, LINT_RULES, lintPolicy } from '../../src/policy/index.ts';

describe.each(LINT_RULE_IDS)('%s', (id) => {
  const { bad, good } = RULE_EXAMPLES[id];

  test('fires on its bad example, and says what to do', () => {
    const found = lintPolicy(exampleText(bad)).findings.filter(({ rule }) => rule === id);
    expect(found).not.toEqual([]);
    for (const { severity, message, fix } of found) {
      expect(severity).toBe(LINT_RULES[id].severity);
      expect(message).not.toBe('');
      expect(fix).toMatch(/^[a-z]/);
    }
  });

  test('and nothing but notes is said of the good one', () => {
    expect(lintPolicy(exampleText(good)).findings.filter(({ severity }) => severity !== 'note')).toEqual([]);
  });

  test('is silent on the good example', () => {
    expect(lintPolicy(exampleText(good)).findings.filter(({ rule }) => rule === id)).toEqual([]);
  });
});

test('docs/policy-lint.md is what `npm run docs` makes', () => {
  const written = readFileSync(new URL('../../docs/policy-lint.md', import.meta.url), 'utf8');
  expect(written).toBe(renderLintPage());
});
