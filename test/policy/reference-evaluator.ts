/**
 * What AWS IAM decides, written a second time: plainly, over the JSON of the policies, from the documentation alone
 * (IAM User Guide, "Policy evaluation logic" and the pages on policy elements). It shares no code with src/policy;
 * reference.test.ts holds the engine to it.
 */
import type { PolicyPrincipal } from '../../src/policy/index.ts';
import { conditionHolds } from './reference-conditions.ts';
import { actionMatches, arnMatches, type Context, type TextOptions } from './reference-text.ts';

export interface ReferenceRequest {
  readonly action: string;
  readonly resource: string;
  readonly resourceAccount: string;
  readonly principal: PolicyPrincipal;
  readonly context: Context;
}

/** Texts of policies; an absent boundary or session policy limits nothing. */
export interface ReferencePolicies {
  readonly identity: readonly string[];
  readonly resource?: string | undefined;
  readonly boundary?: string | undefined;
  readonly session?: readonly string[] | undefined;
}

export type ReferenceDecision = 'Allow' | 'explicit Deny' | 'implicit Deny';

interface Statement {
  readonly Effect: 'Allow' | 'Deny';
  readonly Principal?: unknown;
  readonly NotPrincipal?: unknown;
  readonly Action?: string | readonly string[];
  readonly NotAction?: string | readonly string[];
  readonly Resource?: string | readonly string[];
  readonly NotResource?: string | readonly string[];
  readonly Condition?: unknown;
}

export function referenceDecision(request: ReferenceRequest, policies: ReferencePolicies): ReferenceDecision {
  const { principal } = request;
  const identity = policies.identity.flatMap((text) => applying(text, request));
  const boundary = policies.boundary === undefined ? undefined : applying(policies.boundary, request);
  const session = policies.session?.flatMap((text) => applying(text, request));
  const ofBucket =
    policies.resource === undefined
      ? []
      : applying(policies.resource, request).filter(
          ({ Effect }) => Effect === 'Allow' || !isRootAtPolicyOfOwnBucket(request),
        );
  const hasBoundary = policies.boundary !== undefined;

  const speaksOfCaller = ofBucket.filter((statement) =>
    statement.NotPrincipal === undefined
      ? grantOf(statement.Principal, principal) !== 'none'
      : isOutside(statement.NotPrincipal, principal, hasBoundary),
  );
  const all = [...identity, ...(boundary ?? []), ...(session ?? []), ...speaksOfCaller];
  if (all.some((statement) => statement.Effect === 'Deny')) return 'explicit Deny';

  const grants = speaksOfCaller.map((statement) => grantOf(statement.Principal, principal));
  if (principal.type === 'anonymous') return grants.length > 0 ? 'Allow' : 'implicit Deny';

  // From here on no statement denies, so what is left allows.
  const withinLimits = (boundary?.length ?? 1) > 0 && (session?.length ?? 1) > 0;
  const ownAccountAllows = principal.type === 'root' || identity.length > 0;
  if (principal.accountId !== request.resourceAccount) {
    return grants.length > 0 && ownAccountAllows && withinLimits ? 'Allow' : 'implicit Deny';
  }
  if (grants.includes('direct')) return 'Allow';
  if (grants.includes('role') && withinLimits) return 'Allow';
  return ownAccountAllows && withinLimits ? 'Allow' : 'implicit Deny';
}

/** The statements whose action, resource and conditions fit; principals are looked at elsewhere. */
function applying(text: string, request: ReferenceRequest): Statement[] {
  const policy = JSON.parse(text) as { Version?: string; Statement: Statement | Statement[] };
  const options: TextOptions = { variables: policy.Version === '2012-10-17', context: request.context };
  return [policy.Statement].flat().filter((statement) => {
    const named = list(statement.Action ?? statement.NotAction);
    const isNamed = named.some((pattern) => actionMatches(pattern, request.action));
    if (isNamed !== (statement.Action !== undefined)) return false;
    const resources = list(statement.Resource ?? statement.NotResource);
    const isResource = resources.some(
      (pattern) => pattern === '*' || arnMatches(pattern, request.resource, options),
    );
    if (isResource !== (statement.Resource !== undefined)) return false;
    return conditionHolds(statement.Condition, options);
  });
}

/**
 * Source: S3 API Reference, PutBucketPolicy, GetBucketPolicy and DeleteBucketPolicy: "the root user of the Amazon Web
 * Services account that owns the bucket can always use this operation, even if the policy explicitly denies the root
 * user the ability to perform this action".
 */
function isRootAtPolicyOfOwnBucket({ principal, action, resourceAccount }: ReferenceRequest): boolean {
  return (
    principal.type === 'root' &&
    principal.accountId === resourceAccount &&
    ['s3:getbucketpolicy', 's3:putbucketpolicy', 's3:deletebucketpolicy'].includes(action.toLowerCase())
  );
}

/** How a Principal element speaks of the caller: as itself, as its role, as its account, or not at all. */
type Grant = 'direct' | 'role' | 'account' | 'none';

function grantOf(element: unknown, principal: PolicyPrincipal): Grant {
  const entries = principalEntries(element);
  const grants = new Set(entries.map(([type, value]) => grantOfEntry(type, value, principal)));
  return (['direct', 'role', 'account'] as const).find((grant) => grants.has(grant)) ?? 'none';
}

function grantOfEntry(type: string, value: string, principal: PolicyPrincipal): Grant {
  if (value === '*') return type === 'AWS' ? 'direct' : 'none';
  if (principal.type === 'anonymous') return 'none';
  // A canonical user id is another way to write an account.
  if (type === 'CanonicalUser') return value === principal.canonicalUserId ? 'account' : 'none';
  if (type === 'Federated') return value === principal.federatedProvider ? 'direct' : 'none';
  if (type !== 'AWS') return 'none';
  if (
    value === principal.accountId ||
    /^arn:[^:]*:iam::([0-9]{12}):root$/.exec(value)?.[1] === principal.accountId
  ) {
    return 'account';
  }
  // A unique id stands for the user or role that bears it; a session's begins with its role's.
  const isRoleId = principal.type === 'role-session' && value === principal.userId?.split(':')[0];
  if (value === principal.roleArn || isRoleId) return 'role';
  return value === principal.arn || value === principal.userId ? 'direct' : 'none';
}

/**
 * NotPrincipal with Deny. Source: IAM User Guide, "AWS JSON policy elements: NotPrincipal": of a session, the session,
 * its role and its account must be listed; a principal with a permissions boundary is denied whatever is listed.
 */
function isOutside(element: unknown, principal: PolicyPrincipal, hasBoundary: boolean): boolean {
  if (hasBoundary) return true;
  const entries = principalEntries(element);
  if (entries.some(([type, value]) => type === 'AWS' && value === '*')) return false;
  const grants = new Set(entries.map(([type, value]) => grantOfEntry(type, value, principal)));
  if (principal.type === 'role-session') {
    return !(grants.has('direct') && grants.has('role') && grants.has('account'));
  }
  return !grants.has(principal.type === 'root' ? 'account' : 'direct');
}

/** `"*"` is `{"AWS": "*"}`. */
function principalEntries(element: unknown): [string, string][] {
  if (element === '*') return [['AWS', '*']];
  const entries = Object.entries((element ?? {}) as Record<string, string | readonly string[]>);
  return entries.flatMap(([type, values]) => list(values).map((value): [string, string] => [type, value]));
}

function list(values: string | readonly string[] | undefined): readonly string[] {
  if (values === undefined) return [];
  return typeof values === 'string' ? [values] : values;
}
