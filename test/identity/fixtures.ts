import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import {
  encryptSecret,
  newUser,
  openSqliteStore,
  parseMasterKey,
  type IdentityStore,
  type KeyAddition,
  type MasterKey,
  type StoredKey,
  type StoredPolicy,
} from '../../src/identity/index.ts';
import { Secret } from '../../src/sigv4/index.ts';

export const ACCOUNT = '111122223333';
export const NOW = Date.parse('2026-03-01T12:00:00Z');
export const EXAMPLE_KEY_ID = 'AKIAIOSFODNN7EXAMPLE';
export const EXAMPLE_SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';

export const now = (): number => NOW;

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'bucketwarden-identity-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

export function newMasterKey(): MasterKey {
  return parseMasterKey(randomBytes(32).toString('hex'), 'test');
}

/** A store in a folder of its own, closed when the test ends. */
export function temporaryStore(path = join(temporaryFolder(), 'identity.db')): IdentityStore {
  const store = openSqliteStore(path, { now });
  onTestFinished(() => store.close());
  return store;
}

export function keyAddition(options: {
  readonly masterKey: MasterKey;
  readonly accessKeyId?: string;
  readonly secret?: string;
  readonly userName?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly policies?: readonly StoredPolicy[];
  readonly key?: Partial<StoredKey>;
}): KeyAddition {
  const { masterKey, accessKeyId = EXAMPLE_KEY_ID, userName = 'alice', tags = {} } = options;
  const secret = new Secret(options.secret ?? EXAMPLE_SECRET);
  return {
    principal: newUser({ accountId: ACCOUNT, userName, tags, now: NOW, randomBytes }),
    key: {
      accessKeyId,
      encryptedSecret: encryptSecret(secret, { accessKeyId, masterKey, randomBytes }),
      masterKeyId: masterKey.id,
      status: 'Active',
      origin: 'issued',
      createdAt: NOW,
      expiresAt: undefined,
      description: undefined,
      ...options.key,
    },
    policies: options.policies ?? [],
  };
}
