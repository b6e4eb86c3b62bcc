/** Sends requests: finds their place, signs them, and decides what is done when one fails. */
import { encodeUriComponent, encodeUriPath, S3Error, type QueryParameter } from '../s3/index.ts';
import { createSigningKeys, signChunkedRequest, signRequest, type ChunkSigner } from '../sigv4/index.ts';
import { createBreaker } from './breaker.ts';
import type { Credentials } from './credentials.ts';
import { UpstreamUnreachable } from './errors.ts';
import { exchange, type UpstreamResponse } from './exchange.ts';
import type { Location } from './location.ts';
import type { UpstreamHealth, UpstreamOptions } from './options.ts';
import { wirePayload, type WirePayload } from './payload.ts';
import { createRoutes, readRedirect, type Route } from './redirects.ts';
import { errorCode, mayRepeat, meansDown, waitToRepeat } from './retry.ts';
import { SIGNED_CHUNKS } from './signed-framing.ts';
import { createSlots } from './slots.ts';
import type { Transport } from './transport.ts';
import type { UpstreamRequest } from './upstream.ts';

export interface Client {
  readonly send: (request: UpstreamRequest) => Promise<UpstreamResponse>;
  readonly health: () => UpstreamHealth;
  readonly close: () => void;
}

/** To where the bucket was thought to be, to where its region points, and to where a move of it points. */
const MAX_HOPS = 3;
const SIGNING_KEYS = 64;
/** Three keys of 1,024 bytes find room, each byte of them in three. */
const MAX_TARGET_BYTES = 10_240;
/** The upstream refuses the credentials for their age. */
const OUTDATED = new Set(['ExpiredToken', 'InvalidToken', 'TokenRefreshRequired']);

export function createClient(
  options: UpstreamOptions,
  { transport, credentials }: { readonly transport: Transport; readonly credentials: Credentials },
): Client {
  const { connections, connectTimeoutMs, retries, random, now, onEvent } = options;
  const sign = createSign(options, credentials);
  const slots = createSlots({ max: connections, waitMs: connectTimeoutMs });
  const routes = createRoutes(options);
  const breaker = createBreaker({
    ...options.breaker,
    random,
    now,
    probe,
    onChange: (state, cause) => {
      onEvent({ kind: 'breaker', state, cause });
    },
  });

  /** Any answer will do; no right is needed for it. */
  async function probe(closing: AbortSignal): Promise<void> {
    const { origin, host } = routes.of(undefined).locate({});
    const response = await exchange(transport.to(origin), {
      method: 'HEAD',
      path: '/',
      headers: ['host', host],
      body: undefined,
      signal: AbortSignal.any([closing, AbortSignal.timeout(connectTimeoutMs)]),
    });
    response.body.discard();
  }

  async function attempt(
    route: Route,
    request: UpstreamRequest,
    payload: WirePayload,
    onStart: () => void,
  ): Promise<UpstreamResponse> {
    const waiting = slots.take(request.signal);
    if (waiting !== undefined) await waiting;
    const location = route.locate(request);
    let path: string;
    let signed: Signed;
    try {
      path = targetOf(location, request.query);
      signed = sign(request, payload, { location, region: route.region });
    } catch (error) {
      slots.release();
      throw error;
    }
    return exchange(transport.to(location.origin), {
      method: request.method,
      path,
      headers: signed.headers,
      body: payload.body(signed.chunks),
      signal: request.signal,
      onStart,
      onEnd: () => {
        slots.release();
      },
    });
  }

  async function sendTo(
    route: Route,
    request: UpstreamRequest,
    payload: WirePayload,
  ): Promise<UpstreamResponse> {
    const { method, signal } = request;
    for (let repeats = 0; ; repeats++) {
      breaker.admit();
      let started = false;
      try {
        const response = await attempt(route, request, payload, () => {
          started = true;
          // From here on its client sets the pace: nobody is to wait for how it ends.
          if (payload.streams) breaker.undecided();
        });
        breaker.succeeded();
        return response;
      } catch (error) {
        if (signal.aborted || error instanceof S3Error) {
          breaker.undecided();
          throw error;
        }
        const failed = {
          error,
          started,
          bucketInHost: route.locate(request).host !== route.locate({}).host,
          method,
          hasBody: payload.contentLength !== undefined,
          bodyTouched: payload.touched(),
        };
        const cause = unreachable(error);
        if (meansDown(failed)) breaker.failed(cause.message);
        else breaker.undecided();
        if (repeats >= retries || !mayRepeat(failed)) throw cause;
        onEvent({ kind: 'retry', cause: cause.message });
      }
      await waitToRepeat(repeats, random, signal);
    }
  }

  return {
    async send(request) {
      const { bucket } = request;
      const payload = wirePayload(request.payload);
      let route = routes.of(bucket);
      for (let hop = 1; ; hop++) {
        const answer = await sendTo(route, request, payload);
        if (answer.status < 300 || bucket === undefined) return answer;
        const { response, hint, code } = await readRedirect(answer, request.method).catch(
          (error: unknown) => {
            throw request.signal.aborted ? error : unreachable(error);
          },
        );
        if (code !== undefined && OUTDATED.has(code)) credentials.refused();
        const next = hint && routes.follow(hint, route, bucket);
        if (next === undefined || hop === MAX_HOPS) return response;
        routes.learn(bucket, next);
        onEvent({ kind: 'redirect', bucket, region: next.region, origin: next.endpoint });
        response.body.discard();
        if (payload.touched())
          throw new S3Error('SlowDown', {
            reason: `the bucket is in \`${next.region}\` at ${next.endpoint}: an upload that began elsewhere has to be sent again`,
          });
        route = next;
      }
    },
    health: () => ({
      breaker: breaker.state,
      cause: breaker.cause,
      credentialsExpireAt: credentials.expiresAt,
    }),
    close: () => {
      breaker.close();
    },
  };
}

interface Signed {
  readonly headers: string[];
  /** When the payload is of signed chunks. */
  readonly chunks: ChunkSigner | undefined;
}

function createSign({ accountId, now }: UpstreamOptions, credentials: Credentials) {
  const signingKeys = createSigningKeys({ max: SIGNING_KEYS });
  return (
    request: UpstreamRequest,
    payload: WirePayload,
    { location, region }: { readonly location: Location; readonly region: string },
  ): Signed => {
    const signable = {
      method: request.method,
      path: location.path,
      query: request.query,
      headers: [
        ['host', location.host] as const,
        ...withEncoding(withOwners(request, accountId), payload.framed),
        ...payload.headers,
      ],
      payloadHash: payload.hash,
    };
    const signer = { credentials: credentials.current(), region, signingKeys };
    const signed: Signed =
      payload.hash === SIGNED_CHUNKS
        ? signChunkedRequest(signable, signer, now())
        : { headers: signRequest(signable, signer, now()), chunks: undefined };
    // Not signed: proxies on the way rewrite it.
    signed.headers.push('accept-encoding', 'identity');
    if (payload.contentLength !== undefined)
      signed.headers.push('content-length', String(payload.contentLength));
    return signed;
  };
}

type Headers = UpstreamRequest['headers'];

const EXPECTED_OWNER = 'x-amz-expected-bucket-owner';
const EXPECTED_SOURCE_OWNER = 'x-amz-source-expected-bucket-owner';

/** The client's own expectation was about the gateway's accounts, and is met by now. */
function withOwners(
  { method, bucket, key, query, headers }: UpstreamRequest,
  accountId: string | undefined,
): Headers {
  const others = headers.some(([name]) => name === EXPECTED_OWNER || name === EXPECTED_SOURCE_OWNER)
    ? headers.filter(([name]) => name !== EXPECTED_OWNER && name !== EXPECTED_SOURCE_OWNER)
    : headers;
  // A bucket that is being made has no owner yet.
  const makesBucket = method === 'PUT' && key === undefined && query.length === 0;
  if (accountId === undefined || bucket === undefined || makesBucket) return others;
  const copies = headers.some(([name]) => name === 'x-amz-copy-source');
  return [
    ...others,
    [EXPECTED_OWNER, accountId],
    ...(copies ? [[EXPECTED_SOURCE_OWNER, accountId] as const] : []),
  ];
}

/** As the SDKs write it, behind the encoding of the object. */
function withEncoding(headers: Headers, framed: boolean): Headers {
  if (!framed) return headers;
  const before = headers.find(([name]) => name === 'content-encoding')?.[1];
  const others = headers.filter(([name]) => name !== 'content-encoding');
  return [...others, ['content-encoding', before === undefined ? 'aws-chunked' : `${before},aws-chunked`]];
}

/** @throws S3Error `InvalidURI` for one that many servers would not read, and answer by breaking off. */
function targetOf({ path }: Location, query: readonly QueryParameter[]): string {
  const target = encodeUriPath(path) + encodeQuery(query);
  if (target.length <= MAX_TARGET_BYTES) return target;
  throw new S3Error('InvalidURI', { reason: `percent-encoded, it has ${target.length} bytes` });
}

function encodeQuery(query: readonly QueryParameter[]): string {
  if (query.length === 0) return '';
  return `?${query.map(({ name, value }) => `${encodeUriComponent(name)}=${encodeUriComponent(value)}`).join('&')}`;
}

function unreachable(cause: unknown): UpstreamUnreachable {
  const code = errorCode(cause);
  const words = cause instanceof Error && (code === '' || code.includes('PROXY')) ? cause.message : code;
  return new UpstreamUnreachable(`the upstream gave no answer: ${words || String(cause)}`, { cause });
}
