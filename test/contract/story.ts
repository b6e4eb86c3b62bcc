/** The one user story that every client tells, and what a client has to say about each of its steps. */
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Credentials, Target } from './target.ts';
import type { ToolName } from './tools.ts';

export const STEPS = [
  'make bucket',
  'put',
  'get',
  'range get',
  'put from a pipe',
  'list',
  'odd keys',
  'multipart',
  'copy',
  'delete many',
  'presigned get',
  'presigned put',
  'denial',
  'wrong secret',
] as const;

export type StepName = (typeof STEPS)[number];

/** The sizes of the objects that go up and come back, in bytes; 5 MiB is the smallest part but the last. */
export const SIZES = {
  '0 bytes': 0,
  '1 byte': 1,
  '5 MiB − 1': 5 * 1024 ** 2 - 1,
  '64 MiB': 64 * 1024 ** 2,
} as const;

export type SizeName = keyof typeof SIZES;

/** Throws, saying what was expected, when the client does not see what it should. */
export type Step = (story: Story) => Promise<void>;

export interface StoryClient {
  readonly name: string;
  readonly tool: ToolName;
  /** Resolves to the client's version, for the table of what was tried: digits and dots, whatever else is printed. */
  readonly version: (program: string) => Promise<string>;
  readonly steps: Readonly<Record<StepName, Step | { readonly unable: string }>>;
  /**
   * Uploads a file and downloads the object, in one request or in parts, as the client does by default. The story
   * compares the two files, of 0 bytes, of 1 byte and so on.
   */
  readonly roundTrip: (story: Story, transfer: Transfer) => Promise<void>;
}

export interface Transfer {
  /** The path of the file to upload. */
  readonly from: string;
  readonly key: string;
  /** The path of the file to download to; there is none yet. */
  readonly to: string;
}

export interface Story {
  readonly target: Target;
  readonly bucket: string;
  /** A folder of this client alone, for its configuration and downloads. */
  readonly folder: string;
  /** The path of the client's program. */
  readonly program: string;
  /** Credentials of the administrator with a secret that is not theirs. */
  readonly forger: Credentials;
  readonly files: Files;
}

export interface Files {
  /** A few KiB. */
  readonly small: string;
  /** 11 MiB and a little: three parts of 5 MiB at most. */
  readonly big: string;
  /** A folder of five files, `0.txt` to `4.txt`. */
  readonly many: string;
  readonly sized: Readonly<Record<SizeName, string>>;
}

export const PART_SIZE = 5 * 1024 * 1024;

/** A key that has to be encoded in a path, and otherwise in a query. */
export const SMALL_KEY = 'reports/2026/été + 100%.txt';
/** Keys that break a client or server which encodes a path, a query, XML or a shell's word twice, or not at all. */
export const ODD_KEYS = [
  'odd/ a  b & c=d + e%20f%2Fg?h#i.txt',
  "odd/!*'()~@$:;,._-.txt",
  'odd/"<x>&amp;|^{}[]`\\.txt',
  'odd/日本語 \u00e9 e\u0301 😀.txt',
] as const;
export const PIPED_KEY = 'reports/piped.txt';
export const BIG_KEY = 'archive/big.bin';
export const COPY_KEY = 'copies/summary.txt';
export const MANY_PREFIX = 'trash/';
export const MANY_NAMES = ['0.txt', '1.txt', '2.txt', '3.txt', '4.txt'] as const;
export const PRESIGNED_KEY = 'reports/presigned.txt';
export const DENIED_KEY = 'reports/denied.txt';

/** The range that the range step reads, first and last byte. */
export const RANGE = { first: 100, last: 1123 } as const;

/** Makes the files that the story uploads. */
export async function makeFiles(folder: string): Promise<Files> {
  const files = {
    small: join(folder, 'small.txt'),
    big: join(folder, 'big.bin'),
    many: join(folder, 'many'),
    sized: {
      '0 bytes': join(folder, '0.bin'),
      '1 byte': join(folder, '1.bin'),
      '5 MiB − 1': join(folder, 'below-part.bin'),
      '64 MiB': join(folder, '64-mib.bin'),
    },
  };
  await mkdir(files.many, { recursive: true });
  await writeFile(files.small, randomBytes(3000).toString('base64'));
  await writeFile(files.big, randomBytes(2 * PART_SIZE + 1024 * 1024 + 7));
  for (const name of MANY_NAMES) await writeFile(join(files.many, name), `file ${name}\n`);
  for (const [name, size] of Object.entries(SIZES))
    await writeFile(files.sized[name as SizeName], randomBytes(size));
  return files;
}

export async function expectSameBytes(actual: string, expected: string): Promise<void> {
  if ((await digest(actual)) !== (await digest(expected)))
    throw new Error(`\`${actual}\` differs from \`${expected}\``);
}

export function expectEqual(actual: Buffer, expected: Buffer, what: string): void {
  if (!actual.equals(expected))
    throw new Error(`${what}: expected ${expected.length} bytes, found ${actual.length} or others`);
}

/** Throws unless every one of `needed` is in `text`, and none of `unwanted`. */
export function expectText(text: string, needed: readonly string[], unwanted: readonly string[] = []): void {
  for (const part of needed)
    if (!text.includes(part)) throw new Error(`expected \`${part}\` in: ${text.slice(0, 2000)}`);
  for (const part of unwanted)
    if (text.includes(part)) throw new Error(`expected no \`${part}\` in: ${text.slice(0, 2000)}`);
}

async function digest(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
