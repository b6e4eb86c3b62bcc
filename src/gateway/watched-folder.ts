/**
 * Files of a folder, kept parsed. A change is taken up at the next look; a broken file never replaces a working one, and
 * a file that is replaced in two steps is never missed.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PolicyError, policyText } from '../policy/index.ts';
import type { Logger } from '../telemetry/index.ts';

/** A file that was broken when it was first read; says why, with file, line and column. */
export interface BrokenFile {
  readonly file: string;
  readonly broken: string;
}

export interface WatchedFolder<State> {
  /** By the file's name in the folder, without the extension. Undefined when there is no such file. */
  get(name: string): State | BrokenFile | undefined;
  /** Reads what has changed. Rejects never: what cannot be read keeps its last good state and is logged. */
  refresh(): Promise<void>;
  close(): void;
}

interface WatchedFolderOptions<State> {
  readonly directory: string;
  readonly log: Logger;
  /** Milliseconds between two looks; 0 for none. */
  readonly pollInterval: number;
  /** The names of the files, with `/` between folder and file, without the extension. Rejects when they cannot be read. */
  readonly list: (directory: string) => Promise<readonly string[]>;
  /** Throws for what is broken: a PolicyError where line and column are known. */
  readonly parse: (text: string, of: { readonly name: string; readonly file: string }) => State;
  /** Called after each look that changed something, the first look included. */
  readonly onChange?: (states: ReadonlyMap<string, State | BrokenFile>) => void;
  readonly words: FolderWords;
}

/** What the log says. */
interface FolderWords {
  readonly fields: (name: string) => object;
  readonly loaded: string;
  readonly gone: string;
  readonly broken: string;
  /** The effect of a broken file, after a good one and from the start. */
  readonly keptGood: string;
  readonly neverGood: string;
  readonly unreadable: string;
}

interface Entry<State> {
  readonly fingerprint: string;
  readonly state: State | BrokenFile;
  /** Set while the file is gone: only a file that stays away is forgotten, since tools replace files in two steps. */
  readonly missing: boolean;
}

const EXTENSION = '.json';

/** The names of the files of one folder; those that begin with a dot are an editor's. */
export async function jsonFiles(directory: string): Promise<readonly string[]> {
  const names = await readdir(directory);
  return names
    .filter((name) => name.endsWith(EXTENSION) && !name.startsWith('.'))
    .map((name) => name.slice(0, -EXTENSION.length));
}

/** Reads the folder once, then watches it. */
export async function watchFolder<State extends object>(
  options: WatchedFolderOptions<State>,
): Promise<WatchedFolder<State>> {
  const { directory, log, words } = options;
  let entries: ReadonlyMap<string, Entry<State>> | undefined;

  const load = async (): Promise<void> => {
    const before = entries ?? new Map<string, Entry<State>>();
    const next = new Map<string, Entry<State>>();
    // Logged when it holds: who waits for the line may count on it.
    const reports: Report[] = [];
    for (const name of await options.list(directory)) {
      const { entry, report } = await readEntry(name, before.get(name), options);
      next.set(name, entry);
      if (report !== undefined) reports.push(report);
    }
    for (const [name, entry] of before) {
      if (next.has(name)) continue;
      if (!entry.missing) next.set(name, { ...entry, fingerprint: '', missing: true });
      else
        reports.push({
          level: 'info',
          fields: { ...words.fields(name), file: join(directory, `${name}${EXTENSION}`) },
          message: words.gone,
        });
    }
    const isFirst = entries === undefined;
    entries = next;
    if (isFirst || reports.length > 0)
      options.onChange?.(new Map([...next].map(([name, { state }]) => [name, state])));
    for (const { level, fields, message } of reports) log[level](fields, message);
  };
  let unreadable = false;
  const refresh = async (): Promise<void> => {
    try {
      await load();
      unreadable = false;
    } catch (error) {
      if (!unreadable) log.error({ err: error, directory }, words.unreadable);
      unreadable = true;
    }
  };

  await refresh();
  const timer = options.pollInterval > 0 ? setTimeout(poll, options.pollInterval).unref() : undefined;
  function poll(): void {
    void refresh().then(() => timer?.refresh());
  }
  return {
    get: (name) => entries?.get(name)?.state,
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

interface Reading<State> {
  readonly entry: Entry<State>;
  /** Undefined when nothing has changed. */
  readonly report: Report | undefined;
}

async function readEntry<State extends object>(
  name: string,
  before: Entry<State> | undefined,
  options: WatchedFolderOptions<State>,
): Promise<Reading<State>> {
  const { words } = options;
  const file = join(options.directory, `${name}${EXTENSION}`);
  let fingerprint: string;
  let bytes: Buffer;
  try {
    const { mtimeMs, size, ino } = await stat(file);
    fingerprint = `${mtimeMs} ${size} ${ino}`;
    if (before?.fingerprint === fingerprint && !before.missing) return { entry: before, report: undefined };
    bytes = await readFile(file);
  } catch (error) {
    const problem = `${file}: cannot be read: ${String(error)}`;
    const reading = keepLastGood(problem, { fingerprint: problem, file, before, words });
    return before?.fingerprint === problem ? { ...reading, report: undefined } : reading;
  }
  try {
    return {
      entry: {
        fingerprint,
        state: options.parse(policyText(bytes, 'resource'), { name, file }),
        missing: false,
      },
      report: { level: 'info', fields: { ...words.fields(name), file }, message: words.loaded },
    };
  } catch (error) {
    const problem = error instanceof PolicyError ? error.describeIn(file) : `${file}: ${String(error)}`;
    return keepLastGood(problem, { fingerprint, file, before, words });
  }
}

function keepLastGood<State extends object>(
  problem: string,
  of: {
    readonly fingerprint: string;
    readonly file: string;
    readonly before: Entry<State> | undefined;
    readonly words: FolderWords;
  },
): Reading<State> {
  const { fingerprint, file, before, words } = of;
  const good = before !== undefined && !isBroken(before.state);
  const effect = good ? words.keptGood : words.neverGood;
  return {
    entry: { fingerprint, state: good ? before.state : { file, broken: problem }, missing: false },
    report: { level: 'error', fields: { file, problem, effect }, message: words.broken },
  };
}

export function isBroken(state: object): state is BrokenFile {
  return 'broken' in state;
}
