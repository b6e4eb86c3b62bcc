/** The policies that decide about a caller and a bucket: as a gateway of this configuration has them, or with others in their place. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../../config/index.ts';
import {
  attachedPolicies,
  replacePolicies,
  type AttachedPolicy,
  type IdentityStore,
} from '../../identity/index.ts';
import {
  compilePolicies,
  compilePolicy,
  explain,
  isRepair,
  parsePolicy,
  PolicyError,
  type CompiledPolicy,
  type EvaluationRequest,
  type Explanation,
} from '../../policy/index.ts';
import { matchesBucketPattern } from '../../s3/index.ts';
import { EMPTY_OVERLAY, type PolicyOverlay } from './policy-overlay.ts';

/** Who asks: of an anonymous caller there is neither. */
export interface PolicyCaller {
  readonly arn: string | undefined;
  readonly accessKeyId: string | undefined;
}

export interface PolicySources {
  /** Rejects only when the store fails. */
  ofCaller(caller: PolicyCaller): Promise<CallerPolicies>;
  /** Rejects only when the store or the folder fails. */
  ofBucket(bucket: string): Promise<BucketPolicyState>;
}

export interface CallerPolicies {
  readonly policies: CompiledPolicy;
  /** What is not as it was when the caller was last seen: a key that is gone, a policy that cannot be read. */
  readonly notes: readonly string[];
}

/** `broken`: it cannot be read, so that the gateway denies every request to the bucket. */
export type BucketPolicyState =
  | { readonly kind: 'none' }
  | { readonly kind: 'policy'; readonly policy: CompiledPolicy }
  | { readonly kind: 'broken'; readonly problem: string };

/** What decides one request. */
export interface PoliciesInForce {
  readonly caller: CallerPolicies;
  readonly bucket: BucketPolicyState;
}

/** What a gateway of the configuration would enforce. */
export interface EnforcedPolicies {
  readonly store: IdentityStore;
  readonly config: Pick<Config, 'buckets' | 'policiesDir' | 'upstreams'>;
}

/** Callers and buckets whose compiled policies are kept, of each. */
const MAX_CACHED = 10_000;

/** @param enforced absent: nothing but the overlay is there. */
export function createPolicySources({
  enforced,
  overlay = EMPTY_OVERLAY,
}: {
  readonly enforced?: EnforcedPolicies | undefined;
  readonly overlay?: PolicyOverlay | undefined;
}): PolicySources {
  const findCaller = cached(async (id: string): Promise<CallerPolicies> => {
    const { arn, accessKeyId } = JSON.parse(id) as PolicyCaller;
    return compileCaller({ arn, accessKeyId }, enforced?.store, overlay);
  });
  return {
    // As text, two callers are the same when they are equal; absent members stay absent.
    ofCaller: ({ arn, accessKeyId }) => findCaller(JSON.stringify({ arn, accessKeyId })),
    ofBucket: cached(async (bucket) => {
      if (!overlay.buckets.has(bucket)) return enforced ? enforcedPolicy(bucket, enforced) : { kind: 'none' };
      const source = overlay.buckets.get(bucket);
      return source === undefined ? { kind: 'none' } : { kind: 'policy', policy: compilePolicies([source]) };
    }),
  };
}

/** @param bucket undefined for a request that no bucket's policy is about. */
export async function policiesInForce(
  sources: PolicySources,
  caller: PolicyCaller,
  bucket: string | undefined,
): Promise<PoliciesInForce> {
  return {
    caller: await sources.ofCaller(caller),
    bucket: bucket === undefined ? { kind: 'none' } : await sources.ofBucket(bucket),
  };
}

/** As the gateway decides, with reasons. */
export function explainBy(request: EvaluationRequest, { caller, bucket }: PoliciesInForce): Explanation {
  const identity = caller.policies;
  if (bucket.kind === 'broken' && !isRepair(request))
    return {
      decision: { effect: 'Deny', because: { kind: 'error', cause: bucket.problem } },
      policies: identity.labels,
      statements: [],
      nearest: [],
    };
  return explain(request, { identity, resource: bucket.kind === 'policy' ? bucket.policy : undefined });
}

async function compileCaller(
  caller: PolicyCaller,
  store: IdentityStore | undefined,
  overlay: PolicyOverlay,
): Promise<CallerPolicies> {
  const notes: string[] = [];
  const attached = store === undefined ? [] : await stored(caller, store, notes);
  const userName = caller.arn === undefined ? undefined : /:user\/(?:.*\/)?([^/]+)$/.exec(caller.arn)?.[1];
  const user = userName === undefined ? undefined : overlay.users.get(userName);
  const key = caller.accessKeyId === undefined ? undefined : overlay.keys.get(caller.accessKeyId);
  const sources = replacePolicies(attached, { user: user ?? new Map(), key: key ?? new Map() });
  return { policies: compilePolicies(sources), notes };
}

async function stored(
  { arn, accessKeyId }: PolicyCaller,
  store: IdentityStore,
  notes: string[],
): Promise<readonly AttachedPolicy[]> {
  const onUnusable = (name: string, error: unknown): void => {
    const problem = error instanceof PolicyError ? error.describe() : String(error);
    notes.push(`the stored policy \`${name}\` cannot be read, and denies everything: ${problem}`);
  };
  if (accessKeyId !== undefined) {
    const found = await store.findKey(accessKeyId);
    if (found !== undefined) return attachedPolicies(found, onUnusable);
    notes.push(`the access key \`${accessKeyId}\` is not in the store any more, nor are policies of its own`);
  }
  if (arn === undefined) return [];
  const found = await store.findPrincipal(arn);
  if (found === undefined) {
    if (accessKeyId !== undefined || !arn.endsWith(':root')) notes.push(`\`${arn}\` is not in the store`);
    return [];
  }
  const { principal, policies } = found;
  const withoutKey = { key: { accessKeyId: '' }, principal, principalPolicies: policies, keyPolicies: [] };
  return attachedPolicies(withoutKey, onUnusable);
}

async function enforcedPolicy(
  bucket: string,
  { store, config }: EnforcedPolicies,
): Promise<BucketPolicyState> {
  const found = await store.findBucket(bucket);
  const isConfigured =
    config.buckets.some(({ pattern, target }) => target !== undefined && pattern === bucket) ||
    config.upstreams.some(({ buckets }) => buckets.some((pattern) => matchesBucketPattern(pattern, bucket)));
  // Of a bucket that does not exist at the gateway no policy counts.
  if (found?.record === undefined && !isConfigured) return { kind: 'none' };
  const file = join(config.policiesDir, `${bucket}.json`);
  const text = readIfThere(file);
  // A file of the live folder comes before what is stored.
  if (text !== undefined) return parsed(text, bucket, file);
  const policy = found?.policy;
  return policy === undefined
    ? { kind: 'none' }
    : parsed(policy.document, bucket, `bucket policy of ${bucket}`);
}

function parsed(text: string, bucket: string, name: string): BucketPolicyState {
  try {
    const document = parsePolicy(text, { type: 'resource', bucket });
    return { kind: 'policy', policy: compilePolicy(document, { name }) };
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    return {
      kind: 'broken',
      problem: `${name}:${error.line}:${error.column}: ${error.message}: ${error.detail}`,
    };
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function cached<Value>(find: (id: string) => Promise<Value>): (id: string) => Promise<Value> {
  const known = new Map<string, Promise<Value>>();
  return (id) => {
    const found = known.get(id);
    if (found !== undefined) return found;
    if (known.size >= MAX_CACHED) known.clear();
    const finding = find(id);
    known.set(id, finding);
    return finding;
  };
}
