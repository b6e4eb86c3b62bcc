/** A secret from standard input: piped in, or typed without echo. */
import { CommandError } from './command-error.ts';
import { type CommandInput, type CommandIo } from './command-io.ts';

/** Far above any secret, far below anything else that is piped in by mistake. */
const MAX_BYTES = 4096;

const INTERRUPT = '\u0003';
const END_OF_INPUT = '\u0004';
const ERASE: ReadonlySet<string> = new Set(['\u0008', '\u007f']);

/**
 * The whole of standard input without one line break at its end; on a terminal, the line typed at the prompt.
 *
 * @throws CommandError when there is too much of it, or the user interrupts.
 */
export async function readSecretLine(io: CommandIo, prompt: string): Promise<string> {
  const { stdin } = io;
  if (stdin.isTTY !== true || stdin.setRawMode === undefined) {
    return (await readAll(stdin)).replace(/\r?\n$/, '');
  }
  io.stderr.write(prompt);
  stdin.setRawMode(true);
  try {
    return await readTyped(stdin);
  } finally {
    stdin.setRawMode(false);
    io.stderr.write('\n');
  }
}

async function readAll(stdin: CommandInput): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stdin) {
    const bytes = Buffer.from(chunk as Uint8Array | string);
    size += bytes.length;
    if (size > MAX_BYTES) {
      throw new CommandError(`Standard input has more than ${MAX_BYTES} bytes: it must be the secret alone.`);
    }
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString('utf8');
}

async function readTyped(stdin: CommandInput): Promise<string> {
  const typed: string[] = [];
  for await (const chunk of stdin) {
    for (const character of String(chunk)) {
      if (character === '\r' || character === '\n' || character === END_OF_INPUT) return typed.join('');
      if (character === INTERRUPT) throw new CommandError('Interrupted; nothing was changed.');
      if (ERASE.has(character)) typed.pop();
      else typed.push(character);
    }
  }
  return typed.join('');
}
