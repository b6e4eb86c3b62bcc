/** What a client declares about its body before the first byte of it is read. */
import { S3Error, type WireHeaders } from '../s3/index.ts';
import type { ChunkVerifier } from '../sigv4/index.ts';
import { withoutAwsChunked } from './content-encoding.ts';
import { CHECKSUM_ALGORITHMS, checksumOfHeader, decodeDigest, type ChecksumAlgorithm } from './checksum.ts';

/** The value of `x-amz-content-sha256`, as the signature covered it. */
export type PayloadDeclaration =
  /** 64 lower-case hex digits. */
  | { readonly kind: 'sha256'; readonly sha256: string }
  /** `UNSIGNED-PAYLOAD` */
  | { readonly kind: 'unsigned' }
  /** `STREAMING-AWS4-HMAC-SHA256-PAYLOAD`, or with `-TRAILER`, or of SigV4A with `ECDSA-P256` in place of `HMAC`. */
  | { readonly kind: 'chunked-signed'; readonly trailer: boolean; readonly chunks: ChunkVerifier }
  /** `STREAMING-UNSIGNED-PAYLOAD-TRAILER` */
  | { readonly kind: 'chunked-unsigned' };

export interface BodyDeclaration {
  readonly payload: PayloadDeclaration;
  /** Bytes of the object, after aws-chunked is taken off. */
  readonly length: number;
  /** From an `x-amz-checksum-*` header. */
  readonly checksum: { readonly algorithm: ChecksumAlgorithm; readonly value: Buffer } | undefined;
  /** The checksum that `x-amz-trailer` announces; exactly the trailer forms have one. */
  readonly trailer: ChecksumAlgorithm | undefined;
  /** From Content-MD5: 16 bytes. */
  readonly md5: Buffer | undefined;
}

/** Of a body whose end alone tells its length: it has to be read to the end before it can go anywhere. */
export interface UnsizedBodyDeclaration extends Omit<BodyDeclaration, 'length'> {
  readonly length: undefined;
  /** Most bytes the object may have. */
  readonly maxLength: number;
}

export interface BodyRules {
  /**
   * `stream`: a length is required, and aws-chunked allowed. `buffered`: a request without a body counts as
   * length 0, and aws-chunked is refused. (An operation that takes no body is `buffered` with `maxLength` 0.)
   */
  readonly mode: 'stream' | 'buffered';
  /** Most bytes the object may have. */
  readonly maxLength: number;
  /**
   * What `x-amz-checksum-*` headers speak of: this body (the default), or the object, as in
   * CompleteMultipartUpload, where they are not compared with this body.
   */
  readonly checksumHeaders?: 'body' | 'object';
}

/**
 * Reads the declaration, so that a bad one is refused before `100 Continue`.
 * Sources: S3 API reference, PutObject; User Guide, "Checking object integrity for data uploads"; RFC 1864.
 * @throws S3Error MissingContentLength, IncompleteBody (lengths that cannot both hold), EntityTooLarge or
 * MaxMessageLengthExceeded, InvalidDigest, MalformedTrailerError, InvalidRequest, InvalidArgument, NotImplemented.
 */
export function parseBodyDeclaration(
  headers: WireHeaders,
  payload: PayloadDeclaration,
  rules: BodyRules,
): BodyDeclaration {
  const declaration = parseSpoolableDeclaration(headers, payload, rules);
  if (declaration.length === undefined) throw new S3Error('MissingContentLength');
  return declaration;
}

/**
 * As `parseBodyDeclaration`, for who can take a body whose length the client does not declare: one in chunks (of HTTP,
 * of aws-chunked, or of both) without `x-amz-decoded-content-length`.
 */
export function parseSpoolableDeclaration(
  headers: WireHeaders,
  payload: PayloadDeclaration,
  rules: BodyRules,
): BodyDeclaration | UnsizedBodyDeclaration {
  if (rules.mode === 'buffered' && isFramed(payload))
    throw invalidRequest('The value of x-amz-content-sha256 header is invalid.');
  const length = parseLength(headers, payload, rules);
  if (!isFramed(payload) && rules.mode === 'stream') refuseUndeclaredFraming(headers);
  const trailer = parseTrailer(headers, payload);
  const checksum = rules.checksumHeaders === 'object' ? undefined : parseChecksum(headers);
  if (checksum !== undefined && trailer !== undefined) throw invalidRequest(SINGLE_CHECKSUM);
  if (rules.checksumHeaders !== 'object') checkSdkAlgorithm(headers, checksum?.algorithm ?? trailer);
  const declared = { payload, checksum, trailer, md5: parseContentMd5(headers) };
  return length === undefined ? { ...declared, length, maxLength: rules.maxLength } : { ...declared, length };
}

/** Framing that the payload line does not speak of would be stored as the object's own bytes. */
function refuseUndeclaredFraming(headers: WireHeaders): void {
  const encoding = headers.get('content-encoding');
  if (encoding !== withoutAwsChunked(encoding))
    throw invalidRequest(
      'The Content-Encoding aws-chunked needs one of the STREAMING- values in x-amz-content-sha256.',
    );
}

/** Whether the body is in aws-chunked framing. */
export function isFramed(payload: PayloadDeclaration): boolean {
  return payload.kind === 'chunked-signed' || payload.kind === 'chunked-unsigned';
}

/** The refusal of a body that is shorter or longer than declared. */
export function wrongLength(cause?: unknown): S3Error {
  return new S3Error('IncompleteBody', {
    message: 'You did not provide the number of bytes specified by the Content-Length HTTP header',
    cause,
  });
}

/** The refusal of an object; `length` is what is known of it, in bytes. */
export function tooLarge(length: number, maxLength: number): S3Error {
  return new S3Error('EntityTooLarge', {
    details: { ProposedSize: String(length), MaxSizeAllowed: String(maxLength) },
  });
}

const SINGLE_CHECKSUM = 'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.';

/** Undefined for a body in chunks that may have any length. */
function parseLength(
  headers: WireHeaders,
  payload: PayloadDeclaration,
  rules: BodyRules,
): number | undefined {
  const transferEncoding = headers.get('transfer-encoding');
  const contentLength = parseInteger(headers, 'content-length');
  const decodedLength = parseInteger(headers, 'x-amz-decoded-content-length');
  if (transferEncoding !== undefined && transferEncoding.toLowerCase() !== 'chunked')
    throw new S3Error('NotImplemented', { details: { Header: 'Transfer-Encoding' } });
  if (transferEncoding !== undefined && contentLength !== undefined)
    throw invalidRequest('Content-Length and Transfer-Encoding must not be sent together');

  let length = contentLength;
  if (isFramed(payload)) {
    length = decodedLength;
    // Framing only adds bytes.
    if (length !== undefined && contentLength !== undefined && contentLength < length) throw wrongLength();
  } else if (length === undefined && transferEncoding === undefined && rules.mode === 'buffered') {
    length = 0;
  } else if (length !== undefined && decodedLength !== undefined && decodedLength !== length) {
    // An aws-chunked body whose payload line does not say so would be stored with its framing.
    throw wrongLength();
  }

  if (length === undefined) {
    // A decoded length of a body that is not said to be framed, or a small document: nobody sends these in chunks.
    const spoolable =
      rules.mode === 'stream' &&
      (isFramed(payload) || (transferEncoding !== undefined && decodedLength === undefined));
    if (!spoolable) throw new S3Error('MissingContentLength');
  } else if (length > rules.maxLength) {
    throw rules.mode === 'stream'
      ? tooLarge(length, rules.maxLength)
      : new S3Error('MaxMessageLengthExceeded', {
          details: { MaxMessageLengthBytes: String(rules.maxLength) },
        });
  }
  return length;
}

function parseInteger(headers: WireHeaders, name: string): number | undefined {
  const text = headers.get(name);
  if (text === undefined) return undefined;
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(value)) return value;
  throw new S3Error('InvalidArgument', {
    message: `The value of ${name} must be a non-negative integer`,
    details: { ArgumentName: name, ArgumentValue: text },
  });
}

function parseTrailer(headers: WireHeaders, payload: PayloadDeclaration): ChecksumAlgorithm | undefined {
  const name = headers.get('x-amz-trailer');
  const expected =
    payload.kind === 'chunked-unsigned' || (payload.kind === 'chunked-signed' && payload.trailer);
  if (!expected && name === undefined) return undefined;
  const algorithm = name === undefined ? undefined : checksumOfHeader(name);
  if (algorithm === undefined)
    throw invalidRequest('The value specified in the x-amz-trailer header is not supported');
  if (!expected) throw new S3Error('MalformedTrailerError');
  return algorithm;
}

/** Headers of that prefix that carry no value of the body. */
const NOT_A_VALUE: ReadonlySet<string> = new Set([
  'x-amz-checksum-algorithm',
  'x-amz-checksum-mode',
  'x-amz-checksum-type',
]);

function parseChecksum(headers: WireHeaders): BodyDeclaration['checksum'] {
  const names = [...headers.names()].filter(
    (name) => name.startsWith('x-amz-checksum-') && !NOT_A_VALUE.has(name),
  );
  const [name] = names;
  if (name === undefined) return undefined;
  if (names.length > 1) throw invalidRequest(SINGLE_CHECKSUM);
  const algorithm = checksumOfHeader(name);
  if (algorithm === undefined)
    throw invalidRequest('The algorithm type you specified in x-amz-checksum- header is invalid.');
  const value = decodeDigest(headers.get(name) ?? '', CHECKSUM_ALGORITHMS[algorithm].size);
  if (value === undefined) throw invalidRequest(`Value for ${name} header is invalid.`);
  return { algorithm, value };
}

function checkSdkAlgorithm(headers: WireHeaders, declared: ChecksumAlgorithm | undefined): void {
  const label = headers.get('x-amz-sdk-checksum-algorithm');
  if (label === undefined) return;
  // SDKs send MD5 as they did before it was one of the checksums: in Content-MD5, which is verified, too.
  if (declared === undefined && label.toUpperCase() === 'MD5' && headers.has('content-md5')) return;
  if (declared === undefined)
    throw invalidRequest(
      'x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.',
    );
  if (label.toUpperCase() !== CHECKSUM_ALGORITHMS[declared].label)
    throw invalidRequest('Value for x-amz-sdk-checksum-algorithm header is invalid.');
}

function parseContentMd5(headers: WireHeaders): Buffer | undefined {
  const text = headers.get('content-md5');
  if (text === undefined) return undefined;
  const value = decodeDigest(text, 16);
  if (value === undefined) throw new S3Error('InvalidDigest');
  return value;
}

function invalidRequest(message: string): S3Error {
  return new S3Error('InvalidRequest', { message });
}
