import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseTemplate } from '../../src/policy/template.ts';
import { compileTokens } from '../../src/policy/text-match.ts';
import { canMatchPrefix, globTokens, matchGlob } from '../../src/policy/glob.ts';

const matches = (pattern: string, text: string): boolean => matchGlob(globTokens(pattern), text);

/** By definition, one character at a time, with every way to split tried. */
function naive(pattern: readonly string[], text: readonly string[]): boolean {
  const [first, ...rest] = pattern;
  if (first === undefined) return text.length === 0;
  if (first === '*') {
    return naive(rest, text) || (text.length > 0 && naive(pattern, text.slice(1)));
  }
  return text.length > 0 && (first === '?' || first === text[0]) && naive(rest, text.slice(1));
}

/** How many tokens a match that fails reads. */
function tokensRead(length: number): number {
  let reads = 0;
  const tokens = new Proxy(globTokens('*a*a*a*a*a*a*b'), {
    get(target, property, receiver) {
      if (typeof property === 'string' && /^\d+$/.test(property)) reads += 1;
      return Reflect.get(target, property, receiver) as unknown;
    },
  });
  expect(matchGlob(tokens, 'a'.repeat(length))).toBe(false);
  return reads;
}

const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '/', '*', '?', '\n', '😀'), maxLength: 8 });
const text = fc.string({ unit: fc.constantFrom('a', 'b', '/', '\n', '\u2028', '😀'), maxLength: 8 });

describe('glob', () => {
  test('agrees with the definition', () => {
    fc.assert(
      fc.property(pattern, text, (p, t) => {
        expect(matches(p, t)).toBe(naive(Array.from(p), Array.from(t)));
      }),
      { numRuns: 5000 },
    );
  });

  test('agrees with the definition however the pattern is matched', () => {
    const long = fc.tuple(pattern, fc.integer({ min: 0, max: 8 })).map(([p, times]) => p + p.repeat(times));
    fc.assert(
      fc.property(
        fc.oneof(pattern, long),
        text,
        fc.integer({ min: 1, max: 8 }),
        text,
        (p, t, times, around) => {
          const parsed = parseTemplate(p, { variables: false, wildcards: true });
          const tokens = 'tokens' in parsed ? parsed.tokens : [];
          const repeated = t.repeat(times);
          const [from, to] = [around.length, around.length + repeated.length];
          const matched = compileTokens(tokens)(around + repeated + around, from, to, () => undefined);
          expect(matched).toBe(matches(p, repeated));
        },
      ),
      { numRuns: 5000 },
    );
  });

  test('starts where it is told', () => {
    fc.assert(
      fc.property(pattern, text, text, (p, before, t) => {
        expect(matchGlob(globTokens(p), before + t, before.length)).toBe(matches(p, t));
      }),
    );
  });

  test('a prefix can be matched if and only if the pattern matches something that begins with it', () => {
    fc.assert(
      fc.property(pattern, text, text, (p, prefix, rest) => {
        expect(!matches(p, prefix + rest) || canMatchPrefix(globTokens(p), prefix)).toBe(true);
      }),
      { numRuns: 2000 },
    );
    expect(canMatchPrefix(globTokens('?b'), '\u{1f600}b')).toBe(true);
    expect(canMatchPrefix(globTokens('logs/*'), 'logs/')).toBe(true);
    expect(canMatchPrefix(globTokens('logs'), 'logs/')).toBe(false);
    expect(canMatchPrefix(globTokens('l*'), 'logs/')).toBe(true);
    expect(canMatchPrefix(globTokens('logs-archive/*'), 'logs/')).toBe(false);
  });

  test('patterns that explode in backtracking matchers stay cheap', () => {
    const short = tokensRead(1024);
    expect(short).toBeLessThan(1024 * 16);
    expect(tokensRead(4096) / short).toBeLessThan(4.5);
  });

  test('a pattern that is longer than a key agrees with two pointers', () => {
    const characters = Array.from({ length: 1500 }, (_, at) =>
      String.fromCodePoint(0x4e00 + ((at * at) % 997)),
    );
    for (const at of [0, 3, 700, 1499]) {
      const tokens = globTokens(`*${characters.with(at, '?').join('')}😀*`);
      const matcher = compileTokens(tokens);
      for (const tried of [
        `x${characters.join('')}😀`,
        `x${characters.join('')}x`,
        characters.with(at, '').join(''),
      ])
        expect(matcher(tried, 0, tried.length, () => undefined)).toBe(matchGlob(tokens, tried));
    }
  });
});
