import { expect, test } from 'vitest';
import { stripWhiteSpace } from '../../src/s3/index.ts';

test.for([
  ['', ''],
  [' \t ', ''],
  ['a', 'a'],
  ['\t a b\t ', 'a b'],
  // Other white space is part of the value.
  ['\u00a0a\n', '\u00a0a\n'],
])('strips %j', ([text, stripped]) => {
  expect(stripWhiteSpace(text as string)).toBe(stripped);
});

test('is linear in what stands between', () => {
  const text = `a${' '.repeat(500_000)}b`;
  expect(stripWhiteSpace(` ${text} `)).toBe(text);
});
