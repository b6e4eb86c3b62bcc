/** Child processes of the contract tests and benchmarks: a known environment, an end in time, no orphans. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, realpathSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Agent, request } from 'undici';

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  /** Added to `PATH`, `LC_ALL` and `HOME`; nothing else is taken from the caller's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** The child's home and working directory, so that no configuration of the user is read. */
  readonly folder: string;
  readonly input?: string;
  /** Milliseconds until the child is killed; 60,000 when absent. */
  readonly timeout?: number;
}

export interface Outcome {
  /** `undefined` when a signal ended the child. */
  readonly code: number | undefined;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Runs a child to its end. Rejects only when it cannot be started. */
export function run(command: Command): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(command.file, command.args, {
      cwd: command.folder,
      env: environment(command),
      timeout: command.timeout ?? 60_000,
      killSignal: 'SIGKILL',
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.on('error', reject);
    child.on('close', (code) => {
      resolve({
        code: code ?? undefined,
        stdout: Buffer.concat(stdout),
        stderr: Buffer.concat(stderr).toString(),
      });
    });
    // A child may end without reading its input.
    child.stdin.on('error', () => undefined);
    child.stdin.end(command.input);
  });
}

/** Runs a child to its end and returns what it printed. Throws with its last words when it fails. */
export async function runOrThrow(command: Command): Promise<Buffer> {
  const outcome = await run(command);
  if (outcome.code === 0) return outcome.stdout;
  const words = `${outcome.stderr}\n${outcome.stdout.subarray(-2000).toString()}`.trim();
  throw new Error(`\`${command.file}\` ended with ${outcome.code ?? 'a signal'}: ${words.slice(-2000)}`);
}

/** The first version number that a program prints, `1.2.3` or `1.2`. Throws when it prints none. */
export async function printedVersion(file: string, ...args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await run({ file, args, folder: tmpdir() });
  const version = /\d+\.\d+(?:\.\d+)*/.exec(`${stdout.toString()}\n${stderr}`)?.[0];
  if (version === undefined) throw new Error(`\`${file} ${args.join(' ')}\` printed no version`);
  return version;
}

/** The version in the name of the file that a program is a link to: what `go install` builds does not know its own. */
export function installedVersion(program: string): Promise<string> {
  const name = basename(realpathSync(program));
  const version = /-v(?<version>\d.*)$/.exec(name)?.groups?.['version'];
  return version === undefined
    ? Promise.reject(new Error(`\`${name}\` names no version`))
    : Promise.resolve(version);
}

export interface Server {
  readonly pid: number;
  hasEnded(): boolean;
  /** Everything it has printed so far. */
  output(): string;
  /** Asks it and its children to stop, and kills them when they have not after ten seconds. */
  close(): Promise<void>;
}

/** Children that still run: they end with this process. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) signalGroup(child, 'SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

/** Starts a server and waits until `readyUrl` answers 200. Throws with its output when it ends or takes a minute. */
export async function startServer(command: Command, readyUrl: string, caFile?: string): Promise<Server> {
  const server = startDaemon(command);
  if (await answers(readyUrl, caFile, server)) return server;
  await server.close();
  throw new Error(
    `\`${command.file} ${command.args.join(' ')}\` did not start:\n${server.output().slice(-4000)}`,
  );
}

/** Starts a server and does not wait for it. */
export function startDaemon(command: Command): Server {
  const log = `${command.folder}/output.log`;
  const file = openSync(log, 'w', 0o600);
  const child = spawn(command.file, command.args, {
    cwd: command.folder,
    env: environment(command),
    stdio: ['ignore', file, file],
    // A process group of its own, so that what it started (`npm start`: a shell, and that the server) ends with it.
    detached: true,
  });
  closeSync(file);
  running.add(child);
  const ended = new Promise<void>((resolve) => {
    child.once('error', () => resolve());
    child.once('exit', () => resolve());
  });
  return {
    pid: child.pid ?? 0,
    hasEnded: () => child.exitCode !== null || child.signalCode !== null || child.pid === undefined,
    output: () => readFileSync(log, 'utf8'),
    async close() {
      await stop(child, ended);
      running.delete(child);
    },
  };
}

/** A port of the loopback address that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        if (typeof address === 'object' && address !== null) resolve(address.port);
        else reject(new Error('no port'));
      });
    });
  });
}

function environment(command: Command): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    LC_ALL: 'C.UTF-8',
    HOME: command.folder,
    ...command.env,
  };
}

async function answers(url: string, caFile: string | undefined, server: Server): Promise<boolean> {
  const dispatcher = new Agent(caFile === undefined ? {} : { connect: { ca: readFileSync(caFile) } });
  try {
    const deadline = Date.now() + 60_000;
    while (Date.now() < deadline && !server.hasEnded()) {
      try {
        const response = await request(url, { dispatcher, headersTimeout: 2000 });
        await response.body.dump();
        if (response.statusCode === 200) return true;
      } catch {
        // Not listening yet.
      }
      await delay(50);
    }
    return false;
  } finally {
    await dispatcher.destroy();
  }
}

async function stop(child: ChildProcess, ended: Promise<void>): Promise<void> {
  signalGroup(child, 'SIGTERM');
  const timer = setTimeout(() => signalGroup(child, 'SIGKILL'), 10_000);
  await ended;
  for (let waits = 0; waits < 600 && signalGroup(child, 0); waits += 1) await delay(20);
  clearTimeout(timer);
}

/** False when none of the child's group is left. */
function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals | 0): boolean {
  if (pid === undefined) return false;
  try {
    return process.kill(-pid, signal);
  } catch {
    return false;
  }
}
