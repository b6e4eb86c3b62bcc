/** The policy engine of MinIO, as a process of its own that is told by a file what to decide. See policy-peer/main.go. */

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Workload, WorkloadRequest } from './policy-workload.ts';

export interface Peer extends AsyncDisposable {
  /** Of each row, whether each request is allowed. */
  readonly decisions: readonly (readonly boolean[])[];
  /** Decisions in a second, measured for about so long. */
  measure(row: number, milliseconds: number): Promise<number>;
}

/** Undefined, with a word about it, where there is no Go or its modules cannot be had. */
export async function startPeer(workloads: readonly Workload[]): Promise<Peer | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-policy-'));
  const removeFolder = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    const program = build(folder);
    if (program !== undefined) return await run(program, folder, workloads, removeFolder);
  } catch (error) {
    removeFolder();
    throw error;
  }
  removeFolder();
  return undefined;
}

function build(folder: string): string | undefined {
  const PATH = `${process.env['PATH'] ?? ''}${delimiter}/usr/local/go/bin`;
  const env: NodeJS.ProcessEnv = { ...process.env, PATH };
  if (spawnSync('go', ['version'], { env }).status !== 0) {
    console.log('There is no Go here, so MinIO is left out.\n');
    return undefined;
  }
  const program = join(folder, 'policy-peer');
  const built = spawnSync('go', ['build', '-o', program, '.'], {
    cwd: join(import.meta.dirname, 'policy-peer'),
    env,
    encoding: 'utf8',
  });
  if (built.status === 0) return program;
  console.log(`The peer could not be built, so MinIO is left out:\n${built.stderr}\n`);
  return undefined;
}

async function run(
  program: string,
  folder: string,
  workloads: readonly Workload[],
  removeFolder: () => void,
): Promise<Peer> {
  const file = join(folder, 'workloads.json');
  const rows = workloads.map(({ policy, requests }) => ({
    policy: JSON.parse(policy) as unknown,
    requests: requests.map(peerRequest),
  }));
  writeFileSync(file, JSON.stringify(rows));
  const child = spawn(program, [file], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const nextLine = async (): Promise<string> => {
    const line = await lines.next();
    if (line.done === true) throw new Error('the peer ended; what is wrong stands above');
    return line.value;
  };
  return {
    decisions: JSON.parse(await nextLine()) as boolean[][],
    measure: async (row, milliseconds) => {
      child.stdin.write(`${row} ${milliseconds}\n`);
      const [count = 0, nanoseconds = 1] = (await nextLine()).split(' ').map(Number);
      return (count / nanoseconds) * 1e9;
    },
    [Symbol.asyncDispose]: async () => {
      const ended = new Promise((resolve) => child.once('close', resolve));
      child.stdin.end();
      await ended;
      removeFolder();
    },
  };
}

/** MinIO names condition keys without their service. */
function peerRequest({ userName, action, bucket, key, conditions }: WorkloadRequest): unknown {
  const values = Object.entries(conditions).map(([name, value]) => [
    name.slice(name.indexOf(':') + 1),
    [value],
  ]);
  return { account: userName, action, bucket, object: key ?? '', conditions: Object.fromEntries(values) };
}
