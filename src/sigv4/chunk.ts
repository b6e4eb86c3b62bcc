/**
 * The signature chain of an aws-chunked body.
 * Source: Amazon S3 API reference, "Signature Calculations for the Authorization Header: Transferring Payload in
 * Multiple Chunks" and "… Including trailing headers"; for SigV4A awslabs/aws-c-auth.
 */
import {
  ALGORITHM,
  algorithmOf,
  EMPTY_SHA256,
  formatScope,
  type CredentialScope,
  type MultiRegionScope,
} from './canonical.ts';
import { hmacHex, type VerificationKey } from './signing-key.ts';
import { isSignatureOf } from './verify.ts';

/** Verifies chunks in order; each right signature becomes the previous one of the next. */
export interface ChunkVerifier {
  /** Characters of every signature in the framing: 64 hex digits, or for SigV4A 144, `*` after the hex digits. */
  readonly signatureLength: 64 | 144;
  /** @param sha256 of the chunk's data, hex. @param signature as sent. */
  verifyChunk(sha256: string, signature: string): boolean;
  /** @param sha256 of the trailer lines (`name:value\n` each), hex. */
  verifyTrailer(sha256: string, signature: string): boolean;
}

/** Signs chunks in order. */
export interface ChunkSigner {
  /** @param sha256 of the chunk's data, hex. */
  signChunk(sha256: string): string;
}

interface ChunkSeed<Scope, Key> {
  readonly timestamp: string;
  readonly scope: Scope;
  readonly signingKey: Key;
  /** The request's own signature. */
  readonly signature: string;
}

export function createChunkSigner(seed: ChunkSeed<CredentialScope, Buffer>): ChunkSigner {
  const prefix = `${ALGORITHM}-PAYLOAD\n${seed.timestamp}\n${formatScope(seed.scope)}\n`;
  let previous = seed.signature;
  return {
    signChunk(sha256) {
      previous = hmacHex(seed.signingKey, `${prefix}${previous}\n${EMPTY_SHA256}\n${sha256}`);
      return previous;
    },
  };
}

export function createChunkVerifier(
  seed: ChunkSeed<CredentialScope | MultiRegionScope, VerificationKey>,
): ChunkVerifier {
  const scope = formatScope(seed.scope);
  const algorithm = algorithmOf(seed.scope);
  const signatureLength = seed.scope.region === undefined ? 144 : 64;
  let previous = seed.signature;
  const verify = (kind: string, hashes: string, padded: string): boolean => {
    if (padded.length !== signatureLength) return false;
    // Lengths in DER vary: the padding lets a client compute its Content-Length before it signs.
    const signature = signatureLength === 144 ? padded.replace(/\*+$/, '') : padded;
    const text = `${algorithm}-${kind}\n${seed.timestamp}\n${scope}\n${previous}\n${hashes}`;
    if (!isSignatureOf(text, signature, seed.signingKey)) return false;
    previous = signature;
    return true;
  };
  return {
    signatureLength,
    verifyChunk: (sha256, signature) => verify('PAYLOAD', `${EMPTY_SHA256}\n${sha256}`, signature),
    verifyTrailer: (sha256, signature) => verify('TRAILER', sha256, signature),
  };
}
