/** The admin port: liveness, readiness and metrics. It answers nothing else, and nothing about any request or key. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from '../telemetry/index.ts';

export interface Readiness {
  readonly ready: boolean;
  /** By name of what was checked: `ok`, or what is wrong. Shown to anyone who can reach the port. */
  readonly checks: Readonly<Record<string, string>>;
}

export interface AdminServer {
  /** Resolves to the port that is listened on; rejects when the address cannot be had. */
  readonly listen: (address: { readonly host: string | undefined; readonly port: number }) => Promise<number>;
  /** Resolves when the port is free; answers under way have a second to finish. */
  readonly close: () => Promise<void>;
}

interface Page {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

const PLAIN = 'text/plain; charset=utf-8';
const CLOSE_TIMEOUT_MS = 1000;
const REQUEST_TIMEOUT_MS = 10_000;

export function createAdminServer(options: {
  /** A rejection counts as not ready. */
  readonly readiness: () => Promise<Readiness>;
  readonly metrics: { readonly render: () => string };
  readonly log: Logger;
}): AdminServer {
  const pages: ReadonlyMap<string, () => Promise<Page>> = new Map([
    ['/healthz', () => Promise.resolve({ status: 200, type: PLAIN, text: 'ok\n' })],
    ['/readyz', createReadinessPage(options.readiness, options.log)],
    [
      '/metrics',
      () =>
        Promise.resolve({
          status: 200,
          type: 'text/plain; version=0.0.4; charset=utf-8',
          text: options.metrics.render(),
        }),
    ],
  ]);
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
    answer(pages, request, response).catch((err: unknown) => {
      options.log.error({ err, path: request.url }, 'admin request failed');
      response.destroy();
    });
  });
  return {
    listen: ({ host, port }) =>
      new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen({ port, ...(host !== undefined && { host }) }, () => {
          server.off('error', reject);
          resolve((server.address() as AddressInfo).port);
        });
      }),
    close: async () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      server.close(() => {
        resolve();
      });
      const timer = setTimeout(() => {
        server.closeAllConnections();
      }, CLOSE_TIMEOUT_MS);
      await promise;
      clearTimeout(timer);
    },
  };
}

async function answer(
  pages: ReadonlyMap<string, () => Promise<Page>>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [path = ''] = (request.url ?? '').split('?', 1);
  const page = pages.get(path);
  if (page === undefined) {
    send(request, response, { status: 404, type: PLAIN, text: 'not found\n' });
  } else if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    send(request, response, { status: 405, type: PLAIN, text: 'method not allowed\n' });
  } else {
    send(request, response, await page());
  }
}

function send(request: IncomingMessage, response: ServerResponse, { status, type, text }: Page): void {
  response.writeHead(status, {
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(text),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    // A body, which no page takes, is not read: the connection ends here.
    ...(request.method !== 'GET' && request.method !== 'HEAD' && { Connection: 'close' }),
  });
  response.end(request.method === 'HEAD' ? undefined : text);
}

/** Logs when readiness changes, not at every probe. */
function createReadinessPage(readiness: () => Promise<Readiness>, log: Logger): () => Promise<Page> {
  let wasReady = true;
  return async () => {
    const { ready, checks } = await settled(readiness, log);
    if (ready !== wasReady) {
      if (ready) log.info({ checks }, 'ready again');
      else log.warn({ checks }, 'not ready');
      wasReady = ready;
    }
    return {
      status: ready ? 200 : 503,
      type: 'application/json',
      text: `${JSON.stringify({ ready, checks })}\n`,
    };
  };
}

async function settled(readiness: () => Promise<Readiness>, log: Logger): Promise<Readiness> {
  try {
    return await readiness();
  } catch (err) {
    log.error({ err }, 'readiness check failed');
    return { ready: false, checks: { readiness: 'the check itself failed' } };
  }
}
