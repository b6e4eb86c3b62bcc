/**
 * The live folder of bucket policies: `BUCKET.json` holds for `BUCKET`. A change is taken up within a second; a broken
 * file never replaces a working one, and one that was broken from the start denies its bucket.
 */
import { mkdirSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { compilePolicy, parsePolicy, PolicyError, type CompiledPolicy } from '../policy/index.ts';
import type { Logger } from '../telemetry/index.ts';

/** What a file says of its bucket. `broken` says why, with file, line and column. */
export type FolderPolicy =
  | { readonly file: string; readonly policy: CompiledPolicy; readonly text: string }
  | { readonly file: string; readonly broken: string };

export interface PolicyFolder {
  /** Undefined when the bucket has no file. */
  get(bucket: string): FolderPolicy | undefined;
  /** Reads what has changed. Rejects never: what cannot be read keeps its last good state and is logged. */
  refresh(): Promise<void>;
  close(): void;
}

interface Entry {
  readonly fingerprint: string;
  readonly state: FolderPolicy;
  /** Set while the file is gone: only a file that stays away is forgotten, since tools replace files in two steps. */
  readonly missing: boolean;
}

const EXTENSION = '.json';

/** Reads the folder once, creating it if needed, then watches it. Rejects when the folder cannot be read at all. */
export async function openPolicyFolder(options: {
  readonly directory: string;
  readonly log: Logger;
  /** Milliseconds between two looks; 0 for none. */
  readonly pollInterval: number;
}): Promise<PolicyFolder> {
  const { directory, log } = options;
  mkdirSync(directory, { recursive: true });
  let entries = new Map<string, Entry>();
  await readdir(directory);

  const load = async (): Promise<void> => {
    const next = new Map<string, Entry>();
    // Logged when it holds: who waits for the line may count on it.
    const reports: Report[] = [];
    for (const name of await readdir(directory)) {
      if (!name.endsWith(EXTENSION) || name.startsWith('.')) continue;
      const bucket = name.slice(0, -EXTENSION.length);
      const { entry, report } = await readEntry(join(directory, name), bucket, entries.get(bucket));
      next.set(bucket, entry);
      if (report !== undefined) reports.push(report);
    }
    for (const [bucket, entry] of entries) {
      if (next.has(bucket)) continue;
      if (!entry.missing) next.set(bucket, { ...entry, fingerprint: '', missing: true });
      else
        reports.push({
          level: 'info',
          fields: { bucket, file: entry.state.file },
          message: 'bucket policy file is gone',
        });
    }
    entries = next;
    for (const { level, fields, message } of reports) log[level](fields, message);
  };
  let unreadable = false;
  const refresh = async (): Promise<void> => {
    try {
      await load();
      unreadable = false;
    } catch (error) {
      if (!unreadable)
        log.error({ err: error, directory }, 'policy folder cannot be read, the last good policies stay');
      unreadable = true;
    }
  };

  await refresh();
  const timer = options.pollInterval > 0 ? setTimeout(poll, options.pollInterval).unref() : undefined;
  function poll(): void {
    void refresh().then(() => timer?.refresh());
  }
  return {
    get: (bucket) => entries.get(bucket)?.state,
    refresh,
    close() {
      clearTimeout(timer);
    },
  };
}

/** A line for the log. */
interface Report {
  readonly level: 'info' | 'error';
  readonly fields: object;
  readonly message: string;
}

interface Reading {
  readonly entry: Entry;
  /** Undefined when nothing has changed. */
  readonly report: Report | undefined;
}

async function readEntry(file: string, bucket: string, before: Entry | undefined): Promise<Reading> {
  let fingerprint: string;
  let text: string;
  try {
    const { mtimeMs, size, ino } = await stat(file);
    fingerprint = `${mtimeMs} ${size} ${ino}`;
    if (before?.fingerprint === fingerprint && !before.missing) return { entry: before, report: undefined };
    text = await readFile(file, 'utf8');
  } catch (error) {
    const problem = `${file}: cannot be read: ${String(error)}`;
    const reading = keepLastGood(problem, problem, file, before);
    return before?.fingerprint === problem ? { ...reading, report: undefined } : reading;
  }
  try {
    const policy = compilePolicy(parsePolicy(text, { type: 'resource', bucket }), { name: file });
    return {
      entry: { fingerprint, state: { file, policy, text }, missing: false },
      report: { level: 'info', fields: { bucket, file }, message: 'bucket policy loaded' },
    };
  } catch (error) {
    const problem =
      error instanceof PolicyError
        ? `${file}:${error.line}:${error.column}: ${error.message}: ${error.detail}`
        : `${file}: ${String(error)}`;
    return keepLastGood(problem, fingerprint, file, before);
  }
}

function keepLastGood(
  problem: string,
  fingerprint: string,
  file: string,
  before: Entry | undefined,
): Reading {
  const good = before !== undefined && 'policy' in before.state;
  const effect = good ? 'the last good policy stays' : 'every request to the bucket is denied';
  return {
    entry: { fingerprint, state: good ? before.state : { file, broken: problem }, missing: false },
    report: { level: 'error', fields: { file, problem, effect }, message: 'bucket policy file is broken' },
  };
}
