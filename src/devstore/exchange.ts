/** One request and its response. */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { finished, pipeline } from 'node:stream/promises';
import { addressLevel, parseWireRequest, renderXml, resolveAddress, S3Error } from '../s3/index.ts';
import { UNSIGNED_PAYLOAD } from '../sigv4/index.ts';
import { authenticate, type Verifier } from './authenticate.ts';
import type { DevStoreLog, ObjectBytes, Reply, Store } from './call.ts';
import { framedBody } from './framed-body.ts';
import { findRoute, type Route } from './routes.ts';

export interface ExchangeContext {
  readonly store: Store;
  readonly verifier: Verifier;
  readonly log: DevStoreLog | undefined;
}

/** The returned function serves a request to its end, and never rejects. */
export function createExchange(
  context: ExchangeContext,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  return async (request, response) => {
    const requestId = randomBytes(8).toString('hex').toUpperCase();
    response.setHeader('x-amz-request-id', requestId);
    response.setHeader('x-amz-id-2', randomBytes(24).toString('base64'));
    try {
      await sendReply(request, response, await handle(request, response, context), context.store);
    } catch (error) {
      if (!(error instanceof S3Error) && !request.errored && !response.destroyed)
        context.log?.error({ err: error, requestId, method: request.method }, 'embedded store failed');
      if (response.headersSent) response.destroy();
      else sendError(request, response, toS3Error(error), requestId);
    }
    // Until the answer is with the system, or the client is gone.
    await finished(response).catch(() => undefined);
  };
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  { store, verifier }: ExchangeContext,
): Promise<Reply> {
  const wire = parseWireRequest(request.method ?? '', request.url ?? '', request.rawHeaders);
  const { payloadHash, framing } = authenticate(wire, verifier);
  const address = resolveAddress(wire, []);
  const route = findRoute(wire, addressLevel(address));
  const contentLength = checkLength(request, route);
  const body = (): AsyncIterable<Buffer> => {
    if (expectsContinue(request)) response.writeContinue();
    // A failure of ours must not destroy the connection that tells of it.
    return request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  };
  const call = { wire, bucket: address.bucket ?? '', key: address.key ?? '' };
  if (framing === undefined)
    return await route.handle({ ...call, payloadHash, contentLength, trailer: undefined, body }, store);
  if (route.trailer !== true)
    throw new S3Error('InvalidRequest', { message: 'The value of x-amz-content-sha256 header is invalid.' });
  const { length, algorithm, content } = framedBody(wire.headers, framing, body);
  return await route.handle(
    { ...call, payloadHash: UNSIGNED_PAYLOAD, contentLength: length, trailer: algorithm, body: content },
    store,
  );
}

/** @throws S3Error `MissingContentLength`, or `InvalidRequest` for a body where none belongs. */
function checkLength({ headers }: IncomingMessage, route: Route): number {
  const length = headers['content-length'];
  const chunked = headers['transfer-encoding'] !== undefined;
  if (route.body === 'length' ? length === undefined : chunked) throw new S3Error('MissingContentLength');
  if (route.body === undefined && length !== undefined && length !== '0')
    throw new S3Error('InvalidRequest', { message: 'This operation takes no request body.' });
  return Number(length ?? '0');
}

async function sendReply(
  request: IncomingMessage,
  response: ServerResponse,
  { status, headers = {}, body }: Reply,
  store: Store,
): Promise<void> {
  if (typeof body === 'object') {
    await sendBytes(response, status, headers, body, store);
    return;
  }
  if (body === undefined) {
    // Without this, Node would add a length or a framing to answers that must not have one.
    const length = request.method === 'HEAD' || status === 204 ? {} : { 'content-length': '0' };
    response.writeHead(status, { ...length, ...headers });
    response.end();
    return;
  }
  const bytes = Buffer.from(body);
  response.writeHead(status, {
    'content-type': 'application/xml',
    'content-length': bytes.length,
    ...headers,
  });
  response.end(bytes);
}

async function sendBytes(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  { segments, start, length, release }: ObjectBytes,
  store: Store,
): Promise<void> {
  const chunks = store.files.read(segments, start, length);
  try {
    // Opens the file and reads before the head goes out, so that a failure is still an answer.
    const first = await chunks.next();
    response.writeHead(status, headers);
    if (first.done === true) response.end();
    else if (first.value.length === length) response.end(first.value);
    else await pipeline(resume(first.value, chunks), response);
  } finally {
    await chunks.return();
    release();
  }
}

async function* resume(first: Buffer, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void> {
  yield first;
  yield* rest;
}

function sendError(
  request: IncomingMessage,
  response: ServerResponse,
  error: S3Error,
  requestId: string,
): void {
  // The client waits for a word about its body and gets this one: whatever it sends now is no body any more.
  if (expectsContinue(request)) response.setHeader('connection', 'close');
  const headers = { ...error.headers };
  if (error.status === 304 || request.method === 'HEAD') {
    response.writeHead(error.status, headers);
    response.end();
    return;
  }
  const content = {
    Code: error.code,
    Message: error.message,
    ...error.details,
    Resource: (request.url ?? '').split('?', 1)[0],
    RequestId: requestId,
    HostId: response.getHeader('x-amz-id-2') as string,
  };
  const bytes = Buffer.from(renderXml('Error', content));
  response.writeHead(error.status, {
    ...headers,
    'content-type': 'application/xml',
    'content-length': bytes.length,
  });
  response.end(bytes);
}

function toS3Error(error: unknown): S3Error {
  return error instanceof S3Error ? error : new S3Error('InternalError', { cause: error });
}

function expectsContinue(request: IncomingMessage): boolean {
  return request.headers.expect?.toLowerCase() === '100-continue';
}
