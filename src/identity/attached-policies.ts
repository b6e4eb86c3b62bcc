/** The identity policies that hold for a key: those of its user, then its own; and what they were with others in their place. */
import { parsePolicy, type PolicySource } from '../policy/index.ts';
import { type StoredIdentity, type StoredKey, type StoredPolicy } from './store.ts';

export interface AttachedPolicy extends PolicySource {
  readonly owner: 'user' | 'key';
  /** As its owner has it, `scope`; `name` has the owner's name before it. */
  readonly ownName: string;
}

/** Replacements by `ownName`; `undefined` stands for no such policy. */
export type PolicyReplacements = ReadonlyMap<string, PolicySource | undefined>;

/**
 * @param onUnusable told of a document that cannot be read: what it denied is unknown, so its place is taken by one
 * that denies everything.
 */
export function attachedPolicies(
  identity: Omit<StoredIdentity, 'key'> & { readonly key: Pick<StoredKey, 'accessKeyId'> },
  onUnusable: (name: string, error: unknown) => void,
): readonly AttachedPolicy[] {
  const { key, principal, principalPolicies, keyPolicies } = identity;
  const attached =
    (owner: AttachedPolicy['owner'], ownerName: string) =>
    ({ name: ownName, document }: StoredPolicy): AttachedPolicy => {
      const name = `${ownerName}/${ownName}`;
      try {
        return { owner, ownName, name, document: parsePolicy(document, { type: 'identity' }) };
      } catch (error) {
        onUnusable(name, error);
        return { owner, ownName, name, document: parsePolicy(DENY_EVERYTHING, { type: 'identity' }) };
      }
    };
  return [
    ...principalPolicies.map(attached('user', principal.userName)),
    ...keyPolicies.map(attached('key', key.accessKeyId)),
  ];
}

/** The policies with some of them replaced, taken away or added: what has no replacement stays. */
export function replacePolicies(
  attached: readonly AttachedPolicy[],
  replacements: { readonly user: PolicyReplacements; readonly key: PolicyReplacements },
): readonly PolicySource[] {
  return (['user', 'key'] as const).flatMap((owner) => {
    const policies = new Map<string, PolicySource | undefined>();
    for (const policy of attached) if (policy.owner === owner) policies.set(policy.ownName, policy);
    for (const [name, replacement] of replacements[owner]) policies.set(name, replacement);
    return [...policies.values()].filter((source) => source !== undefined);
  });
}

/** The Sid is the reason. */
const DENY_EVERYTHING =
  '{"Version":"2012-10-17","Statement":[{"Sid":"UnusablePolicy","Effect":"Deny","Action":"*","Resource":"*"}]}';
