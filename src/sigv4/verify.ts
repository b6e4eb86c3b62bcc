/** Checks a claim against the key's secret. */
import { timingSafeEqual } from 'node:crypto';
import { S3Error, type WireRequest } from '../s3/index.ts';
import {
  canonicalPath,
  canonicalQuery,
  canonicalRequest,
  stringToSign,
  wireBytes,
  type CanonicalParts,
} from './canonical.ts';
import type { SignatureClaim } from './claim.ts';
import { isEcdsaSignature } from './ecdsa-signature.ts';
import { hmacHex, type VerificationKey } from './signing-key.ts';

/**
 * Refuses a request that carries a header which must be signed and is not: `host`, every `x-amz-*`, `content-md5`,
 * and those of `alsoRequired` that are present. Without this, a man in the middle could add an
 * `x-amz-copy-source` to a signed request, and the re-signed one would honour it.
 * @throws S3Error `AccessDenied` with HeadersNotSigned.
 */
export function requireSignedHeaders(
  request: WireRequest,
  claim: SignatureClaim,
  alsoRequired: ReadonlySet<string>,
): void {
  const missing: string[] = [];
  if (!claim.signedHeaders.includes('host')) missing.push('host');
  for (const name of request.headers.names()) {
    const required = name.startsWith('x-amz-') || name === 'content-md5' || alsoRequired.has(name);
    if (required && !claim.signedHeaders.includes(name)) missing.push(name);
  }
  if (missing.length > 0)
    throw new S3Error('AccessDenied', {
      message: 'There were headers present in the request which were not signed',
      details: { HeadersNotSigned: missing.join(', ') },
    });
}

/**
 * What S3 signs of a request.
 * @param reading host and decoded path, where they may have been others when the client signed.
 */
export function s3CanonicalParts(
  request: WireRequest,
  claim: SignatureClaim,
  reading?: { readonly host: string; readonly path: string },
): CanonicalParts {
  return {
    method: request.method,
    path: canonicalPath(reading?.path ?? request.path),
    query: canonicalQuery(request.query, claim.form === 'presigned' ? 'X-Amz-Signature' : undefined),
    signedHeaders: claim.signedHeaders,
    header: (name) => (name === 'host' ? reading?.host : undefined) ?? request.headers.get(name),
    payloadHash: claim.payloadHash,
  };
}

/** @throws S3Error `SignatureDoesNotMatch`, with what was signed here but never the expected signature. */
export function verifySignature(
  parts: CanonicalParts,
  claim: Pick<SignatureClaim, 'accessKeyId' | 'scope' | 'timestamp' | 'signature'>,
  key: VerificationKey,
): void {
  const canonical = canonicalRequest(parts);
  const text = stringToSign(claim.timestamp, claim.scope, canonical);
  if (isClaimedFor(text, claim, key)) return;
  const shown = withoutCustomerKeys(canonical);
  throw new S3Error('SignatureDoesNotMatch', {
    details: {
      AWSAccessKeyId: claim.accessKeyId,
      StringToSign: text,
      SignatureProvided: claim.signature,
      StringToSignBytes: spacedHex(text),
      CanonicalRequest: shown,
      CanonicalRequestBytes: spacedHex(wireBytes(shown)),
    },
  });
}

/** SSE-C keys are no part of an error, which clients log. */
function withoutCustomerKeys(canonical: string): string {
  return canonical
    .replaceAll(/^(x-amz-(?:copy-source-)?server-side-encryption-customer-key:).*$/gim, '$1[secret]')
    .replaceAll(
      /((?:^|&)x-amz-(?:copy-source-)?server-side-encryption-customer-key=)[^&\n]*/gim,
      '$1[secret]',
    );
}

/** As `verifySignature`, for one of several readings of the request. */
export function signatureVerifies(
  parts: CanonicalParts,
  claim: Pick<SignatureClaim, 'scope' | 'timestamp' | 'signature'>,
  key: VerificationKey,
): boolean {
  return isClaimedFor(stringToSign(claim.timestamp, claim.scope, canonicalRequest(parts)), claim, key);
}

function isClaimedFor(
  text: string,
  claim: Pick<SignatureClaim, 'scope' | 'signature'>,
  key: VerificationKey,
): boolean {
  // INVARIANT: the claim's algorithm and the kind of key are one. `SigningKeys.verificationKey` sees to it.
  if (Buffer.isBuffer(key) !== (claim.scope.region !== undefined))
    throw new Error('a key of one algorithm for a claim of another');
  return isSignatureOf(text, claim.signature, key);
}

/** @param signature as sent: 64 lower-case hex digits, or for SigV4A DER in lower-case hex. */
export function isSignatureOf(text: string, signature: string, key: VerificationKey): boolean {
  return Buffer.isBuffer(key)
    ? equalSignatures(hmacHex(key, text), signature)
    : isEcdsaSignature(key, text, signature);
}

/** Compares without telling by time where the difference is. */
function equalSignatures(expected: string, provided: string): boolean {
  // As UTF-8: in latin1 `\u0161` of a query parameter would be cut to the byte of `a`.
  const a = Buffer.from(expected, 'utf8');
  const b = Buffer.from(provided, 'utf8');
  return a.length === b.length && timingSafeEqual(a, b);
}

export function spacedHex(data: string | Buffer): string {
  return Buffer.from(data as string)
    .toString('hex')
    .replaceAll(/..(?!$)/g, '$& ');
}
