/**
 * Compares the policy engine with the reference evaluator over many generated pairs of policies and request.
 * Run by `npm run test:policy-pairs -- [--pairs 1000000] [--seed N]`; exits 1 on a disagreement.
 */
import { parseArgs } from 'node:util';
import * as fc from 'fast-check';
import { evaluationPairs, type EvaluationPair } from '../test/policy/reference-arbitraries.ts';
import { comparePair } from '../test/policy/reference-comparison.ts';

const BATCH = 10_000;
const MOST_DISAGREEMENTS = 5;

const { values } = parseArgs({
  options: { pairs: { type: 'string', default: '1000000' }, seed: { type: 'string' } },
});
const wanted = Number(values.pairs);
const firstSeed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
if (!Number.isSafeInteger(wanted) || wanted < 1 || !Number.isSafeInteger(firstSeed)) {
  throw new Error('--pairs and --seed are whole numbers');
}

const started = performance.now();
const counts = new Map<string, number>();
let decided = 0;
let disagreements = 0;
/** Pairs that are tried to make a disagreement smaller do not count. */
let isShrinking = false;
console.log(`seed ${firstSeed}`);
for (let batch = 0; decided < wanted && disagreements < MOST_DISAGREEMENTS; batch += 1) {
  const seed = firstSeed + batch;
  isShrinking = false;
  const result = fc.check(fc.property(evaluationPairs(), agrees), {
    seed,
    numRuns: Math.min(BATCH, wanted - decided),
    maxSkipsPerRun: 10,
  });
  decided += result.numRuns;
  if (result.failed) {
    disagreements += 1;
    report(seed, result.counterexample?.[0]);
  }
  if (batch % 10 === 9) console.log(`${decided} pairs, ${rate()} a second`);
}
const shares = [...counts].map(([outcome, count]) => `${outcome} ${((100 * count) / decided).toFixed(1)} %`);
console.log(`${decided} pairs decided, ${disagreements} disagreements, ${rate()} a second`);
console.log(`of those decided: ${shares.sort().join(', ')} (refused come on top)`);
if (disagreements > 0) process.exitCode = 1;

function agrees(pair: EvaluationPair): boolean {
  const result = comparePair(pair);
  const outcome = result.kind === 'refused' ? 'refused' : result.reference;
  if (!isShrinking) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  fc.pre(result.kind === 'decided');
  const agree = result.engine === result.reference;
  isShrinking ||= !agree;
  return agree;
}

function report(seed: number, pair: EvaluationPair | undefined): void {
  if (pair === undefined) return;
  console.log(`disagreement (seed ${seed}):`);
  console.log(JSON.stringify({ ...pair, result: comparePair(pair) }, undefined, 2));
}

function rate(): number {
  return Math.round((decided * 1000) / (performance.now() - started));
}
