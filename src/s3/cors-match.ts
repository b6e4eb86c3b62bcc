/**
 * Which CORS rule holds for a request, and what the answer then says.
 * Source: S3 User Guide, "Using cross-origin resource sharing (CORS)"; where it is silent, answers recorded from S3.
 */
import { isCorsMethod, type CorsConfiguration, type CorsRule } from './cors.ts';
import { stripWhiteSpace } from './white-space.ts';

/** What a browser says of a request from another origin. */
interface CrossOriginRequest {
  readonly origin: string;
  /** `Access-Control-Request-Method`, or the method of the request itself. */
  readonly method: string;
  /** `Access-Control-Request-Headers`. */
  readonly headers: string | undefined;
}

/** Browsers name a handful. The bound keeps a preflight cheap, whatever patterns a bucket has. */
const MAX_REQUESTED_HEADERS = 100;
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/**
 * The headers of an answer, lower-case name, value, name, value…; undefined when no rule allows the request. The first
 * rule that does is taken. A rule that allows every origin says so, without credentials; any other names the origin.
 */
export function corsHeaders(
  rules: CorsConfiguration,
  request: CrossOriginRequest,
): readonly string[] | undefined {
  const { origin, method } = request;
  if (!isOrigin(origin) || !isCorsMethod(method)) return undefined;
  const requested = requestedHeaders(request.headers);
  if (requested === undefined) return undefined;
  const rule = rules.find(
    (candidate) =>
      candidate.allowedMethods.includes(method) &&
      candidate.allowedOrigins.some((pattern) => matchesPattern(pattern, origin)) &&
      allowsHeaders(candidate, requested),
  );
  return rule && answerHeaders(rule, origin, requested);
}

/**
 * It goes back to the client, and wildcards of rules match any characters: so no list, no path and no query (RFC 6454,
 * section 6.2). S3 takes it without a scheme too.
 */
function isOrigin(text: string): boolean {
  const authority = text.replace(/^[A-Za-z][A-Za-z0-9+.-]*:\/\//, '');
  return /^[!-~]+$/.test(authority) && !/[/\\,?#@]/.test(authority);
}

function answerHeaders(rule: CorsRule, origin: string, requested: readonly string[]): readonly string[] {
  const anyOrigin = rule.allowedOrigins.includes('*');
  const headers = ['access-control-allow-origin', anyOrigin ? '*' : origin];
  headers.push('access-control-allow-methods', rule.allowedMethods.join(', '));
  if (requested.length > 0) headers.push('access-control-allow-headers', requested.join(', '));
  if (rule.exposeHeaders.length > 0)
    headers.push('access-control-expose-headers', rule.exposeHeaders.join(', '));
  if (rule.maxAgeSeconds !== undefined) headers.push('access-control-max-age', String(rule.maxAgeSeconds));
  if (!anyOrigin) headers.push('access-control-allow-credentials', 'true');
  headers.push('vary', 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method');
  return headers;
}

/** Lower-case, in the order in which they were asked for; undefined when they are not a list of header names. */
function requestedHeaders(list: string | undefined): readonly string[] | undefined {
  if (list === undefined) return [];
  const names = new Set<string>();
  for (const element of list.split(',')) {
    const name = stripWhiteSpace(element).toLowerCase();
    // RFC 9110, section 5.6.1: empty elements are ignored.
    if (name === '') continue;
    if (!TOKEN.test(name)) return undefined;
    names.add(name);
    if (names.size > MAX_REQUESTED_HEADERS) return undefined;
  }
  return [...names];
}

function allowsHeaders({ allowedHeaders }: CorsRule, requested: readonly string[]): boolean {
  if (requested.length === 0 || allowedHeaders.includes('*')) return true;
  const patterns = allowedHeaders.map((pattern) => pattern.toLowerCase());
  return requested.every((name) => patterns.some((pattern) => matchesPattern(pattern, name)));
}

/** A wildcard stands for any characters, or none. */
function matchesPattern(pattern: string, text: string): boolean {
  const star = pattern.indexOf('*');
  if (star === -1) return pattern === text;
  return (
    text.length >= pattern.length - 1 &&
    text.startsWith(pattern.slice(0, star)) &&
    text.endsWith(pattern.slice(star + 1))
  );
}
