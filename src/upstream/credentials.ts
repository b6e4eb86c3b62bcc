/** The credentials of one upstream: had at the start, and renewed before they expire, off the path of requests. */
import { S3Error } from '../s3/index.ts';
import type { Secret, SigningCredentials } from '../sigv4/index.ts';
import type { ProvidedCredentials } from './credential-providers.ts';
import { provideCredentials } from './credential-providers.ts';
import type { UpstreamOptions } from './options.ts';

export interface Credentials {
  /** @throws S3Error `ServiceUnavailable` when they have expired. */
  current(): SigningCredentials & { readonly sessionToken: Secret | undefined };
  /** Epoch milliseconds. */
  readonly expiresAt: number | undefined;
  /** The upstream refused them: asks the provider again soon, unless it was asked a moment ago. */
  refused(): void;
  close(): void;
}

/** A provider that does not answer by then has none. */
const FIRST_TIMEOUT_MS = 30_000;
/** Renewed this long before they expire, or after half of what is left when that is sooner. */
const AHEAD_MS = 300_000;
/** What a file holds may be changed by hand. */
const FILE_POLL_MS = 300_000;
const RETRY_MS = 10_000;
const LONGEST_RETRY_MS = 60_000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Rejects when the provider gives none: the message says what it said. */
export async function openCredentials(
  options: Pick<UpstreamOptions, 'credentials' | 'region' | 'proxy' | 'now' | 'random' | 'onEvent'>,
): Promise<Credentials> {
  const { credentials, region, proxy } = options;
  if (credentials.kind === 'static') {
    const fixed = { ...credentials, sessionToken: credentials.sessionToken, secretVersion: '1' };
    return { current: () => fixed, expiresAt: undefined, refused: () => undefined, close: () => undefined };
  }
  const { provider, profile } = credentials;
  const provide = (): Promise<ProvidedCredentials> =>
    provideCredentials({ provider, profile, region, proxy });
  const first = await inTime(provide(), FIRST_TIMEOUT_MS);
  const fromFile = provider === 'profile' || provider === 'default';
  return keepFresh(first, { ...options, provide, pollMs: fromFile ? FILE_POLL_MS : undefined });
}

/**
 * Keeps credentials of any source fresh. A failed renewal keeps what there is, and is repeated.
 * @param options.pollMs How often to look again at what does not expire; undefined: never.
 */
export function keepFresh(
  first: ProvidedCredentials,
  options: Pick<UpstreamOptions, 'now' | 'random' | 'onEvent'> & {
    readonly provide: () => Promise<ProvidedCredentials>;
    readonly pollMs: number | undefined;
  },
): Credentials {
  const { now, random, onEvent, provide, pollMs } = options;
  let version = 0;
  let held = { ...first, secretVersion: '0' };
  let failures = 0;
  let renewing = false;
  let closed = false;
  let askedAt = now();
  let timer: NodeJS.Timeout | undefined;

  const schedule = (wait: number | undefined): void => {
    clearTimeout(timer);
    if (wait === undefined || closed) return;
    timer = setTimeout(() => void renew(), Math.min(wait, LONGEST_TIMER_MS));
    timer.unref();
  };
  /** Up to a tenth sooner than due, so that many gateways do not ask at once. */
  const untilDue = (): number | undefined => {
    const spread = 1 - random() / 10;
    if (held.expiresAt === undefined) return pollMs === undefined ? undefined : pollMs * spread;
    const left = Math.max(0, held.expiresAt - now());
    return Math.max(left - AHEAD_MS, left / 2, 1000) * spread;
  };
  const renew = async (): Promise<void> => {
    if (renewing || closed) return;
    renewing = true;
    askedAt = now();
    try {
      const next = await provide();
      failures = 0;
      if (!same(held, next)) version += 1;
      held = { ...next, secretVersion: String(version) };
      onEvent({ kind: 'credentials', expiresAt: held.expiresAt });
      schedule(untilDue());
    } catch (error) {
      const wait = Math.min(LONGEST_RETRY_MS, RETRY_MS * 2 ** failures);
      failures += 1;
      onEvent({ kind: 'credentials-failed', reason: reasonOf(error), expiresAt: held.expiresAt });
      schedule(wait * (1 - random() / 4));
    } finally {
      renewing = false;
    }
  };
  onEvent({ kind: 'credentials', expiresAt: held.expiresAt });
  schedule(untilDue());

  return {
    current() {
      if (held.expiresAt !== undefined && held.expiresAt <= now())
        throw new S3Error('ServiceUnavailable', {
          reason: `the credentials for the upstream expired at ${new Date(held.expiresAt).toISOString()}, and no new ones could be had`,
        });
      return held;
    },
    get expiresAt() {
      return held.expiresAt;
    },
    refused() {
      if (now() - askedAt >= RETRY_MS) void renew();
    },
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}

/** The first line: what a credential process wrote to its standard error is not for a log. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message || error.name : String(error);
  return (text.split('\n', 1)[0] ?? '').slice(0, 300);
}

function same(a: ProvidedCredentials, b: ProvidedCredentials): boolean {
  return (
    a.accessKeyId === b.accessKeyId &&
    a.secretAccessKey.expose() === b.secretAccessKey.expose() &&
    a.sessionToken?.expose() === b.sessionToken?.expose()
  );
}

async function inTime<T>(promise: Promise<T>, ms: number): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    reject(new Error(`nothing came within ${ms / 1000} s`));
  }, ms);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
