/**
 * Policy decisions a second, beside the engine of MinIO over the same policies and requests; and what patterns cost that
 * are made to be expensive. Usage: npm run bench:policy [-- --quick]
 */

import { deepStrictEqual } from 'node:assert';
import { cpus } from 'node:os';
import {
  compilePolicy,
  evaluate,
  parsePolicy,
  type EvaluationRequest,
  type PolicySet,
} from '../src/policy/index.ts';
import { startPeer } from './policy-peer.ts';
import { printScaling } from './policy-scaling.ts';
import { workload, type Workload, type WorkloadRequest } from './policy-workload.ts';
import { median, printTable, rounded } from './table.ts';

const ACCOUNT = '111122223333';
/** A multiple of the requests of a row: to ask for the time is not free. */
const CHECK_EVERY = 6400;

interface Prepared {
  readonly policies: PolicySet;
  readonly requests: readonly EvaluationRequest[];
}

const quick = process.argv.includes('--quick');
const rounds = quick ? 3 : 9;
const milliseconds = quick ? 200 : 1000;

console.log(`${cpus()[0]?.model ?? 'unknown CPU'}, ${cpus().length} cores, Node.js ${process.versions.node}`);
console.log(
  `Decisions in a second of CPU time: medians of ${rounds} interleaved rounds, each of ${milliseconds} ms for a row and an engine.\n`,
);
await compare();
printScaling({ quick });

async function compare(): Promise<void> {
  const workloads = [1, 10, 100, 1000].map(workload);
  const prepared = workloads.map(prepare);
  await using peer = await startPeer(workloads);
  if (peer !== undefined) deepStrictEqual(prepared.map(decisionsOf), peer.decisions, 'the engines disagree');

  const ours = prepared.map((): number[] => []);
  const theirs = prepared.map((): number[] => []);
  for (const each of prepared) measure(each, milliseconds);
  for (let round = 0; round < rounds; round += 1) {
    for (const [row, each] of prepared.entries()) {
      ours[row]?.push(measure(each, milliseconds));
      if (peer !== undefined) theirs[row]?.push(await peer.measure(row, milliseconds));
    }
  }
  printTable(
    ['statements', 'allowed', 'Bucketwarden', 'MinIO', 'Bucketwarden ÷ MinIO'],
    workloads.map(({ statements }, row) => {
      const [our, their] = [median(ours[row]), median(theirs[row])];
      const ratio = our === undefined || their === undefined ? undefined : our / their;
      return [
        statements.toLocaleString('en-US'),
        share(prepared[row]),
        rounded(our),
        rounded(their),
        rounded(ratio),
      ];
    }),
  );
  console.log();
}

function prepare({ policy, requests }: Workload): Prepared {
  const identity = compilePolicy(parsePolicy(policy, { type: 'identity' }), { name: 'identity' });
  return { policies: { identity }, requests: requests.map(evaluationRequest) };
}

function evaluationRequest({
  userName,
  action,
  bucket,
  key,
  conditions,
}: WorkloadRequest): EvaluationRequest {
  const values = new Map(Object.entries(conditions).map(([name, value]) => [name.toLowerCase(), value]));
  return {
    action,
    resource: `arn:aws:s3:::${bucket}${key === undefined ? '' : `/${key}`}`,
    resourceAccount: ACCOUNT,
    principal: {
      type: 'user',
      arn: `arn:aws:iam::${ACCOUNT}:user/${userName}`,
      accountId: ACCOUNT,
      userName,
    },
    context: (name) => values.get(name),
  };
}

function decisionsOf({ policies, requests }: Prepared): boolean[] {
  return requests.map((request) => evaluate(request, policies).effect === 'Allow');
}

function share(prepared: Prepared | undefined): string {
  const decisions = prepared === undefined ? [] : decisionsOf(prepared);
  return `${Math.round((decisions.filter(Boolean).length / decisions.length) * 100)} %`;
}

/** Decisions in a second of CPU time. */
function measure({ policies, requests }: Prepared, atLeast: number): number {
  const start = process.cpuUsage();
  let count = 0;
  for (;;) {
    for (const request of requests) evaluate(request, policies);
    count += requests.length;
    if (count % CHECK_EVERY !== 0) continue;
    const { user, system } = process.cpuUsage(start);
    if (user + system >= atLeast * 1000) return (count / (user + system)) * 1e6;
  }
}
