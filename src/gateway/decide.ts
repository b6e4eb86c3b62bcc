/** One action on one resource: everything that a policy may ask is put together, and the engine decides. */
import {
  compilePolicies,
  evaluate,
  isRepair,
  mayAllowBelow,
  type Decision,
  type EvaluationRequest,
  type PolicyPrincipal,
  type PolicySet,
} from '../policy/index.ts';
import type { ResolvedKey } from '../identity/index.ts';
import { asPathsToo, bucketArn, objectArn, queryValue, type RequiredAction, type Tag } from '../s3/index.ts';
import type { Bucket } from './buckets.ts';
import { conditionContext, type ConditionContext } from './condition-context.ts';
import { ExistingTagsNeeded, type BodyContext } from './condition-facts.ts';
import type { ExistingTags } from './existing-tags.ts';
import type { Authenticated } from './stages.ts';

/** A decision, what it was about, and what it was made of: for the record, and to be made again by other policies. */
export interface Decided {
  readonly required: RequiredAction;
  readonly decision: Decision;
  readonly evaluated: EvaluationRequest;
  readonly policies: PolicySet;
  readonly context: ConditionContext;
  /** Of the caller; undefined for an anonymous one. */
  readonly key: ResolvedKey | undefined;
  /** Whose policy counted. */
  readonly bucket: Bucket | undefined;
  /** The tags of the object were looked up: those that are not in the context it has not. */
  readonly tagsKnown: boolean;
}

export interface DecideDependencies {
  readonly accountId: string;
  readonly region: string;
  readonly now: () => number;
}

/** What of a decision is not in the line and the headers of its request. */
interface Beside {
  readonly body?: BodyContext;
  /** Of the object; a policy that asks for them without is answered by a refusal whose cause is `ExistingTagsNeeded`. */
  readonly existingTags?: readonly Tag[] | undefined;
  /** Epoch milliseconds; of the clock when it is left out. */
  readonly now?: number;
}

/** A bucket whose policy is broken, or that is unknown, is denied by that alone. */
export function decide(
  request: Authenticated,
  required: RequiredAction,
  bucket: Bucket | undefined,
  { body = {}, existingTags, now }: Beside,
  dependencies: DecideDependencies,
): Decided {
  const { caller } = request;
  const resourceAccount = bucket?.ownerAccount ?? dependencies.accountId;
  const context = conditionContext({
    request,
    required,
    now: now ?? dependencies.now(),
    body,
    resource: { account: resourceAccount, region: dependencies.region },
    existingTags,
  });
  const evaluated = {
    action: required.action,
    resource: required.resource,
    resourceAccount,
    principal: policyPrincipal(request),
    context: context.lookup,
    restrictPublicBuckets: bucket?.restrictPublicBuckets ?? false,
  };
  const policies = {
    identity: caller.type === 'key' ? caller.key.policies : NO_POLICIES,
    resource: bucket?.policy.kind === 'policy' ? bucket.policy.policy : undefined,
  };
  const decision: Decision =
    bucket?.policy.kind === 'broken' && !isRepair(evaluated)
      ? { effect: 'Deny', because: { kind: 'error', cause: bucket.policy.problem } }
      : evaluate(evaluated, policies);
  const key = caller.type === 'key' ? caller.key : undefined;
  const tagsKnown = existingTags !== undefined;
  return { required, decision, evaluated, policies, context, key, bucket, tagsKnown };
}

/**
 * Up to the first refusal; the last one of the list decides. All of it at one time, and with the tags that objects have
 * upstream where a policy asks for them.
 * @throws UpstreamRefusal, S3Error when these cannot be looked up.
 */
export async function decideAll(
  request: Authenticated,
  required: readonly RequiredAction[],
  options: {
    readonly bucketOf: (required: RequiredAction) => Bucket | undefined;
    readonly body: BodyContext;
    readonly existingTags: ExistingTags;
    /** Epoch milliseconds; of the clock when it is left out. */
    readonly now?: number;
  },
  dependencies: DecideDependencies,
): Promise<readonly Decided[]> {
  const { bucketOf, body, existingTags, now = dependencies.now() } = options;
  const decided: Decided[] = [];
  for (const each of required) {
    const bucket = bucketOf(each);
    const beside = { body, now, existingTags: existingTags.known(each) };
    let one = decide(request, each, bucket, beside, dependencies);
    if (needsTags(one)) {
      const decideBy = (tags: readonly Tag[]): Decided =>
        decide(request, each, bucket, { ...beside, existingTags: tags }, dependencies);
      one = deniedAnyway(one, decideBy) ?? decideBy(await existingTags.lookUp(each, bucket));
    }
    decided.push(one);
    if (one.decision.effect === 'Deny') break;
  }
  return decided;
}

function needsTags({ decision }: Decided): boolean {
  return (
    decision.effect === 'Deny' &&
    decision.because.kind === 'error' &&
    decision.because.cause instanceof ExistingTagsNeeded
  );
}

/** The refusal that comes whatever the tags are: who is allowed nothing does not make the upstream be asked. */
function deniedAnyway(
  { evaluated, policies }: Decided,
  decideBy: (tags: readonly Tag[]) => Decided,
): Decided | undefined {
  if (mayAllowBelow(evaluated, policies)) return undefined;
  const withoutTags = decideBy([]);
  return withoutTags.decision.effect === 'Deny' ? withoutTags : undefined;
}

/**
 * Whether the caller may list the bucket: who may not learns nothing of what is missing in it. `s3:prefix` is absent
 * in this check, as on AWS.
 */
export function mayList(request: Authenticated, bucket: Bucket, dependencies: DecideDependencies): boolean {
  const required = { action: 's3:ListBucket', resource: bucketArn(bucket.name), bucket: bucket.name };
  return decide(request, required, bucket, {}, dependencies).decision.effect === 'Allow';
}

/**
 * May the caller take this action on an object of the bucket, besides what it asked for? Of the request's own object it
 * is the version that the request names. No, where a policy asks for tags of the object that were not looked up.
 */
export function mayTouch(
  request: Authenticated & { readonly existingTags?: ExistingTags },
  action: string,
  { bucket, key }: { readonly bucket: Bucket; readonly key: string },
  dependencies: DecideDependencies,
): boolean {
  const { address, effective, existingTags } = request;
  const isOwn = address.bucket === bucket.name && address.key === key;
  const required = {
    action,
    resource: objectArn(bucket.name, key),
    bucket: bucket.name,
    versionId: isOwn ? queryValue(effective.query, 'versionId') : undefined,
  };
  return asPathsToo(required).every((each) => {
    const beside = { existingTags: existingTags?.known(each) };
    return decide(request, each, bucket, beside, dependencies).decision.effect === 'Allow';
  });
}

const NO_POLICIES = compilePolicies([]);

function policyPrincipal({ caller }: Authenticated): PolicyPrincipal {
  if (caller.type === 'anonymous') return caller;
  const { type, arn, accountId, userName, userId } = caller.key.principal;
  return { type, arn, accountId, userName, userId };
}
