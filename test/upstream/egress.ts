/** What stands between gateway and upstream: a proxy that tunnels, and TLS servers under names that resolve nowhere. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer, type ServerOptions } from 'node:https';
import { connect, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { makeCertificate, type Certificate } from '../e2e/support/certificate.ts';

export interface Tunnels {
  /** Of the proxy. */
  readonly url: string;
  /** `host:port` and credentials of each CONNECT, in order. */
  readonly asked: readonly { readonly target: string; readonly authorization: string | undefined }[];
  /** Tunnels that are open. */
  readonly open: ReadonlySet<Socket>;
}

/** Tunnels to a local port by target; refuses others. Runs until the test ends. */
export async function serveTunnels(
  ports: ReadonlyMap<string, number>,
  { refuseWith }: { readonly refuseWith?: number } = {},
): Promise<Tunnels> {
  const asked: { target: string; authorization: string | undefined }[] = [];
  const open = new Set<Socket>();
  const server = createHttpServer();
  server.on('connect', (request: IncomingMessage, client: Socket) => {
    const target = request.url ?? '';
    asked.push({ target, authorization: request.headers['proxy-authorization'] });
    const port = ports.get(target);
    client.on('error', () => undefined);
    if (refuseWith !== undefined || port === undefined) {
      client.end(`HTTP/1.1 ${refuseWith ?? 502} No\r\n\r\n`);
      return;
    }
    const upstream = connect(port, '127.0.0.1', () => {
      open.add(client);
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      client.pipe(upstream).pipe(client);
    });
    upstream.on('error', () => client.destroy());
    client.on('close', () => {
      open.delete(client);
      upstream.destroy();
    });
  });
  const port = await listen(server);
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return { url: `http://127.0.0.1:${port}`, asked, open };
}

export interface TlsOrigin {
  readonly port: number;
  /** PEM file of its own authority. */
  readonly caFile: string;
}

/** Serves HTTPS with a certificate for `names` until the test ends. */
export async function serveTls(
  names: readonly string[],
  handler: (request: IncomingMessage, response: ServerResponse) => void,
  options: ServerOptions = {},
): Promise<TlsOrigin> {
  const certificate = makeCertificate(names);
  const server = createHttpsServer({ ...certificate, ...options }, handler);
  const port = await listen(server);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port, caFile: certificateFiles(certificate).certFile };
}

/** Files that last until the test ends. */
export function certificateFiles(certificate: Certificate): {
  readonly certFile: string;
  readonly keyFile: string;
} {
  const folder = mkdtempSync(join(tmpdir(), 'bucketwarden-tls-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const files = { certFile: join(folder, 'cert.pem'), keyFile: join(folder, 'key.pem') };
  writeFileSync(files.certFile, certificate.cert);
  writeFileSync(files.keyFile, certificate.key);
  return files;
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return (server.address() as AddressInfo).port;
}
