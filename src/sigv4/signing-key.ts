/** Derived signing keys, and their cache: four HMACs saved on each leg of each request. */
import { createHmac } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { CredentialScope } from './canonical.ts';
import type { Secret } from './secret.ts';

export interface SigningCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: Secret;
  /** Changes whenever the secret does, so that no signing key of an old secret is ever used. */
  readonly secretVersion: string;
}

export interface SigningKeys {
  get(credentials: SigningCredentials, scope: CredentialScope): Buffer;
}

/** @param options.max the number of signing keys kept (32 bytes each). */
export function createSigningKeys(options: { readonly max: number }): SigningKeys {
  const cache = new LRUCache<string, Buffer>({ max: options.max });
  return {
    get(credentials, scope) {
      const id = `${credentials.accessKeyId}\n${credentials.secretVersion}\n${scope.date}\n${scope.region}\n${scope.service}`;
      let key = cache.get(id);
      if (key === undefined) {
        key = deriveSigningKey(credentials.secretAccessKey, scope);
        cache.set(id, key);
      }
      return key;
    },
  };
}

export function deriveSigningKey(secret: Secret, scope: CredentialScope): Buffer {
  const dateKey = hmac(`AWS4${secret.expose()}`, scope.date);
  return hmac(hmac(hmac(dateKey, scope.region), scope.service), 'aws4_request');
}

export function hmacHex(key: Buffer, data: string | Buffer): string {
  return createHmac('sha256', key).update(data).digest('hex');
}

function hmac(key: string | Buffer, data: string): Buffer {
  return createHmac('sha256', key).update(data).digest();
}
