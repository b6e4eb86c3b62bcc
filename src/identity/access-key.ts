/** What access key ids and secrets look like: made here, or taken from elsewhere. */
import { Secret } from '../sigv4/index.ts';

/** A value that an operator gave cannot be used; the message says what is wrong and what to do. */
export class IdentityInputError extends Error {
  override readonly name = 'IdentityInputError';
}

/** RFC 4648 base32, as in the ids that IAM makes. */
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const SECRET_BYTES = 30;
const MAX_ACCESS_KEY_ID_LENGTH = 128;
const MAX_SECRET_LENGTH = 256;

/** `AKIA` and 16 base32 characters (80 random bits). */
export function newAccessKeyId(randomBytes: (size: number) => Buffer): string {
  return newUniqueId('AKIA', randomBytes);
}

/** `AIDA` and 16 base32 characters: the unique id of a user, which no later user of the same name has. */
export function newUserId(randomBytes: (size: number) => Buffer): string {
  return newUniqueId('AIDA', randomBytes);
}

/** 40 characters, as IAM's: 240 random bits in base64. */
export function newSecretAccessKey(randomBytes: (size: number) => Buffer): Secret {
  return new Secret(randomBytes(SECRET_BYTES).toString('base64'));
}

/**
 * Ids of other systems are taken as they are (MinIO's are 3 characters and up), as long as they fit unquoted in the
 * Credential of a signature, where `/`, `,` and `=` separate.
 *
 * @throws IdentityInputError
 */
export function assertAccessKeyId(id: string): void {
  if (id.length >= 3 && id.length <= MAX_ACCESS_KEY_ID_LENGTH && /^[!-+\-.0-<>-~]+$/.test(id)) return;
  throw new IdentityInputError(
    `\`${id}\` is no access key id: 3 to ${MAX_ACCESS_KEY_ID_LENGTH} printable ASCII characters without \`/\`, \`,\` and \`=\` are expected.`,
  );
}

/**
 * Refuses what can only be a slip of copying: a secret with white space inside signs nothing that any client signs.
 *
 * @throws IdentityInputError which never shows the secret.
 */
export function parseSecretAccessKey(text: string): Secret {
  if (text === '') throw new IdentityInputError('The secret access key is empty.');
  if (/\s/.test(text)) {
    throw new IdentityInputError(
      'The secret access key contains white space or a line break. It must be the secret alone, on one line: check what was copied.',
    );
  }
  if (!/^[\x21-\x7e]+$/.test(text)) {
    throw new IdentityInputError(
      'The secret access key contains characters outside printable ASCII, which clients encode differently. Check what was copied.',
    );
  }
  if (text.length < 8 || text.length > MAX_SECRET_LENGTH) {
    throw new IdentityInputError(
      `The secret access key has ${text.length} characters, 8 to ${MAX_SECRET_LENGTH} are expected. Check what was copied.`,
    );
  }
  return new Secret(text);
}

/** True for ids that cannot be in the store, so that a request with a huge one costs no look-up. */
export function isImpossibleAccessKeyId(id: string): boolean {
  return id.length === 0 || id.length > MAX_ACCESS_KEY_ID_LENGTH;
}

function newUniqueId(prefix: string, randomBytes: (size: number) => Buffer): string {
  const characters = Array.from(randomBytes(16), (byte) => BASE32[byte % BASE32.length]);
  return prefix + characters.join('');
}
