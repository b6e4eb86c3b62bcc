/** Signatures of SigV4A: ECDSA on P-256 over SHA-256, as DER in lower-case hex. */
import { verify, type KeyObject } from 'node:crypto';
import { P256_ORDER } from './ecdsa-key.ts';

/**
 * Only the one DER encoding of a pair of numbers counts (X.690, section 10), so that nobody can write a signature
 * anew. Its twin (r, n − s), which every ECDSA signature has, verifies like the original: SDKs write either, so
 * neither can be refused. It says nothing but what the original said, and nothing here takes a signature for an identity.
 */
export function isEcdsaSignature(publicKey: KeyObject, text: string, signature: string): boolean {
  const numbers = parseDer(signature);
  return (
    numbers !== undefined &&
    verify('sha256', Buffer.from(text), { key: publicKey, dsaEncoding: 'ieee-p1363' }, numbers)
  );
}

/** r and s, 32 bytes each; undefined for anything but the shortest encoding of two numbers from 1 to n − 1. */
function parseDer(hex: string): Buffer | undefined {
  // 8 bytes is the shortest sequence of two integers, 72 the longest with two below 2^256.
  if (!/^(?:[0-9a-f]{2}){8,72}$/.test(hex)) return undefined;
  const der = Buffer.from(hex, 'hex');
  if (der[0] !== 0x30 || der[1] !== der.length - 2) return undefined;
  const numbers = Buffer.alloc(64);
  const end = readInteger(der, 2, numbers.subarray(0, 32));
  if (end === undefined || readInteger(der, end, numbers.subarray(32)) !== der.length) return undefined;
  return numbers;
}

/** Writes the integer at `at` into `target`, and returns where it ends; undefined when it is none. */
function readInteger(der: Buffer, at: number, target: Buffer): number | undefined {
  const length = der[at + 1];
  const start = at + 2;
  if (der[at] !== 0x02 || length === undefined || length === 0 || start + length > der.length)
    return undefined;
  const bytes = der.subarray(start, start + length);
  const [first = 0, second = 0] = bytes;
  const negative = first >= 0x80;
  const padded = first === 0 && second < 0x80;
  const digits = first === 0 ? bytes.subarray(1) : bytes;
  if (negative || padded || digits.length > target.length) return undefined;
  digits.copy(target, target.length - digits.length);
  // Zero has no digits left: it counts as padded.
  return target.compare(P256_ORDER) < 0 ? start + length : undefined;
}
