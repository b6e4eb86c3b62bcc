/** What a request says about its own signature, checked in form and time before any key is looked up. */
import { queryValue, S3Error, type WireRequest } from '../s3/index.ts';
import {
  algorithmOf,
  type CredentialScope,
  type MultiRegionScope,
  type SigningAlgorithm,
} from './canonical.ts';
import { parseAuthorizationHeader, parseHeaderTimestamp } from './authorization-header.ts';
import { parseAmzDate, parseHttpDate } from './date.ts';
import { parsePresignedQuery, isPresigned } from './presigned-query.ts';
import { isSignedStreamingPayload, parsePayloadHash, UNSIGNED_PAYLOAD } from './payload.ts';
import { regionSetIncludes } from './region-set.ts';

const MAX_SKEW_MS = 900_000;

export interface SignatureClaim {
  /** `post`: the fields of a browser form. */
  readonly form: 'header' | 'presigned' | 'post';
  readonly algorithm: SigningAlgorithm;
  readonly accessKeyId: string;
  /** Of SigV4A without a region: the region set has named the gateway's. */
  readonly scope: CredentialScope | MultiRegionScope;
  /** Lower-case, sorted. */
  readonly signedHeaders: readonly string[];
  /** As sent: of SigV4 64 hex digits, of SigV4A DER in hex; neither form nor value is verified yet. */
  readonly signature: string;
  /** yyyyMMddTHHmmssZ */
  readonly timestamp: string;
  /** `timestamp` in epoch milliseconds. */
  readonly signedAt: number;
  readonly sessionToken: string | undefined;
  /** The payload line: a sha256 in lower-case hex, or one of S3's literal values. */
  readonly payloadHash: string;
}

export interface ClaimContext {
  /** The region that credential scopes and region sets must name. */
  readonly region: string;
  /** Epoch milliseconds. */
  readonly now: number;
}

/**
 * Reads the signature of a request; undefined for an anonymous one.
 * @throws S3Error with the code and words of the S3 API for anything malformed, expired or skewed, for SigV2, and
 * for two mechanisms at once.
 */
export function parseSignatureClaim(request: WireRequest, context: ClaimContext): SignatureClaim | undefined {
  const { presigned, version2, signedHeader } = mechanisms(request);
  if (Number(presigned) + Number(version2) + Number(signedHeader) > 1) throw twoMechanisms();
  if (version2) throw signatureVersion2();
  if (presigned) return presignedClaim(request, context);
  const authorization = request.headers.get('authorization');
  return authorization === undefined ? undefined : headerClaim(request, authorization, context);
}

/** @throws S3Error for a form whose request is signed too, by header or query. */
export function refuseSignedRequest(request: WireRequest): void {
  const { presigned, version2, signedHeader } = mechanisms(request);
  if (presigned || version2 || signedHeader) throw twoMechanisms();
}

function mechanisms({
  headers,
  query,
}: WireRequest): Readonly<Record<'presigned' | 'version2' | 'signedHeader', boolean>> {
  const authorization = headers.get('authorization');
  return {
    presigned: query.length > 0 && isPresigned(query),
    version2:
      queryValue(query, 'AWSAccessKeyId') !== undefined || queryValue(query, 'Signature') !== undefined,
    // A proxy's own Basic or Bearer credentials beside a presigned URL are not ours to judge.
    signedHeader: authorization !== undefined && /^AWS/i.test(authorization),
  };
}

/** When a request says that it was signed, epoch milliseconds; undefined without a readable date. */
export function claimedTime(request: WireRequest): number | undefined {
  const amzDate = queryValue(request.query, 'X-Amz-Date') ?? request.headers.get('x-amz-date');
  if (amzDate !== undefined) return parseAmzDate(amzDate);
  const date = request.headers.get('date');
  return date === undefined ? undefined : (parseHttpDate(date) ?? parseAmzDate(date));
}

/**
 * The payload line of a request without a signature.
 * @throws S3Error for a signed streaming form, or a value that S3 does not know.
 */
export function anonymousPayloadHash(request: WireRequest): string {
  const declared = request.headers.get('x-amz-content-sha256');
  if (declared === undefined) return UNSIGNED_PAYLOAD;
  if (isSignedStreamingPayload(declared))
    throw new S3Error('InvalidRequest', {
      message:
        "Anonymous requests don't support this x-amz-content-sha256 value. Please use UNSIGNED-PAYLOAD or STREAMING-UNSIGNED-PAYLOAD-TRAILER.",
    });
  return parsePayloadHash(declared, undefined);
}

function headerClaim(request: WireRequest, authorization: string, context: ClaimContext): SignatureClaim {
  if (/^AWS(?: |$)/.test(authorization)) throw signatureVersion2();
  const parsed = parseAuthorizationHeader(authorization, context.region);
  const { timestamp, signedAt } = parseHeaderTimestamp(request.headers);
  if (parsed.scope.date !== timestamp.slice(0, 8))
    throw new S3Error('AuthorizationHeaderMalformed', {
      message:
        'The authorization header is malformed; Invalid credential date. Date is not the same as X-Amz-Date.',
    });
  if (Math.abs(context.now - signedAt) > MAX_SKEW_MS)
    throw new S3Error('RequestTimeTooSkewed', {
      details: {
        RequestTime: timestamp,
        ServerTime: isoSeconds(context.now),
        MaxAllowedSkewMilliseconds: String(MAX_SKEW_MS),
      },
    });
  const declared = requiredHeader(request, 'x-amz-content-sha256');
  const algorithm = algorithmOf(parsed.scope);
  if (parsed.scope.region === undefined)
    assertRegion(requiredHeader(request, 'x-amz-region-set'), context.region);
  return {
    form: 'header',
    algorithm,
    ...parsed,
    timestamp,
    signedAt,
    sessionToken: request.headers.get('x-amz-security-token'),
    payloadHash: parsePayloadHash(declared, algorithm),
  };
}

function presignedClaim(request: WireRequest, context: ClaimContext): SignatureClaim {
  const { expiresSeconds, regionSet, ...parsed } = parsePresignedQuery(request.query, context.region);
  if (parsed.signedAt - context.now > MAX_SKEW_MS)
    throw new S3Error('AccessDenied', { message: 'Request is not valid yet.' });
  const expires = parsed.signedAt + expiresSeconds * 1000;
  if (context.now >= expires)
    throw new S3Error('AccessDenied', {
      message: 'Request has expired',
      details: {
        'X-Amz-Expires': String(expiresSeconds),
        Expires: isoSeconds(expires),
        ServerTime: isoSeconds(context.now),
      },
    });
  if (parsed.scope.region === undefined) assertRegion(regionSet ?? '', context.region);
  const declared =
    request.headers.get('x-amz-content-sha256') ?? queryValue(request.query, 'X-Amz-Content-Sha256');
  const algorithm = algorithmOf(parsed.scope);
  return {
    form: 'presigned',
    algorithm,
    ...parsed,
    sessionToken: parsed.sessionToken ?? request.headers.get('x-amz-security-token'),
    payloadHash: declared === undefined ? UNSIGNED_PAYLOAD : parsePayloadHash(declared, algorithm),
  };
}

function requiredHeader(request: WireRequest, name: string): string {
  const value = request.headers.get(name);
  if (value === undefined)
    throw new S3Error('InvalidRequest', { message: `Missing required header for this request: ${name}` });
  return value;
}

function assertRegion(regionSet: string, region: string): void {
  if (!regionSetIncludes(regionSet, region))
    throw new S3Error('RegionSetMismatch', { details: { RequestedRegion: region, RegionSet: regionSet } });
}

function isoSeconds(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 19)}Z`;
}

function signatureVersion2(): S3Error {
  return new S3Error('InvalidRequest', {
    message: 'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.',
    reason: 'SigV2 request: the client must be told to use signature version 4 (`s3v4`)',
  });
}

function twoMechanisms(): S3Error {
  return new S3Error('InvalidArgument', {
    message:
      'Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified',
    details: { ArgumentName: 'Authorization' },
  });
}
