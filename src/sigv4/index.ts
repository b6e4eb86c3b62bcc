export {
  canonicalRequest,
  EMPTY_SHA256,
  genericCanonicalPath,
  canonicalQuery,
  sha256Hex,
  stringToSign,
  type CanonicalParts,
  type CredentialScope,
} from './canonical.ts';
export { createChunkVerifier, type ChunkVerifier } from './chunk.ts';
export {
  anonymousPayloadHash,
  parseSignatureClaim,
  type ClaimContext,
  type SignatureClaim,
} from './claim.ts';
export { formatAmzDate } from './date.ts';
export { isStreamingPayload, UNSIGNED_PAYLOAD } from './payload.ts';
export { Secret } from './secret.ts';
export { signRequest, type SignableRequest, type Signer } from './sign.ts';
export {
  createSigningKeys,
  deriveSigningKey,
  type SigningCredentials,
  type SigningKeys,
} from './signing-key.ts';
export { requireSignedHeaders, s3CanonicalParts, verifySignature } from './verify.ts';
