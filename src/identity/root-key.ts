/** The administrator's key: the configured one, or one made at the first start. */
import { type Secret } from '../sigv4/index.ts';
import {
  assertAccessKeyId,
  IdentityInputError,
  newAccessKeyId,
  newSecretAccessKey,
  parseSecretAccessKey,
} from './access-key.ts';
import { decryptSecret, encryptSecret, SecretUnusableError } from './encrypted-secret.ts';
import { type MasterKey } from './master-key.ts';
import { rootPrincipal } from './principal.ts';
import { type IdentityStore, type KeyOrigin, type StoredKey } from './store.ts';

export interface RootKeyOptions {
  readonly store: IdentityStore;
  readonly masterKey: MasterKey;
  /** Undefined: a key is made when there is none. */
  readonly configured: { readonly accessKeyId: string; readonly secretAccessKey: Secret } | undefined;
  readonly accountId: string;
  readonly now: () => number;
  readonly randomBytes: (size: number) => Buffer;
}

/** What the start found or did. Only `created` has a secret, and only this once. */
export type RootKeyOutcome =
  | { readonly kind: 'configured'; readonly accessKeyId: string; readonly endedKeys: readonly string[] }
  | { readonly kind: 'existing'; readonly accessKeyId: string; readonly status: StoredKey['status'] }
  | {
      readonly kind: 'created';
      readonly accessKeyId: string;
      readonly secretAccessKey: Secret;
      readonly endedKeys: readonly string[];
    };

/** How often a start that lost against another one looks again. */
const ATTEMPTS = 5;

/**
 * Makes the store's root key what it should be. With one configured, the root key is exactly that, and any other ends.
 * With none, a key made earlier stays (also a disabled one), a configured one ends, and where none is left one is made.
 *
 * @throws IdentityInputError for a configured key that cannot be one, or whose id a user's key has already.
 */
export async function ensureRootKey(options: RootKeyOptions): Promise<RootKeyOutcome> {
  if (options.configured !== undefined) {
    assertAccessKeyId(options.configured.accessKeyId);
    parseSecretAccessKey(options.configured.secretAccessKey.expose());
  }
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const outcome = await tryEnsure(options);
    if (outcome !== undefined) return outcome;
  }
  throw new Error(
    `The root key in \`${options.store.location}\` kept changing while starting: several gateways with different root keys are starting on one store.`,
  );
}

/** @returns undefined when another process changed the root keys meanwhile. */
async function tryEnsure(options: RootKeyOptions): Promise<RootKeyOutcome | undefined> {
  const { store, configured } = options;
  const found = (await store.listKeys())
    .filter(({ principal }) => principal.type === 'root')
    .map(({ key, principal }) => ({ key, arn: principal.arn }));
  const ids = found.map(({ key }) => key.accessKeyId);
  const arn = rootPrincipal(options.accountId, 0).arn;
  const only = found.length === 1 && found[0]?.arn === arn ? found[0].key : undefined;

  if (configured !== undefined) {
    const { accessKeyId, secretAccessKey } = configured;
    if (only !== undefined && isConfigured(only, configured, options.masterKey)) {
      return { kind: 'configured', accessKeyId, endedKeys: [] };
    }
    await assertNoUsersKey(store, accessKeyId);
    if (!(await replace(options, { accessKeyId, secretAccessKey, origin: 'configured' }, ids)))
      return undefined;
    return { kind: 'configured', accessKeyId, endedKeys: ids.filter((id) => id !== accessKeyId) };
  }

  if (only?.origin === 'generated') {
    return { kind: 'existing', accessKeyId: only.accessKeyId, status: only.status };
  }
  const accessKeyId = newAccessKeyId(options.randomBytes);
  const secretAccessKey = newSecretAccessKey(options.randomBytes);
  if (!(await replace(options, { accessKeyId, secretAccessKey, origin: 'generated' }, ids))) return undefined;
  return { kind: 'created', accessKeyId, secretAccessKey, endedKeys: ids };
}

/** An unchanged configuration writes nothing, so that signing keys in caches stay valid over a restart. */
function isConfigured(
  key: StoredKey,
  configured: { readonly accessKeyId: string; readonly secretAccessKey: Secret },
  masterKey: MasterKey,
): boolean {
  if (key.accessKeyId !== configured.accessKeyId || key.origin !== 'configured' || key.status !== 'Active') {
    return false;
  }
  try {
    const stored = decryptSecret(key.encryptedSecret, { accessKeyId: key.accessKeyId, masterKey });
    return stored.expose() === configured.secretAccessKey.expose();
  } catch (error) {
    if (error instanceof SecretUnusableError) return false;
    throw error;
  }
}

async function assertNoUsersKey(store: IdentityStore, accessKeyId: string): Promise<void> {
  const holder = (await store.findKey(accessKeyId))?.principal;
  if (holder === undefined || holder.type === 'root') return;
  throw new IdentityInputError(
    `The configured root access key id \`${accessKeyId}\` is the id of a key of ${holder.arn}. Configure another root key, or delete that one with \`bucketwarden keys delete ${accessKeyId}\`.`,
  );
}

async function replace(
  options: RootKeyOptions,
  credentials: {
    readonly accessKeyId: string;
    readonly secretAccessKey: Secret;
    readonly origin: KeyOrigin;
  },
  expected: readonly string[],
): Promise<boolean> {
  const { accessKeyId, secretAccessKey, origin } = credentials;
  const { masterKey, randomBytes } = options;
  const now = options.now();
  const key: StoredKey = {
    accessKeyId,
    encryptedSecret: encryptSecret(secretAccessKey, { accessKeyId, masterKey, randomBytes }),
    masterKeyId: masterKey.id,
    status: 'Active',
    origin,
    createdAt: now,
    expiresAt: undefined,
    description: undefined,
  };
  const principal = rootPrincipal(options.accountId, now);
  return options.store.replaceRootKeys({ principal, key, policies: [] }, expected);
}
