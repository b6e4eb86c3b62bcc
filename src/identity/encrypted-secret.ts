/**
 * Secrets at rest: AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce. The additional authenticated data names
 * the access key and the master key, so that a ciphertext moved to another key's row does not decrypt.
 *
 * Form: `v1.MASTERKEYID.NONCE.CIPHERTEXT.TAG`, the last three in base64url.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';

import { Secret } from '../sigv4/index.ts';
import { type MasterKey } from './master-key.ts';

const VERSION = 'v1';
const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** A stored secret that cannot be used: made under another master key, altered, or moved from another key. */
export class SecretUnusableError extends Error {
  override readonly name = 'SecretUnusableError';
}

export function encryptSecret(
  secret: Secret,
  options: {
    readonly accessKeyId: string;
    readonly masterKey: MasterKey;
    readonly randomBytes: (size: number) => Buffer;
  },
): string {
  const { accessKeyId, masterKey } = options;
  const nonce = options.randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, masterKey.bytes, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(associatedData(accessKeyId, masterKey.id));
  const ciphertext = Buffer.concat([cipher.update(secret.expose(), 'utf8'), cipher.final()]);
  return join(masterKey.id, nonce, ciphertext, cipher.getAuthTag());
}

/** @throws SecretUnusableError saying why, and what to do. */
export function decryptSecret(
  encrypted: string,
  { accessKeyId, masterKey }: { readonly accessKeyId: string; readonly masterKey: MasterKey },
): Secret {
  const [version, masterKeyId, ...parts] = encrypted.split('.');
  const [nonce, ciphertext, tag] = parts.map((part) => Buffer.from(part, 'base64url'));
  if (
    version !== VERSION ||
    masterKeyId === undefined ||
    nonce?.length !== NONCE_BYTES ||
    ciphertext === undefined ||
    tag?.length !== TAG_BYTES ||
    // base64url decodes many texts to the same bytes: only the one that was written is taken.
    join(masterKeyId, nonce, ciphertext, tag) !== encrypted
  ) {
    throw new SecretUnusableError(
      `The stored secret of access key \`${accessKeyId}\` is damaged. Restore the store from a copy, or delete the key and issue a new one.`,
    );
  }
  if (masterKeyId !== masterKey.id) {
    throw new SecretUnusableError(
      `The secret of access key \`${accessKeyId}\` is encrypted with the master key of id ${masterKeyId}, the one in use has id ${masterKey.id}. Start with the master key that the key was made with.`,
    );
  }
  try {
    const decipher = createDecipheriv(CIPHER, masterKey.bytes, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(associatedData(accessKeyId, masterKeyId));
    decipher.setAuthTag(tag);
    return new Secret(Buffer.concat([decipher.update(ciphertext), decipher.final()]).toString('utf8'));
  } catch (error) {
    throw new SecretUnusableError(
      `The stored secret of access key \`${accessKeyId}\` fails authentication: it was altered, or moved here from another key. Restore the store from a copy, or delete the key and issue a new one.`,
      { cause: error },
    );
  }
}

function associatedData(accessKeyId: string, masterKeyId: string): Buffer {
  return Buffer.from(`bucketwarden:${VERSION}:secret-access-key:${masterKeyId}:${accessKeyId}`, 'utf8');
}

function join(masterKeyId: string, ...parts: readonly Buffer[]): string {
  return [VERSION, masterKeyId, ...parts.map((part) => part.toString('base64url'))].join('.');
}
