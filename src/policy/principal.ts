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

export function isStrongerGrant(grant: Grant, than: Grant): boolean {
  return STRENGTH[grant] > STRENGTH[than];
}

/** A Principal or NotPrincipal element. */
export class PrincipalSet {
  readonly negated: boolean;
  /** One of these is a name of each principal that is in the set; undefined for a set that others are in, too. */
  readonly names: readonly string[] | undefined;
  readonly #everyone: boolean;
  // Undefined where there are none: most sets name principals of one kind.
  readonly #accounts: ReadonlySet<string> | undefined;
  readonly #arns: ReadonlySet<string> | undefined;
  readonly #uniqueIds: ReadonlySet<string> | undefined;
  readonly #canonicalUsers: ReadonlySet<string> | undefined;
  readonly #providers: ReadonlySet<string> | undefined;

  constructor(patterns: readonly PrincipalPattern[], options: { readonly negated: boolean }) {
    this.negated = options.negated;
    this.#everyone = patterns.some(({ kind }) => kind === 'everyone');
    this.names = this.#everyone || this.negated ? undefined : [...new Set(patterns.flatMap(nameOf))];
    this.#accounts = setOf(patterns.flatMap((each) => (each.kind === 'account' ? [each.accountId] : [])));
    this.#arns = setOf(patterns.flatMap((each) => (each.kind === 'arn' ? [each.arn] : [])));
    this.#uniqueIds = setOf(patterns.flatMap((each) => (each.kind === 'unique-id' ? [each.id] : [])));
    this.#canonicalUsers = setOf(
      patterns.flatMap((each) => (each.kind === 'canonical-user' ? [each.id] : [])),
    );
    this.#providers = setOf(patterns.flatMap((each) => (each.kind === 'federated' ? [each.provider] : [])));
  }

  /** The most direct way in which the set names the caller. */
  grant(principal: PolicyPrincipal): Grant {
    if (this.#everyone) return 'direct';
    if (principal.type === 'anonymous') return 'none';
    if (this.#namesItself(principal)) return 'direct';
    if (this.#namesRole(principal)) return 'role';
    return this.#namesAccount(principal) ? 'account' : 'none';
  }

  /**
   * Does it, as a NotPrincipal list, exempt the caller? A session is exempt only if itself, its role and its account
   * are all listed; a caller with a permissions boundary never is (IAM User Guide, "NotPrincipal").
   */
  exempts(principal: PolicyPrincipal, options: { readonly hasBoundary: boolean }): boolean {
    if (options.hasBoundary) return false;
    if (this.#everyone) return true;
    switch (principal.type) {
      case 'anonymous':
        return false;
      case 'role-session':
        return this.#namesItself(principal) && this.#namesRole(principal) && this.#namesAccount(principal);
      case 'root':
        return this.#namesItself(principal) || this.#namesAccount(principal);
      case 'user':
      case 'federated':
        return this.#namesItself(principal);
    }
  }

  #namesItself(principal: KnownPrincipal): boolean {
    if (this.#arns !== undefined) {
      const { arn, roleArn } = principal;
      // A caller given as the role itself, without a session, is what a grant to the role names.
      if (arn !== roleArn && this.#arns.has(arn)) return true;
    }
    return has(this.#uniqueIds, principal.userId) || has(this.#providers, principal.federatedProvider);
  }

  #namesRole(principal: KnownPrincipal): boolean {
    if (has(this.#arns, principal.roleArn)) return true;
    if (this.#uniqueIds === undefined) return false;
    const { userId = '' } = principal;
    const colon = userId.indexOf(':');
    return colon >= 0 && this.#uniqueIds.has(userId.slice(0, colon));
  }

  #namesAccount(principal: KnownPrincipal): boolean {
    return has(this.#accounts, principal.accountId) || has(this.#canonicalUsers, principal.canonicalUserId);
  }
}

function nameOf(pattern: PrincipalPattern): readonly string[] {
  switch (pattern.kind) {
    case 'account':
      return [pattern.accountId];
    case 'arn':
      return [pattern.arn];
    case 'unique-id':
    case 'canonical-user':
      return [pattern.id];
    case 'federated':
      return [pattern.provider];
    case 'everyone':
    case 'service':
      return [];
  }
}

function setOf(names: readonly string[]): ReadonlySet<string> | undefined {
  return names.length === 0 ? undefined : new Set(names);
}

function has(names: ReadonlySet<string> | undefined, name: string | undefined): boolean {
  return names !== undefined && name !== undefined && names.has(name);
}

type KnownPrincipal = Exclude<PolicyPrincipal, { readonly type: 'anonymous' }>;

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
