/** What the gateway knows of a bucket: whether it exists here, whose it is, and which policy and settings hold. */
import type { BodyRequirement, BucketSettings } from '../config/index.ts';
import type { BucketDirectory, BucketRecord, KnownBucket } from '../identity/index.ts';
import type { CompiledPolicy } from '../policy/index.ts';
import type { FolderPolicy, PolicyFolder } from './policy-folder.ts';

export interface Bucket {
  readonly name: string;
  /** 12 digits. */
  readonly ownerAccount: string;
  /** Made through the gateway; undefined for one that only the configuration names. */
  readonly record: BucketRecord | undefined;
  readonly bodies: BodyRequirement;
  readonly policy: BucketPolicy;
}

/** `file` is set when a file of the live folder holds, and the API cannot change it. */
type BucketPolicy =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'policy';
      readonly policy: CompiledPolicy;
      /** The JSON as it was written. */
      readonly text: string;
      readonly file: string | undefined;
    }
  /** Cannot be evaluated, so everything is denied; `problem` names file and line. */
  | { readonly kind: 'broken'; readonly problem: string; readonly file: string | undefined };

export interface Buckets {
  /** Undefined for a bucket that does not exist at the gateway. Rejects only when the store fails. */
  find(name: string): Promise<Bucket | undefined>;
  /** True for a name that the configuration says exists upstream. */
  isConfigured(name: string): boolean;
}

export function createBuckets(options: {
  readonly directory: BucketDirectory;
  readonly folder: PolicyFolder;
  readonly isConfigured: (name: string) => boolean;
  readonly settings: (name: string) => BucketSettings;
}): Buckets {
  const { directory, folder, isConfigured, settings } = options;
  return {
    isConfigured,
    async find(name) {
      const known = await directory.find(name);
      if (known?.record === undefined && !isConfigured(name)) return undefined;
      const { bodies, owner } = settings(name);
      const file = folder.get(name);
      return {
        name,
        ownerAccount: known?.record?.ownerAccount ?? owner,
        record: known?.record,
        bodies,
        policy: file === undefined ? fromStore(name, known) : fromFile(file),
      };
    },
  };
}

function fromFile(state: FolderPolicy): BucketPolicy {
  return 'policy' in state
    ? { kind: 'policy', policy: state.policy, text: state.text, file: state.file }
    : { kind: 'broken', problem: state.broken, file: state.file };
}

function fromStore(bucket: string, known: KnownBucket | undefined): BucketPolicy {
  const policy = known?.policy;
  if (policy === undefined) return { kind: 'none' };
  return policy.state === 'usable'
    ? { kind: 'policy', policy: policy.compiled, text: policy.document, file: undefined }
    : { kind: 'broken', problem: `the stored policy of \`${bucket}\` cannot be read`, file: undefined };
}
