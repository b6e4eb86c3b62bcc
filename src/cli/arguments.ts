/** Options of commands: declared once, for parsing (`node:util` parseArgs) and for the help text. */
import { parseArgs } from 'node:util';

import { UsageError } from './command-error.ts';

interface OptionSpec {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  /** May be given several times. */
  readonly multiple?: true;
  /** The value's name in the help text. */
  readonly value?: string;
  readonly help: string;
}

export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

export type OptionValues<Specs extends OptionSpecs> = {
  readonly [Name in keyof Specs]:
    | (Specs[Name] extends { readonly multiple: true }
        ? readonly string[]
        : Specs[Name] extends { readonly type: 'boolean' }
          ? boolean
          : string)
    | undefined;
};

/**
 * Strict: unknown options, missing values, and an option given twice are refused, since taking one of two scopes
 * silently would issue another key than was meant.
 *
 * @throws UsageError
 */
export function parseArguments<const Specs extends OptionSpecs>(
  args: readonly string[],
  specs: Specs,
): { readonly values: OptionValues<Specs>; readonly positionals: readonly string[] } {
  const parsed = parse(args, specs);
  const seen = new Set<string>();
  for (const token of parsed.tokens) {
    if (token.kind !== 'option' || specs[token.name]?.multiple === true) continue;
    if (seen.has(token.name)) {
      throw new UsageError(`The option ${token.rawName} is given twice. Give it once.`);
    }
    seen.add(token.name);
  }
  // parseArgs checked names and kinds against the very specs that the type is derived from.
  return { values: parsed.values as OptionValues<Specs>, positionals: parsed.positionals };
}

/** One line of help for each option. */
export function describeOptions(specs: OptionSpecs): string {
  const rows = Object.entries(specs).map(([name, { short, value, help }]) => ({
    flag: `${short === undefined ? '' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`,
    help,
  }));
  const width = Math.max(...rows.map(({ flag }) => flag.length));
  return rows.map(({ flag, help }) => `  ${flag.padEnd(width)}  ${help}\n`).join('');
}

function parse(args: readonly string[], specs: OptionSpecs) {
  try {
    return parseArgs({
      args: [...args],
      options: Object.fromEntries(
        Object.entries(specs).map(([name, { type, short, multiple }]) => [
          name,
          {
            type,
            ...(short === undefined ? {} : { short }),
            ...(multiple === undefined ? {} : { multiple }),
          },
        ]),
      ),
      allowPositionals: true,
      strict: true,
      tokens: true,
    });
  } catch (error) {
    if (error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS_')) {
      throw new UsageError(describeParseError(error), { cause: error });
    }
    throw error;
  }
}

/** The first sentence of parseArgs, which names the option and never its value. */
function describeParseError(error: Error): string {
  const sentence = error.message.replace(/\. To specify a positional argument[^]*$/, '.');
  return sentence.includes("'--secret-access-key")
    ? '--secret-access-key is not taken: a command line is seen by every user of the machine. `keys import` reads the secret from standard input.'
    : sentence;
}
