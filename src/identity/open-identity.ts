/** Store and master key together, as both the gateway and the commands open them. */
import { loadMasterKey, type LoadedMasterKey } from './master-key.ts';
import { openSqliteStore } from './sqlite-store.ts';
import { type IdentityStore } from './store.ts';
import { type Secret } from '../sigv4/index.ts';

export interface IdentitySource {
  readonly store: { readonly kind: 'sqlite'; readonly path: string };
  /** Where the master key lies when none is configured. */
  readonly dataDir: string;
  readonly masterKey: Secret | undefined;
}

export interface OpenedIdentity extends LoadedMasterKey {
  readonly store: IdentityStore;
}

/**
 * Makes the data folder, the store and the master key where they are missing.
 *
 * @throws MasterKeyError, or IdentityStoreError when the store cannot be opened.
 */
export async function openIdentity(
  source: IdentitySource,
  clock: { readonly now: () => number; readonly randomBytes: (size: number) => Buffer },
): Promise<OpenedIdentity> {
  const store = openSqliteStore(source.store.path, { now: clock.now });
  try {
    const loaded = await loadMasterKey({
      configured: source.masterKey,
      dataDir: source.dataDir,
      store,
      randomBytes: clock.randomBytes,
    });
    return { ...loaded, store };
  } catch (error) {
    await store.close();
    throw error;
  }
}
