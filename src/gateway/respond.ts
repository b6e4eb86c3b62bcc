/** Writes answers and refusals to the client. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Writable } from 'node:stream';
import { renderError, S3Error } from '../s3/index.ts';
import type { UpstreamBody } from '../upstream/index.ts';
import type { Answer, LateXml } from './answer.ts';
import { withoutHeaders } from './raw-headers.ts';
import type { Received } from './stages.ts';
import { UpstreamRefusal } from './upstream-error.ts';

/** Names this process in every answer, as S3's `x-amz-id-2` names a host. */
export interface Responder {
  readonly hostId: string;
}

export interface Sent {
  /** Bytes of the body. */
  readonly bytes: number;
  /** Of an error that came after a 200. */
  readonly lateErrorCode: string | undefined;
}

const SERVER = 'Bucketwarden';
const XML_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';
const MAX_LATE_XML_BYTES = 1024 * 1024;
/** A refused upload is read to its end up to here, so that the client gets to see why; beyond, the connection closes. */
const MAX_DRAIN_BYTES = 16 * 1024 * 1024;

/** Rejects when the upstream breaks off in the middle; the connection must then be destroyed. */
export async function respond(
  answer: Answer,
  received: Received,
  response: ServerResponse,
  { hostId }: Responder,
): Promise<Sent> {
  const own = ownHeaders(received, hostId);
  const { body } = answer;
  if (body.kind === 'late-xml') {
    const head = withoutHeaders(answer.headers, 'content-length');
    return relayLateXml(body, response, () => response.writeHead(answer.status, [...own, ...head]));
  }
  response.writeHead(answer.status, [...own, ...answer.headers]);
  switch (body.kind) {
    case 'none':
      response.end();
      return { bytes: 0, lateErrorCode: undefined };
    case 'text':
      response.end(body.text);
      return { bytes: Buffer.byteLength(body.text), lateErrorCode: undefined };
    case 'stream':
      return { bytes: await body.stream.pipe(response), lateErrorCode: undefined };
  }
}

/** What a client is told of an error: its own mistake in S3's words, a bug as `InternalError`. */
export function refusalOf(error: unknown): S3Error | UpstreamRefusal {
  return error instanceof S3Error || error instanceof UpstreamRefusal
    ? error
    : new S3Error('InternalError', { cause: error });
}

/**
 * Writes S3's error document; a HEAD gets the status alone.
 * @param more headers beside those of the refusal: name, value, name, value…
 */
export function refuse(
  refusal: S3Error | UpstreamRefusal,
  received: Received,
  response: ServerResponse,
  { hostId, more }: Responder & { readonly more: readonly string[] },
): Sent {
  const context = { resource: pathOf(received.target), requestId: received.requestId, hostId };
  const bodyless = received.method === 'HEAD' || refusal.status === 304;
  const xml = bodyless ? '' : renderError(refusal, context);
  const headers = ownHeaders(received, hostId);
  if (!bodyless)
    headers.push('content-type', 'application/xml', 'content-length', String(Buffer.byteLength(xml)));
  if (refusal instanceof S3Error)
    for (const [name, value] of Object.entries(refusal.headers)) headers.push(name, value);
  headers.push(...more);
  // Node then says so in the answer, and `server.ts` takes no further request from the connection.
  if (mustClose(received)) response.shouldKeepAlive = false;
  response.writeHead(refusal.status, headers);
  response.end(xml);
  return { bytes: Buffer.byteLength(xml), lateErrorCode: undefined };
}

/** Never the upstream's; Node adds Date. */
function ownHeaders({ requestId }: Received, hostId: string): string[] {
  return ['x-amz-request-id', requestId, 'x-amz-id-2', hostId, 'server', SERVER];
}

/** The path of a request target as it came, without its query, which may hold a signature. */
export function pathOf(target: string): string {
  const mark = target.indexOf('?');
  return mark === -1 ? target : target.slice(0, mark);
}

/**
 * Reads and drops what is still to come of a refused request's body: many clients read nothing before they have sent
 * everything, and a connection that is closed under them takes the answer with it.
 */
export function drain(incoming: IncomingMessage): void {
  let left = MAX_DRAIN_BYTES;
  incoming.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) incoming.socket.destroy();
  });
}

/** True when the body's end cannot be told, lies too far away, or will come only after `100 Continue`. */
function mustClose({ incoming, expectsContinue, framing }: Received): boolean {
  if (incoming.complete) return false;
  if (expectsContinue || framing.failed) return true;
  const { 'content-length': length, 'transfer-encoding': transferEncoding } = incoming.headers;
  if (transferEncoding !== undefined) return transferEncoding.toLowerCase() !== 'chunked';
  return length !== undefined && !(Number(length) <= MAX_DRAIN_BYTES);
}

/** White space is passed on as it comes, after an XML declaration; the document is made anew when it is complete. */
async function relayLateXml(
  { stream, rewrite }: { readonly stream: UpstreamBody; readonly rewrite: (xml: string) => LateXml },
  response: ServerResponse,
  writeHead: () => void,
): Promise<Sent> {
  const chunks: Buffer[] = [];
  let length = 0;
  let bytes = 0;
  const write = (text: string): void => {
    if (!response.headersSent) writeHead();
    bytes += Buffer.byteLength(text);
    response.write(text);
  };
  const sink = new Writable({
    write(chunk: Buffer, _, done) {
      chunks.push(chunk);
      length += chunk.length;
      if (/^\s+$/.test(chunk.toString('latin1'))) write(bytes === 0 ? `${XML_DECLARATION} ` : ' ');
      done(length > MAX_LATE_XML_BYTES ? new Error("the upstream's answer is too long") : null);
    },
  });
  const failed = new Promise<never>((_, reject) => sink.once('error', reject));
  await Promise.race([stream.pipe(sink), failed]);
  const late = rewrite(Buffer.concat(chunks).toString('utf8'));
  write(bytes === 0 ? late.xml : late.xml.replace(XML_DECLARATION, ''));
  response.end();
  return { bytes, lateErrorCode: late.errorCode };
}
