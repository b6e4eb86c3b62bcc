/** Who a statement speaks of, and whether the caller is one of them. */

/** The caller, as the identity stage knows it. */
export type PolicyPrincipal =
  | { readonly type: 'anonymous' }
  | {
      readonly type: 'user' | 'root' | 'role-session' | 'federated';
      /** A user's, account root's or session's own ARN (`arn:aws:sts::...:assumed-role/ROLE/SESSION`). */
      readonly arn: string;
      readonly accountId: string;
      /** The real ARN of a session's role, with its path. */
      readonly roleArn?: string;
      readonly userName?: string;
      readonly userId?: string;
      readonly canonicalUserId?: string;
      /** The identity provider of a web-identity or SAML session. */
      readonly federatedProvider?: string;
    };

/** One entry of Principal or NotPrincipal. */
export type PrincipalPattern =
  | { readonly kind: 'everyone' }
  | { readonly kind: 'account'; readonly accountId: string }
  | { readonly kind: 'arn'; readonly arn: string }
  | { readonly kind: 'unique-id'; readonly id: string }
  | { readonly kind: 'canonical-user'; readonly id: string }
  | { readonly kind: 'federated'; readonly provider: string }
  | { readonly kind: 'service'; readonly service: string };

/**
 * How directly a statement of a resource policy names the caller, weakest first: not at all, by the account (which
 * only delegates to it), by the session's role, or as itself.
 */
export type Grant = 'none' | 'account' | 'role' | 'direct';

const STRENGTH: Readonly<Record<Grant, number>> = { none: 0, account: 1, role: 2, direct: 3 };

export function strongerGrant(left: Grant, right: Grant): Grant {
  return STRENGTH[left] >= STRENGTH[right] ? left : right;
}

/** The most direct way in which one of the patterns names the caller. */
export function matchPrincipals(patterns: readonly PrincipalPattern[], principal: PolicyPrincipal): Grant {
  let grant: Grant = 'none';
  for (const pattern of patterns) grant = strongerGrant(grant, matchPrincipal(pattern, principal));
  return grant;
}

/**
 * Does a NotPrincipal list exempt the caller? A session is exempt only if itself, its role and its account are all
 * listed; a caller with a permissions boundary never is (IAM User Guide, "NotPrincipal").
 */
export function exemptsPrincipal(
  patterns: readonly PrincipalPattern[],
  principal: PolicyPrincipal,
  options: { readonly hasBoundary: boolean },
): boolean {
  if (options.hasBoundary) return false;
  if (patterns.some((pattern) => pattern.kind === 'everyone')) return true;
  const grants = new Set(patterns.map((pattern) => matchPrincipal(pattern, principal)));
  if (principal.type === 'anonymous') return false;
  if (principal.type === 'role-session') {
    return grants.has('direct') && grants.has('role') && grants.has('account');
  }
  return grants.has('direct') || (principal.type === 'root' && grants.has('account'));
}

const ROOT = /^arn:[a-z-]+:iam::(\d{12}):root$/;
const USER_OR_ROLE = /^arn:[a-z-]+:iam::\d{12}:(?:user|role)\/[^*?]+$/;
const SESSION = /^arn:[a-z-]+:sts::\d{12}:(?:assumed-role\/[^*?/]+\/[^*?/]+|federated-user\/[^*?/]+)$/;
const ORIGIN_ACCESS_IDENTITY = /^arn:aws:iam::cloudfront:user\/CloudFront Origin Access Identity [A-Z0-9]+$/;

/** One value of the Principal element, under its type (`AWS`, `Federated`, ...). Undefined if it is none. */
export function parsePrincipal(type: string, value: string): PrincipalPattern | undefined {
  switch (type) {
    case 'AWS':
      return parseAwsPrincipal(value);
    case 'CanonicalUser':
      return /^[0-9a-f]{64}$/.test(value) ? { kind: 'canonical-user', id: value } : undefined;
    case 'Federated':
      return /^[^*?\s]+$/.test(value) ? { kind: 'federated', provider: value } : undefined;
    case 'Service':
      return /^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/.test(value) ? { kind: 'service', service: value } : undefined;
    default:
      return undefined;
  }
}

function parseAwsPrincipal(value: string): PrincipalPattern | undefined {
  if (value === '*') return { kind: 'everyone' };
  const accountId = /^\d{12}$/.test(value) ? value : ROOT.exec(value)?.[1];
  if (accountId !== undefined) return { kind: 'account', accountId };
  if (USER_OR_ROLE.test(value) || SESSION.test(value) || ORIGIN_ACCESS_IDENTITY.test(value)) {
    return { kind: 'arn', arn: value };
  }
  return /^A(?:IDA|ROA)[A-Z0-9]{12,}$/.test(value) ? { kind: 'unique-id', id: value } : undefined;
}

function matchPrincipal(pattern: PrincipalPattern, principal: PolicyPrincipal): Grant {
  if (pattern.kind === 'everyone') return 'direct';
  if (principal.type === 'anonymous') return 'none';
  switch (pattern.kind) {
    case 'account':
      return pattern.accountId === principal.accountId ? 'account' : 'none';
    case 'arn':
      if (pattern.arn === principal.arn) {
        // A caller given as the role itself, without a session, is what a grant to the role names.
        return principal.arn === principal.roleArn ? 'role' : 'direct';
      }
      return pattern.arn === principal.roleArn ? 'role' : 'none';
    case 'unique-id':
      if (pattern.id === principal.userId) return 'direct';
      return principal.userId?.startsWith(`${pattern.id}:`) === true ? 'role' : 'none';
    case 'canonical-user':
      return pattern.id === principal.canonicalUserId ? 'account' : 'none';
    case 'federated':
      return pattern.provider === principal.federatedProvider ? 'direct' : 'none';
    case 'service':
      return 'none';
  }
}
