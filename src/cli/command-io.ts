/** What a command has of the world around it: handed in, so that a test can stand for it. */

export interface CommandIo {
  /** Results, and nothing else. */
  readonly stdout: CommandOutput;
  /** Warnings, errors and prompts. */
  readonly stderr: CommandOutput;
  readonly stdin: CommandInput;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly randomBytes: (size: number) => Buffer;
}

interface CommandOutput {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** Standard input: a stream of bytes, perhaps of a terminal. */
export interface CommandInput extends AsyncIterable<unknown> {
  readonly isTTY?: boolean;
  setRawMode?(raw: boolean): unknown;
}

export function warn(io: CommandIo, message: string): void {
  io.stderr.write(`warning: ${message}\n`);
}
