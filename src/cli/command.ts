/** A command: its help, its options, what it does, and how its failures become exit codes. */
import { ConfigError } from '../config/index.ts';
import { IdentityInputError, IdentityStoreError, MasterKeyError } from '../identity/index.ts';
import { describeOptions, parseArguments, type OptionSpecs, type OptionValues } from './arguments.ts';
import { CommandError, InputError, UsageError } from './command-error.ts';
import { type CommandIo } from './command-io.ts';

/** 0: done; 1: it could not be done, or was not found good; 2: the command line, or what was given to work on, is wrong. */
export type ExitCode = 0 | 1 | 2;

export interface Command {
  /** As it is typed after the program's name: `keys issue`. */
  readonly name: string;
  readonly summary: string;
  run(args: readonly string[], io: CommandIo): Promise<ExitCode>;
}

export interface CommandSpec<Specs extends OptionSpecs> {
  readonly name: string;
  /** One line for lists of commands. */
  readonly summary: string;
  /** The names of arguments that are no options, each required; the last may be `FILE...`: one or more, or `[ID]`: none or one. */
  readonly positionals: readonly string[];
  readonly options: Specs;
  /** More for the help text; ends with a line break. */
  readonly notes?: string;
  /** Resolves to nothing, or to an exit code where that is a result: of a check. */
  run(
    values: OptionValues<Specs>,
    positionals: readonly string[],
    io: CommandIo,
  ): Promise<ExitCode | undefined>;
}

const PROGRAM = 'bucketwarden';

const EXPECTED = [CommandError, InputError, IdentityInputError, IdentityStoreError, MasterKeyError];

const HELP_OPTION = { help: { type: 'boolean', short: 'h', help: 'show this text' } } as const;

/** `run` never rejects: what goes wrong is told on standard error. */
export function defineCommand<const Specs extends OptionSpecs>(spec: CommandSpec<Specs>): Command {
  const { name, summary, positionals } = spec;
  const options: OptionSpecs = { ...spec.options, ...HELP_OPTION };
  return {
    name,
    summary,
    run: (args, io) =>
      runGuarded(name, io, async () => {
        if (asksForHelp(args)) {
          io.stdout.write(helpText(spec, options));
          return 0;
        }
        const parsed = parseArguments(args, spec.options);
        checkCount(parsed.positionals.length, positionals);
        return spec.run(parsed.values, parsed.positionals, io);
      }),
  };
}

/** @throws UsageError which does not show what was given: where nothing belongs, it may be a secret. */
function checkCount(given: number, names: readonly string[]): void {
  const last = names.at(-1);
  const least = last?.startsWith('[') === true ? names.length - 1 : names.length;
  if (given < least) throw new UsageError(`${names.slice(given, least).join(' and ')} missing.`);
  if (given <= names.length || last?.endsWith('...') === true) return;
  throw new UsageError(
    `${given} argument${given === 1 ? '' : 's'} given, ${names.length} expected. Put quotes around values with spaces.`,
  );
}

/** Commands under one word: `keys issue`, `keys list`. */
export function defineGroup(name: string, summary: string, commands: readonly Command[]): Command {
  const help = groupHelp(name, summary, commands);
  return {
    name,
    summary,
    async run(args, io) {
      const [word, ...rest] = args;
      const command = commands.find((each) => each.name === `${name} ${word}`);
      if (command !== undefined) return command.run(rest, io);
      if (word !== undefined && (word === 'help' || asksForHelp([word]))) {
        io.stdout.write(help);
        return 0;
      }
      const problem = word === undefined ? 'A command is missing.' : `\`${word}\` is no command of it.`;
      io.stderr.write(`${PROGRAM} ${name}: ${problem}\n\n${help}`);
      return 2;
    },
  };
}

async function runGuarded(
  name: string,
  io: CommandIo,
  work: () => Promise<ExitCode | undefined>,
): Promise<ExitCode> {
  try {
    return (await work()) ?? 0;
  } catch (error) {
    if (error instanceof UsageError) {
      io.stderr.write(`${PROGRAM} ${name}: ${error.message}\nSee \`${PROGRAM} ${name} --help\`.\n`);
      return 2;
    }
    io.stderr.write(`${PROGRAM} ${name}: ${describeError(error)}\n`);
    return error instanceof IdentityInputError || error instanceof InputError ? 2 : 1;
  }
}

function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof ConfigError) return `The configuration is refused.\n${error.message}`;
  const because = error.cause instanceof Error ? ` (${error.cause.message})` : '';
  // Errors of the system (no permission, disk full, store locked) have a code; what has none is a bug, for a report.
  const expected = EXPECTED.some((kind) => error instanceof kind) || 'code' in error;
  return expected ? `${error.message}${because}` : `${error.stack ?? error.message}${because}`;
}

function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return args.slice(0, end === -1 ? undefined : end).some((word) => word === '--help' || word === '-h');
}

function helpText<Specs extends OptionSpecs>(spec: CommandSpec<Specs>, options: OptionSpecs): string {
  const usage = [PROGRAM, spec.name, ...spec.positionals, '[options]'].join(' ');
  const notes = spec.notes === undefined ? '' : `\n${spec.notes}`;
  return `Usage: ${usage}\n\n${spec.summary}\n\nOptions:\n${describeOptions(options)}${notes}`;
}

function groupHelp(name: string, summary: string, commands: readonly Command[]): string {
  const rows = commands.map((command) => ({ usage: `${PROGRAM} ${command.name}`, summary: command.summary }));
  const width = Math.max(...rows.map(({ usage }) => usage.length));
  const list = rows.map((row) => `  ${row.usage.padEnd(width)}  ${row.summary}\n`).join('');
  return `Usage: ${PROGRAM} ${name} COMMAND [options]\n\n${summary}\n\n${list}\nEach has --help.\n`;
}
