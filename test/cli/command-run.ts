import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { runKeysCommand, runPolicyCommand, type CommandIo } from '../../src/cli/index.ts';
import { NOW } from '../identity/fixtures.ts';

export interface CommandRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly dataDir: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly now?: number;
  /** Piped into standard input. */
  readonly piped?: string;
  /** Instead of a pipe. */
  readonly stdin?: CommandIo['stdin'];
}

/** Runs `keys ARGS` with everything captured, on a data folder of the caller's. */
export function keys(args: readonly string[], options: RunOptions): Promise<CommandRun> {
  return run(runKeysCommand, args, options);
}

/** Runs `policy ARGS` with everything captured; without a data folder, on one that is not there. */
export function policy(args: readonly string[], options: Partial<RunOptions> = {}): Promise<CommandRun> {
  return run(runPolicyCommand, args, { dataDir: '/nonexistent/bucketwarden', ...options });
}

async function run(
  command: typeof runKeysCommand,
  args: readonly string[],
  options: RunOptions,
): Promise<CommandRun> {
  const written = { stdout: '', stderr: '' };
  const code = await command(args, {
    stdout: {
      write: (text) => {
        written.stdout += text;
      },
    },
    stderr: {
      write: (text) => {
        written.stderr += text;
      },
    },
    stdin: options.stdin ?? Readable.from(options.piped === undefined ? [] : [Buffer.from(options.piped)]),
    env: { BUCKETWARDEN_DATA_DIR: options.dataDir, ...options.env },
    now: () => options.now ?? NOW,
    randomBytes,
  });
  return { code, ...written };
}
