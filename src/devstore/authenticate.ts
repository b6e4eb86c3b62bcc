/** Who may use the store: one key, with every request signed in its header. */
import type { PayloadDeclaration } from '../body/index.ts';
import { S3Error, type WireRequest } from '../s3/index.ts';
import {
  createChunkVerifier,
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

export interface Authenticated {
  /** The payload line. */
  readonly payloadHash: string;
  /** Of a body in aws-chunked framing. */
  readonly framing: PayloadDeclaration | undefined;
}

/**
 * Verifies the signature; what it says of the body has to be compared with that.
 * @throws S3Error with the codes of S3, and `NotImplemented` for a framing that the payload line does not name: it would
 * be stored.
 */
export function authenticate(wire: WireRequest, verifier: Verifier): Authenticated {
  const { credentials, region, signingKeys } = verifier;
  const claim = parseSignatureClaim(wire, { region, now: verifier.now() });
  if (claim === undefined || claim.form !== 'header') throw new S3Error('AccessDenied');
  if (claim.accessKeyId !== credentials.accessKeyId)
    throw new S3Error('InvalidAccessKeyId', { details: { AWSAccessKeyId: claim.accessKeyId } });
  if (claim.sessionToken !== undefined) throw new S3Error('InvalidToken');
  requireSignedHeaders(wire, claim, NOTHING_MORE);
  const { scope, payloadHash } = claim;
  const signingKey = signingKeys.verificationKey(credentials, scope);
  verifySignature(s3CanonicalParts(wire, claim), claim, signingKey);
  switch (payloadHash) {
    case 'STREAMING-UNSIGNED-PAYLOAD-TRAILER':
      return { payloadHash, framing: { kind: 'chunked-unsigned' } };
    case 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD':
    case 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER': {
      const chunks = createChunkVerifier({ ...claim, signingKey });
      return {
        payloadHash,
        framing: { kind: 'chunked-signed', trailer: payloadHash.endsWith('-TRAILER'), chunks },
      };
    }
    default:
  }
  if (isStreamingPayload(payloadHash) || /\baws-chunked\b/i.test(wire.headers.get('content-encoding') ?? ''))
    throw new S3Error('NotImplemented', {
      message: 'This aws-chunked framing is not implemented: send the body plain, with its Content-Length.',
    });
  return { payloadHash, framing: undefined };
}
