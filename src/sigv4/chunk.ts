/**
 * The signature chain of an aws-chunked body.
 * Source: Amazon S3 API reference, "Signature Calculations for the Authorization Header: Transferring Payload in
 * Multiple Chunks" and "… Including trailing headers".
 */
import { EMPTY_SHA256, formatScope, type CredentialScope } from './canonical.ts';
import { hmacHex } from './signing-key.ts';
import { equalSignatures } from './verify.ts';

/** Verifies chunks in order; each right signature becomes the previous one of the next. */
export interface ChunkVerifier {
  /** @param sha256 of the chunk's data, hex. @param signature 64 hex digits as sent. */
  verifyChunk(sha256: string, signature: string): boolean;
  /** @param sha256 of the trailer lines (`name:value\n` each), hex. */
  verifyTrailer(sha256: string, signature: string): boolean;
}

/** Signs chunks in order. */
export interface ChunkSigner {
  /** @param sha256 of the chunk's data, hex. */
  signChunk(sha256: string): string;
}

interface ChunkSeed {
  readonly timestamp: string;
  readonly scope: CredentialScope;
  readonly signingKey: Buffer;
  /** The request's own signature. */
  readonly signature: string;
}

export function createChunkSigner(seed: ChunkSeed): ChunkSigner {
  const prefix = `AWS4-HMAC-SHA256-PAYLOAD\n${seed.timestamp}\n${formatScope(seed.scope)}\n`;
  let previous = seed.signature;
  return {
    signChunk(sha256) {
      previous = hmacHex(seed.signingKey, `${prefix}${previous}\n${EMPTY_SHA256}\n${sha256}`);
      return previous;
    },
  };
}

export function createChunkVerifier(seed: ChunkSeed): ChunkVerifier {
  const scope = formatScope(seed.scope);
  let previous = seed.signature;
  const verify = (algorithm: string, hashes: string, signature: string): boolean => {
    const text = `${algorithm}\n${seed.timestamp}\n${scope}\n${previous}\n${hashes}`;
    if (!equalSignatures(hmacHex(seed.signingKey, text), signature)) return false;
    previous = signature;
    return true;
  };
  return {
    verifyChunk: (sha256, signature) =>
      verify('AWS4-HMAC-SHA256-PAYLOAD', `${EMPTY_SHA256}\n${sha256}`, signature),
    verifyTrailer: (sha256, signature) => verify('AWS4-HMAC-SHA256-TRAILER', sha256, signature),
  };
}
