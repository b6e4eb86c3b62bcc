/**
 * What the fields of a browser form say. Source: S3 API reference, "POST Object" and "Creating an HTML form (using AWS
 * Signature Version 4)".
 */
import { S3Error } from './error.ts';
import { assertKeyLength } from './object-key.ts';
import type { FormHead } from './post-form.ts';
import { COMMON_HEADERS } from './request-fields.ts';
import { parseTagging, renderTaggingHeader } from './tagging.ts';
import { stripWhiteSpace } from './white-space.ts';
import { WireHeaders, type WireRequest } from './wire-request.ts';

interface PostField {
  /** As the form has it, for messages. */
  readonly name: string;
  /** Decoded, variables expanded. */
  readonly value: string;
}

/** By lower-case name, in the order of the form. */
export type PostFields = ReadonlyMap<string, PostField>;

/** What is answered to an upload that succeeded. */
export type PostSuccess =
  | { readonly kind: 'status'; readonly status: 200 | 201 | 204 }
  /** An absolute `http` or `https` URL, which gets bucket, key and etag appended. */
  | { readonly kind: 'redirect'; readonly url: string };

/** Fields that carry the signature; `policy` besides. */
const SIGNING_FIELDS: ReadonlySet<string> = new Set([
  'policy',
  'x-amz-algorithm',
  'x-amz-credential',
  'x-amz-date',
  'x-amz-security-token',
  'x-amz-signature',
]);

/** S3 looks at nothing in them. */
const IGNORED_FIELD_PREFIX = 'x-ignore-';

const FILENAME = '${filename}';

/**
 * Decodes and expands; what repeats among the user metadata is joined with a comma, as S3 does.
 * @throws S3Error `InvalidArgument` for another field that repeats, or one that is not UTF-8.
 */
export function parsePostFields({ fields, filename }: Pick<FormHead, 'fields' | 'filename'>): PostFields {
  const name = filename === undefined ? undefined : lastSegment(filename);
  const parsed = new Map<string, PostField>();
  for (const field of fields) {
    const lower = field.name.toLowerCase();
    if (lower.startsWith(IGNORED_FIELD_PREFIX)) continue;
    const text = decode(field.name, field.value);
    // Without a `filename` the variable stays as it is: recorded answers of S3.
    const value =
      name === undefined || SIGNING_FIELDS.has(lower) ? text : text.replaceAll(FILENAME, () => name);
    const before = parsed.get(lower);
    if (before !== undefined && !lower.startsWith('x-amz-meta-'))
      throw invalid(field.name, value, `The form field \`${field.name}\` comes more than once.`);
    parsed.set(lower, {
      name: before?.name ?? field.name,
      value: before === undefined ? value : `${before.value},${value}`,
    });
  }
  return parsed;
}

/** @throws S3Error `InvalidArgument` for a form without a key, `KeyTooLongError`. */
export function postKey(fields: PostFields): string {
  const key = fields.get('key')?.value;
  if (key === undefined) throw missingField('key');
  if (key === '') throw invalid('key', '', 'User key must have a length greater than 0.');
  assertKeyLength(key);
  return key;
}

/** @param name as S3 writes it. */
export function missingField(name: string): S3Error {
  return invalid(
    name,
    '',
    `Bucket POST must contain a field named '${name}'.  If it is specified, please check the order of the fields.`,
  );
}

/** Fields that are headers of a PUT by another name, or without `x-amz-`. */
const HEADER_OF_FIELD: ReadonlyMap<string, string> = new Map([
  ['acl', 'x-amz-acl'],
  ['cache-control', 'cache-control'],
  ['content-disposition', 'content-disposition'],
  ['content-encoding', 'content-encoding'],
  ['content-language', 'content-language'],
  ['content-md5', 'content-md5'],
  ['content-type', 'content-type'],
  ['expires', 'expires'],
  ['tagging', 'x-amz-tagging'],
  // Names the algorithm of the checksum beside it, as `x-amz-sdk-checksum-algorithm` does in a PUT.
  ['x-amz-checksum-algorithm', 'x-amz-sdk-checksum-algorithm'],
]);

/** What the request's own headers still say; all others would be unsigned, or speak of the form. */
const KEPT_HEADERS: ReadonlySet<string> = new Set(['host', 'origin', 'referer', 'user-agent']);

/**
 * The PUT that the form stands for: its headers come from the fields, and only from there.
 * @throws S3Error `InvalidRequest` for headers beside the form that would change the object, `InvalidArgument` for a
 * value that no header can have, or two fields for one header; `MalformedXML` and others for the field `tagging`;
 * `NotImplemented` for a field that has a meaning as a request's header only.
 */
export function requestOfForm(wire: WireRequest, fields: PostFields): WireRequest {
  const raw: string[] = [];
  for (const [name, value] of wire.headers.entries()) {
    if (KEPT_HEADERS.has(name)) raw.push(name, value);
    else if (isForeign(name, value)) throw conflictingField(`the header ${name} beside a form`);
  }
  const names = new Set<string>();
  for (const [lower, { name, value }] of fields) {
    const header = headerOf(lower, name);
    if (header === undefined) continue;
    if (names.has(header)) throw invalid(name, value, `The form field \`${name}\` comes under two names.`);
    names.add(header);
    const text =
      lower === 'tagging' ? renderTaggingHeader(parseTagging(value, 'object')) : headerValue(name, value);
    // An empty input of a form says nothing; for user metadata it is a value.
    if (text === '' && !header.startsWith('x-amz-meta-')) continue;
    raw.push(header, text);
  }
  return { ...wire, headers: new WireHeaders(raw) };
}

/** The form and the request around it do not say the same. */
export function conflictingField(reason: string): S3Error {
  return new S3Error('InvalidRequest', {
    message: 'Conflicting values provided in HTTP headers and POST form fields.',
    reason,
  });
}

/** A header that nothing has signed, or that declares something of the form's bytes which nothing would verify. */
function isForeign(name: string, value: string): boolean {
  if (name === 'x-amz-content-sha256') return value !== 'UNSIGNED-PAYLOAD';
  if (name === 'content-md5' || name === 'content-encoding') return true;
  return name.startsWith('x-amz-') && !COMMON_HEADERS.has(name);
}

/** Undefined for a field that is none of a PUT's headers. */
function headerOf(lower: string, name: string): string | undefined {
  const header = HEADER_OF_FIELD.get(lower);
  if (header !== undefined) return header;
  if (!lower.startsWith('x-amz-') || SIGNING_FIELDS.has(lower)) return undefined;
  // They would declare something about the request that the form is not.
  if (COMMON_HEADERS.has(lower) || !/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(lower))
    throw new S3Error('NotImplemented', {
      message: `A form field you provided implies functionality that is not implemented: \`${name}\`.`,
      details: { Header: name },
    });
  return lower;
}

/** One character for each byte of UTF-8, as headers come from the wire. */
function headerValue(name: string, value: string): string {
  if (hasControlCharacter(value))
    throw invalid(name, value, `The form field \`${name}\` cannot be the value of a header.`);
  return Buffer.from(stripWhiteSpace(value), 'utf8').toString('latin1');
}

/** A status that S3 does not know counts as none, and so does a URL that it cannot interpret. */
export function postSuccess(fields: PostFields): PostSuccess {
  const redirect = (fields.get('success_action_redirect') ?? fields.get('redirect'))?.value;
  if (redirect !== undefined && isRedirectTarget(redirect)) return { kind: 'redirect', url: redirect };
  switch (fields.get('success_action_status')?.value) {
    case '200':
      return { kind: 'status', status: 200 };
    case '201':
      return { kind: 'status', status: 201 };
    default:
      return { kind: 'status', status: 204 };
  }
}

/** The `Location` of the redirect. @param etag as the header has it, in quotes. */
export function redirectLocation(
  url: string,
  stored: { readonly bucket: string; readonly key: string; readonly etag: string },
): string {
  const { bucket, key, etag } = stored;
  const target = new URL(url);
  const added = new URLSearchParams([
    ['bucket', bucket],
    ['key', key],
    ['etag', etag],
  ]).toString();
  target.search = target.search === '' ? added : `${target.search}&${added}`;
  return target.href;
}

function isRedirectTarget(text: string): boolean {
  // A line break would be dropped by the URL's parser.
  if (hasControlCharacter(text)) return false;
  const url = URL.parse(text);
  return (
    url !== null && (url.protocol === 'http:' || url.protocol === 'https:') && /^https?:\/\//i.test(text)
  );
}

function hasControlCharacter(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}

/** Browsers of old sent the whole path. */
function lastSegment(path: string): string {
  return path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decode(name: string, value: Buffer): string {
  try {
    return decoder.decode(value);
  } catch (cause) {
    throw new S3Error('InvalidArgument', {
      message: `The form field \`${name}\` is not UTF-8.`,
      details: { ArgumentName: name },
      cause,
    });
  }
}

function invalid(name: string, value: string, message: string): S3Error {
  return new S3Error('InvalidArgument', { message, details: { ArgumentName: name, ArgumentValue: value } });
}
