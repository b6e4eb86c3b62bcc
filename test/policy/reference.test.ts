import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PolicyError } from '../../src/policy/index.ts';
import { evaluationCases } from './reference-arbitraries.ts';
import { compareCase } from './reference-comparison.ts';

/** `npm run test:policy-pairs` compares more; mutation testing asks for fewer. */
const PAIRS = Number(process.env['POLICY_PAIRS'] ?? 20_000);

/** A few pairs share too few policies to say. */
const LEAST_SHARE = PAIRS < 10_000 ? 0.01 : 0.12;

describe('the engine against the reference evaluator', () => {
  test(`decides ${PAIRS} pairs of policies and request alike`, { timeout: 120_000 }, () => {
    const counts = new Map<string, number>();
    const count = (outcome: string): void => void counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    fc.assert(
      // Five requests on average.
      fc.property(evaluationCases({ mostRequests: 9 }), (each) => {
        const results = compareCase(each);
        if (results instanceof PolicyError) count('refused');
        fc.pre(!(results instanceof PolicyError));
        for (const { reference } of results) count(reference);
        expect(results.map(({ engine }) => engine)).toEqual(results.map(({ reference }) => reference));
      }),
      { numRuns: Math.ceil(PAIRS / 4), maxSkipsPerRun: 10 },
    );
    const decided = ['Allow', 'explicit Deny', 'implicit Deny'].map((outcome) => counts.get(outcome) ?? 0);
    const pairs = decided.reduce((sum, each) => sum + each, 0);
    expect(pairs).toBeGreaterThan(PAIRS);
    // Not vacuous: nearly every set of policies is taken, and each outcome is frequent.
    expect(counts.get('refused') ?? 0).toBeLessThan(PAIRS / 10);
    for (const each of decided) expect(each / pairs).toBeGreaterThan(LEAST_SHARE);
  });
});
