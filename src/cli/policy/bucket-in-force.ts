/** What counts of a bucket: its policy, of the live folder or the store, its owner, and its public access block. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bucketSettings, type Config } from '../../config/index.ts';
import type { IdentityStore, StoredBucket } from '../../identity/index.ts';
import {
  compilePolicy,
  parsePolicy,
  PolicyError,
  policyText,
  type CompiledPolicy,
} from '../../policy/index.ts';
import { matchesBucketPattern, parsePublicAccessBlock } from '../../s3/index.ts';

/** What counts of a bucket beside the caller's policies. */
export interface BucketInForce {
  readonly policy: BucketPolicyState;
  /** 12 digits; undefined for a bucket that nothing is known of. */
  readonly ownerAccount: string | undefined;
  readonly restrictPublicBuckets: boolean;
}

/** `broken`: it cannot be read, so that the gateway denies every request to the bucket. */
type BucketPolicyState =
  | { readonly kind: 'none' }
  | { readonly kind: 'policy'; readonly policy: CompiledPolicy }
  | { readonly kind: 'broken'; readonly problem: string };

/** What a gateway of the configuration would enforce. */
export interface EnforcedPolicies {
  readonly store: IdentityStore;
  readonly config: Pick<Config, 'accountId' | 'buckets' | 'policiesDir' | 'publicAccessBlock' | 'upstreams'>;
}

/** Of which nothing is known, or that does not exist. */
export const UNKNOWN_BUCKET: BucketInForce = {
  policy: { kind: 'none' },
  ownerAccount: undefined,
  restrictPublicBuckets: false,
};

/** Rejects only when the store or the folder fails. */
export async function findBucketInForce(
  bucket: string,
  { store, config }: EnforcedPolicies,
): Promise<BucketInForce> {
  const found = await store.findBucket(bucket);
  const isConfigured =
    config.buckets.some(({ pattern, target }) => target !== undefined && pattern === bucket) ||
    config.upstreams.some(({ buckets }) => buckets.some((pattern) => matchesBucketPattern(pattern, bucket)));
  // Of a bucket that does not exist at the gateway no policy counts.
  if (found?.record === undefined && !isConfigured) return UNKNOWN_BUCKET;
  return {
    policy: enforcedPolicy(bucket, found, config.policiesDir),
    ownerAccount: found?.record?.ownerAccount ?? bucketSettings(config, bucket).owner,
    restrictPublicBuckets: config.publicAccessBlock.restrictPublicBuckets || isRestricted(found),
  };
}

/** By a block of its own; one that cannot be read restricts all that it could, as in the gateway. */
function isRestricted(found: StoredBucket | undefined): boolean {
  if (found?.publicAccessBlock === undefined) return false;
  try {
    return parsePublicAccessBlock(found.publicAccessBlock.document).restrictPublicBuckets;
  } catch {
    return true;
  }
}

/** A file of the live folder comes before what is stored. */
function enforcedPolicy(
  bucket: string,
  found: StoredBucket | undefined,
  policiesDir: string,
): BucketPolicyState {
  const file = join(policiesDir, `${bucket}.json`);
  const bytes = readIfThere(file);
  if (bytes !== undefined) return parsed(bytes, bucket, file);
  if (found?.policy === undefined) return { kind: 'none' };
  return parsed(found.policy.document, bucket, `bucket policy of ${bucket}`);
}

function parsed(source: string | Uint8Array, bucket: string, name: string): BucketPolicyState {
  try {
    const text = typeof source === 'string' ? source : policyText(source, 'resource');
    const document = parsePolicy(text, { type: 'resource', bucket });
    return { kind: 'policy', policy: compilePolicy(document, { name }) };
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    return { kind: 'broken', problem: error.describeIn(name) };
  }
}

function readIfThere(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
