/**
 * Fuzzes the policy parser and what comes behind it: documents that are changed by characters, tokens and JSON, from
 * the corpus on; one with an outcome of a new kind is changed further.
 * Run by `npm run fuzz:policy -- [--minutes 10] [--seed N]`; exits 1 on a problem, and prints the documents.
 *
 * The work is done in a thread, so that a document over which it hangs can be told.
 */
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
import { parseArgs } from 'node:util';
import { checkDocument } from '../test/policy/fuzz-check.ts';
import { mutate, seededRandom } from '../test/policy/fuzz-mutate.ts';
import { readSeeds } from '../test/policy/fuzz-seeds.ts';

const TYPES = ['resource', 'identity', 'session', 'boundary', 'trust'] as const;
type PolicyType = (typeof TYPES)[number];

/** Longer ones are cut: what is interesting is small, and 20 KB is the limit of a bucket policy. */
const MAX_CHARACTERS = 32 * 1024;
const MAX_POOL = 20_000;
const MOST_PROBLEMS = 10;
/** A document that takes this many times as long as the slowest seed is a hang. */
const TIME_FACTOR = 20;
const SILENCE_MILLISECONDS = 30_000;

interface Task {
  readonly seed: number;
  readonly milliseconds: number;
  /** The document that is worked on: [length, UTF-16 units...]. */
  readonly current: SharedArrayBuffer;
}

interface Document {
  readonly text: string;
  readonly type: PolicyType;
}

interface Progress {
  readonly executions: number;
  readonly accepted: number;
  readonly kinds: number;
  readonly slowest: number;
  readonly problem?: string;
  readonly done?: true;
}

if (isMainThread) watch();
else fuzz(workerData as Task);

function watch(): void {
  const { values } = parseArgs({
    options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string' } },
  });
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
  const milliseconds = Number(values.minutes) * 60_000;
  if (!Number.isSafeInteger(seed) || !(milliseconds > 0)) throw new Error('--minutes and --seed are numbers');
  console.log(`seed ${seed}`);
  const current = new SharedArrayBuffer(4 + MAX_CHARACTERS * 2);
  const task: Task = { seed, milliseconds, current };
  const worker = new Worker(new URL(import.meta.url), { workerData: task });
  let silence = setTimeout(hangs, SILENCE_MILLISECONDS);
  worker.on('message', (progress: Progress) => {
    clearTimeout(silence);
    if (progress.done !== true) silence = setTimeout(hangs, SILENCE_MILLISECONDS);
    const { executions, accepted, kinds, slowest, problem } = progress;
    const line = `${executions} documents, ${accepted} accepted, ${kinds} kinds of outcome`;
    console.log(problem ?? `${line}, the slowest ${slowest.toFixed(1)} ms`);
    if (problem !== undefined) process.exitCode = 1;
  });

  function hangs(): void {
    const [length = 0] = new Int32Array(current, 0, 1);
    const units = new Uint16Array(current, 4, length);
    console.log(`hangs over: ${JSON.stringify(String.fromCharCode(...units))}`);
    process.exit(1);
  }
}

function fuzz({ seed, milliseconds, current }: Task): void {
  const random = seededRandom(seed);
  const length = new Int32Array(current, 0, 1);
  const units = new Uint16Array(current, 4);
  const pools = { accepted: [] as Document[], refused: [] as Document[] };
  const kinds = new Set<string>();
  const tally = { executions: 0, accepted: 0, problems: 0, slowest: 0 };
  let bound = Number.POSITIVE_INFINITY;

  const tell = (more: Partial<Progress> = {}): void => {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    parentPort?.postMessage({ ...tally, kinds: kinds.size, ...more } satisfies Progress);
  };
  const run = (text: string, type: PolicyType): void => {
    length[0] = text.length;
    for (let at = 0; at < text.length; at += 1) units[at] = text.charCodeAt(at);
    const started = performance.now();
    const { problem, accepted, feature } = checkDocument(text, type);
    const took = performance.now() - started;
    tally.executions += 1;
    if (accepted) tally.accepted += 1;
    // What else the machine does may delay one run, not each of three.
    const isSlow = took > bound && Math.min(timeOf(text, type), timeOf(text, type)) > bound;
    if (took <= bound || isSlow) tally.slowest = Math.max(tally.slowest, took);
    const wrong = problem ?? (isSlow ? `takes ${took.toFixed(0)} ms` : undefined);
    if (wrong !== undefined) {
      tally.problems += 1;
      tell({ problem: `${type}: ${wrong}\n  ${JSON.stringify(text)}` });
    }
    if (kinds.has(feature)) return;
    kinds.add(feature);
    const pool = accepted ? pools.accepted : pools.refused;
    if (pool.length < MAX_POOL) pool.push({ text, type });
  };

  const slowestSeed = Math.max(
    ...readSeeds().map(({ text, type }) => {
      const cut = text.slice(0, MAX_CHARACTERS);
      run(cut, type);
      return timeOf(cut, type);
    }),
  );
  bound = Math.max(slowestSeed * TIME_FACTOR, 200);
  const end = performance.now() + milliseconds;
  for (let next = performance.now(); performance.now() < end && tally.problems < MOST_PROBLEMS;) {
    // Most changes make a document one that is refused, so those that are accepted are changed more often.
    const pool = random(4) === 0 ? pools.refused : pools.accepted;
    const parent = pool[random(pool.length)];
    const other = pools.accepted[random(pools.accepted.length)];
    if (parent === undefined || other === undefined) break;
    const type = random(8) === 0 ? (TYPES[random(TYPES.length)] ?? parent.type) : parent.type;
    run(mutate(parent.text, other.text, random).slice(0, MAX_CHARACTERS), type);
    if (performance.now() < next) continue;
    next = performance.now() + 10_000;
    tell();
  }
  tell({ done: true });
}

function timeOf(text: string, type: PolicyType): number {
  const started = performance.now();
  checkDocument(text, type);
  return performance.now() - started;
}
