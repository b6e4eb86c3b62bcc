/** The policies that decide about a caller and a bucket: as a gateway of this configuration has them, or with others in their place. */
import {
  compilePolicies,
  evaluate,
  explain,
  isRepair,
  type Decision,
  type EvaluationRequest,
  type Explanation,
  type PolicySet,
  type PolicySource,
} from '../../policy/index.ts';
import {
  findBucketInForce,
  UNKNOWN_BUCKET,
  type BucketInForce,
  type EnforcedPolicies,
} from './bucket-in-force.ts';
import { findCallerPolicies, type CallerPolicies, type PolicyCaller } from './caller-policies.ts';
import { EMPTY_OVERLAY, type PolicyOverlay } from './policy-overlay.ts';

export interface PolicySources {
  /** Rejects only when the store fails. */
  ofCaller(caller: PolicyCaller): Promise<CallerPolicies>;
  /** Rejects only when the store or the folder fails. */
  ofBucket(bucket: string): Promise<BucketInForce>;
}

/** What decides one request. */
export interface PoliciesInForce {
  readonly caller: CallerPolicies;
  readonly bucket: BucketInForce;
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
    return findCallerPolicies({ arn, accessKeyId }, { store: enforced?.store, overlay, more });
  });
  return {
    // As text, two callers are the same when they are equal; absent members stay absent.
    ofCaller: ({ arn, accessKeyId }) => findCaller(JSON.stringify({ arn, accessKeyId })),
    ofBucket: cached(async (bucket) => {
      const known = enforced === undefined ? UNKNOWN_BUCKET : await findBucketInForce(bucket, enforced);
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
