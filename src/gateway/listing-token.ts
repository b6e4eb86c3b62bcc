/**
 * Where a listing goes on, sealed: what the client gets where the upstream's own token or marker would tell it a key. Of a
 * bucket whose keys have other names upstream it would tell where the bucket is, of a filtered listing what is left out;
 * and stores that write the last key into their tokens would take one of the client's choice.
 */
import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import { S3Error } from '../s3/index.ts';

export interface ListingTokens {
  /** @param scope what it is for: a token of one scope is none of another. */
  seal(scope: string, text: string): string;
  /** Undefined for anything that `seal` did not make for this scope. */
  open(scope: string, token: string): string | undefined;
}

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** @param masterKey 32 bytes, the same at every gateway of the store, so that a page can come from another one. */
export function createListingTokens(options: {
  readonly masterKey: Buffer;
  /** Unguessable bytes. */
  readonly random: (size: number) => Buffer;
}): ListingTokens {
  const key = Buffer.from(hkdfSync('sha256', options.masterKey, '', 'bucketwarden:listing-tokens', 32));
  return {
    seal(scope, text) {
      const nonce = options.random(NONCE_BYTES);
      const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
      cipher.setAAD(Buffer.from(scope));
      const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64url');
    },
    open(scope, token) {
      const bytes = Buffer.from(token, 'base64url');
      // Other spellings of the same bytes are none of ours.
      if (bytes.length < NONCE_BYTES + TAG_BYTES || bytes.toString('base64url') !== token) return undefined;
      const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, NONCE_BYTES), {
        authTagLength: TAG_BYTES,
      });
      decipher.setAAD(Buffer.from(scope));
      decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
      const opened = decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES));
      try {
        return Buffer.concat([opened, decipher.final()]).toString('utf8');
      } catch {
        return undefined;
      }
    },
  };
}

/** The S3 API's own answer to a token that it did not make. */
export function incorrectToken(): S3Error {
  return new S3Error('InvalidArgument', {
    message: 'The continuation token provided is incorrect',
    details: { ArgumentName: 'continuation-token' },
  });
}
