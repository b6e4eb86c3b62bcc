/** Options that every `keys` command has. */
import { UsageError } from '../command-error.ts';

export const COMMON_OPTIONS = {
  config: { type: 'string', short: 'c', value: 'FILE', help: 'the configuration file of the gateway' },
  output: { type: 'string', value: 'text|json', help: 'how to print the result (default: text)' },
} as const;

/** @throws UsageError for another word than `text` and `json`. */
export function parseOutputFormat(text: string | undefined): 'text' | 'json' {
  if (text === undefined || text === 'text') return 'text';
  if (text === 'json') return 'json';
  throw new UsageError(`--output is \`text\` or \`json\`, not \`${text}\`.`);
}
