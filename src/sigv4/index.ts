export {
  canonicalRequest,
  EMPTY_SHA256,
  genericCanonicalPath,
  canonicalQuery,
  sha256Hex,
  stringToSign,
} from './canonical.ts';
export { createChunkVerifier, type ChunkSigner, type ChunkVerifier } from './chunk.ts';
export { anonymousPayloadHash, claimedTime, parseSignatureClaim, type SignatureClaim } from './claim.ts';
export {
  diagnoseInSteps,
  diagnoseSignature,
  type Diagnosis,
  explainCause,
  type SignatureCase,
  type SignatureCause,
} from './doctor.ts';
export { isStreamingPayload, UNSIGNED_PAYLOAD } from './payload.ts';
export { parsePostClaim, verifyPostSignature, type PostClaim } from './post-claim.ts';
export { Secret } from './secret.ts';
export { signChunkedRequest, signRequest } from './sign.ts';
export {
  createSigningKeys,
  deriveSigningKey,
  type SigningCredentials,
  type SigningKeys,
  type VerificationKey,
} from './signing-key.ts';
export {
  isSignatureOf,
  requireSignedHeaders,
  s3CanonicalParts,
  signatureVerifies,
  verifySignature,
} from './verify.ts';
