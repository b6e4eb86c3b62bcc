/** The embedded store as a whole: a folder behind a listener on the loopback interface. */
import { mkdir } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createSigningKeys, sha256Hex, type Secret } from '../sigv4/index.ts';
import type { DevStoreLog, Store } from './call.ts';
import { openCatalog } from './catalog.ts';
import { openDataFiles } from './data-files.ts';
import { createExchange } from './exchange.ts';

interface DevStoreOptions {
  /** Made when it does not exist; one process at a time. */
  readonly directory: string;
  /** The one key that it accepts. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: Secret };
  readonly region: string;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Told of failures that are not the client's. */
  readonly log?: DevStoreLog;
}

export interface DevStore {
  /** Opens the folder and starts to listen, on 127.0.0.1 and a port that the system chooses. Once only. */
  listen(): Promise<{ readonly endpoint: string }>;
  /** Finishes what runs, for 10 seconds at most, and closes the folder. */
  close(): Promise<void>;
}

const CLOSE_MS = 10_000;
/** A connection on which nothing moves for so long is dropped. */
const IDLE_MS = 300_000;
const MAX_HEADER_BYTES = 32 * 1024;

/**
 * Makes an S3-compatible store for trying out and for tests: path-style, one key, no versions.
 * Objects are immutable files under random names in `data`; an SQLite index says which key has which.
 */
export function createDevStore(options: DevStoreOptions): DevStore {
  let stop: (() => Promise<void>) | undefined;
  return {
    async listen() {
      if (stop !== undefined) throw new Error('the store listens already');
      const opened = await open(options);
      stop = opened.stop;
      return { endpoint: opened.endpoint };
    },
    async close() {
      await stop?.();
      stop = undefined;
    },
  };
}

async function open(
  options: DevStoreOptions,
): Promise<{ readonly endpoint: string; readonly stop: () => Promise<void> }> {
  const { directory, credentials, region, now, log } = options;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const catalog = openCatalog(join(directory, 'index.sqlite'));
  try {
    const store: Store = {
      catalog,
      files: await openDataFiles({ directory, isKnown: (file) => catalog.refersTo(file) }),
      region,
      ownerId: sha256Hex(credentials.accessKeyId),
      now: () => Math.floor(now() / 1000) * 1000,
    };
    const exchange = createExchange({
      store,
      verifier: {
        credentials: { ...credentials, secretVersion: '' },
        region,
        signingKeys: createSigningKeys({ max: 4 }),
        now,
      },
      log,
    });

    const running = new Set<Promise<void>>();
    let closing = false;
    const serve = (request: IncomingMessage, response: ServerResponse): void => {
      if (closing) response.setHeader('connection', 'close');
      const done = exchange(request, response).finally(() => running.delete(done));
      running.add(done);
    };
    const server = createServer({ maxHeaderSize: MAX_HEADER_BYTES, requestTimeout: 0 }, serve);
    // Handlers ask for the body themselves, once they know that they want it.
    server.on('checkContinue', serve);
    server.timeout = IDLE_MS;
    // Longer than clients keep connections, so that they never write to one that is being closed.
    server.keepAliveTimeout = IDLE_MS;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });

    const stop = async (): Promise<void> => {
      closing = true;
      const closed = new Promise((resolve) => server.close(resolve));
      const deadline = setTimeout(() => server.closeAllConnections(), CLOSE_MS);
      server.closeIdleConnections();
      while (running.size > 0) await Promise.all(running);
      server.closeAllConnections();
      await closed;
      clearTimeout(deadline);
      await store.files.settled();
      catalog.close();
    };
    const { port } = server.address() as AddressInfo;
    return { endpoint: `http://127.0.0.1:${port}`, stop };
  } catch (error) {
    catalog.close();
    throw error;
  }
}
