import { describe, expect, test } from 'vitest';
import { checkDocument } from './fuzz-check.ts';
import { mutate, seededRandom } from './fuzz-mutate.ts';
import { readCorpus, readSeeds } from './fuzz-seeds.ts';

const SEEDS = readSeeds();

describe('the corpus', () => {
  test.each(readCorpus())('$name', ({ text, type, accepted }) => {
    expect(checkDocument(text, type)).toMatchObject({ accepted, problem: undefined });
  });

  test('with every document of cases and templates breaks nothing', () => {
    expect(SEEDS.length).toBeGreaterThan(300);
    for (const { text, type, name } of SEEDS) {
      expect({ name, problem: checkDocument(text, type).problem }).toEqual({ name, problem: undefined });
    }
  });
});

/** `npm run fuzz:policy` tries millions. */
test('a changed document is refused by a PolicyError, or can be evaluated', () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const random = seededRandom(seed);
  for (let run = 0; run < 1000; run += 1) {
    const parent = SEEDS[random(SEEDS.length)];
    const other = SEEDS[random(SEEDS.length)];
    const type = parent?.type ?? 'identity';
    const text = mutate(parent?.text ?? '', other?.text ?? '', random);
    expect({ seed, text, problem: checkDocument(text, type).problem }).toEqual({
      seed,
      text,
      problem: undefined,
    });
  }
});
