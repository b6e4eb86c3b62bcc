/**
 * The live folder of bucket policies: `BUCKET.json` holds for `BUCKET`. A change is taken up within a second; a broken
 * file never replaces a working one, and one that was broken from the start denies its bucket.
 */
import { mkdirSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { compilePolicy, parsePolicy, type CompiledPolicy } from '../policy/index.ts';
import type { Logger } from '../telemetry/index.ts';
import { jsonFiles, watchFolder, type BrokenFile, type WatchedFolder } from './watched-folder.ts';

interface LoadedPolicy {
  readonly file: string;
  readonly policy: CompiledPolicy;
  readonly text: string;
}

/** What a file says of its bucket. `broken` says why, with file, line and column. */
export type FolderPolicy = LoadedPolicy | BrokenFile;

/** By the name of the bucket. */
export type PolicyFolder = WatchedFolder<LoadedPolicy>;

/** Reads the folder once, creating it if needed, then watches it. Rejects when the folder cannot be read at all. */
export async function openPolicyFolder(options: {
  readonly directory: string;
  readonly log: Logger;
  /** Milliseconds between two looks; 0 for none. */
  readonly pollInterval: number;
}): Promise<PolicyFolder> {
  mkdirSync(options.directory, { recursive: true });
  await readdir(options.directory);
  return watchFolder({
    ...options,
    list: jsonFiles,
    parse: (text, { name, file }) => ({
      file,
      policy: compilePolicy(parsePolicy(text, { type: 'resource', bucket: name }), { name: file }),
      text,
    }),
    words: {
      fields: (bucket) => ({ bucket }),
      loaded: 'bucket policy loaded',
      gone: 'bucket policy file is gone',
      broken: 'bucket policy file is broken',
      keptGood: 'the last good policy stays',
      neverGood: 'every request to the bucket is denied',
      unreadable: 'policy folder cannot be read, the last good policies stay',
    },
  });
}
