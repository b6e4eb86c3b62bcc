/**
 * An upstream that says that a bucket is elsewhere. It is believed only where it names another address of the same
 * upstream: the endpoint that was configured, for another region; one derived from it; or one of `redirects`.
 * Source: Amazon S3 User Guide, "Making requests": redirects; API reference, "Error responses".
 */
import { LRUCache } from 'lru-cache';
import { parseXml } from '../s3/index.ts';
import { awsHostIn, parseAwsHost } from './aws-endpoint.ts';
import { peekBody, type UpstreamResponse } from './exchange.ts';
import { locateAt, type Location, type LocatedRequest } from './location.ts';
import type { UpstreamOptions } from './options.ts';

/** Where requests for a bucket go, and which region they are signed for. */
export interface Route {
  /** Without the bucket in its host. */
  readonly endpoint: string;
  readonly region: string;
  readonly locate: (request: LocatedRequest) => Location;
}

export interface Routes {
  /** The configured one, unless another one was learnt. */
  of(bucket: string | undefined): Route;
  learn(bucket: string, route: Route): void;
  /** Where to go instead; undefined: nowhere that may be gone to. */
  follow(hint: RedirectHint, from: Route, bucket: string): Route | undefined;
}

/** What an answer says about the place of a bucket. */
export interface RedirectHint {
  readonly region: string | undefined;
  /** `https://host:port`, or a host alone. */
  readonly target: string | undefined;
}

const MAX_LEARNT = 10_000;
/** A bucket may be deleted, and made again elsewhere. */
const LEARNT_FOR_MS = 3_600_000;
/** As the configuration takes it. */
const REGION = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

export function createRoutes(
  options: Pick<UpstreamOptions, 'endpoint' | 'region' | 'redirects' | 'style'>,
): Routes {
  const routeTo = (endpoint: string, region: string): Route => ({
    endpoint,
    region,
    locate: locateAt(endpoint, options.style),
  });
  const configured = routeTo(new URL(options.endpoint).origin, options.region);
  const learnt = new LRUCache<string, Route>({ max: MAX_LEARNT, ttl: LEARNT_FOR_MS });
  const own = [configured.endpoint, ...options.redirects.map((origin) => new URL(origin).origin)];
  const { protocol, host } = new URL(options.endpoint);
  const aws = parseAwsHost(host);
  return {
    of: (bucket) =>
      learnt.size === 0 || bucket === undefined ? configured : (learnt.get(bucket) ?? configured),
    learn(bucket, route) {
      learnt.set(bucket, route);
    },
    follow(hint, from, bucket) {
      const target = parseTarget(hint.target, protocol);
      if (hint.target !== undefined && target === undefined) return undefined;
      const named = target && own.find((origin) => isAt(target, origin, bucket));
      const awsTarget = target && parseAwsHost(withoutBucket(target.host, bucket));
      // A host that is not ours is not gone to, and nothing else that such an answer says is believed.
      if (target !== undefined && named === undefined && (aws === undefined || awsTarget === undefined))
        return undefined;
      const region = hint.region ?? awsTarget?.region ?? from.region;
      if (!REGION.test(region)) return undefined;
      const inRegion = aws && awsHostIn(region, aws);
      const derived = aws === undefined ? from.endpoint : inRegion && `${protocol}//${inRegion}`;
      const endpoint = awsTarget === undefined ? (named ?? derived) : derived;
      if (endpoint === undefined || (endpoint === from.endpoint && region === from.region)) return undefined;
      return routeTo(endpoint, region);
    },
  };
}

/**
 * What an answer says about the place of its bucket; `hint` is undefined when it says nothing about that.
 * `response` takes the place of the one that was handed in, whose body may have been read. Rejects when that broke off.
 */
export async function readRedirect(
  response: UpstreamResponse,
  method: string,
): Promise<{
  readonly response: UpstreamResponse;
  readonly hint: RedirectHint | undefined;
  /** Of the error document, if it was read. */
  readonly code: string | undefined;
}> {
  const { status } = response;
  const redirects = REDIRECTS.has(status);
  if (!redirects && status !== WRONG_REGION) return { response, hint: undefined, code: undefined };
  const region = headerOf(response, 'x-amz-bucket-region');
  const target = redirects ? headerOf(response, 'location') : undefined;
  if (method === 'HEAD') {
    const hint = redirects || region !== undefined ? { region, target } : undefined;
    return { response, hint, code: undefined };
  }
  const peeked = await peekBody(response, MAX_ERROR_BYTES);
  const { code, ...document } = readDocument(peeked.text);
  const hint = redirects
    ? { region: region ?? document.region, target: target ?? document.endpoint }
    : { region: region ?? document.region, target: undefined };
  return {
    response: peeked.response,
    hint: redirects || code === 'AuthorizationHeaderMalformed' ? hint : undefined,
    code,
  };
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 307, 308]);
const WRONG_REGION = 400;
const MAX_ERROR_BYTES = 65_536;

function readDocument(text: string): {
  readonly code?: string | undefined;
  readonly region?: string | undefined;
  readonly endpoint?: string | undefined;
} {
  try {
    const error = parseXml(text, 'Error');
    return {
      code: error.child('Code')?.text,
      region: error.child('Region')?.text,
      endpoint: error.child('Endpoint')?.text,
    };
  } catch {
    return {};
  }
}

/** Of a Location, or of the host name in an `Endpoint` element. */
function parseTarget(target: string | undefined, protocol: string): URL | undefined {
  if (target === undefined) return undefined;
  const text = /^https?:\/\//i.test(target) ? target : `${protocol}//${target}`;
  if (target.startsWith('/') || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  return url.username === '' && url.password === '' ? url : undefined;
}

function isAt(target: URL, origin: string, bucket: string): boolean {
  const { protocol, host } = new URL(origin);
  return target.protocol === protocol && withoutBucket(target.host, bucket) === host;
}

function withoutBucket(host: string, bucket: string): string {
  return host.startsWith(`${bucket}.`) ? host.slice(bucket.length + 1) : host;
}

function headerOf({ headers }: UpstreamResponse, name: string): string | undefined {
  for (let i = 0; i + 1 < headers.length; i += 2) if (headers[i] === name) return headers[i + 1];
  return undefined;
}
