/** What a decision is: a value with its reason. */

/** Which statement decided. */
export interface StatementRef {
  /** The name under which the policy was compiled. */
  readonly policy: string;
  readonly sid?: string;
  /** From 0, in the order of the document. */
  readonly index: number;
}

export type Decision = Allowed | Denied;

interface Allowed {
  readonly effect: 'Allow';
  readonly by: StatementRef;
}

interface Denied {
  readonly effect: 'Deny';
  readonly because: DenyReason;
}

type DenyReason =
  | { readonly kind: 'explicit'; readonly by: StatementRef }
  /** RestrictPublicBuckets, and the caller is of no or another account; `publicBy` makes the bucket policy public. */
  | { readonly kind: 'restricted'; readonly publicBy: StatementRef }
  | { readonly kind: 'implicit'; readonly missing: 'identity' | 'resource' | 'boundary' | 'session' }
  /** Evaluation failed. `cause` is what was thrown: by the context, or a bug, to be logged. */
  | { readonly kind: 'error'; readonly cause: unknown };

/** What stands in `by` when the account's root user is allowed by being that. */
const ROOT_USER: StatementRef = { policy: 'root user', index: 0 };

export const ALLOWED_AS_ROOT: Decision = { effect: 'Allow', by: ROOT_USER };

/** Nothing allows: which kind of policy would have to. */
export const IMPLICITLY_DENIED = {
  identity: implicit('identity'),
  resource: implicit('resource'),
  boundary: implicit('boundary'),
  session: implicit('session'),
} as const;

function implicit(missing: 'identity' | 'resource' | 'boundary' | 'session'): Decision {
  return { effect: 'Deny', because: { kind: 'implicit', missing } };
}
