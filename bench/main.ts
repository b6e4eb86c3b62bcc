/**
 * Bucketwarden side by side with direct access and with http-proxy, on the loopback interface, in one run.
 *
 *   npm run bench [-- --quick]
 *
 * Prints Markdown for `docs/performance.md`, which tells the method.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Load, type LoadClient, startLoadClient } from './load-client.ts';
import { measureMemory, type MemoryUse } from './memory.ts';
import { cpuSeconds } from './process-use.ts';
import { type Bench, SERVERS, type ServerName, startBench, type Subject } from './servers.ts';
import { median, printTable, rounded } from './table.ts';

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } });
const SCALE = values.quick
  ? { rounds: 1, milliseconds: 500, transfers: 2, warmUp: 3000, memoryBytes: 512 * 1024 ** 2 }
  : { rounds: 5, milliseconds: 2000, transfers: 5, warmUp: 25_000, memoryBytes: 1024 * 1024 ** 2 };

const KIB = 1024;
const MIB = 1024 ** 2;
const MANY = 1_000_000;

interface Measurement {
  readonly title: string;
  readonly unit: 'requests/s' | 'MB/s';
  readonly servers: readonly ServerName[];
  readonly load: (subject: Subject) => Load;
}

interface Samples {
  readonly rates: number[];
  /** Microseconds of the server's CPU for each request. */
  readonly cpu: number[];
}

const MEASUREMENTS: readonly Measurement[] = [
  small('1 KiB GET, 1 connection', 1),
  small('1 KiB GET, 32 connections', 32),
  {
    title: '64 MiB GET',
    unit: 'MB/s',
    servers: SERVERS,
    load: (subject) => transfers(subject.request({ size: 64 * MIB })),
  },
  {
    title: '64 MiB PUT, sha256 declared',
    unit: 'MB/s',
    servers: SERVERS,
    load: (subject) => transfers(subject.request({ method: 'PUT', size: 64 * MIB })),
  },
  {
    title: '64 MiB PUT, UNSIGNED-PAYLOAD',
    unit: 'MB/s',
    servers: SERVERS,
    load: (subject) => transfers(subject.request({ method: 'PUT', size: 64 * MIB, unsigned: true })),
  },
  {
    title: 'refused: wrong signature, 32 connections',
    unit: 'requests/s',
    servers: ['Bucketwarden'],
    load: (subject) => timed(subject.request({ size: KIB, as: 'forger' }), 32, 403),
  },
  {
    title: 'refused: denied by policy, 32 connections',
    unit: 'requests/s',
    servers: ['Bucketwarden'],
    load: (subject) => timed(subject.request({ size: KIB, as: 'stranger' }), 32, 403),
  },
];

const started = performance.now();
const folder = await mkdtemp(join(tmpdir(), 'bucketwarden-bench-'));
const client = startLoadClient();
try {
  const samples = await withBench('rates', measureRates);
  const memory: MemoryUse[] = [];
  for (const size of [MIB, 256 * MIB])
    memory.push(await withBench(`memory-${size}`, (bench) => measureMemory(bench, client, size, SCALE)));
  printMachine();
  printRates(samples);
  printCpu(samples);
  printMemory(memory);
  console.log(`\nTook ${Math.round((performance.now() - started) / 1000)} s.`);
} finally {
  await client.close();
  await rm(folder, { recursive: true, force: true });
}

async function withBench<T>(name: string, work: (bench: Bench) => Promise<T>): Promise<T> {
  const bench = await startBench(join(folder, name));
  try {
    return await work(bench);
  } finally {
    await bench.close();
  }
}

/** By measurement and server. The servers take turns, so that what else the machine does hits all of them. */
async function measureRates(bench: Bench): Promise<ReadonlyMap<string, Samples>> {
  const samples = new Map<string, Samples>();
  for (const server of SERVERS) await warmUp(bench.subjects[server]);
  for (let round = 0; round < SCALE.rounds; round += 1)
    for (const measurement of MEASUREMENTS)
      for (const server of measurement.servers)
        await sample(measurement, bench.subjects[server], client, samplesOf(samples, measurement, server));
  return samples;
}

/** Until the JIT compiler has seen enough: before that, all servers take twice the time and more. */
async function warmUp(subject: Subject): Promise<void> {
  const load = timed(subject.request({ size: KIB }), 32, 200);
  await client.run({ ...load, milliseconds: 15_000, requests: SCALE.warmUp });
}

async function sample(
  { unit, load }: Measurement,
  subject: Subject,
  loadClient: LoadClient,
  { rates, cpu }: Samples,
): Promise<void> {
  const before = cpuSeconds(subject.pid);
  const { requests, bytes, seconds } = await loadClient.run(load(subject));
  cpu.push(((cpuSeconds(subject.pid) - before) * 1e6) / requests);
  rates.push(unit === 'MB/s' ? bytes / 1e6 / seconds : requests / seconds);
}

function samplesOf(samples: Map<string, Samples>, { title }: Measurement, server: ServerName): Samples {
  const id = `${title}\n${server}`;
  const found = samples.get(id) ?? { rates: [], cpu: [] };
  samples.set(id, found);
  return found;
}

function small(title: string, connections: number): Measurement {
  return {
    title,
    unit: 'requests/s',
    servers: SERVERS,
    load: (subject) => timed(subject.request({ size: KIB }), connections, 200),
  };
}

type Request = Pick<Load, 'port' | 'head' | 'bodySize'>;

function timed(request: Request, connections: number, expectStatus: number): Load {
  return { ...request, connections, expectStatus, milliseconds: SCALE.milliseconds, requests: MANY };
}

/** A fixed number of large objects, one after another. */
function transfers(request: Request): Load {
  return { ...request, connections: 1, expectStatus: 200, milliseconds: 20_000, requests: SCALE.transfers };
}

function printMachine(): void {
  const cores = `${availableParallelism()} cores`;
  console.log(`${cpus()[0]?.model.trim() ?? 'unknown CPU'}, ${cores}, Node.js ${process.versions.node}.`);
  console.log(`Medians of ${SCALE.rounds} interleaved rounds.\n`);
}

function printRates(samples: ReadonlyMap<string, Samples>): void {
  const rows = MEASUREMENTS.map(({ title, unit }) => {
    const [direct, proxy, gateway] = SERVERS.map((server) =>
      median(samples.get(`${title}\n${server}`)?.rates),
    );
    return [`${title} (${unit})`, rounded(direct), rounded(proxy), rounded(gateway), ratio(gateway, proxy)];
  });
  printTable(['', 'direct', 'http-proxy', 'Bucketwarden', 'Bucketwarden ÷ http-proxy'], rows);
}

/** Steadier than the rates on a busy machine: it does not count what others take. */
function printCpu(samples: ReadonlyMap<string, Samples>): void {
  const rows = MEASUREMENTS.map(({ title }) => {
    const [, proxy, gateway] = SERVERS.map((server) => median(samples.get(`${title}\n${server}`)?.cpu));
    return [title, rounded(proxy), rounded(gateway), ratio(gateway, proxy)];
  });
  console.log('\nCPU time of the proxy for one request, in microseconds:\n');
  printTable(['', 'http-proxy', 'Bucketwarden', 'Bucketwarden ÷ http-proxy'], rows);
}

function printMemory(memory: readonly MemoryUse[]): void {
  const rows = memory.map((use) => [
    `${rounded(use.objectSize / MIB)} MiB`,
    rounded(use.before),
    rounded(use.peak),
    rounded(use.after),
  ]);
  const total = (SCALE.memoryBytes / MIB).toLocaleString('en-US');
  console.log(`\nResident memory of Bucketwarden in MiB; ${total} MiB each way over 4 connections:\n`);
  printTable(['objects of', 'before', 'peak', 'after'], rows);
}

function ratio(part: number | undefined, whole: number | undefined): string {
  return part === undefined || whole === undefined ? '' : (part / whole).toFixed(2);
}
