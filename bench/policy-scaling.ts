/** What a decision costs when every pattern of a policy is made to be expensive, as patterns and texts get longer. */

import {
  compilePolicy,
  evaluate,
  parsePolicy,
  type EvaluationRequest,
  type PolicySet,
} from '../src/policy/index.ts';
import { printTable, rounded } from './table.ts';

const ACCOUNT = '111122223333';
const BUCKET = 'arn:aws:s3:::logs/';
const KEY_LENGTHS = [256, 512, 1024, 2048];
const POLICY_KIB = [5, 10, 20, 40];

/** A pattern that is nearly matched in many ways, and the text that it is nearly matched by. */
interface Pathology {
  readonly name: string;
  readonly pattern: string;
  readonly text: (length: number) => string;
  readonly userName?: (length: number) => string;
}

const ofA = (length: number): string => 'a'.repeat(length);

const PATHOLOGIES: readonly Pathology[] = [
  { name: '`*a*a*a*b`', pattern: '*a*a*a*b', text: ofA },
  { name: '`*a*a*a*b*`', pattern: '*a*a*a*b*', text: ofA },
  { name: '`?*?*?*b`', pattern: '?*?*?*b', text: ofA },
  { name: '`*?a?a?a?b*`', pattern: '*?a?a?a?b*', text: ofA },
  { name: '250 times `*a`, then `c*`', pattern: `${'*a'.repeat(250)}c*`, text: ofA },
  { name: '100 times `*?a`, then `c*`', pattern: `${'*?a'.repeat(100)}c*`, text: ofA },
  { name: '`*`, 30 times `a`, then `b*`', pattern: `*${ofA(30)}b*`, text: ofA },
  { name: '`*`, 250 times `a`, then `b*`', pattern: `*${ofA(250)}b*`, text: ofA },
  { name: '`*`, 15 times `?a`, then `b`', pattern: `*${'?a'.repeat(15)}b`, text: ofA },
  {
    name: '`*${aws:username}*b*`, a name of half the length',
    pattern: '*${aws:username}*b*',
    text: ofA,
    userName: (length) => ofA(length / 2),
  },
];

/** Prints microseconds for a decision, and how they grow from the first column to the last. */
export function printScaling({ quick }: { readonly quick: boolean }): void {
  const milliseconds = quick ? 20 : 200;
  const unit = 'microseconds of CPU time for a decision';
  console.log(`A policy of 20 KB, full of one pattern; keys of so many bytes (${unit}):\n`);
  printGrowth(
    KEY_LENGTHS.map((length) => length.toLocaleString('en-US')),
    (pathology) => KEY_LENGTHS.map((length) => time(pathology, { kib: 20, length, milliseconds })),
  );
  console.log(`\nKeys of 1,024 bytes; policies of so many KB (${unit}):\n`);
  printGrowth(
    POLICY_KIB.map((kib) => `${kib} KB`),
    (pathology) => POLICY_KIB.map((kib) => time(pathology, { kib, length: 1024, milliseconds })),
  );
  console.log();
}

/** The last size is eight times the first. */
function printGrowth(columns: readonly string[], times: (pathology: Pathology) => readonly number[]): void {
  const rows = PATHOLOGIES.map((pathology) => {
    const measured = times(pathology);
    const growth = (measured.at(-1) ?? 0) / (measured[0] ?? 1);
    return [pathology.name].concat(measured.map(rounded), growth.toFixed(1));
  });
  printTable(['pattern', ...columns, 'growth at 8 times the size'], rows);
}

function time(
  { pattern, text, userName }: Pathology,
  size: { readonly kib: number; readonly length: number; readonly milliseconds: number },
): number {
  const policy = compilePolicy(parsePolicy(policyOf(pattern, size.kib * 1024), { type: 'identity' }), {
    name: 'pathological',
  });
  const name = userName?.(size.length);
  const request: EvaluationRequest = {
    action: 's3:GetObject',
    resource: BUCKET + text(size.length),
    resourceAccount: ACCOUNT,
    principal: { type: 'user', arn: `arn:aws:iam::${ACCOUNT}:user/alice`, accountId: ACCOUNT },
    context: (key) => (key === 'aws:username' ? name : undefined),
  };
  decide(request, { identity: policy }, WARM_UP);
  // The system counts CPU time in ticks of some milliseconds.
  for (let count = 1; ; count *= 2) {
    const start = process.threadCpuUsage();
    decide(request, { identity: policy }, count);
    const { user, system } = process.threadCpuUsage(start);
    if (user + system >= size.milliseconds * 1000) return (user + system) / count;
  }
}

const WARM_UP = 20;

function decide(request: EvaluationRequest, policies: PolicySet, times: number): void {
  for (let count = 0; count < times; count += 1) {
    if (evaluate(request, policies).effect !== 'Deny') throw new Error('the pattern matches');
  }
}

/** As many resources as fit. */
function policyOf(pattern: string, bytes: number): string {
  const resources: string[] = [];
  const text = (): string =>
    JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: resources }],
    });
  const room = bytes - text().length;
  const one = JSON.stringify(BUCKET + pattern).length + 1;
  for (let used = one; used <= room; used += one) resources.push(BUCKET + pattern);
  return text();
}
