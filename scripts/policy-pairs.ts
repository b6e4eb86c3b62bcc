/**
 * Compares the policy engine with the reference evaluator over many generated pairs of policies and request.
 * Run by `npm run test:policy-pairs -- [--pairs 1000000] [--seed N]`; exits 1 on a disagreement.
 */
import { parseArgs } from 'node:util';
import * as fc from 'fast-check';
import { PolicyError } from '../src/policy/index.ts';
import { evaluationCases, type EvaluationCase } from '../test/policy/reference-arbitraries.ts';
import { compareCase } from '../test/policy/reference-comparison.ts';

/** Policies of one batch, each with five requests on average. */
const BATCH = 2_000;
const MOST_REQUESTS = 9;
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
const tally = { decided: 0, refused: 0, disagreements: 0 };
/** Pairs that are tried to make a disagreement smaller do not count. */
let isShrinking = false;
console.log(`seed ${firstSeed}`);
for (let batch = 0; tally.decided < wanted && tally.disagreements < MOST_DISAGREEMENTS; batch += 1) {
  const seed = firstSeed + batch;
  isShrinking = false;
  const cases = evaluationCases({ mostRequests: MOST_REQUESTS });
  const result = fc.check(fc.property(cases, agrees), { seed, numRuns: BATCH, maxSkipsPerRun: 10 });
  if (result.failed) {
    tally.disagreements += 1;
    report(seed, result.counterexample?.[0]);
  }
  if (batch % 5 === 4) console.log(`${tally.decided} pairs, ${rate()} a second`);
}
const shares = [...counts].map(
  ([outcome, count]) => `${outcome} ${((100 * count) / tally.decided).toFixed(1)} %`,
);
console.log(`${tally.decided} pairs decided, ${tally.disagreements} disagreements, ${rate()} a second`);
console.log(`of those decided: ${shares.sort().join(', ')} (${tally.refused} sets of policies refused)`);
if (tally.disagreements > 0) process.exitCode = 1;

function agrees(each: EvaluationCase): boolean {
  const results = compareCase(each);
  if (results instanceof PolicyError) {
    if (!isShrinking) tally.refused += 1;
    fc.pre(false);
    return false;
  }
  const agree = results.every(({ engine, reference }) => engine === reference);
  if (!isShrinking) {
    tally.decided += results.length;
    for (const { reference } of results) counts.set(reference, (counts.get(reference) ?? 0) + 1);
  }
  isShrinking ||= !agree;
  return agree;
}

function report(seed: number, each: EvaluationCase | undefined): void {
  if (each === undefined) return;
  console.log(`disagreement (seed ${seed}):`);
  console.log(JSON.stringify({ ...each, results: compareCase(each) }, undefined, 2));
}

function rate(): number {
  return Math.round((tally.decided * 1000) / (performance.now() - started));
}
