/** From a bucket's name to what the gateway knows of it: who owns it, and the policy set through the API; cached. */
import { compilePolicy, parsePolicy, type CompiledPolicy } from '../policy/index.ts';
import {
  parseCorsConfiguration,
  parsePublicAccessBlock,
  type CorsConfiguration,
  type PublicAccessBlock,
} from '../s3/index.ts';
import { type DirectoryOptions } from './key-directory.ts';
import { createStoreCache } from './store-cache.ts';
import { type BucketRecord, type StoredBucket } from './store.ts';

export interface KnownBucket {
  /** Undefined for a bucket that was not made through the gateway. */
  readonly record: BucketRecord | undefined;
  readonly policy: BucketPolicy | undefined;
  /** Undefined also for one that cannot be read: then no other origin is allowed anything. */
  readonly cors: CorsConfiguration | undefined;
  /** All of it holds when it cannot be read. */
  readonly publicAccessBlock: PublicAccessBlock | undefined;
}

/** `unusable`: the stored text is no policy for this bucket, so that every request to the bucket must be denied. */
export type BucketPolicy =
  | { readonly state: 'usable'; readonly document: string; readonly compiled: CompiledPolicy }
  | { readonly state: 'unusable'; readonly document: string };

export interface BucketDirectory {
  /** Resolves to undefined for a bucket of which nothing is stored; rejects only when the store fails. */
  find(name: string): Promise<KnownBucket | undefined>;
  /** Looks for changes now: after a change through the store, so that the next `find` sees it. Never rejects. */
  refresh(): Promise<void>;
  close(): void;
}

export function createBucketDirectory(options: DirectoryOptions): BucketDirectory {
  const { store, onProblem } = options;
  const cache = createStoreCache<KnownBucket>({
    store,
    load: async (name) => {
      const bucket = await store.findBucket(name);
      return (
        bucket && {
          record: bucket.record,
          policy: usablePolicy(name, bucket, onProblem),
          cors: usableCors(name, bucket, onProblem),
          publicAccessBlock: usableBlock(name, bucket, onProblem),
        }
      );
    },
    max: options.cacheSize,
    now: options.now,
    onPollFailure: (error) => {
      onProblem({ kind: 'store', subject: undefined, error });
    },
    pollInterval: options.pollInterval,
  });
  return cache;
}

function usablePolicy(
  name: string,
  { policy }: StoredBucket,
  onProblem: DirectoryOptions['onProblem'],
): BucketPolicy | undefined {
  if (policy === undefined) return undefined;
  const { document } = policy;
  try {
    const parsed = parsePolicy(document, { type: 'resource', bucket: name });
    return {
      state: 'usable',
      document,
      compiled: compilePolicy(parsed, { name: `bucket policy of ${name}` }),
    };
  } catch (error) {
    onProblem({ kind: 'bucket-policy', subject: name, error });
    return { state: 'unusable', document };
  }
}

function usableCors(
  name: string,
  { cors }: StoredBucket,
  onProblem: DirectoryOptions['onProblem'],
): CorsConfiguration | undefined {
  if (cors === undefined) return undefined;
  try {
    return parseCorsConfiguration(cors.document);
  } catch (error) {
    onProblem({ kind: 'bucket-cors', subject: name, error });
    return undefined;
  }
}

const BLOCKED: PublicAccessBlock = {
  blockPublicAcls: true,
  ignorePublicAcls: true,
  blockPublicPolicy: true,
  restrictPublicBuckets: true,
};

function usableBlock(
  name: string,
  { publicAccessBlock }: StoredBucket,
  onProblem: DirectoryOptions['onProblem'],
): PublicAccessBlock | undefined {
  if (publicAccessBlock === undefined) return undefined;
  try {
    return parsePublicAccessBlock(publicAccessBlock.document);
  } catch (error) {
    onProblem({ kind: 'public-access-block', subject: name, error });
    return BLOCKED;
  }
}
