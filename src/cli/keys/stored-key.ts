/** The one key that a command is about. */
import { type IdentityStore, type StoredIdentity } from '../../identity/index.ts';
import { CommandError } from '../command-error.ts';

/** @throws CommandError for an unknown key. */
export async function requireKey(store: IdentityStore, accessKeyId: string): Promise<StoredIdentity> {
  const found = await store.findKey(accessKeyId);
  if (found === undefined) throw unknownKey(store, accessKeyId);
  return found;
}

export function unknownKey(store: IdentityStore, accessKeyId: string): CommandError {
  return new CommandError(
    `There is no access key \`${accessKeyId}\` in \`${store.location}\`. \`bucketwarden keys list\` shows those there are.`,
  );
}

/** @throws CommandError for the root key that the configuration sets: the next start would make it anew. */
export function assertNotConfigured({ key }: StoredIdentity): void {
  if (key.origin !== 'configured') return;
  throw new CommandError(
    `The access key \`${key.accessKeyId}\` is the administrator's, set by the configuration (BUCKETWARDEN_ROOT_ACCESS_KEY_ID). Change or remove it there and restart the gateway: that ends it.`,
  );
}
