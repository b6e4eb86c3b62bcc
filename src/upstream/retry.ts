/** Which failures may be tried again, and when. Source: RFC 9110, section 9.2.2. */
import { setTimeout as sleep } from 'node:timers/promises';

/** A connection that the upstream closed while it was idle: nothing was processed, so reading again is safe. */
const BROKEN_CONNECTION: ReadonlySet<string> = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

/** Nothing that waiting a moment would change: certificates, and what the HTTP client refuses to send. */
const HOPELESS =
  /^(?:ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_PROXY_|UND_ERR_INVALID|UND_ERR_NOT_SUPPORTED|ERR_INVALID)/;
const NEVER_SENT = /^(?:UND_ERR_INVALID|UND_ERR_NOT_SUPPORTED|ERR_INVALID)/;

/** The host has no address, or its certificate is another's: says nothing of an upstream where each bucket has a host. */
const OF_ONE_HOST = /^(?:ENOTFOUND|ERR_TLS_CERT_ALTNAME_INVALID)$/;

export interface FailedAttempt {
  readonly error: unknown;
  /** False: no connection came about, and not a byte was sent. */
  readonly started: boolean;
  /** The bucket, which a client names, is part of the host. */
  readonly bucketInHost: boolean;
  readonly method: string;
  readonly hasBody: boolean;
  /** Whether the body was begun to be read. */
  readonly bodyTouched: boolean;
}

/**
 * Never once a byte of a body was taken. What did not start may be repeated whatever it is; what did, only when it
 * reads: a second DELETE of a versioned bucket makes a second delete marker.
 */
export function mayRepeat({ error, started, method, hasBody, bodyTouched }: FailedAttempt): boolean {
  if (bodyTouched) return false;
  const code = errorCode(error);
  if (!started) return !HOPELESS.test(code);
  return (method === 'GET' || method === 'HEAD') && !hasBody && BROKEN_CONNECTION.has(code);
}

/**
 * Whether a failure says that the upstream is down. What a request or the object that it asks for holds may be why an
 * upload is broken off, or an answer cannot be read: nobody must be able to shut an upstream off for others that way.
 */
export function meansDown({ error, started, bucketInHost, bodyTouched }: FailedAttempt): boolean {
  const code = errorCode(error);
  if (bucketInHost && OF_ONE_HOST.test(code)) return false;
  if (!started) return !NEVER_SENT.test(code);
  return code === 'UND_ERR_HEADERS_TIMEOUT' || (!bodyTouched && BROKEN_CONNECTION.has(code));
}

const FIRST_DELAY_MS = 50;
const LONGEST_DELAY_MS = 1000;

/** Anything up to a bound that doubles with each attempt. @param attempt from 0. Rejects when aborted. */
export async function waitToRepeat(
  attempt: number,
  random: () => number,
  signal: AbortSignal,
): Promise<void> {
  const bound = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** attempt);
  try {
    await sleep(random() * bound, undefined, { signal });
  } catch {
    throw signal.reason;
  }
}

/** The code of a system or library error, else an empty string. */
export function errorCode(error: unknown): string {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : '';
}
