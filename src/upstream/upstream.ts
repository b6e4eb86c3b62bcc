/** An upstream, made of its parts. */
import type { QueryParameter } from '../s3/index.ts';
import { createClient } from './client.ts';
import { openCredentials, reasonOf, type Credentials } from './credentials.ts';
import { UpstreamUnusable } from './errors.ts';
import type { UpstreamResponse } from './exchange.ts';
import { canHoldBuckets } from './location.ts';
import type { Integrity, UpstreamHealth, UpstreamOptions } from './options.ts';
import type { UpstreamPayload } from './payload.ts';
import { readTlsFiles, watchTlsFiles } from './tls-files.ts';
import { createTransport } from './transport.ts';

export interface UpstreamRequest {
  readonly method: string;
  readonly bucket?: string | undefined;
  /** Decoded; sent byte for byte, encoded once. */
  readonly key?: string | undefined;
  readonly query: readonly QueryParameter[];
  /** Lower-case names, no repetition; framing, host, expected owners and signing headers are added here. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly payload: UpstreamPayload;
  readonly signal: AbortSignal;
}

export interface Upstream {
  /**
   * Signs and sends; follows redirects within the upstream, repeats where that is safe. Rejects with an
   * `UpstreamUnreachable` when there is no response; with an S3Error `SlowDown`, `ServiceUnavailable` or `InvalidURI` when it
   * is not asked at all; with the payload's own error when that failed to verify: the connection is then destroyed with
   * Content-Length outstanding.
   */
  send(request: UpstreamRequest): Promise<UpstreamResponse>;
  readonly name: string;
  readonly endpoint: string;
  readonly region: string;
  readonly integrity: Integrity;
  health(): UpstreamHealth;
  /** Cuts what still runs: by then no client waits for it. */
  close(): Promise<void>;
}

/**
 * Needs no right of the credentials, and no answer of the upstream.
 * @throws UpstreamUnusable when certificates or credentials cannot be had, or the style does not fit the endpoint.
 */
export async function createUpstream(options: UpstreamOptions): Promise<Upstream> {
  const { name, tls, onEvent } = options;
  if (options.style === 'virtual-hosted' && !canHoldBuckets(options.endpoint))
    throw new UpstreamUnusable(
      name,
      `no bucket can stand before the address in \`${options.endpoint}\`. Use a host name, or path style.`,
    );
  const material = orUnusable(name, () => readTlsFiles(tls));
  const transport = createTransport(options, material);
  let credentials: Credentials;
  try {
    credentials = await openCredentials(options);
  } catch (error) {
    throw new UpstreamUnusable(name, `there are no credentials: ${reasonOf(error)}`, { cause: error });
  }
  const unwatch = watchTlsFiles(tls, () => {
    try {
      transport.renew(readTlsFiles(tls));
      onEvent({ kind: 'certificates', problem: undefined });
    } catch (error) {
      onEvent({ kind: 'certificates', problem: reasonOf(error) });
    }
  });
  const client = createClient(options, { transport, credentials });
  return {
    name,
    endpoint: options.endpoint,
    region: options.region,
    integrity: options.integrity,
    send: client.send,
    health: client.health,
    async close() {
      unwatch();
      credentials.close();
      client.close();
      await transport.close();
    },
  };
}

function orUnusable<T>(upstream: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    throw new UpstreamUnusable(upstream, `${reasonOf(error)}.`, { cause: error });
  }
}
