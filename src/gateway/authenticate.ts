/** Who sent this? The signature is checked against the gateway's own key store. */
import { parseBodyDeclaration, parseSpoolableDeclaration, type PayloadDeclaration } from '../body/index.ts';
import type { ResolvedKey } from '../identity/index.ts';
import { S3Error, signedReadings, type GatewayNames, type PublicUrl } from '../s3/index.ts';
import {
  anonymousPayloadHash,
  createChunkVerifier,
  isStreamingPayload,
  parseSignatureClaim,
  requireSignedHeaders,
  s3CanonicalParts,
  signatureVerifies,
  UNSIGNED_PAYLOAD,
  verifySignature,
  type ChunkVerifier,
  type SignatureClaim,
  type SigningKeys,
  type VerificationKey,
} from '../sigv4/index.ts';
import type { Spool } from '../spool/index.ts';
import { activeKey, type KeyLookup } from './active-key.ts';
import { MAX_UPLOAD_BYTES } from './incoming-bytes.ts';
import { objectTags } from './object-tags.ts';
import { authenticateForm } from './post-authenticate.ts';
import { SignatureMismatch } from './signature-doctor.ts';
import type { Authenticated, Opened, PlainRequest } from './stages.ts';

export interface AuthenticateDependencies extends GatewayNames, KeyLookup {
  readonly signingKeys: SigningKeys;
  readonly region: string;
  /** Lower-case names that must be signed when present, besides `host`, `x-amz-*` and `content-md5`. */
  readonly headersToSign: ReadonlySet<string>;
  /** Takes bodies whose length is not declared; without it they are refused. */
  readonly spool: Spool | undefined;
}

/** @throws S3Error as listed in the S3 API reference for bad signatures; rejects otherwise only when the store fails. */
export async function authenticate(
  request: Opened,
  dependencies: AuthenticateDependencies,
): Promise<Authenticated> {
  if (request.form !== undefined) return authenticateForm(request, dependencies);
  const { wire } = request;
  const claim = parseSignatureClaim(wire, { region: dependencies.region, now: dependencies.now() });
  if (claim === undefined) return anonymous(request, dependencies);
  const key = await activeKey(claim, dependencies);
  requireSignedHeaders(wire, claim, dependencies.headersToSign);
  const signingKey = dependencies.signingKeys.verificationKey(key, claim.scope);
  const publicUrl = verifyReadings(request, claim, key, signingKey, dependencies) ?? request.publicUrl;
  return {
    ...request,
    publicUrl,
    caller: { type: 'key', key, claim },
    payloadHash: claim.payloadHash,
    objectTags: objectTags(request),
    body: declareBody(
      request,
      claim.payloadHash,
      () => createChunkVerifier({ ...claim, signingKey }),
      dependencies,
    ),
  };
}

/**
 * The signature as the request was received, or else as one of the public URLs makes it; that one is returned.
 * @throws SignatureMismatch of the request as it was received.
 */
function verifyReadings(
  { wire }: PlainRequest,
  claim: SignatureClaim,
  { secretAccessKey }: ResolvedKey,
  key: VerificationKey,
  names: GatewayNames,
): PublicUrl | undefined {
  const parts = s3CanonicalParts(wire, claim);
  if (names.publicUrls.length > 0) {
    if (signatureVerifies(parts, claim, key)) return undefined;
    for (const reading of signedReadings(wire.headers.get('host') ?? '', wire.path, names))
      if (signatureVerifies(s3CanonicalParts(wire, claim, reading), claim, key)) return reading.publicUrl;
  }
  try {
    verifySignature(parts, claim, key);
    return undefined;
  } catch (error) {
    if (!(error instanceof S3Error)) throw error;
    throw new SignatureMismatch(error, { request: wire, claim, secret: secretAccessKey, key });
  }
}

function anonymous(request: PlainRequest, dependencies: AuthenticateDependencies): Authenticated {
  const { wire } = request;
  if (wire.query.some(({ name }) => name.startsWith('response-')))
    throw new S3Error('InvalidRequest', {
      message: 'Request specific response headers cannot be used for anonymous GET requests.',
    });
  const payloadHash = anonymousPayloadHash(wire);
  return {
    ...request,
    caller: { type: 'anonymous' },
    payloadHash,
    objectTags: objectTags(request),
    body: declareBody(
      request,
      payloadHash,
      () => {
        throw new S3Error('InvalidRequest', { reason: 'signed chunks without a signature' });
      },
      dependencies,
    ),
  };
}

/** @throws S3Error for a body on an operation that takes none, or one that cannot be verified as declared. */
function declareBody(
  { operation, effective }: PlainRequest,
  payloadHash: string,
  chunks: () => ChunkVerifier,
  { spool }: AuthenticateDependencies,
): Authenticated['body'] {
  if (isStreamingPayload(payloadHash) && !operation.streamingPayload)
    throw new S3Error('InvalidRequest', { message: 'The value of x-amz-content-sha256 header is invalid.' });
  if (operation.body === 'none') {
    const length = effective.headers.get('content-length');
    if (effective.headers.has('transfer-encoding') || (length !== undefined && Number(length) !== 0))
      throw new S3Error('InvalidRequest', { message: `\`${operation.name}\` takes no request body.` });
    return undefined;
  }
  const parse = spool === undefined ? parseBodyDeclaration : parseSpoolableDeclaration;
  return parse(effective.headers, payloadDeclaration(payloadHash, chunks), {
    ...(operation.body === 'stream'
      ? { mode: 'stream', maxLength: MAX_UPLOAD_BYTES }
      : { mode: 'buffered', maxLength: operation.body.buffered }),
    ...(operation.checksums !== undefined && { checksumHeaders: operation.checksums }),
  });
}

function payloadDeclaration(payloadHash: string, chunks: () => ChunkVerifier): PayloadDeclaration {
  switch (payloadHash) {
    case UNSIGNED_PAYLOAD:
      return { kind: 'unsigned' };
    case 'STREAMING-UNSIGNED-PAYLOAD-TRAILER':
      return { kind: 'chunked-unsigned' };
    case 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD':
    case 'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD':
      return { kind: 'chunked-signed', trailer: false, chunks: chunks() };
    case 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER':
    case 'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER':
      return { kind: 'chunked-signed', trailer: true, chunks: chunks() };
    default:
      return { kind: 'sha256', sha256: payloadHash };
  }
}
