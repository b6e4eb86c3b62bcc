/**
 * A folder of policies that stand in for those in force: `BUCKET.json` for the policy of a bucket,
 * `users/USERNAME/POLICY.json` and `keys/ACCESSKEYID/POLICY.json` for identity policies. An empty file stands for there
 * being no such policy.
 */
import { readdirSync, type Dirent } from 'node:fs';
import { join } from 'node:path';
import type { PolicyReplacements } from '../../identity/index.ts';
import type { PolicySource } from '../../policy/index.ts';
import { InputError } from '../command-error.ts';
import { readPolicyFile } from './policy-file.ts';

export interface PolicyOverlay {
  /** By bucket; undefined inside: it has no policy. */
  readonly buckets: ReadonlyMap<string, PolicySource | undefined>;
  /** By user name, then by the policy's. */
  readonly users: ReadonlyMap<string, PolicyReplacements>;
  /** By access key id, then by the policy's name. */
  readonly keys: ReadonlyMap<string, PolicyReplacements>;
}

export const EMPTY_OVERLAY: PolicyOverlay = { buckets: new Map(), users: new Map(), keys: new Map() };

/** @throws InputError for a folder that cannot be read or has another layout, and for a policy that would be refused. */
export function readPolicyOverlay(directory: string): PolicyOverlay {
  const entries = list(directory);
  const unknown = entries.find((entry) => entry.isDirectory() && !OWNERS.has(entry.name));
  if (unknown !== undefined)
    throw new InputError(
      `\`${join(directory, unknown.name)}\` is no folder of policies. In \`${directory}\` are expected: ${LAYOUT}.`,
    );
  const buckets = new Map<string, PolicySource | undefined>();
  for (const { bucket, file } of policyFiles(directory, entries).map(asBucket))
    buckets.set(bucket, readPolicyFile(file, { type: 'resource', bucket, mayBeEmpty: true }));
  const overlay = {
    buckets,
    users: readOwners(join(directory, 'users'), entries),
    keys: readOwners(join(directory, 'keys'), entries),
  };
  if (buckets.size === 0 && overlay.users.size === 0 && overlay.keys.size === 0)
    throw new InputError(`\`${directory}\` holds no policies. Expected are: ${LAYOUT}.`);
  return overlay;
}

const OWNERS: ReadonlySet<string> = new Set(['users', 'keys']);

const LAYOUT =
  '`BUCKET.json`, `users/USERNAME/POLICY.json` and `keys/ACCESSKEYID/POLICY.json`, where POLICY is the name of the policy';

function readOwners(directory: string, siblings: readonly Dirent[]): ReadonlyMap<string, PolicyReplacements> {
  if (!siblings.some((entry) => entry.isDirectory() && join(entry.parentPath, entry.name) === directory))
    return new Map();
  const owners = list(directory);
  const stray = owners.find((entry) => !entry.isDirectory());
  if (stray !== undefined)
    throw new InputError(`\`${join(directory, stray.name)}\` belongs to nobody. Expected are: ${LAYOUT}.`);
  return new Map(
    owners.map(({ name }) => {
      const folder = join(directory, name);
      const files = policyFiles(folder, list(folder));
      return [
        name,
        new Map(
          files.map((each) => [each.name, readPolicyFile(each.file, { type: 'identity', mayBeEmpty: true })]),
        ),
      ];
    }),
  );
}

interface PolicyFile {
  readonly name: string;
  readonly file: string;
}

function asBucket({ name, file }: PolicyFile): { readonly bucket: string; readonly file: string } {
  return { bucket: name, file };
}

function policyFiles(directory: string, entries: readonly Dirent[]): readonly PolicyFile[] {
  return entries
    .filter((entry) => !entry.isDirectory() && entry.name.endsWith('.json'))
    .map(({ name }) => ({ name: name.slice(0, -'.json'.length), file: join(directory, name) }));
}

/** In the order of their names, without hidden ones. */
function list(directory: string): readonly Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter(({ name }) => !name.startsWith('.'))
      .toSorted((left, right) => (left.name < right.name ? -1 : 1));
  } catch (error) {
    throw new InputError(`The folder \`${directory}\` cannot be read.`, { cause: error });
  }
}
