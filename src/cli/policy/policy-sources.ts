/** The policies that decide about a caller and a bucket: as a gateway of this configuration has them, or with others in their place. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bucketSettings, type Config } from '../../config/index.ts';
import {
  attachedPolicies,
  replacePolicies,
  type AttachedPolicy,
  type IdentityStore,
  type StoredBucket,
} from '../../identity/index.ts';
import {
  compilePolicies,
  compilePolicy,
  evaluate,
  explain,
  isRepair,
  parsePolicy,
  PolicyError,
  type CompiledPolicy,
  type Decision,
  type EvaluationRequest,
  type Explanation,
  type PolicySet,
  type PolicySource,
} from '../../policy/index.ts';
import { matchesBucketPattern, parsePublicAccessBlock } from '../../s3/index.ts';
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
  ofBucket(bucket: string): Promise<BucketInForce>;
}

export interface CallerPolicies {
  readonly policies: CompiledPolicy;
  /** The key or the user is gone, and with it the policies that it had. */
  readonly isIncomplete: boolean;
  /** That a key or user is gone, or a policy cannot be read. */
  readonly notes: readonly string[];
}

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

/** What decides one request. */
export interface PoliciesInForce {
  readonly caller: CallerPolicies;
  readonly bucket: BucketInForce;
}

/** What a gateway of the configuration would enforce. */
export interface EnforcedPolicies {
  readonly store: IdentityStore;
  readonly config: Pick<Config, 'accountId' | 'buckets' | 'policiesDir' | 'publicAccessBlock' | 'upstreams'>;
}

/** Callers and buckets whose compiled policies are kept, of each. */
const MAX_CACHED = 10_000;

/**
 * @param enforced absent: nothing but the overlay is there.
 * @param more identity policies that every caller has besides.
 */
export function createPolicySources({
  enforced,
  overlay = EMPTY_OVERLAY,
  more = [],
}: {
  readonly enforced?: EnforcedPolicies | undefined;
  readonly overlay?: PolicyOverlay | undefined;
  readonly more?: readonly PolicySource[];
}): PolicySources {
  const findCaller = cached(async (id: string): Promise<CallerPolicies> => {
    const { arn, accessKeyId } = JSON.parse(id) as PolicyCaller;
    return compileCaller({ arn, accessKeyId }, { store: enforced?.store, overlay, more });
  });
  return {
    // As text, two callers are the same when they are equal; absent members stay absent.
    ofCaller: ({ arn, accessKeyId }) => findCaller(JSON.stringify({ arn, accessKeyId })),
    ofBucket: cached(async (bucket) => {
      const known = enforced === undefined ? UNKNOWN_BUCKET : await findBucket(bucket, enforced);
      if (!overlay.buckets.has(bucket)) return known;
      const source = overlay.buckets.get(bucket);
      return {
        ...known,
        policy:
          source === undefined ? { kind: 'none' } : { kind: 'policy', policy: compilePolicies([source]) },
      };
    }),
  };
}

const UNKNOWN_BUCKET: BucketInForce = {
  policy: { kind: 'none' },
  ownerAccount: undefined,
  restrictPublicBuckets: false,
};

/** @param bucket undefined for a request that no bucket's policy is about. */
export async function policiesInForce(
  sources: PolicySources,
  caller: PolicyCaller,
  bucket: string | undefined,
): Promise<PoliciesInForce> {
  return {
    caller: await sources.ofCaller(caller),
    bucket: bucket === undefined ? UNKNOWN_BUCKET : await sources.ofBucket(bucket),
  };
}

/** As the gateway decides. */
export function decideBy(asked: EvaluationRequest, inForce: PoliciesInForce): Decision {
  const request = { ...asked, restrictPublicBuckets: inForce.bucket.restrictPublicBuckets };
  return brokenDecision(request, inForce) ?? evaluate(request, policySetOf(inForce));
}

/** As `decideBy`, with reasons. */
export function explainBy(asked: EvaluationRequest, inForce: PoliciesInForce): Explanation {
  const request = { ...asked, restrictPublicBuckets: inForce.bucket.restrictPublicBuckets };
  const decision = brokenDecision(request, inForce);
  return decision === undefined
    ? explain(request, policySetOf(inForce))
    : { decision, policies: inForce.caller.policies.labels, statements: [], nearest: [] };
}

export function policySetOf({ caller, bucket: { policy } }: PoliciesInForce): PolicySet {
  return { identity: caller.policies, resource: policy.kind === 'policy' ? policy.policy : undefined };
}

/** Whatever else allows: to a bucket whose policy is broken, only its repair is let through. */
function brokenDecision(
  request: EvaluationRequest,
  { bucket: { policy } }: PoliciesInForce,
): Decision | undefined {
  return policy.kind === 'broken' && !isRepair(request)
    ? { effect: 'Deny', because: { kind: 'error', cause: policy.problem } }
    : undefined;
}

async function compileCaller(
  caller: PolicyCaller,
  options: {
    readonly store: IdentityStore | undefined;
    readonly overlay: PolicyOverlay;
    readonly more: readonly PolicySource[];
  },
): Promise<CallerPolicies> {
  const { store, overlay, more } = options;
  const { attached, gone, notes } =
    store === undefined ? { attached: [], gone: [], notes: [] } : await findAttached(caller, store);
  const userName = caller.arn === undefined ? undefined : userNameOf(caller.arn);
  const user = userName === undefined ? undefined : overlay.users.get(userName);
  const key = caller.accessKeyId === undefined ? undefined : overlay.keys.get(caller.accessKeyId);
  const sources = replacePolicies(attached, { user: user ?? new Map(), key: key ?? new Map() });
  return {
    policies: compilePolicies([...sources, ...more]),
    isIncomplete: gone.length > 0,
    notes: [...gone.map((what) => `${what} is not in the store any more`), ...notes],
  };
}

/** Undefined for another principal than a user. */
export function userNameOf(arn: string): string | undefined {
  return /^arn:[a-z-]+:iam::\d{12}:user\/(?:.*\/)?([^/]+)$/.exec(arn)?.[1];
}

interface Attached {
  readonly attached: readonly AttachedPolicy[];
  readonly gone: readonly string[];
  readonly notes: readonly string[];
}

async function findAttached({ arn, accessKeyId }: PolicyCaller, store: IdentityStore): Promise<Attached> {
  const notes: string[] = [];
  const gone: string[] = [];
  const onUnusable = (name: string, error: unknown): void => {
    const problem = error instanceof PolicyError ? error.describe() : String(error);
    notes.push(`the stored policy \`${name}\` cannot be read, and denies everything: ${problem}`);
  };
  if (accessKeyId !== undefined) {
    const found = await store.findKey(accessKeyId);
    if (found !== undefined) return { attached: attachedPolicies(found, onUnusable), gone, notes };
    // A key of the root user has no policies of its own.
    if (arn?.endsWith(':root') !== true) gone.push(`the access key \`${accessKeyId}\``);
  }
  const found = arn === undefined ? undefined : await store.findPrincipal(arn);
  // The root user has no policies: nothing is missing without it.
  if (found === undefined && arn !== undefined && !arn.endsWith(':root')) gone.push(`\`${arn}\``);
  if (found === undefined) return { attached: [], gone, notes };
  const { principal, policies } = found;
  const withoutKey = { key: { accessKeyId: '' }, principal, principalPolicies: policies, keyPolicies: [] };
  return { attached: attachedPolicies(withoutKey, onUnusable), gone, notes };
}

async function findBucket(bucket: string, { store, config }: EnforcedPolicies): Promise<BucketInForce> {
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
  const text = readIfThere(file);
  if (text !== undefined) return parsed(text, bucket, file);
  if (found?.policy === undefined) return { kind: 'none' };
  return parsed(found.policy.document, bucket, `bucket policy of ${bucket}`);
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
