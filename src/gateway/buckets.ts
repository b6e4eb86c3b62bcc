/** What the gateway knows of a bucket: whether it exists here, whose it is, and which policy and settings hold. */
import type { BucketSettings, Config } from '../config/index.ts';
import type { BucketDirectory, BucketRecord, KnownBucket } from '../identity/index.ts';
import type { CompiledPolicy } from '../policy/index.ts';
import type { CorsConfiguration, PublicAccessBlock } from '../s3/index.ts';
import type { FolderPolicy, PolicyFolder } from './policy-folder.ts';
import type { Place, Routes } from './routes.ts';

export interface Bucket extends Pick<
  BucketSettings,
  'bodies' | 'filterListings' | 'maxObjectBytes' | 'operations' | 'readOnly'
> {
  readonly name: string;
  /** Where its objects are. */
  readonly place: Place;
  /** 12 digits. */
  readonly ownerAccount: string;
  /** Made through the gateway; undefined for one that only the configuration names. */
  readonly record: BucketRecord | undefined;
  readonly policy: BucketPolicy;
  /** Set through the API; undefined where nothing is. */
  readonly publicAccessBlock: PublicAccessBlock | undefined;
  /** By the bucket's own block or the gateway's. */
  readonly blockPublicPolicy: boolean;
  readonly restrictPublicBuckets: boolean;
  /** Set through the API; undefined where no other origin is allowed anything. */
  readonly cors: CorsConfiguration | undefined;
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
}

export function createBuckets(options: {
  readonly directory: BucketDirectory;
  readonly folder: PolicyFolder;
  readonly routes: Routes;
  readonly settings: (name: string) => BucketSettings;
  /** The gateway's own, for every bucket: the stricter one of the two holds. */
  readonly publicAccessBlock: Config['publicAccessBlock'];
}): Buckets {
  const { directory, folder, routes, settings, publicAccessBlock: ofGateway } = options;
  return {
    async find(name) {
      const known = await directory.find(name);
      const record = known?.record;
      const place = record === undefined ? routes.configured(name) : routes.made(name, record.upstream);
      if (place === undefined) return undefined;
      const { owner, bodies, filterListings, maxObjectBytes, operations, readOnly } = settings(name);
      const file = folder.get(name);
      const block = known?.publicAccessBlock;
      return {
        name,
        place,
        ownerAccount: record?.ownerAccount ?? owner,
        record,
        bodies,
        filterListings,
        maxObjectBytes,
        operations,
        readOnly,
        policy: file === undefined ? fromStore(name, known) : fromFile(file),
        publicAccessBlock: block,
        blockPublicPolicy: ofGateway.blockPublicPolicy || block?.blockPublicPolicy === true,
        restrictPublicBuckets: ofGateway.restrictPublicBuckets || block?.restrictPublicBuckets === true,
        cors: known?.cors,
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
