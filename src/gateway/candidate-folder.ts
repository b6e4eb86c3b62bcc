/**
 * The folder of candidate policies: `BUCKET.json` for the policy of a bucket, `users/USERNAME/POLICY.json` and
 * `keys/ACCESSKEYID/POLICY.json` for identity policies. A file stands for the policy of that name, an empty one for there
 * being none; what has no file stays as it is enforced.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { compilePolicy, parsePolicy, type CompiledPolicy, type PolicySource } from '../policy/index.ts';
import type { Logger } from '../telemetry/index.ts';
import { isBroken, jsonFiles, watchFolder, type BrokenFile } from './watched-folder.ts';

type CandidateFile =
  | { readonly kind: 'bucket'; readonly policy: CompiledPolicy }
  | { readonly kind: 'identity'; readonly source: PolicySource }
  | { readonly kind: 'none' };

/** What a file stands for; `undefined` inside of it: no policy. */
export type Candidate<Policy> = { readonly policy: Policy | undefined } | BrokenFile;

/** The candidate policies at one time. A change makes a new one. */
export interface Candidates {
  readonly buckets: ReadonlyMap<string, Candidate<CompiledPolicy>>;
  /** By user name, then by policy name. */
  readonly users: ReadonlyMap<string, ReadonlyMap<string, Candidate<PolicySource>>>;
  /** By access key id, then by policy name. */
  readonly keys: ReadonlyMap<string, ReadonlyMap<string, Candidate<PolicySource>>>;
}

export interface CandidateFolder {
  /** Undefined until the folder could be read once. */
  readonly current: () => Candidates | undefined;
  /** Rejects never. */
  readonly refresh: () => Promise<void>;
  readonly close: () => void;
}

/** Never rejects: what is wrong with the folder is logged, and looked at again. */
export async function openCandidateFolder(options: {
  readonly directory: string;
  readonly log: Logger;
  /** Milliseconds between two looks; 0 for none. */
  readonly pollInterval: number;
  /** Told how many files there are, after each change. */
  readonly onChange: (files: { readonly usable: number; readonly broken: number }) => void;
}): Promise<CandidateFolder> {
  const { log, onChange } = options;
  let candidates: Candidates | undefined;
  let strange: readonly string[] = [];
  const folder = await watchFolder<CandidateFile>({
    ...options,
    async list(directory) {
      const before = strange;
      strange = await otherFolders(directory);
      // A candidate that is put in the wrong place would seem to change nothing.
      if (strange.some((name) => !before.includes(name)))
        log.warn({ directory, folders: strange }, 'folders that hold no candidate policies are passed over');
      return candidateFiles(directory);
    },
    parse: parseCandidate,
    onChange(states) {
      candidates = sortOut(states);
      const broken = [...states.values()].filter(isBroken).length;
      onChange({ usable: states.size - broken, broken });
    },
    words: {
      fields: (candidate) => ({ candidate }),
      loaded: 'candidate policy loaded',
      gone: 'candidate policy file is gone',
      broken: 'candidate policy file is broken',
      keptGood: 'the last good candidate stays',
      neverGood: 'what the candidate would decide there is unknown',
      unreadable: 'candidate policy folder cannot be read, the last good candidates stay',
    },
  });
  return {
    current: () => candidates,
    refresh: () => folder.refresh(),
    close: () => {
      folder.close();
    },
  };
}

const IDENTITY_FOLDERS: readonly string[] = ['users', 'keys'];

async function candidateFiles(directory: string): Promise<readonly string[]> {
  const names = [...(await jsonFiles(directory))];
  for (const folder of IDENTITY_FOLDERS) {
    const owners = await ignoringAbsence(readdir(join(directory, folder)));
    for (const owner of owners ?? []) {
      if (owner.startsWith('.')) continue;
      const policies = await ignoringAbsence(jsonFiles(join(directory, folder, owner)));
      // A file where a folder belongs is told of, rather than passed over: it was meant as a candidate.
      if (policies === undefined && owner.endsWith('.json'))
        names.push(`${folder}/${owner.slice(0, -'.json'.length)}`);
      for (const policy of policies ?? []) names.push(`${folder}/${owner}/${policy}`);
    }
  }
  return names;
}

async function otherFolders(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  return entries
    .filter(
      (entry) => entry.isDirectory() && !entry.name.startsWith('.') && !IDENTITY_FOLDERS.includes(entry.name),
    )
    .map(({ name }) => name);
}

/** Undefined for a folder that is not there, or that is a file. */
async function ignoringAbsence(reading: Promise<readonly string[]>): Promise<readonly string[] | undefined> {
  try {
    return await reading;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}

function parseCandidate(
  text: string,
  { name, file }: { readonly name: string; readonly file: string },
): CandidateFile {
  const [folder = '', owner, policy] = name.split('/');
  if (owner !== undefined && policy === undefined)
    throw new Error(`identity policies are in ${folder}/${owner}/POLICY.json`);
  if (text.trim() === '') return { kind: 'none' };
  if (owner !== undefined)
    return { kind: 'identity', source: { name: file, document: parsePolicy(text, { type: 'identity' }) } };
  const document = parsePolicy(text, { type: 'resource', bucket: name });
  return { kind: 'bucket', policy: compilePolicy(document, { name: file }) };
}

function sortOut(states: ReadonlyMap<string, CandidateFile | BrokenFile>): Candidates {
  const buckets = new Map<string, Candidate<CompiledPolicy>>();
  const owners = {
    users: new Map<string, Map<string, Candidate<PolicySource>>>(),
    keys: new Map<string, Map<string, Candidate<PolicySource>>>(),
  };
  for (const [name, state] of states) {
    const [folder, owner, policy] = name.split('/');
    if (owner === undefined) {
      buckets.set(
        name,
        isBroken(state) ? state : { policy: state.kind === 'bucket' ? state.policy : undefined },
      );
      continue;
    }
    if (policy === undefined) continue;
    const ofAll = owners[folder === 'users' ? 'users' : 'keys'];
    const ofOne = ofAll.get(owner) ?? new Map<string, Candidate<PolicySource>>();
    ofOne.set(
      policy,
      isBroken(state) ? state : { policy: state.kind === 'identity' ? state.source : undefined },
    );
    ofAll.set(owner, ofOne);
  }
  return { buckets, ...owners };
}
