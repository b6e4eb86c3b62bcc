/** Derived keys, and their cache: four HMACs saved on each leg of each request, or for SigV4A a point multiplication. */
import { createHmac, type KeyObject } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { CredentialScope, MultiRegionScope } from './canonical.ts';
import { deriveVerificationKey } from './ecdsa-key.ts';
import type { Secret } from './secret.ts';

export interface SigningCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: Secret;
  /** Changes whenever the secret does, so that no signing key of an old secret is ever used. */
  readonly secretVersion: string;
}

/** Of SigV4 the signing key, 32 bytes; of SigV4A the public key. */
export type VerificationKey = Buffer | KeyObject;

export interface SigningKeys {
  get(credentials: SigningCredentials, scope: CredentialScope): Buffer;
  /** What a signature of that scope is checked with. */
  verificationKey(
    credentials: SigningCredentials,
    scope: CredentialScope | MultiRegionScope,
  ): VerificationKey;
}

/** @param options.max the number of keys kept (32 bytes each, or some hundred for SigV4A). */
export function createSigningKeys(options: { readonly max: number }): SigningKeys {
  const signing = new LRUCache<string, Buffer>({ max: options.max });
  const verification = new LRUCache<string, KeyObject>({ max: options.max });
  const get: SigningKeys['get'] = (credentials, scope) =>
    cached(
      signing,
      `${credentials.accessKeyId}\n${credentials.secretVersion}\n${scope.date}\n${scope.region}\n${scope.service}`,
      () => deriveSigningKey(credentials.secretAccessKey, scope),
    );
  return {
    get,
    verificationKey(credentials, scope) {
      if (scope.region !== undefined) return get(credentials, scope);
      const { accessKeyId, secretAccessKey, secretVersion } = credentials;
      return cached(verification, `${accessKeyId}\n${secretVersion}`, () =>
        deriveVerificationKey(accessKeyId, secretAccessKey),
      );
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

export function hmac(key: string | Buffer, data: string): Buffer {
  return createHmac('sha256', key).update(data).digest();
}

function cached<Key extends object>(cache: LRUCache<string, Key>, id: string, derive: () => Key): Key {
  let key = cache.get(id);
  if (key === undefined) {
    key = derive();
    cache.set(id, key);
  }
  return key;
}
