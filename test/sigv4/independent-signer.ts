/** Requests signed by the AWS SDK's signer, as they come over the wire. */
import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import { parseWireRequest, type WireRequest } from '../../src/s3/index.ts';
import {
  createSigningKeys,
  parseSignatureClaim,
  requireSignedHeaders,
  s3CanonicalParts,
  Secret,
  verifySignature,
} from '../../src/sigv4/index.ts';

export const ACCESS_KEY_ID = 'AKIAIOSFODNN7EXAMPLE';
export const SECRET_ACCESS_KEY = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
export const REGION = 'eu-central-1';
export const HOST = 'gateway.example:9000';
export const NOW = Date.UTC(2026, 1, 28, 23, 59, 59);

export interface Signable {
  readonly method: string;
  /** Decoded. */
  readonly path: string;
  /** Decoded. */
  readonly query?: readonly (readonly [name: string, value: string])[];
  /** Text; its UTF-8 bytes go over the wire, as boto3 and the AWS CLI send them. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly payloadHash?: string;
  /** Epoch milliseconds. */
  readonly at?: number;
  readonly sessionToken?: string;
}

/** What a client puts on the wire. Header values are latin1 characters, one for each byte. */
export interface WireParts {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

export const UNSIGNED = 'UNSIGNED-PAYLOAD';

/** Signed by its Authorization header. */
export async function signByHeader(request: Signable): Promise<WireParts> {
  const { payloadHash = UNSIGNED, at = NOW } = request;
  const plain = outgoing(request);
  const signed = await signer(request).sign(
    { ...plain, headers: { ...plain.headers, 'x-amz-content-sha256': payloadHash } },
    { signingDate: new Date(at) },
  );
  return { method: request.method, target: targetOf(request), headers: onTheWire(signed.headers) };
}

/** Signed by a presigned URL; `x-amz-*` headers move into the query, as the SDK does it. */
export async function presign(
  request: Signable,
  options: { readonly expiresIn: number },
): Promise<WireParts> {
  const { at = NOW, payloadHash = UNSIGNED } = request;
  const plain = outgoing(request);
  const signed = await signer(request).presign(
    // The signer reads the payload line from a header of this name, and moves it into the query.
    { ...plain, headers: { ...plain.headers, 'X-Amz-Content-Sha256': payloadHash } },
    { signingDate: new Date(at), expiresIn: options.expiresIn },
  );
  const query = Object.entries(signed.query ?? {}).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value ?? '']).map((item) => [name, item] as const),
  );
  return {
    method: request.method,
    target: targetOf({ ...request, query }),
    headers: onTheWire(signed.headers),
  };
}

export function parse({ method, target, headers }: WireParts): WireRequest {
  return parseWireRequest(method, target, headers.flat());
}

/** Everything that this folder checks of a request; throws the refusal. */
export function verify(parts: WireParts, options: { readonly now?: number; readonly secret?: string } = {}) {
  const request = parse(parts);
  const claim = parseSignatureClaim(request, { region: REGION, now: options.now ?? NOW });
  if (claim === undefined) throw new Error('the request is not signed');
  requireSignedHeaders(request, claim, new Set());
  const credentials = {
    accessKeyId: claim.accessKeyId,
    secretAccessKey: new Secret(options.secret ?? SECRET_ACCESS_KEY),
    secretVersion: '1',
  };
  const key = createSigningKeys({ max: 1 }).verificationKey(credentials, claim.scope);
  verifySignature(s3CanonicalParts(request, claim), claim, key);
  return claim;
}

/** RFC 3986 encoding by another implementation than ours. */
export function encodeText(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function targetOf({ path, query = [] }: Pick<Signable, 'path' | 'query'>): string {
  const pairs = query.map(([name, value]) => `${encodeText(name)}=${encodeText(value)}`);
  return encodePath(path) + (pairs.length === 0 ? '' : `?${pairs.join('&')}`);
}

function encodePath(path: string): string {
  return path.split('/').map(encodeText).join('/');
}

function signer({ sessionToken }: Signable): SignatureV4 {
  return new SignatureV4({
    credentials: {
      accessKeyId: ACCESS_KEY_ID,
      secretAccessKey: SECRET_ACCESS_KEY,
      ...(sessionToken !== undefined && { sessionToken }),
    },
    region: REGION,
    service: 's3',
    sha256: Sha256,
    // As the SDK's S3 client sets it: the path is encoded once.
    uriEscapePath: false,
    applyChecksum: true,
  });
}

function outgoing({ method, path, query = [], headers = {} }: Signable) {
  const bag = Object.create(null) as Record<string, string[]>;
  for (const [name, value] of query) (bag[name] ??= []).push(value);
  return {
    method,
    protocol: 'http:',
    hostname: HOST,
    path: encodePath(path),
    query: bag,
    headers: { host: HOST, ...headers },
  };
}

function onTheWire(headers: Readonly<Record<string, string>>): (readonly [string, string])[] {
  return Object.entries(headers).map(([name, value]) => [
    name,
    Buffer.from(value, 'utf8').toString('latin1'),
  ]);
}

/** SHA-256, or HMAC with it when there is a key, in the shape that the SDK asks for. */
class Sha256 {
  #hash: Hash | Hmac;
  readonly #start: () => Hash | Hmac;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#start = () =>
      secret === undefined ? createHash('sha256') : createHmac('sha256', keyBytes(secret));
    this.#hash = this.#start();
  }

  update(data: Uint8Array): void {
    this.#hash.update(data);
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest());
  }

  reset(): void {
    this.#hash = this.#start();
  }
}

function keyBytes(secret: string | ArrayBuffer | ArrayBufferView): Buffer {
  if (typeof secret === 'string') return Buffer.from(secret, 'utf8');
  return ArrayBuffer.isView(secret)
    ? Buffer.from(secret.buffer, secret.byteOffset, secret.byteLength)
    : Buffer.from(secret);
}
