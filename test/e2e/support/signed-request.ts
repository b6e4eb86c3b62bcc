/** Requests as bytes on a socket, signed by AWS's own signer: for what no SDK would send. */
import { SignatureV4 } from '@smithy/signature-v4';
import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import type { Credentials } from '../../support/running-gateway.ts';

export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Text of the error document's `Code`. */
  readonly code: string | undefined;
  readonly message: string | undefined;
}

export interface RawRequest {
  readonly method?: string;
  /** Encoded, sent byte for byte. */
  readonly path: string;
  /** Decoded. */
  readonly query?: Readonly<Record<string, string>>;
  /** Signed, and sent. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** Undefined: anonymous. */
  readonly credentials?: Credentials | undefined;
  /** Value of x-amz-content-sha256; the body's hash unless told otherwise. */
  readonly payloadHash?: string;
}

/** @param gateway where to connect, whatever the Host header says. */
export async function sendRaw(gateway: { readonly port: number }, request: RawRequest): Promise<RawAnswer> {
  const { method = 'GET', path, query = {}, body = '' } = request;
  const payloadHash = request.payloadHash ?? createHash('sha256').update(body).digest('hex');
  const length = Buffer.byteLength(body);
  let headers: Record<string, string> = {
    host: `127.0.0.1:${gateway.port}`,
    ...(length > 0 && { 'content-length': String(length) }),
    ...request.headers,
  };
  if (request.credentials !== undefined) {
    const signer = new SignatureV4({
      credentials: request.credentials,
      region: 'us-east-1',
      service: 's3',
      sha256: NodeSha256,
      uriEscapePath: false,
      applyChecksum: false,
    });
    const signed = await signer.sign({
      method,
      protocol: 'http:',
      hostname: '127.0.0.1',
      port: gateway.port,
      path,
      query: { ...query },
      headers: { ...headers, 'x-amz-content-sha256': payloadHash },
      body,
    });
    // Signed as UTF-8; Node writes one byte for each character.
    headers = Object.fromEntries(
      Object.entries(signed.headers).map(([name, value]) => [
        name,
        Buffer.from(value, 'utf8').toString('latin1'),
      ]),
    );
  }
  const search = Object.entries(query).map(([name, value]) => `${encode(name)}=${encode(value)}`);
  return exchange(gateway.port, {
    method,
    target: search.length === 0 ? path : `${path}?${search.join('&')}`,
    headers,
    body,
  });
}

/** A request as it stands, on a connection of its own. */
export function exchange(
  port: number,
  request: {
    readonly method?: string;
    readonly target: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: string | Buffer;
  },
): Promise<RawAnswer> {
  const { method = 'GET', target, headers = {}, body = '' } = request;
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      { host: '127.0.0.1', port, method, path: target, headers: { ...headers }, agent: false },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('error', reject);
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          resolve({
            status: incoming.statusCode ?? 0,
            headers: incoming.headers,
            body: text,
            code: elementText(text, 'Code'),
            message: elementText(text, 'Message'),
          });
        });
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

function elementText(xml: string, name: string): string | undefined {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];
}

function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** The hash that the signer asks for, by node:crypto. */
class NodeSha256 {
  readonly #secret: string | Buffer | undefined;
  #hash: Hash | Hmac;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#secret = secret === undefined ? undefined : bytesOf(secret);
    this.#hash = this.#begin();
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(bytesOf(data));
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest());
  }

  reset(): void {
    this.#hash = this.#begin();
  }

  #begin(): Hash | Hmac {
    return this.#secret === undefined ? createHash('sha256') : createHmac('sha256', this.#secret);
  }
}

function bytesOf(data: string | ArrayBuffer | ArrayBufferView): Buffer {
  if (typeof data === 'string') return Buffer.from(data, 'utf8');
  return ArrayBuffer.isView(data)
    ? Buffer.from(data.buffer, data.byteOffset, data.byteLength)
    : Buffer.from(data);
}
