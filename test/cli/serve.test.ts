/** `serve` as a process: what it prints, what it keeps to itself, and how it ends. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

const MAIN = join(import.meta.dirname, '../../src/main.ts');

let folder: string;
let running: Served[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bucketwarden-serve-'));
});

afterEach(async () => {
  for (const served of running) served.child.kill('SIGKILL');
  running = [];
  await rm(folder, { recursive: true, force: true });
});

test('a first start shows commands to paste and keeps the secret to a file that only its owner reads', async () => {
  const served = start();
  await served.printed('### End of the commands');
  const file = join(folder, 'data', 'administrator.env');
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const secret = /AWS_SECRET_ACCESS_KEY=(\S+)/.exec(await readFile(file, 'utf8'))?.[1] ?? '';
  expect(secret).toHaveLength(40);
  expect(served.output).toContain(`. '${file}'`);
  expect(served.output).not.toContain(secret);
  expect(await served.stop()).toBe(0);

  const second = start();
  await second.printed('Bucketwarden listens on http://127.0.0.1:');
  expect(await second.stop()).toBe(0);
  expect(second.output).not.toContain('AWS_');
  expect(second.output).not.toContain(secret);
});

test('a wrong setting stops the start, and says where it is and what was expected', async () => {
  const file = join(folder, 'bucketwarden.yaml');
  await writeFile(file, 'region: us-east-1\nlimits:\n  headerBytes: many\n');
  const served = start({ args: ['-c', file] });
  expect(await served.ended).toBe(1);
  expect(served.output).toContain(`${file}:3: limits.headerBytes: expected a whole number`);
});

test('a port that is taken is named with its setting', async () => {
  const first = start();
  const url = await first.printed('listens on http://127.0.0.1:');
  const port = /127\.0\.0\.1:(\d+)/.exec(url)?.[1] ?? '';
  const second = start({
    env: { BUCKETWARDEN_LISTEN: `127.0.0.1:${port}`, BUCKETWARDEN_DATA_DIR: `${folder}/2` },
  });
  expect(await second.ended).toBe(1);
  expect(second.output).toContain(`Port ${port} is in use already`);
  expect(second.output).toContain('BUCKETWARDEN_LISTEN');
});

test('SIGHUP opens the access log anew, for log rotation', async () => {
  const log = join(folder, 'access.log');
  const served = start({ env: { BUCKETWARDEN_ACCESS_LOG: log } });
  const url = /http:\/\/\S+/.exec(await served.printed('listens on http://127.0.0.1:'))?.[0] ?? '';
  await rename(log, `${log}.1`);
  served.child.kill('SIGHUP');
  // Answers keep coming while the file changes; the line of one of them reaches the new file.
  const deadline = Date.now() + 10_000;
  for (;;) {
    const answer = await fetch(`${url}/bucket`);
    expect(answer.status).toBe(403);
    const line = await readFile(log, 'utf8').catch(() => '');
    if (line.includes('REST.GET.BUCKET')) break;
    expect(Date.now()).toBeLessThan(deadline);
  }
  expect(await served.stop()).toBe(0);
});

interface Served {
  readonly child: ChildProcess;
  /** Both streams, so far. */
  readonly output: string;
  /** Waits for a text in the output; resolves to the line of it. Rejects when the process ends before. */
  printed(text: string): Promise<string>;
  /** The exit code. */
  readonly ended: Promise<number | null>;
  /** Asks it to stop, as a service manager does. */
  stop(): Promise<number | null>;
}

function start(
  options: { readonly args?: readonly string[]; readonly env?: Readonly<Record<string, string>> } = {},
): Served {
  const child = spawn(process.execPath, [MAIN, 'serve', ...(options.args ?? [])], {
    cwd: folder,
    env: {
      PATH: process.env['PATH'],
      BUCKETWARDEN_LISTEN: '127.0.0.1:0',
      BUCKETWARDEN_ADMIN_LISTEN: '127.0.0.1:0',
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const waiting = new Set<() => void>();
  const take = (chunk: Buffer): void => {
    output += chunk.toString('utf8');
    for (const tell of waiting) tell();
  };
  child.stdout.on('data', take);
  child.stderr.on('data', take);
  const ended = once(child, 'close').then(([code]) => code as number | null);
  const served: Served = {
    child,
    get output() {
      return output;
    },
    printed: (text) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const line = output
            .split('\n')
            .slice(0, -1)
            .find((each) => each.includes(text));
          if (line === undefined) return;
          waiting.delete(look);
          resolve(line);
        };
        waiting.add(look);
        look();
        child.once('close', () => {
          reject(new Error(`it ended without \`${text}\`: ${output}`));
        });
      }),
    ended,
    stop() {
      child.kill('SIGTERM');
      return ended;
    },
  };
  running.push(served);
  return served;
}
