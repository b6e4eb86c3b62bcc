/** The decision: policies and a request to Allow or Deny, with the statement that decided. */

import type { CompiledPolicy, CompiledStatement } from './compile.ts';
import { ALLOWED_AS_ROOT, IMPLICITLY_DENIED, type Decision, type StatementRef } from './decision.ts';
import { NO_CANDIDATES, type Candidate, type Candidates } from './index-resource.ts';
import { isStrongerGrant, type Grant, type PolicyPrincipal } from './principal.ts';
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
  /** The setting RestrictPublicBuckets holds: a public bucket policy is for callers of the resource's account alone. */
  readonly restrictPublicBuckets?: boolean;
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

/**
 * Decides by the rules of "Policy evaluation logic" (IAM User Guide). Does no I/O, never throws: an error while
 * evaluating, also one thrown by `request.context`, denies, and is the `cause` in the decision.
 *
 * Allocates nothing of its own: decisions are made when policies are compiled.
 */
export function evaluate(request: EvaluationRequest, policies: PolicySet): Decision {
  try {
    return decide(request, policies);
  } catch (cause) {
    return { effect: 'Deny', because: { kind: 'error', cause } };
  }
}

function decide(request: EvaluationRequest, policies: PolicySet): Decision {
  const resource = candidates(policies.resource, request);
  const identity = candidates(policies.identity, request);
  const boundary = candidates(policies.boundary, request);
  const session = candidates(policies.session, request);
  const { principal } = request;
  const denying = resource.denyByPrincipal?.of(principal) ?? resource.deny;
  const denied =
    (isRepair(request) ? undefined : firstDeny(denying, request, policies.boundary !== undefined)) ??
    firstDeny(identity.deny, request, false) ??
    firstDeny(boundary.deny, request, false) ??
    firstDeny(session.deny, request, false);
  if (denied !== undefined) return denied.decision;

  const publicBy = restrictedBy(request, policies);
  if (publicBy !== undefined) return { effect: 'Deny', because: { kind: 'restricted', publicBy } };

  const granting = grantingStatement(resource.allowByPrincipal?.of(principal) ?? resource.allow, request);
  if (principal.type === 'anonymous') return granting?.decision ?? IMPLICITLY_DENIED.resource;

  if (principal.accountId !== request.resourceAccount) {
    if (granting === undefined) return IMPLICITLY_DENIED.resource;
    if (allowedByIdentity(identity, request) === undefined) return IMPLICITLY_DENIED.identity;
    return limitedBy(request, policies, boundary, session) ?? granting.decision;
  }
  // A grant to the caller itself adds to what its identity may do, past the limits on that; one to the role of the
  // session is limited like the role's own policies; one to the account only delegates to identity policies.
  const grant = granting?.principals?.grant(principal);
  if (granting !== undefined && grant === 'direct') return granting.decision;
  const limited = limitedBy(request, policies, boundary, session);
  if (granting !== undefined && grant === 'role') return limited ?? granting.decision;
  const allowed = allowedByIdentity(identity, request);
  return allowed === undefined ? IMPLICITLY_DENIED.identity : (limited ?? allowed);
}

function allowedByIdentity(identity: Candidates, request: EvaluationRequest): Decision | undefined {
  if (request.principal.type === 'root') return ALLOWED_AS_ROOT;
  return firstAllow(identity.allow, request)?.decision;
}

function candidates(policy: CompiledPolicy | undefined, request: EvaluationRequest): Candidates {
  return policy === undefined ? NO_CANDIDATES : policy.candidates(request.action, request.resource);
}

/**
 * Also what the policy grants to named accounts is then void: one public statement makes the whole policy public.
 * Source: S3 User Guide, "Blocking public access to your Amazon S3 storage".
 */
export function restrictedBy(
  { restrictPublicBuckets, principal, resourceAccount }: EvaluationRequest,
  { resource }: PolicySet,
): StatementRef | undefined {
  if (restrictPublicBuckets !== true) return undefined;
  const isOutside = principal.type === 'anonymous' || principal.accountId !== resourceAccount;
  return isOutside ? resource?.publicBy : undefined;
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

function firstDeny(
  list: readonly Candidate[],
  request: EvaluationRequest,
  hasBoundary: boolean,
): CompiledStatement | undefined {
  for (let index = 0; index < list.length; index += 1) {
    const candidate = list[index];
    if (candidate === undefined) break;
    if (denyNames(candidate.statement, request.principal, hasBoundary) && applies(candidate, request))
      return candidate.statement;
  }
  return undefined;
}

export function denyNames(
  { principals }: CompiledStatement,
  principal: PolicyPrincipal,
  hasBoundary: boolean,
): boolean {
  if (principals === undefined) return true;
  return principals.negated
    ? !principals.exempts(principal, { hasBoundary })
    : principals.grant(principal) !== 'none';
}

function firstAllow(list: readonly Candidate[], request: EvaluationRequest): CompiledStatement | undefined {
  for (let index = 0; index < list.length; index += 1) {
    const candidate = list[index];
    if (candidate !== undefined && applies(candidate, request)) return candidate.statement;
  }
  return undefined;
}

/** The statement of the resource policy that names the caller most directly, of those that apply. */
function grantingStatement(
  list: readonly Candidate[],
  request: EvaluationRequest,
): CompiledStatement | undefined {
  let strongest: Grant = 'none';
  let by: CompiledStatement | undefined;
  for (let index = 0; index < list.length; index += 1) {
    const candidate = list[index];
    if (candidate === undefined) break;
    const grant = grantOf(candidate.statement, request.principal);
    if (grant === 'none' || !isStrongerGrant(grant, strongest)) continue;
    if (!applies(candidate, request)) continue;
    strongest = grant;
    by = candidate.statement;
    if (grant === 'direct') break;
  }
  return by;
}

/** INVARIANT: an Allow of a resource policy that names nobody, or names by exclusion, grants to nobody. */
export function grantOf({ principals }: CompiledStatement, principal: PolicyPrincipal): Grant {
  return principals === undefined || principals.negated ? 'none' : principals.grant(principal);
}

/** The refusal, if a limit on the identity does not allow the request. Boundaries do not bind the root user. */
function limitedBy(
  request: EvaluationRequest,
  policies: PolicySet,
  boundary: Candidates,
  session: Candidates,
): Decision | undefined {
  const isBound = policies.boundary !== undefined && request.principal.type !== 'root';
  if (isBound && firstAllow(boundary.allow, request) === undefined) return IMPLICITLY_DENIED.boundary;
  const isOpen = policies.session === undefined || firstAllow(session.allow, request) !== undefined;
  return isOpen ? undefined : IMPLICITLY_DENIED.session;
}

function applies({ statement, tests }: Candidate, { resource, context }: EvaluationRequest): boolean {
  if (tests !== undefined && !anyMatches(tests, resource, context)) return false;
  const { checks } = statement;
  for (let index = 0; index < checks.length; index += 1) {
    if (checks[index]?.(context) !== true) return false;
  }
  return true;
}

function anyMatches(
  tests: NonNullable<Candidate['tests']>,
  resource: string,
  context: ContextLookup,
): boolean {
  for (let index = 0; index < tests.length; index += 1) {
    if (tests[index]?.(resource, context) === true) return true;
  }
  return false;
}
