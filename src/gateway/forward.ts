/** Sends an authorized request upstream and makes the client's answer of what comes back. */
import { createHash } from 'node:crypto';
import { withoutAwsChunked, type VerifiedBody } from '../body/index.ts';
import { renderTaggingHeader, S3Error, SWITCHED_RESPONSE_HEADERS, type QueryParameter } from '../s3/index.ts';
import {
  UpstreamUnreachable,
  type Upstream,
  type UpstreamPayload,
  type UpstreamRequest,
  type UpstreamResponse,
} from '../upstream/index.ts';
import type { Answer, UpstreamOutcome } from './answer.ts';
import type { Authorized, AuthorizeDependencies } from './authorize.ts';
import { mayList, mayTouch } from './decide.ts';
import { isBeyondPrefix } from './bucket-limits.ts';
import { readRefusal, unavailable, UpstreamRefusal, upstreamOutcome } from './upstream-error.ts';
import { lateXml } from './late-xml.ts';
import { requireKeyUse } from './customer-key-use.ts';
import { inClientsWords, placeOf, upstreamCopySource, upstreamKey } from './place.ts';
import type { Place } from './routes.ts';

export interface ForwardDependencies extends AuthorizeDependencies {
  /** Names this process in error documents. */
  readonly hostId: string;
}

export interface ForwardOptions {
  readonly payload: UpstreamPayload;
  readonly signal: AbortSignal;
  /** What `payload` is made of: a success before its end is none. */
  readonly upload?: VerifiedBody;
  /** In place of the client's. */
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly method?: string;
  readonly query?: readonly QueryParameter[];
  /** In place of the bucket's: of one that does not exist yet, or of the source of a copy. */
  readonly place?: Place;
  /** In place of the request's. */
  readonly key?: string;
}

/**
 * Forwards the request as it is and returns the upstream's answer, filtered by the operation's row.
 * @throws UpstreamRefusal for a refusal of the upstream, or none of its answers; S3Error when the body did not verify.
 */
export async function forward(
  request: Authorized,
  options: ForwardOptions,
  dependencies: ForwardDependencies,
): Promise<Answer> {
  const { operation } = request;
  const response = await send(request, options, dependencies);
  const upstream = upstreamOutcome(response);
  // What the upstream claims to have stored is then not what the client sends.
  if (options.upload?.verified === false)
    throw unavailable(upstream, 'the upstream answered an upload before it had all of it');
  const headers = answerHeaders(request, response, dependencies);
  return operation.answer === 'xml-late-error'
    ? {
        status: response.status,
        headers,
        body: lateXml(request, response.body, {
          upstream,
          hostId: dependencies.hostId,
          tell: (refusal) => clientsRefusal(request, refusal, dependencies),
        }),
        upstream,
      }
    : { status: response.status, headers, body: { kind: 'stream', stream: response.body }, upstream };
}

/**
 * Sends the request, or one of the gateway's own making on the same bucket and key; the answer is a success.
 * @throws UpstreamRefusal as `forward`.
 */
export async function send(
  request: Authorized,
  options: ForwardOptions,
  dependencies: ForwardDependencies,
): Promise<UpstreamResponse> {
  const method = options.method ?? request.method;
  const key = options.key ?? request.address.key;
  const place = options.place ?? placeOf(request);
  const response = await reach(place.upstream, {
    method,
    bucket: place.bucket,
    key: upstreamKey(place, key),
    query: options.query ?? forwardedQuery(request),
    headers: options.headers ?? forwardedHeaders(request),
    payload: options.payload,
    signal: options.signal,
  });
  if (response.status < 300) {
    requireKeyUse(request, method, response);
    return response;
  }
  if (response.status === 304) return response;
  const about = key === undefined ? 'bucket' : 'object';
  const refusal = await readRefusal(response, { method, about });
  throw clientsRefusal(request, refusal, dependencies);
}

/**
 * Asks an upstream something that is about none of its buckets.
 * @throws UpstreamRefusal as `forward`.
 */
export async function sendToService(
  upstream: Upstream,
  { query, signal }: Pick<UpstreamRequest, 'query' | 'signal'>,
): Promise<UpstreamResponse> {
  const response = await reach(upstream, {
    method: 'GET',
    query,
    headers: [],
    payload: { kind: 'none' },
    signal,
  });
  if (response.status < 300) return response;
  throw await readRefusal(response, { method: 'GET', about: 'bucket' });
}

async function reach(upstream: Upstream, request: UpstreamRequest): Promise<UpstreamResponse> {
  try {
    return await upstream.send(request);
  } catch (error) {
    throw error instanceof UpstreamUnreachable ? unreachable(error) : error;
  }
}

/**
 * How a verified body goes upstream; see docs/decisions/0006.
 * INVARIANT: but for an upstream that knows no aws-chunked framing, nothing goes out whose end does not prove that it is
 * whole: some upstreams keep what came of an unsigned body that was cut off.
 */
export function streamPayload(request: Authorized, body: VerifiedBody): UpstreamPayload {
  const { length, chunks, trailer } = body;
  const { integrity } = placeOf(request).upstream;
  if (integrity === 'unsigned') return { kind: 'stream', chunks, length, sha256: undefined };
  if (integrity === 'trailer' && trailer !== undefined) return { kind: 'framed', chunks, length, trailer };
  const declared = request.body?.payload;
  const sha256 = declared?.kind === 'sha256' ? declared.sha256 : undefined;
  return integrity === 'hash' || sha256 !== undefined
    ? { kind: 'stream', chunks, length, sha256 }
    : { kind: 'signed-chunks', chunks, length };
}

/** XML that the gateway has written itself, with the headers that speak of it. Some operations demand Content-MD5. */
export function xmlPayload(xml: string): {
  readonly payload: UpstreamPayload;
  readonly headers: readonly (readonly [name: string, value: string])[];
} {
  const data = Buffer.from(xml, 'utf8');
  const md5 = createHash('md5').update(data).digest('base64');
  return {
    payload: { kind: 'buffer', data },
    headers: [
      ['content-type', 'application/xml'],
      ['content-md5', md5],
    ],
  };
}

/**
 * Asks the upstream whether the bucket or object of the request is there.
 * @throws UpstreamRefusal as `forward`, with status 404 when it is not.
 */
export async function head(
  request: Authorized,
  options: Pick<ForwardOptions, 'place' | 'query' | 'signal'>,
  dependencies: ForwardDependencies,
): Promise<UpstreamOutcome> {
  const wire = { query: [], ...options, method: 'HEAD', headers: [], payload: { kind: 'none' } } as const;
  const response = await send(request, wire, dependencies);
  response.body.discard();
  return upstreamOutcome(response);
}

/** The client's headers that the operation knows, less those that the gateway uses up itself. */
export function forwardedHeaders(request: Authorized): (readonly [string, string])[] {
  const { forwardedHeaders: known } = request.operation;
  const headers: [string, string][] = [];
  for (const [name, value] of request.effective.headers.entries()) {
    if (!known.has(name)) continue;
    if (name === 'content-encoding') {
      const encoding = withoutAwsChunked(value);
      if (encoding !== undefined) headers.push([name, encoding]);
    } else if (SOURCES.has(name) && request.copySource !== undefined) {
      headers.push([name, upstreamCopySource(request.copySource, request)]);
    } else if (name === 'x-amz-tagging' && request.objectTags !== undefined) {
      headers.push([name, renderTaggingHeader(request.objectTags)]);
    } else {
      headers.push([name, value]);
    }
  }
  return headers;
}

const SOURCES: ReadonlySet<string> = new Set(['x-amz-copy-source', 'x-amz-rename-source']);

export function forwardedQuery({ effective, operation }: Authorized): readonly QueryParameter[] {
  const { query } = effective;
  return query.length === 0 ? query : query.filter(({ name }) => operation.parameters.has(name));
}

export function answerHeaders(
  request: Authorized,
  response: UpstreamResponse,
  dependencies: ForwardDependencies,
): string[] {
  const { responseHeaders, headerActions } = request.operation;
  const headers: string[] = [];
  for (let i = 0; i + 1 < response.headers.length; i += 2) {
    const name = response.headers[i] as string;
    // The body is passed on as it is, so its length always holds; 204 must not have one (RFC 9110, section 8.6).
    const framing = name === 'content-length' && response.status !== 204;
    if (!framing && !responseHeaders.has(name)) continue;
    if (request.bucket !== undefined && isBeyondPrefix(name, request.bucket)) continue;
    const needs = SWITCHED_RESPONSE_HEADERS.get(name);
    if (needs !== undefined && request.bucket?.operations.has(needs) !== true) continue;
    const extra = headerActions.find((candidate) => candidate.headers.includes(name));
    if (extra !== undefined && !mayAlso(request, extra.action, dependencies)) continue;
    const value = response.headers[i + 1] as string;
    // Some stores keep the framing's name, though not the framing, when they are sent a body in chunks.
    const shown = name === 'content-encoding' ? withoutAwsChunked(value) : value;
    if (shown !== undefined) headers.push(name, shown);
  }
  return headers;
}

/** May the caller take this action on the object of the request, besides what it asked for? */
function mayAlso(request: Authorized, action: string, dependencies: ForwardDependencies): boolean {
  const { bucket, address } = request;
  if (bucket === undefined || address.key === undefined) return false;
  return mayTouch(request, action, { bucket, key: address.key }, dependencies);
}

/** What the caller gets to know of the upstream's refusal. */
function clientsRefusal(
  request: Authorized,
  refusal: UpstreamRefusal,
  dependencies: ForwardDependencies,
): UpstreamRefusal {
  return hideMissing(request, inClientsWords(request, refusal), dependencies);
}

/** Codes of what may come after a 200, where the status no longer tells. */
const MISSING: ReadonlySet<string> = new Set(['NoSuchBucket', 'NoSuchKey', 'NoSuchVersion']);

/** What is not there looks forbidden to a caller who may not list the bucket: names are not to be tried out. */
function hideMissing(
  request: Authorized,
  refusal: UpstreamRefusal,
  dependencies: ForwardDependencies,
): UpstreamRefusal {
  const missing = refusal.code !== 'NoSuchUpload' && (refusal.status === 404 || MISSING.has(refusal.code));
  if (!missing || request.address.key === undefined) return refusal;
  // Of a copy it may be either that is missing.
  const buckets = [request.bucket, request.sourceBucket].filter((bucket) => bucket !== undefined);
  if (buckets.every((bucket) => mayList(request, bucket, dependencies))) return refusal;
  const { code, status, message } = new S3Error('AccessDenied');
  return new UpstreamRefusal(
    { code, status, message },
    { ...refusal.upstream, cause: `${refusal.code}, and the caller may not list the bucket` },
  );
}

function unreachable(error: UpstreamUnreachable): UpstreamRefusal {
  const nothing = {
    status: undefined,
    requestId: undefined,
    id2: undefined,
    errorCode: undefined,
    cause: undefined,
  };
  return unavailable(nothing, error.message);
}
