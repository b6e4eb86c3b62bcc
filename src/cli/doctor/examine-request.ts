/** What the gateway makes of a captured request's signature. */
import type { Config } from '../../config/index.ts';
import { parseWireRequest, S3Error, signedReadings, type WireRequest } from '../../s3/index.ts';
import {
  canonicalRequest,
  claimedTime,
  createSigningKeys,
  diagnoseSignature,
  parseSignatureClaim,
  requireSignedHeaders,
  s3CanonicalParts,
  sha256Hex,
  signatureVerifies,
  stringToSign,
  type Secret,
  type SignatureCause,
  type SignatureClaim,
} from '../../sigv4/index.ts';
import type { CapturedRequest } from './captured-request.ts';

/** Refused before any secret is needed: malformed, for another region, or not signed at all. */
type Unclaimed = { readonly kind: 'anonymous' } | { readonly kind: 'refused'; readonly refusal: S3Error };

export interface Claimed {
  readonly kind: 'claimed';
  readonly request: WireRequest;
  readonly claim: SignatureClaim;
}

export interface Examination {
  readonly matches: boolean;
  /** The public URL that the client signed for, where the request came in another form. */
  readonly signedFor: string | undefined;
  /** Of a signature that does not match; undefined when nothing known explains it. */
  readonly causes: readonly SignatureCause[] | undefined;
  /** As the gateway sees them. */
  readonly canonicalRequest: string;
  readonly stringToSign: string;
  /** What else the gateway refuses, or would refuse now: in sentences. */
  readonly problems: readonly string[];
}

/** Reads the claim as if the request came when it was signed: the clock is looked at later. */
export function readClaim(captured: CapturedRequest, config: Config, now: number): Unclaimed | Claimed {
  try {
    const request = parseWireRequest(captured.method, captured.target, captured.rawHeaders);
    const claim = parseSignatureClaim(request, { region: config.region, now: claimedTime(request) ?? now });
    return claim === undefined ? { kind: 'anonymous' } : { kind: 'claimed', request, claim };
  } catch (error) {
    if (!(error instanceof S3Error)) throw error;
    return { kind: 'refused', refusal: error };
  }
}

/** @param body of the request, where it was captured. */
export function examineRequest(
  { request, claim }: Claimed,
  secret: Secret,
  options: { readonly config: Config; readonly body: Buffer | undefined; readonly now: number },
): Examination {
  const { config, body, now } = options;
  const credentials = { accessKeyId: claim.accessKeyId, secretAccessKey: secret, secretVersion: '' };
  const key = createSigningKeys({ max: 1 }).verificationKey(credentials, claim.scope);
  const parts = s3CanonicalParts(request, claim);
  const reading = signatureVerifies(parts, claim, key)
    ? undefined
    : signedReadings(request.headers.get('host') ?? '', request.path, config).find((each) =>
        signatureVerifies(s3CanonicalParts(request, claim, each), claim, key),
      );
  const matches = reading !== undefined || signatureVerifies(parts, claim, key);
  const seen = reading === undefined ? parts : s3CanonicalParts(request, claim, reading);
  const canonical = canonicalRequest(seen);
  const bodySha256 = body && sha256Hex(body);
  return {
    matches,
    signedFor: reading && `${reading.host}${reading.path}`,
    causes: matches
      ? undefined
      : diagnoseSignature(
          { request, claim, secret, key, bodySha256 },
          { names: config, region: config.region },
        ),
    canonicalRequest: canonical,
    stringToSign: stringToSign(claim.timestamp, claim.scope, canonical),
    problems: [
      ...unsignedHeaders(request, claim, config),
      ...wrongBody(claim, bodySha256),
      ...wrongTime(request, config, now),
    ],
  };
}

function unsignedHeaders(request: WireRequest, claim: SignatureClaim, config: Config): readonly string[] {
  try {
    requireSignedHeaders(request, claim, config.headersToSign);
    return [];
  } catch (error) {
    if (!(error instanceof S3Error)) throw error;
    return [`${error.code}: ${error.message}: ${error.details['HeadersNotSigned']}.`];
  }
}

function wrongBody(claim: SignatureClaim, bodySha256: string | undefined): readonly string[] {
  const declared = /^[0-9a-f]{64}$/.test(claim.payloadHash);
  return !declared || bodySha256 === undefined || bodySha256 === claim.payloadHash
    ? []
    : [`XAmzContentSHA256Mismatch: the body that was captured has the sha256 ${bodySha256}.`];
}

/** The same checks as on any request, with today's clock. */
function wrongTime(request: WireRequest, { region }: Config, now: number): readonly string[] {
  try {
    parseSignatureClaim(request, { region, now });
    return [];
  } catch (error) {
    if (!(error instanceof S3Error)) throw error;
    return [`${error.code}, if it came now: ${error.message}`];
  }
}
