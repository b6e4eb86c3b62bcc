/**
 * The P-256 key of SigV4A, which every holder of the secret can derive: a KDF in counter mode (NIST SP 800-108) with
 * HMAC-SHA256, tried until its output is a private key. Source: awslabs/aws-c-auth, key_derivation.c.
 */
import { createECDH, createHmac, createPublicKey, type KeyObject } from 'node:crypto';
import { ECDSA_ALGORITHM } from './canonical.ts';
import type { Secret } from './secret.ts';

/** Order of the curve's group (SEC 2, section 2.4.2). */
export const P256_ORDER = Buffer.from(
  'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551',
  'hex',
);
const ORDER_MINUS_2 = BigInt(`0x${P256_ORDER.toString('hex')}`) - 2n;
const MAX_COUNTER = 254;

/** The private key is not kept: the gateway only verifies. */
export function deriveVerificationKey(accessKeyId: string, secret: Secret): KeyObject {
  const ecdh = createECDH('prime256v1');
  ecdh.setPrivateKey(derivePrivateKey(accessKeyId, secret));
  // 0x04, x, y
  const point = ecdh.getPublicKey();
  return createPublicKey({
    format: 'jwk',
    key: {
      kty: 'EC',
      crv: 'P-256',
      x: point.subarray(1, 33).toString('base64url'),
      y: point.subarray(33).toString('base64url'),
    },
  });
}

function derivePrivateKey(accessKeyId: string, secret: Secret): Buffer {
  for (let counter = 1; counter <= MAX_COUNTER; counter++) {
    const candidate = createHmac('sha256', `AWS4A${secret.expose()}`)
      .update(Buffer.from([0, 0, 0, 1]))
      .update(`${ECDSA_ALGORITHM}\0${accessKeyId}`)
      .update(Buffer.from([counter, 0, 0, 1, 0]))
      .digest('hex');
    const number = BigInt(`0x${candidate}`);
    if (number <= ORDER_MINUS_2) return Buffer.from((number + 1n).toString(16).padStart(64, '0'), 'hex');
  }
  // One candidate in 2^32 fails.
  throw new Error('no P-256 key can be derived');
}
