/** One policy out of a file that was given to a command. */
import { readFileSync } from 'node:fs';
import { parsePolicy, PolicyError, policyText, type PolicySource } from '../../policy/index.ts';
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
  const bytes = read(file);
  try {
    const text = policyText(bytes, type);
    if (mayBeEmpty && text.trim() === '') return undefined;
    const document = parsePolicy(text, { type, ...(bucket !== undefined && { bucket }) });
    return { name: file, document };
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    throw new InputError(error.describeIn(file));
  }
}

function read(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new InputError(`The policy file \`${file}\` cannot be read.`, { cause: error });
  }
}
