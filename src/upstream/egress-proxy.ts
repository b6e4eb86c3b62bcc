/** Connections through a proxy, as tunnels. Source: RFC 9110, section 9.3.6 (CONNECT). */
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import { buildConnector } from 'undici';
import { errorCode } from './retry.ts';
import type { EgressProxy } from './options.ts';
import type { TlsMaterial } from './tls-files.ts';

/**
 * A connector for undici. Plain HTTP is tunnelled like TLS: the proxy sees where to, and of the rest nothing but bytes.
 * The client certificate is the upstream's business alone; the authorities hold for both.
 */
export function createProxyConnector(
  proxy: EgressProxy,
  { tls, timeoutMs }: { readonly tls: TlsMaterial; readonly timeoutMs: number },
): buildConnector.connector {
  const upgrade = buildConnector({ ...tls, timeout: timeoutMs, allowH2: false });
  return (options, callback) => {
    openTunnel(proxy, authority(options), {
      tls,
      timeoutMs,
      onTunnel(socket) {
        if (options.protocol === 'https:') upgrade({ ...options, httpSocket: socket }, callback);
        else callback(null, socket);
      },
      onError(error) {
        callback(error, null);
      },
    });
  };
}

class ProxyError extends Error {
  override readonly name = 'ProxyError';
  readonly code: string;

  constructor(code: string, message: string, options?: { readonly cause: unknown }) {
    super(message, options);
    this.code = code;
  }
}

function openTunnel(
  { url, credentials }: EgressProxy,
  target: string,
  options: {
    readonly tls: TlsMaterial;
    readonly timeoutMs: number;
    /** One of the two is called, once. */
    readonly onTunnel: (socket: Socket) => void;
    readonly onError: (error: Error) => void;
  },
): void {
  const { tls, timeoutMs, onTunnel, onError } = options;
  const authorization =
    credentials === undefined
      ? {}
      : { 'proxy-authorization': `Basic ${Buffer.from(credentials.expose()).toString('base64')}` };
  const wire = {
    method: 'CONNECT',
    path: target,
    headers: { host: target, ...authorization },
    agent: false,
  };
  const request = url.startsWith('https:')
    ? httpsRequest(url, { ...wire, rejectUnauthorized: true, ...(tls.ca !== undefined && { ca: tls.ca }) })
    : httpRequest(url, wire);
  const timer = setTimeout(() => {
    request.destroy(new ProxyError('PROXY_TIMEOUT', `the proxy opens no tunnel within ${timeoutMs} ms`));
  }, timeoutMs);
  request.once('connect', (response, socket, head) => {
    clearTimeout(timer);
    const status = response.statusCode ?? 0;
    if (status >= 200 && status < 300 && head.length === 0) {
      onTunnel(socket);
      return;
    }
    socket.destroy();
    onError(
      status === 407
        ? new ProxyError('ERR_PROXY_CREDENTIALS', 'the proxy refuses its credentials (407)')
        : new ProxyError('PROXY_REFUSED', `the proxy opens no tunnel (${status})`),
    );
  });
  request.once('response', (response) => {
    request.destroy(new ProxyError('PROXY_REFUSED', `the proxy knows no CONNECT (${response.statusCode})`));
  });
  // Codes of undici's own would make it try again without end, and those of TLS look like the upstream's certificate.
  request.on('error', (error) => {
    clearTimeout(timer);
    onError(
      error instanceof ProxyError
        ? error
        : new ProxyError('PROXY_UNREACHABLE', `the proxy gave no tunnel: ${errorCode(error)}`, {
            cause: error,
          }),
    );
  });
  request.end();
}

function authority({ hostname, protocol, port }: buildConnector.Options): string {
  const host = hostname.includes(':') ? `[${hostname}]` : hostname;
  return `${host}:${port || (protocol === 'https:' ? '443' : '80')}`;
}
