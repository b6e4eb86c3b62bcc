/**
 * The canonical request and the string to sign.
 * Source: Amazon S3 API reference, "Signature Calculations for the Authorization Header".
 */
import { hash } from 'node:crypto';
import { encodeUriComponent, encodeUriPath, type QueryParameter } from '../s3/index.ts';

export const ALGORITHM = 'AWS4-HMAC-SHA256';
/** Signature Version 4A. */
export const ECDSA_ALGORITHM = 'AWS4-ECDSA-P256-SHA256';
export type SigningAlgorithm = typeof ALGORITHM | typeof ECDSA_ALGORITHM;
export const EMPTY_SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

const NEEDS_FOLDING = /^ | {2}| $|[\t\r\n\f\v]/;

export interface CanonicalParts {
  readonly method: string;
  /** Encoded as the service wants it: `canonicalPath` for S3. */
  readonly path: string;
  readonly query: string;
  /** Lower-case, sorted bytewise. */
  readonly signedHeaders: readonly string[];
  /** Value of a signed header, duplicates joined with `,`; undefined counts as empty. */
  readonly header: (name: string) => string | undefined;
  /** The payload line: a hash, or one of S3's literal values. */
  readonly payloadHash: string;
}

export interface CredentialScope {
  /** yyyyMMdd */
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

/** The scope of a SigV4A signature: its regions stand in the signed `x-amz-region-set`. */
export interface MultiRegionScope {
  /** yyyyMMdd */
  readonly date: string;
  readonly region?: undefined;
  readonly service: string;
}

export function canonicalRequest(parts: CanonicalParts): string {
  let headers = '';
  for (const name of parts.signedHeaders)
    headers += `${name}:${canonicalHeaderValue(parts.header(name) ?? '')}\n`;
  return `${parts.method}\n${parts.path}\n${parts.query}\n${headers}\n${parts.signedHeaders.join(';')}\n${parts.payloadHash}`;
}

/** S3's rule: the decoded path encoded once; nothing is normalised, since dots and slashes are bytes of the key. */
export function canonicalPath(decodedPath: string): string {
  return encodeUriPath(decodedPath);
}

/**
 * The rule of every other service: the path on the wire, normalised (RFC 3986, section 5.2.4, and empty
 * segments) unless told otherwise, then encoded once more.
 */
export function genericCanonicalPath(wirePath: string, options: { readonly normalize: boolean }): string {
  if (!options.normalize) return encodeUriPath(wirePath);
  const segments: string[] = [];
  for (const segment of wirePath.split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(segment);
  }
  const trailing = segments.length > 0 && wirePath.endsWith('/') ? '/' : '';
  return encodeUriPath(`/${segments.join('/')}${trailing}`);
}

/** Encoded, then sorted by encoded name and value; `omit` names the one parameter that a presigned URL leaves out. */
export function canonicalQuery(query: readonly QueryParameter[], omit?: string): string {
  if (query.length === 0) return '';
  const pairs: [name: string, value: string][] = [];
  for (const { name, value } of query)
    if (name !== omit) pairs.push([encodeUriComponent(name), encodeUriComponent(value)]);
  pairs.sort((a, b) => compare(a[0], b[0]) || compare(a[1], b[1]));
  return pairs.map(([name, value]) => `${name}=${value}`).join('&');
}

export function stringToSign(
  timestamp: string,
  scope: CredentialScope | MultiRegionScope,
  canonical: string,
): string {
  return `${algorithmOf(scope)}\n${timestamp}\n${formatScope(scope)}\n${sha256Hex(wireBytes(canonical))}`;
}

/** The algorithm that signs for such a scope. */
export function algorithmOf(scope: CredentialScope | MultiRegionScope): SigningAlgorithm {
  return scope.region === undefined ? ECDSA_ALGORITHM : ALGORITHM;
}

/** `yyyyMMdd/region/service/aws4_request`; without the region for SigV4A. */
export function formatScope(scope: CredentialScope | MultiRegionScope): string {
  return scope.region === undefined
    ? `${scope.date}/${scope.service}/aws4_request`
    : `${scope.date}/${scope.region}/${scope.service}/aws4_request`;
}

export function sha256Hex(data: string | Uint8Array): string {
  return hash('sha256', data, 'hex');
}

/**
 * The bytes of a canonical request: header values are latin1 characters, one for each byte on the wire, and
 * everything else is ASCII.
 */
export function wireBytes(canonical: string): string | Buffer {
  return /[\u0080-\u00ff]/.test(canonical) ? Buffer.from(canonical, 'latin1') : canonical;
}

/** White space at the ends goes, runs of it become one space. Only ASCII: byte 0xA0 is half of a UTF-8 character. */
export function canonicalHeaderValue(value: string): string {
  return NEEDS_FOLDING.test(value)
    ? value.replaceAll(/[ \t\r\n\f\v]+/g, ' ').replaceAll(/^ | $/g, '')
    : value;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
