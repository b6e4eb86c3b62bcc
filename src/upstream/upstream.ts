/** The upstream: where requests go, with which credentials, over which connections. */
import { Pool } from 'undici';
import { encodeUriComponent, encodeUriPath, S3Error, type QueryParameter } from '../s3/index.ts';
import {
  createSigningKeys,
  sha256Hex,
  signRequest,
  UNSIGNED_PAYLOAD,
  type SigningCredentials,
} from '../sigv4/index.ts';
import { exchange, type ExchangeRequest, type UpstreamResponse } from './exchange.ts';
import { frame, framedLength, type TrailingChecksum } from './framing.ts';

export interface UpstreamOptions {
  /** Origin, `http://host:port` or `https://host`. */
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: SigningCredentials;
  /** Connections to the upstream at most. */
  readonly connections: number;
  /** Milliseconds until a connection is given up that does not open, or of which none gets free. */
  readonly connectTimeout: number;
  /** Milliseconds until the response's headers are there, counted from the end of the request. */
  readonly headersTimeout: number;
  /** Milliseconds without a byte of the response's body. */
  readonly bodyTimeout: number;
  /** Milliseconds for which an idle connection is kept. */
  readonly keepAliveTimeout: number;
  readonly integrity: Integrity;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/**
 * How upload bodies are sent. `trailer`: framed with its trailing checksum where the client sent one; `hash`: with the
 * declared sha256, unsigned without one; `signed-chunks`: each chunk signed anew; `unsigned`: always unsigned.
 */
export type Integrity = 'trailer' | 'hash' | 'signed-chunks' | 'unsigned';

export type UpstreamPayload =
  | { readonly kind: 'none' }
  /** Small and complete. */
  | { readonly kind: 'buffer'; readonly data: Buffer }
  /** `sha256` when the client declared one: the upstream checks it again. */
  | {
      readonly kind: 'stream';
      readonly chunks: AsyncIterable<Buffer>;
      readonly length: number;
      readonly sha256: string | undefined;
    }
  | {
      readonly kind: 'framed';
      readonly chunks: AsyncIterable<Buffer>;
      readonly length: number;
      readonly trailer: TrailingChecksum & { readonly valueLength: number };
    };

export interface UpstreamRequest {
  readonly method: string;
  readonly bucket?: string | undefined;
  /** Decoded; sent byte for byte, encoded once. */
  readonly key?: string | undefined;
  readonly query: readonly QueryParameter[];
  /** Lower-case names, no repetition; framing, host and signing headers are added here. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly payload: UpstreamPayload;
  readonly signal: AbortSignal;
}

export interface Upstream {
  /**
   * Signs and sends. Rejects with an `UpstreamUnreachable` when there is no response; with the payload's own error
   * when that failed to verify: the connection is then destroyed with Content-Length outstanding.
   */
  send(request: UpstreamRequest): Promise<UpstreamResponse>;
  readonly endpoint: string;
  readonly region: string;
  readonly integrity: Integrity;
  /** Cuts what still runs: by then no client waits for it. */
  close(): Promise<void>;
}

/** No response came: refused, reset, timed out. The cause says which. */
export class UpstreamUnreachable extends Error {
  override readonly name = 'UpstreamUnreachable';
}

/** A connection that the upstream closed while it was idle: nothing was processed, so reading again is safe. */
const STALE_CONNECTION = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

export function createUpstream(options: UpstreamOptions): Upstream {
  const host = new URL(options.endpoint).host;
  const pool = new Pool(options.endpoint, {
    connections: options.connections,
    connect: { timeout: options.connectTimeout },
    headersTimeout: options.headersTimeout,
    bodyTimeout: options.bodyTimeout,
    keepAliveTimeout: options.keepAliveTimeout,
  });
  const signer = {
    credentials: options.credentials,
    region: options.region,
    signingKeys: createSigningKeys({ max: 16 }),
  };

  let running = 0;
  const onEnd = (): void => {
    running -= 1;
  };
  const attempt = (wire: ExchangeRequest): Promise<UpstreamResponse> => {
    // Slow clients can hold every connection: who comes then is told to come back, and does not wait for ever.
    const startTimeout = running < options.connections ? undefined : options.connectTimeout;
    running += 1;
    return exchange(pool, { ...wire, startTimeout, onEnd });
  };

  return {
    endpoint: options.endpoint,
    region: options.region,
    integrity: options.integrity,
    async send(request) {
      const path = decodedPath(request);
      const payload = framePayload(request.payload);
      const headers = signRequest(
        {
          method: request.method,
          path,
          query: request.query,
          headers: [['host', host], ...withEncoding(request.headers, payload.encoding), ...payload.headers],
          payloadHash: payload.hash,
        },
        signer,
        options.now(),
      );
      // Not signed: proxies on the way rewrite it.
      headers.push('accept-encoding', 'identity');
      if (payload.contentLength !== undefined) headers.push('content-length', String(payload.contentLength));
      const wire = {
        method: request.method,
        path: encodeUriPath(path) + encodeQuery(request.query),
        headers,
        body: payload.body,
        signal: request.signal,
      };
      try {
        return await attempt(wire);
      } catch (error) {
        if (request.signal.aborted || error instanceof S3Error) throw error;
        const repeatable =
          (request.method === 'GET' || request.method === 'HEAD') && payload.body === undefined;
        if (!repeatable || !STALE_CONNECTION.has(codeOf(error))) throw unreachable(error);
      }
      try {
        return await attempt(wire);
      } catch (error) {
        throw request.signal.aborted || error instanceof S3Error ? error : unreachable(error);
      }
    },
    async close() {
      await pool.destroy();
    },
  };
}

interface FramedPayload {
  readonly body: AsyncIterable<Buffer> | Buffer | undefined;
  readonly contentLength: number | undefined;
  readonly hash: string;
  readonly headers: readonly (readonly [string, string])[];
  /** What the framing adds to Content-Encoding. */
  readonly encoding?: 'aws-chunked';
}

/** As the SDKs write it, behind the encoding of the object. */
function withEncoding(
  headers: UpstreamRequest['headers'],
  encoding: string | undefined,
): UpstreamRequest['headers'] {
  if (encoding === undefined) return headers;
  const before = headers.find(([name]) => name === 'content-encoding')?.[1];
  const others = headers.filter(([name]) => name !== 'content-encoding');
  return [...others, ['content-encoding', before === undefined ? encoding : `${before},${encoding}`]];
}

const EMPTY = Buffer.alloc(0);
const EMPTY_HASH = sha256Hex(EMPTY);

function framePayload(payload: UpstreamPayload): FramedPayload {
  switch (payload.kind) {
    case 'none':
      return { body: undefined, contentLength: undefined, hash: EMPTY_HASH, headers: [] };
    case 'buffer':
      return {
        body: payload.data,
        contentLength: payload.data.length,
        hash: sha256Hex(payload.data),
        headers: [],
      };
    case 'stream':
      return {
        body: payload.length === 0 ? EMPTY : payload.chunks,
        contentLength: payload.length,
        hash: payload.sha256 ?? (payload.length === 0 ? EMPTY_HASH : UNSIGNED_PAYLOAD),
        headers: [],
      };
    case 'framed': {
      const { chunks, length, trailer } = payload;
      return {
        body: frame(chunks, length, trailer),
        contentLength: framedLength(length, trailer.name, trailer.valueLength),
        hash: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
        encoding: 'aws-chunked',
        headers: [
          ['x-amz-decoded-content-length', String(length)],
          ['x-amz-trailer', trailer.name],
        ],
      };
    }
  }
}

function decodedPath({ bucket, key }: UpstreamRequest): string {
  if (bucket === undefined) return '/';
  return key === undefined ? `/${bucket}` : `/${bucket}/${key}`;
}

function encodeQuery(query: readonly QueryParameter[]): string {
  if (query.length === 0) return '';
  return `?${query.map(({ name, value }) => `${encodeUriComponent(name)}=${encodeUriComponent(value)}`).join('&')}`;
}

function codeOf(error: unknown): string {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : '';
}

function unreachable(cause: unknown): UpstreamUnreachable {
  return new UpstreamUnreachable(`the upstream gave no answer: ${codeOf(cause) || String(cause)}`, { cause });
}
