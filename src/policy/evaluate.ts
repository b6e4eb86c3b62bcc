/** The decision: policies and a request to Allow or Deny, with the statement that decided. */

import type { CompiledPolicy, CompiledStatement, StatementRef } from './compile.ts';
import {
  exemptsPrincipal,
  matchPrincipals,
  strongerGrant,
  type Grant,
  type PolicyPrincipal,
} from './principal.ts';
import type { ContextLookup } from './template.ts';

export interface EvaluationRequest {
  /** `s3:GetObject` */
  readonly action: string;
  /** ARN; `arn:aws:s3:::*` for what has no bucket. */
  readonly resource: string;
  /** The account that owns the resource. */
  readonly resourceAccount: string;
  readonly principal: PolicyPrincipal;
  readonly context: ContextLookup;
}

/** The policies that can speak of a request; each undefined where there is none. */
export interface PolicySet {
  readonly identity?: CompiledPolicy | undefined;
  /** The bucket policy. */
  readonly resource?: CompiledPolicy | undefined;
  readonly boundary?: CompiledPolicy | undefined;
  /** What any of the session's policies allows, all of them together allow. */
  readonly session?: CompiledPolicy | undefined;
}

export type Decision =
  | { readonly effect: 'Allow'; readonly by: StatementRef }
  | { readonly effect: 'Deny'; readonly because: DenyReason };

type DenyReason =
  | { readonly kind: 'explicit'; readonly by: StatementRef }
  | { readonly kind: 'implicit'; readonly missing: 'identity' | 'resource' | 'boundary' | 'session' }
  /** Evaluation failed: a bug, to be logged. */
  | { readonly kind: 'error'; readonly cause: unknown };

/**
 * Decides by the rules of "Policy evaluation logic" (IAM User Guide). Does no I/O, never throws: an error while
 * evaluating, also one thrown by `request.context`, denies.
 */
export function evaluate(request: EvaluationRequest, policies: PolicySet): Decision {
  try {
    return decide(request, policies);
  } catch (cause) {
    return { effect: 'Deny', because: { kind: 'error', cause } };
  }
}

/** May one of the policies ask for a context key that begins with `prefix` (lower case) when it decides the action? */
export function readsContextKey(policies: PolicySet, action: string, prefix: string): boolean {
  const { identity, resource, boundary, session } = policies;
  return [identity, resource, boundary, session].some((policy) => {
    if (policy === undefined) return false;
    const { deny, allow } = policy.candidates(action);
    return [...deny, ...allow].some(({ keys }) => [...keys].some((key) => key.startsWith(prefix)));
  });
}

/** What stands in `by` when the account's root user is allowed by being that. */
const ROOT_USER: StatementRef = { policy: 'root user', index: 0 };

function decide(request: EvaluationRequest, policies: PolicySet): Decision {
  const denied = explicitDeny(request, policies);
  if (denied !== undefined) return { effect: 'Deny', because: { kind: 'explicit', by: denied } };

  const { principal } = request;
  const granted = resourceGrant(policies.resource, request);
  if (principal.type === 'anonymous') return granted.by ? allowedBy(granted.by) : implicit('resource');

  const identity =
    principal.type === 'root' ? ROOT_USER : policies.identity && someAllow(policies.identity, request);
  const limit = limitedBy(request, policies);
  if (principal.accountId !== request.resourceAccount) {
    if (granted.by === undefined) return implicit('resource');
    if (identity === undefined) return implicit('identity');
    return limit === undefined ? allowedBy(granted.by) : implicit(limit);
  }
  if (granted.by !== undefined) {
    // A grant to the caller itself adds to what its identity may do, past the limits on that; one to the role of the
    // session is limited like the role's own policies; one to the account only delegates to identity policies.
    if (granted.grant === 'direct') return allowedBy(granted.by);
    if (granted.grant === 'role' && limit === undefined) return allowedBy(granted.by);
  }
  if (identity !== undefined) return limit === undefined ? allowedBy(identity) : implicit(limit);
  return granted.grant === 'role' && limit !== undefined ? implicit(limit) : implicit('identity');
}

function explicitDeny(request: EvaluationRequest, policies: PolicySet): StatementRef | undefined {
  const { identity, resource, boundary, session } = policies;
  const hasBoundary = boundary !== undefined;
  return (
    (resource && !isRepair(request) ? denies(resource, request, hasBoundary) : undefined) ??
    (identity && denies(identity, request, false)) ??
    (boundary && denies(boundary, request, false)) ??
    (session && denies(session, request, false))
  );
}

/**
 * The root user of the owner's account reads, replaces and removes a bucket policy whatever that policy says: else one
 * that denies everybody could never be repaired. Source: S3 API reference, PutBucketPolicy.
 */
export function isRepair({
  action,
  principal,
  resourceAccount,
}: Pick<EvaluationRequest, 'action' | 'principal' | 'resourceAccount'>): boolean {
  return (
    principal.type === 'root' && principal.accountId === resourceAccount && REPAIRS.has(action.toLowerCase())
  );
}

const REPAIRS: ReadonlySet<string> = new Set([
  's3:deletebucketpolicy',
  's3:getbucketpolicy',
  's3:putbucketpolicy',
]);

function denies(
  policy: CompiledPolicy,
  request: EvaluationRequest,
  hasBoundary: boolean,
): StatementRef | undefined {
  for (const statement of policy.candidates(request.action).deny) {
    if (
      denyNames(statement, request.principal, hasBoundary) &&
      applies(statement, request.resource, request.context)
    ) {
      return statement.ref;
    }
  }
  return undefined;
}

export function denyNames(
  statement: CompiledStatement,
  principal: PolicyPrincipal,
  hasBoundary: boolean,
): boolean {
  const { principals } = statement;
  if (principals === undefined) return true;
  return principals.negated
    ? !exemptsPrincipal(principals.patterns, principal, { hasBoundary })
    : matchPrincipals(principals.patterns, principal) !== 'none';
}

function someAllow(policy: CompiledPolicy, request: EvaluationRequest): StatementRef | undefined {
  for (const statement of policy.candidates(request.action).allow) {
    if (applies(statement, request.resource, request.context)) return statement.ref;
  }
  return undefined;
}

/** The most direct grant of the resource policy, and the statement that makes it. */
function resourceGrant(
  policy: CompiledPolicy | undefined,
  request: EvaluationRequest,
): { readonly grant: Grant; readonly by: StatementRef | undefined } {
  let grant: Grant = 'none';
  let by: StatementRef | undefined;
  if (policy === undefined) return { grant, by };
  for (const statement of policy.candidates(request.action).allow) {
    // INVARIANT: an Allow that names nobody, or names by exclusion, grants to nobody.
    if (statement.principals === undefined || statement.principals.negated) continue;
    const found = matchPrincipals(statement.principals.patterns, request.principal);
    if (strongerGrant(grant, found) === grant) continue;
    if (!applies(statement, request.resource, request.context)) continue;
    grant = found;
    by = statement.ref;
    if (grant === 'direct') break;
  }
  return { grant, by };
}

/** Which limit on the identity, if any, does not allow the request. Boundaries do not bind the root user. */
function limitedBy(request: EvaluationRequest, policies: PolicySet): 'boundary' | 'session' | undefined {
  const { boundary, session } = policies;
  if (
    boundary !== undefined &&
    request.principal.type !== 'root' &&
    someAllow(boundary, request) === undefined
  ) {
    return 'boundary';
  }
  const isOpen = session === undefined || someAllow(session, request) !== undefined;
  return isOpen ? undefined : 'session';
}

function applies(statement: CompiledStatement, resource: string, context: ContextLookup): boolean {
  if (!statement.resources.matches(resource, context)) return false;
  for (const holds of statement.conditions) if (!holds(context)) return false;
  return true;
}

function allowedBy(by: StatementRef): Decision {
  return { effect: 'Allow', by };
}

function implicit(missing: 'identity' | 'resource' | 'boundary' | 'session'): Decision {
  return { effect: 'Deny', because: { kind: 'implicit', missing } };
}
