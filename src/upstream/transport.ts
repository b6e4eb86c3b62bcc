/** Connections to the hosts of one upstream: over TLS or not, straight or through a proxy, kept while they are of use. */
import { LRUCache } from 'lru-cache';
import { Pool, type Dispatcher } from 'undici';
import { createProxyConnector } from './egress-proxy.ts';
import type { UpstreamOptions } from './options.ts';
import type { TlsMaterial } from './tls-files.ts';

export interface Transport {
  /** For one exchange; not to be kept. @param origin `https://bucket.example.com` */
  to(origin: string): Dispatcher;
  /** Connections opened from now on use it; those that run finish what they do. */
  renew(tls: TlsMaterial): void;
  /** Cuts what still runs. */
  close(): Promise<void>;
}

/** One is enough in path style; in virtual-hosted style each bucket has its own. */
const MAX_ORIGINS = 128;
/**
 * An idle connection is closed this long before the upstream would, by what its `Keep-Alive: timeout` says: undici's
 * timers are half a second coarse, and the way takes time too.
 */
const KEEP_ALIVE_MARGIN_MS = 2_000;

export function createTransport(
  options: Pick<
    UpstreamOptions,
    'connections' | 'connectTimeoutMs' | 'headersTimeoutMs' | 'idleTimeoutMs' | 'keepAliveTimeoutMs' | 'proxy'
  >,
  material: TlsMaterial,
): Transport {
  const { connections, connectTimeoutMs: timeoutMs, proxy } = options;
  let tls = material;
  const all = new Set<Pool>();
  const retire = (pool: Pool): void => {
    void pool.close().finally(() => all.delete(pool));
  };
  const pools = new LRUCache<string, Pool>({ max: MAX_ORIGINS, dispose: retire });
  const open = (origin: string): Pool => {
    const pool = new Pool(origin, {
      connections,
      // An upload that does not verify is cut off with its connection, which HTTP/2 shares with others.
      allowH2: false,
      connect:
        proxy === undefined
          ? { ...tls, timeout: timeoutMs, allowH2: false }
          : createProxyConnector(proxy, { tls, timeoutMs }),
      headersTimeout: options.headersTimeoutMs,
      bodyTimeout: options.idleTimeoutMs,
      keepAliveTimeout: options.keepAliveTimeoutMs,
      keepAliveMaxTimeout: options.keepAliveTimeoutMs,
      keepAliveTimeoutThreshold: KEEP_ALIVE_MARGIN_MS,
    });
    all.add(pool);
    pools.set(origin, pool);
    return pool;
  };
  return {
    to: (origin) => pools.get(origin) ?? open(origin),
    renew(next) {
      tls = next;
      pools.clear();
    },
    async close() {
      await Promise.all([...all].map((pool) => pool.destroy()));
    },
  };
}
