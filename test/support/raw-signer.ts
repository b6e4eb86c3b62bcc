/**
 * Signature Version 4, and 4A where there is a region set, as the S3 API reference describes it, for requests that no SDK would send. It shares no code
 * with the gateway: its own canonical request, over the bytes of the target as they go out.
 */
import { createHash, createHmac } from 'node:crypto';
import { signEcdsa } from './raw-ecdsa.ts';
import type { Credentials } from './running-gateway.ts';

/** Name and value, as they go out. */
export type Header = readonly [name: string, value: string];

export interface RawRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly Header[];
  readonly body: Buffer;
}

export interface SignedRequest extends RawRequest {
  /** What the first chunk's signature builds on. */
  readonly chain: SignatureChain;
}

/** Signs the chunks and the trailer of a body, in order. */
interface SignatureChain {
  readonly signature: string;
  chunk(data: Buffer): string;
  /** @param lines `name:value\n` each. */
  trailer(lines: string): string;
}

export interface SignOptions {
  readonly credentials: Credentials;
  readonly host: string;
  readonly method?: string;
  /** Path and query as they go out. */
  readonly target: string;
  /** Signed, in addition to host, date and payload hash. */
  readonly headers?: readonly Header[];
  /** Added after signing. */
  readonly unsigned?: readonly Header[];
  readonly body?: Buffer | string;
  /** In place of the body's sha256; null leaves the header out. */
  readonly payloadHash?: string | null;
  /** Epoch milliseconds; now unless told otherwise. */
  readonly at?: number;
  readonly region?: string;
  /** Signs with SigV4A, for these regions. */
  readonly regionSet?: string;
}

const EMPTY_SHA256 = sha256('');

/** With an Authorization header, and a Content-Length when there is a body. */
export function signHeader(options: SignOptions): SignedRequest {
  const { method = 'GET', target, credentials, host } = options;
  const body = Buffer.from(options.body ?? '');
  const payloadHash = options.payloadHash === undefined ? sha256(body) : options.payloadHash;
  const scope = scopeOf(options);
  const headers: Header[] = [
    ['Host', host],
    ['x-amz-date', scope.timestamp],
    ...(options.regionSet === undefined ? [] : ([['x-amz-region-set', options.regionSet]] as const)),
    ...(payloadHash === null ? [] : ([['x-amz-content-sha256', payloadHash]] as const)),
    ...(options.headers ?? []),
  ];
  const { path, query } = splitTarget(target);
  const { names, text } = canonicalHeaders(headers);
  const signature = sign(
    [method, path, query, text, names, payloadHash ?? EMPTY_SHA256].join('\n'),
    scope,
    credentials,
  );
  const authorization = `${scope.algorithm} Credential=${credentials.accessKeyId}/${scope.path}, SignedHeaders=${names}, Signature=${signature}`;
  return {
    method,
    target,
    headers: [...headers, ['Authorization', authorization], ...withLength(options, headers, body)],
    body,
    chain: createChain(signature, scope, credentials),
  };
}

/** As a presigned URL. `parameters` are added to the query before it is signed. */
export function presign(
  options: SignOptions & { readonly expires?: number | string; readonly parameters?: readonly Header[] },
): SignedRequest {
  const { method = 'GET', target, credentials, host, expires = 60 } = options;
  const body = Buffer.from(options.body ?? '');
  const scope = scopeOf(options);
  const headers: Header[] = [['Host', host], ...(options.headers ?? [])];
  const { names, text } = canonicalHeaders(headers);
  const parameters: Header[] = [
    ['X-Amz-Algorithm', scope.algorithm],
    ['X-Amz-Credential', `${credentials.accessKeyId}/${scope.path}`],
    ['X-Amz-Date', scope.timestamp],
    ['X-Amz-Expires', String(expires)],
    ...(options.regionSet === undefined ? [] : ([['X-Amz-Region-Set', options.regionSet]] as const)),
    ['X-Amz-SignedHeaders', names],
    ...(options.parameters ?? []),
  ];
  const added = parameters.map(([name, value]) => `${encode(name)}=${encode(value)}`).join('&');
  const unsigned = `${target}${target.includes('?') ? '&' : '?'}${added}`;
  const { path, query } = splitTarget(unsigned);
  const declared = headers.find(([name]) => name.toLowerCase() === 'x-amz-content-sha256')?.[1];
  const payloadLine = options.payloadHash ?? declared ?? 'UNSIGNED-PAYLOAD';
  const signature = sign([method, path, query, text, names, payloadLine].join('\n'), scope, credentials);
  return {
    method,
    target: `${unsigned}&X-Amz-Signature=${signature}`,
    headers: [...headers, ...withLength(options, headers, body)],
    body,
    chain: createChain(signature, scope, credentials),
  };
}

/** The bytes of a request; the request line and headers are written as they are, whatever they hold. */
export function render({ method, target, headers, body }: RawRequest): Buffer {
  return Buffer.concat([renderHead({ method, target, headers }), body]);
}

export function renderHead({ method, target, headers }: Omit<RawRequest, 'body'>): Buffer {
  const fields = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return Buffer.from(`${method} ${target} HTTP/1.1\r\n${fields}\r\n`, 'latin1');
}

export function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

/** Percent-encoding of UTF-8 text, `/` included. */
export function encode(text: string): string {
  return encodeBytes(Buffer.from(text, 'utf8'), false);
}

interface Scope {
  readonly algorithm: 'AWS4-HMAC-SHA256' | 'AWS4-ECDSA-P256-SHA256';
  readonly timestamp: string;
  /** `yyyyMMdd/region/s3/aws4_request`, of SigV4A without the region */
  readonly path: string;
}

function scopeOf({ at = Date.now(), region = 'us-east-1', regionSet }: SignOptions): Scope {
  const timestamp = new Date(at).toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const date = timestamp.slice(0, 8);
  return regionSet === undefined
    ? { algorithm: 'AWS4-HMAC-SHA256', timestamp, path: `${date}/${region}/s3/aws4_request` }
    : { algorithm: 'AWS4-ECDSA-P256-SHA256', timestamp, path: `${date}/s3/aws4_request` };
}

function withLength(options: SignOptions, headers: readonly Header[], body: Buffer): readonly Header[] {
  const unsigned = options.unsigned ?? [];
  const framed = [...headers, ...unsigned].some(([name]) =>
    ['content-length', 'transfer-encoding'].includes(name.trim().toLowerCase()),
  );
  const needed = !framed && (body.length > 0 || options.method === 'PUT' || options.method === 'POST');
  return needed ? [['Content-Length', String(body.length)], ...unsigned] : unsigned;
}

function splitTarget(target: string): { readonly path: string; readonly query: string } {
  const mark = target.indexOf('?');
  const path = mark === -1 ? target : target.slice(0, mark);
  const pairs = mark === -1 ? [] : target.slice(mark + 1).split('&');
  const query = pairs
    .filter((pair) => pair !== '')
    .map((pair): Header => {
      const equals = pair.indexOf('=');
      const name = equals === -1 ? pair : pair.slice(0, equals);
      const value = equals === -1 ? '' : pair.slice(equals + 1);
      return [encodeBytes(decode(name), false), encodeBytes(decode(value), false)];
    })
    .sort((a, b) => order(a[0], b[0]) || order(a[1], b[1]))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
  return { path: encodeBytes(decode(path), true), query };
}

function canonicalHeaders(headers: readonly Header[]): { readonly names: string; readonly text: string } {
  const values = new Map<string, string[]>();
  for (const [name, value] of headers) {
    const list = values.get(name.toLowerCase()) ?? [];
    list.push(value.trim().replaceAll(/ +/g, ' '));
    values.set(name.toLowerCase(), list);
  }
  const names = [...values.keys()].sort(order);
  return {
    names: names.join(';'),
    text: names.map((name) => `${name}:${values.get(name)?.join(',')}\n`).join(''),
  };
}

function sign(canonicalRequest: string, scope: Scope, credentials: Credentials): string {
  const hashed = sha256(Buffer.from(canonicalRequest, 'latin1'));
  return signText([scope.algorithm, scope.timestamp, scope.path, hashed].join('\n'), scope, credentials);
}

function signText(text: string, scope: Scope, credentials: Credentials): string {
  return scope.algorithm === 'AWS4-HMAC-SHA256'
    ? hmac(signingKey(scope, credentials), text).toString('hex')
    : signEcdsa(credentials, text);
}

function createChain(seed: string, scope: Scope, credentials: Credentials): SignatureChain {
  let previous = seed;
  const next = (kind: string, hashes: string): string => {
    const text = [`${scope.algorithm}-${kind}`, scope.timestamp, scope.path, previous, hashes].join('\n');
    previous = signText(text, scope, credentials);
    return scope.algorithm === 'AWS4-HMAC-SHA256' ? previous : previous.padEnd(144, '*');
  };
  return {
    signature: seed,
    chunk: (data) => next('PAYLOAD', `${EMPTY_SHA256}\n${sha256(data)}`),
    trailer: (lines) => next('TRAILER', sha256(lines)),
  };
}

function signingKey(scope: Scope, { secretAccessKey }: Credentials): Buffer {
  return scope.path.split('/').reduce<Buffer>(hmac, Buffer.from(`AWS4${secretAccessKey}`));
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function decode(text: string): Buffer {
  const bytes: number[] = [];
  for (let i = 0; i < text.length; i++) {
    const escape = /^%([0-9a-f]{2})/i.exec(text.slice(i, i + 3))?.[1];
    bytes.push(escape === undefined ? text.charCodeAt(i) & 0xff : Number.parseInt(escape, 16));
    if (escape !== undefined) i += 2;
  }
  return Buffer.from(bytes);
}

function encodeBytes(bytes: Buffer, keepSlash: boolean): string {
  let out = '';
  for (const byte of bytes) {
    const character = String.fromCharCode(byte);
    const plain = /[A-Za-z0-9._~-]/.test(character) || (keepSlash && character === '/');
    out += plain ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return out;
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
