/** A small server that stands for the upstream, and what the tests send to it. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSocketServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { Secret } from '../../src/sigv4/index.ts';
import {
  createUpstream,
  type Upstream,
  type UpstreamOptions,
  type UpstreamRequest,
} from '../../src/upstream/index.ts';

export const NOW = Date.UTC(2026, 2, 1, 12);
export const CREDENTIALS = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: new Secret('wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'),
};

/** Serves HTTP until the test ends; resolves to the origin's URL. */
export async function serve(
  handler: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<string> {
  const server = createServer(handler);
  const url = await listen(server);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return url;
}

/** Hands every connection, numbered from 1, to `onConnection`, until the test ends. */
export async function serveSockets(onConnection: (socket: Socket, number: number) => void): Promise<string> {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createSocketServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    onConnection(socket, ++connections);
  });
  const url = await listen(server);
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return url;
}

/** An origin at which nobody listens. */
export async function closedOrigin(): Promise<string> {
  const server = createSocketServer();
  const url = await listen(server);
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return url;
}

/** The upstream under test. */
export async function upstreamAt(
  endpoint: string,
  options: Partial<UpstreamOptions> = {},
): Promise<Upstream> {
  const upstream = await createUpstream({
    name: 'test',
    endpoint,
    region: 'us-east-1',
    accountId: undefined,
    style: 'path',
    credentials: { kind: 'static', ...CREDENTIALS },
    tls: undefined,
    proxy: undefined,
    connections: 2,
    connectTimeoutMs: 5_000,
    headersTimeoutMs: 10_000,
    idleTimeoutMs: 10_000,
    keepAliveTimeoutMs: 10_000,
    integrity: 'trailer',
    retries: 1,
    breaker: { failures: 100, cooldownMs: 60_000 },
    redirects: [],
    now: () => NOW,
    random: () => 0,
    onEvent: () => undefined,
    ...options,
  });
  onTestFinished(() => upstream.close());
  return upstream;
}

/** A GET of `/b/k` unless told otherwise. */
export function upstreamRequest(changes: Partial<UpstreamRequest> = {}): UpstreamRequest {
  return {
    method: 'GET',
    bucket: 'b',
    key: 'k',
    query: [],
    headers: [],
    payload: { kind: 'none' },
    signal: new AbortController().signal,
    ...changes,
  };
}

export function upload(chunks: AsyncIterable<Buffer>, length: number): Partial<UpstreamRequest> {
  return { method: 'PUT', payload: { kind: 'stream', chunks, length, sha256: undefined } };
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
