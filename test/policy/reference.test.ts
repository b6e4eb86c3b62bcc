import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { evaluationPairs } from './reference-arbitraries.ts';
import { comparePair } from './reference-comparison.ts';

/** `npm run test:policy-pairs` compares more; mutation testing asks for fewer. */
const PAIRS = Number(process.env['POLICY_PAIRS'] ?? 20_000);

describe('the engine against the reference evaluator', () => {
  test(`decides ${PAIRS} pairs of policies and requests alike`, { timeout: 120_000 }, () => {
    const counts = new Map<string, number>();
    fc.assert(
      fc.property(evaluationPairs(), (pair) => {
        const result = comparePair(pair);
        const outcome = result.kind === 'refused' ? 'refused' : result.reference;
        counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
        fc.pre(result.kind === 'decided');
        expect(result.engine).toBe(result.reference);
      }),
      { numRuns: PAIRS, maxSkipsPerRun: 10 },
    );
    const share = (outcome: string): number => (counts.get(outcome) ?? 0) / PAIRS;
    // Pairs that are refused come on top of those that are decided.
    expect(share('refused')).toBeLessThan(0.5);
    expect(share('Allow')).toBeGreaterThan(0.15);
    expect(share('explicit Deny')).toBeGreaterThan(0.15);
    expect(share('implicit Deny')).toBeGreaterThan(0.15);
  });
});
