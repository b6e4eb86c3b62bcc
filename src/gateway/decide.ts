/** One action on one resource: everything that a policy may ask is put together, and the engine decides. */
import {
  compilePolicies,
  evaluate,
  isRepair,
  type Decision,
  type EvaluationRequest,
  type PolicyPrincipal,
  type PolicySet,
} from '../policy/index.ts';
import type { ResolvedKey } from '../identity/index.ts';
import { asPathsToo, bucketArn, objectArn, type RequiredAction } from '../s3/index.ts';
import type { Bucket } from './buckets.ts';
import { conditionContext, type BodyContext, type ConditionContext } from './condition-context.ts';
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
}

export interface DecideDependencies {
  readonly accountId: string;
  readonly region: string;
  readonly now: () => number;
}

/** A bucket whose policy is broken, or that is unknown, is denied by that alone. */
export function decide(
  request: Authenticated,
  required: RequiredAction,
  bucket: Bucket | undefined,
  body: BodyContext,
  dependencies: DecideDependencies,
): Decided {
  const { caller } = request;
  const resourceAccount = bucket?.ownerAccount ?? dependencies.accountId;
  const context = conditionContext(request, dependencies.now(), body, {
    account: resourceAccount,
    region: dependencies.region,
  });
  const evaluated = {
    action: required.action,
    resource: required.resource,
    resourceAccount,
    principal: policyPrincipal(request),
    context: context.lookup,
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
  return { required, decision, evaluated, policies, context, key, bucket };
}

/** Up to the first refusal; the last one of the list decides. */
export function decideAll(
  request: Authenticated,
  required: readonly RequiredAction[],
  bucketOf: (required: RequiredAction) => Bucket | undefined,
  body: BodyContext,
  dependencies: DecideDependencies,
): readonly Decided[] {
  const decided: Decided[] = [];
  for (const each of required) {
    const one = decide(request, each, bucketOf(each), body, dependencies);
    decided.push(one);
    if (one.decision.effect === 'Deny') break;
  }
  return decided;
}

/**
 * Whether the caller may list the bucket: who may not learns nothing of what is missing in it. `s3:prefix` is absent
 * in this check, as on AWS.
 */
export function mayList(request: Authenticated, bucket: Bucket, dependencies: DecideDependencies): boolean {
  const required = { action: 's3:ListBucket', resource: bucketArn(bucket.name), bucket: bucket.name };
  return decide(request, required, bucket, {}, dependencies).decision.effect === 'Allow';
}

/** May the caller take this action on an object of the bucket, besides what it asked for? */
export function mayTouch(
  request: Authenticated,
  action: string,
  { bucket, key }: { readonly bucket: Bucket; readonly key: string },
  dependencies: DecideDependencies,
): boolean {
  const required = { action, resource: objectArn(bucket.name, key), bucket: bucket.name };
  return decideAll(request, asPathsToo(required), () => bucket, {}, dependencies).every(
    ({ decision }) => decision.effect === 'Allow',
  );
}

const NO_POLICIES = compilePolicies([]);

function policyPrincipal({ caller }: Authenticated): PolicyPrincipal {
  if (caller.type === 'anonymous') return caller;
  const { type, arn, accountId, userName, userId } = caller.key.principal;
  return { type, arn, accountId, userName, userId };
}
