/**
 * The continuation tokens of a bucket whose keys have other names upstream: stores write the last key into their
 * tokens, in base64 or plainly, so that theirs would tell the client where its bucket is, and take a key of its choice.
 */
import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import { S3Error } from '../s3/index.ts';

export interface ListingTokens {
  /** @param bucket the client's name of it: a token of one bucket is none of another. */
  seal(bucket: string, upstreamToken: string): string;
  /** @throws S3Error `InvalidArgument` for anything that `seal` did not make for this bucket. */
  open(bucket: string, token: string): string;
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
    seal(bucket, upstreamToken) {
      const nonce = options.random(NONCE_BYTES);
      const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
      cipher.setAAD(Buffer.from(bucket));
      const sealed = Buffer.concat([cipher.update(upstreamToken, 'utf8'), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64url');
    },
    open(bucket, token) {
      try {
        const bytes = Buffer.from(token, 'base64url');
        const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, NONCE_BYTES), {
          authTagLength: TAG_BYTES,
        });
        decipher.setAAD(Buffer.from(bucket));
        decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
        const opened = decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES));
        return Buffer.concat([opened, decipher.final()]).toString('utf8');
      } catch (error) {
        // Source: the S3 API's own answer to a token that it did not make.
        throw new S3Error('InvalidArgument', {
          message: 'The continuation token provided is incorrect',
          details: { ArgumentName: 'continuation-token' },
          cause: error,
        });
      }
    },
  };
}
