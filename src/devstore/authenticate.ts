/** Who may use the store: one key, with every request signed in its header. */
import { S3Error, type WireRequest } from '../s3/index.ts';
import {
  isStreamingPayload,
  parseSignatureClaim,
  requireSignedHeaders,
  s3CanonicalParts,
  verifySignature,
  type SigningCredentials,
  type SigningKeys,
} from '../sigv4/index.ts';

export interface Verifier {
  readonly credentials: SigningCredentials;
  readonly region: string;
  readonly signingKeys: SigningKeys;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

const NOTHING_MORE: ReadonlySet<string> = new Set();

/** The payload line of a body in unsigned chunks with a trailing checksum. */
export const UNSIGNED_TRAILER = 'STREAMING-UNSIGNED-PAYLOAD-TRAILER';

/**
 * Verifies the signature; the payload line that the body has to match.
 * @throws S3Error with the codes of S3, and `NotImplemented` for other aws-chunked bodies than `UNSIGNED_TRAILER`:
 * their framing would be stored.
 */
export function authenticate(wire: WireRequest, verifier: Verifier): string {
  const { credentials, region, signingKeys } = verifier;
  const claim = parseSignatureClaim(wire, { region, now: verifier.now() });
  if (claim === undefined || claim.form !== 'header') throw new S3Error('AccessDenied');
  if (claim.accessKeyId !== credentials.accessKeyId)
    throw new S3Error('InvalidAccessKeyId', { details: { AWSAccessKeyId: claim.accessKeyId } });
  if (claim.sessionToken !== undefined) throw new S3Error('InvalidToken');
  requireSignedHeaders(wire, claim, NOTHING_MORE);
  verifySignature(s3CanonicalParts(wire, claim), claim, signingKeys.verificationKey(credentials, claim.scope));
  const chunked =
    isStreamingPayload(claim.payloadHash) ||
    /\baws-chunked\b/i.test(wire.headers.get('content-encoding') ?? '');
  if (chunked && claim.payloadHash !== UNSIGNED_TRAILER)
    throw new S3Error('NotImplemented', {
      message: `A body in aws-chunked framing is not implemented but as \`${UNSIGNED_TRAILER}\`: send it plain, with its Content-Length.`,
    });
  return claim.payloadHash;
}
