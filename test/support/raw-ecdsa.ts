/**
 * The signatures of SigV4A, from the description of awslabs/aws-c-auth and sharing no code with the gateway: the
 * private key by arithmetic on big numbers, its signature by OpenSSL, with or without bending it.
 */
import { createECDH, createHmac, createPrivateKey, sign, type KeyObject } from 'node:crypto';
import type { Credentials } from './running-gateway.ts';

export const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

function privateKeyOf({ accessKeyId, secretAccessKey }: Credentials): KeyObject {
  let number = P256_ORDER;
  for (let counter = 1; number >= P256_ORDER - 1n; counter++) {
    const input = Buffer.concat([
      Buffer.from('00000001', 'hex'),
      Buffer.from('AWS4-ECDSA-P256-SHA256'),
      Buffer.of(0),
      Buffer.from(accessKeyId),
      Buffer.of(counter),
      Buffer.from('00000100', 'hex'),
    ]);
    const digest = createHmac('sha256', `AWS4A${secretAccessKey}`).update(input).digest('hex');
    number = BigInt(`0x${digest}`);
  }
  const d = bytesOf(number + 1n);
  const ecdh = createECDH('prime256v1');
  ecdh.setPrivateKey(d);
  const point = ecdh.getPublicKey();
  const [x, y] = [point.subarray(1, 33).toString('base64url'), point.subarray(33).toString('base64url')];
  return createPrivateKey({
    format: 'jwk',
    key: { kty: 'EC', crv: 'P-256', d: d.toString('base64url'), x, y },
  });
}

/** DER in hex, as SDKs send it. */
export function signEcdsa(credentials: Credentials, text: string): string {
  return sign('sha256', Buffer.from(text), privateKeyOf(credentials)).toString('hex');
}

/** The two numbers of a signature in DER. */
export function numbersOf(signature: string): readonly [r: bigint, s: bigint] {
  const der = Buffer.from(signature, 'hex');
  const rEnd = 4 + (der[3] ?? 0);
  const sStart = rEnd + 2;
  return [hexOf(der.subarray(4, rEnd)), hexOf(der.subarray(sStart))];
}

/** DER in hex of any two numbers, in the shortest form unless `padding` zero bytes are put before each. */
export function derOf(r: bigint, s: bigint, padding = 0): string {
  const integers = [r, s].map((number) => {
    const hex = number.toString(16);
    const digits = hex.length % 2 === 0 ? hex : `0${hex}`;
    const bytes = (/^[89a-f]/.test(digits) ? '00' : '') + digits;
    const padded = '00'.repeat(padding) + bytes;
    return `02${byte(padded.length / 2)}${padded}`;
  });
  const body = integers.join('');
  return `30${byte(body.length / 2)}${body}`;
}

function byte(value: number): string {
  return value.toString(16).padStart(2, '0');
}

function hexOf(bytes: Buffer): bigint {
  return BigInt(`0x${bytes.toString('hex')}`);
}

function bytesOf(number: bigint): Buffer {
  return Buffer.from(number.toString(16).padStart(64, '0'), 'hex');
}
