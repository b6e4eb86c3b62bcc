/** The identity policies of a caller: of the key and its user, as they are stored, or with others in their place. */
import {
  attachedPolicies,
  replacePolicies,
  type AttachedPolicy,
  type IdentityStore,
} from '../../identity/index.ts';
import { compilePolicies, PolicyError, type CompiledPolicy, type PolicySource } from '../../policy/index.ts';
import type { PolicyOverlay } from './policy-overlay.ts';

/** Who asks: of an anonymous caller there is neither. */
export interface PolicyCaller {
  readonly arn: string | undefined;
  readonly accessKeyId: string | undefined;
}

export interface CallerPolicies {
  readonly policies: CompiledPolicy;
  /** The key or the user is gone, and with it the policies that it had. */
  readonly isIncomplete: boolean;
  /** That a key or user is gone, or a policy cannot be read. */
  readonly notes: readonly string[];
}

/** Rejects only when the store fails. */
export async function findCallerPolicies(
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
    notes: [...gone.map((what) => `${what} is not in the store (any more)`), ...notes],
  };
}

/** Undefined for another principal than a user. */
function userNameOf(arn: string): string | undefined {
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
