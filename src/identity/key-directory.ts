/** From an access key id to everything a request's decision needs of it, cached. */
import { createHash } from 'node:crypto';

import { compilePolicies, type CompiledPolicy } from '../policy/index.ts';
import { type Secret } from '../sigv4/index.ts';
import { isImpossibleAccessKeyId } from './access-key.ts';
import { attachedPolicies, type AttachedPolicy } from './attached-policies.ts';
import { decryptSecret, SecretUnusableError } from './encrypted-secret.ts';
import { type MasterKey } from './master-key.ts';
import { type Principal } from './principal.ts';
import { createStoreCache } from './store-cache.ts';
import { type IdentityStore, type KeyStatus, type StoredIdentity } from './store.ts';

export interface ResolvedKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: Secret;
  /** Differs whenever the secret does: part of the key of every cache of signing keys. */
  readonly secretVersion: string;
  readonly principal: Principal;
  /** The principal's policies and the key's own. The root needs none: the policy engine knows what it may. */
  readonly policies: CompiledPolicy;
  /** What `policies` was compiled from. */
  readonly attached: readonly AttachedPolicy[];
  /** Epoch milliseconds; undefined: never. */
  readonly expiresAt: number | undefined;
  /** An inactive or expired key is found too: whoever asks must refuse it. */
  readonly status: KeyStatus;
}

export interface KeyDirectory {
  /** Resolves to undefined for an unknown key, and for one whose secret is unusable; rejects only when the store fails. */
  find(accessKeyId: string): Promise<ResolvedKey | undefined>;
  /** Looks for changes now. Runs by itself every `pollInterval`; never rejects. */
  refresh(): Promise<void>;
  close(): void;
}

/** Something stored is unusable: the key concerned is refused, and the operator should know. */
export interface IdentityProblem {
  readonly kind: 'secret' | 'policy' | 'bucket-policy' | 'bucket-cors' | 'public-access-block' | 'store';
  /** The access key id or bucket concerned; undefined for the store as a whole. */
  readonly subject: string | undefined;
  readonly policy?: string;
  readonly error: unknown;
}

export interface DirectoryOptions {
  readonly store: IdentityStore;
  /** Most entries kept; as many absences are kept beside them. */
  readonly cacheSize: number;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Between two looks for changes by any process, in milliseconds: 250 is well within a second. 0: only `refresh`. */
  readonly pollInterval: number;
  readonly onProblem: (problem: IdentityProblem) => void;
}

export function createKeyDirectory(
  options: DirectoryOptions & { readonly masterKey: MasterKey },
): KeyDirectory {
  const { store, masterKey, onProblem } = options;
  const cache = createStoreCache<ResolvedKey>({
    store,
    load: async (accessKeyId) => {
      const identity = await store.findKey(accessKeyId);
      return identity && resolveKey(identity, masterKey, onProblem);
    },
    max: options.cacheSize,
    now: options.now,
    onPollFailure: (error) => {
      onProblem({ kind: 'store', subject: undefined, error });
    },
    pollInterval: options.pollInterval,
  });
  return {
    find: (accessKeyId) =>
      isImpossibleAccessKeyId(accessKeyId) ? Promise.resolve(undefined) : cache.find(accessKeyId),
    refresh: () => cache.refresh(),
    close: () => {
      cache.close();
    },
  };
}

function resolveKey(
  identity: StoredIdentity,
  masterKey: MasterKey,
  onProblem: DirectoryOptions['onProblem'],
): ResolvedKey | undefined {
  const { accessKeyId, encryptedSecret, expiresAt, status } = identity.key;
  try {
    const { type, arn, accountId, userName, userId, tags } = identity.principal;
    const secretAccessKey = decryptSecret(encryptedSecret, { accessKeyId, masterKey });
    const attached = attachedPolicies(identity, (policy, error) => {
      onProblem({ kind: 'policy', subject: accessKeyId, policy, error });
    });
    return {
      accessKeyId,
      secretAccessKey,
      // The nonce in it makes each encryption differ, also of a secret that was set anew.
      secretVersion: createHash('sha256').update(encryptedSecret).digest('hex').slice(0, 16),
      principal: { type, arn, accountId, userName, userId, tags },
      policies: compilePolicies(attached),
      attached,
      expiresAt,
      status,
    };
  } catch (error) {
    if (!(error instanceof SecretUnusableError)) throw error;
    onProblem({ kind: 'secret', subject: accessKeyId, error });
    return undefined;
  }
}
