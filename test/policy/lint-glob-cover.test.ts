import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { globTokens, matchGlob } from '../../src/policy/glob.ts';
import { globCovers } from '../../src/policy/lint/glob-cover.ts';

const covers = (wide: string, narrow: string): boolean => globCovers(globTokens(wide), globTokens(narrow));

const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '/', '*', '*', '?', '😀'), maxLength: 6 });
const text = fc.string({ unit: fc.constantFrom('a', 'b', 'z', '/', '\n', '😀', '\ud83d'), maxLength: 6 });

/** All texts of up to `length` characters out of `a`, `b` and `z`, which stands for every other one. */
function texts(length: number): readonly string[] {
  if (length === 0) return [''];
  const shorter = texts(length - 1);
  const longest = shorter.filter((each) => each.length === length - 1);
  return [...shorter, ...longest.flatMap((each) => [`${each}a`, `${each}b`, `${each}z`])];
}

describe('globCovers', () => {
  test.each([
    ['*', 'a*b', true],
    ['a*', 'a*b', true],
    ['a*', 'a?b', true],
    ['a?', 'a*', false],
    ['a/*', 'a*', false],
    ['?*', '*?', true],
    ['*?', '?*', true],
    ['*a*', 'bab', true],
    ['**', '*', true],
    ['a*b*', 'a*b', true],
    ['a*b', 'a*b*', false],
    ['', '*', false],
    ['*', '', true],
    ['?', '😀', false],
  ])('%j covers %j: %s', (wide, narrow, expected) => {
    expect(covers(wide, narrow)).toBe(expected);
  });

  test('is never true where a text matches the narrow pattern alone', () => {
    fc.assert(
      fc.property(pattern, pattern, text, (wide, narrow, subject) => {
        fc.pre(covers(wide, narrow) && matchGlob(globTokens(narrow), subject));
        expect(matchGlob(globTokens(wide), subject)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test('is exact for short patterns, as all short texts show', () => {
    const short = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), maxLength: 3 });
    // A text that tells two patterns of three tokens apart needs no more characters than both have together.
    const all = texts(6);
    fc.assert(
      fc.property(short, short, (wide, narrow) => {
        const [w, n] = [globTokens(wide), globTokens(narrow)];
        expect(globCovers(w, n)).toBe(all.every((each) => !matchGlob(n, each) || matchGlob(w, each)));
      }),
      { numRuns: 300 },
    );
  });

  test('gives up, and says no, where it would take too long', () => {
    expect(covers(`*a${'?'.repeat(40)}*b`, `*a${'*a?'.repeat(30)}*b`)).toBe(false);
  });
});
