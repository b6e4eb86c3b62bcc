/** One policy out of a file that was given to a command. */
import { readFileSync } from 'node:fs';
import { parsePolicy, PolicyError, type PolicySource } from '../../policy/index.ts';
import { InputError } from '../command-error.ts';

export interface PolicyFileOptions {
  readonly type: 'boundary' | 'identity' | 'resource' | 'session';
  /** Of a bucket policy: whose it is. */
  readonly bucket?: string;
}

/** @throws InputError for a file that cannot be read, or a policy that would be refused: with file, line and column. */
export function readPolicyFile(file: string, options: PolicyFileOptions): PolicySource;
export function readPolicyFile(
  file: string,
  options: PolicyFileOptions & { readonly mayBeEmpty: true },
): PolicySource | undefined;
export function readPolicyFile(
  file: string,
  { type, bucket, mayBeEmpty = false }: PolicyFileOptions & { readonly mayBeEmpty?: boolean },
): PolicySource | undefined {
  const text = read(file);
  if (mayBeEmpty && text.trim() === '') return undefined;
  return { name: file, document: parse(text, file, { type, ...(bucket !== undefined && { bucket }) }) };
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new InputError(`The policy file \`${file}\` cannot be read.`, { cause: error });
  }
}

function parse(text: string, file: string, options: PolicyFileOptions): PolicySource['document'] {
  try {
    return parsePolicy(text, options);
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    throw new InputError(`${file}:${error.line}:${error.column}: ${error.message}: ${error.detail}`);
  }
}
