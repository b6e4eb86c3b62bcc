/** The listener for S3 clients: sockets, TLS and time-outs; what a request means is the handler's. */
import { readFileSync } from 'node:fs';
import {
  createServer as createHttpServer,
  STATUS_CODES,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttpsServer, Server as HttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { renderError, S3Error, type ErrorCode } from '../s3/index.ts';
import type { Logger } from '../telemetry/index.ts';
import { BodyFraming } from './body-framing.ts';
import { originOf, trustNetworks, type ClientOrigin } from './client-origin.ts';
import type { Handler } from './handle.ts';
import { PLAIN_CONNECTIONS, readProxyHeaders } from './proxied-connections.ts';

export interface ServerOptions {
  readonly host: string | undefined;
  readonly port: number;
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined;
  readonly limits: {
    /** Names and values of all header fields together, in bytes. */
    readonly headerBytes: number;
    readonly connections: number;
    /** Milliseconds from the start of a request to the end of its headers. */
    readonly headersTimeoutMs: number;
    /** Milliseconds without a byte moving, while it is the client's turn. */
    readonly idleTimeoutMs: number;
    readonly keepAliveTimeoutMs: number;
    /** Milliseconds that a stop waits for what runs. */
    readonly shutdownTimeoutMs: number;
  };
  /** Networks in CIDR notation. */
  readonly trustedProxies: readonly string[];
  /** Connections of trusted proxies begin with a PROXY protocol header. */
  readonly proxyProtocol: boolean;
  readonly handler: Handler;
  /** Told of what is not HTTP, and so reaches no handler. */
  readonly onMalformed: (refusal: MalformedRequest) => void;
  readonly hostId: string;
  readonly newRequestId: () => string;
  readonly log: Logger;
}

export interface MalformedRequest {
  readonly requestId: string;
  readonly origin: ClientOrigin;
  /** Undefined when the request line could not be read. */
  readonly method: string | undefined;
  readonly target: string | undefined;
  readonly code: ErrorCode;
  readonly status: number;
  /** What the HTTP parser said. */
  readonly reason: string;
}

export interface GatewayServer {
  /** Resolves to the URL of the listener. Rejects when the address cannot be had, or the certificate is unusable. */
  listen(): Promise<string>;
  /** Takes up a changed certificate; on failure logs, and keeps the one in use. */
  reloadCertificate(): void;
  /** Stops accepting, waits for what runs, then cuts what is left. */
  close(): Promise<void>;
}

/** Room for the request line and for field names beside what the header limit counts. */
const REQUEST_LINE_BYTES = 16 * 1024;

export function createGatewayServer(options: ServerOptions): GatewayServer {
  const { limits, log } = options;
  const serverOptions = {
    // The limit itself is checked by `accept`, which can answer in S3's words.
    maxHeaderSize: limits.headerBytes + REQUEST_LINE_BYTES,
    headersTimeout: limits.headersTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    // It would cut a slow upload that is still moving; the idle time-out does not.
    requestTimeout: 0,
    connectionsCheckingInterval: Math.min(limits.headersTimeoutMs, 5_000),
    insecureHTTPParser: false,
    requireHostHeader: false,
    joinDuplicateHeaders: false,
    noDelay: true,
  };
  const server: Server | HttpsServer =
    options.tls === undefined
      ? createHttpServer(serverOptions)
      : createHttpsServer({ ...serverOptions, ...readCertificate(options.tls), minVersion: 'TLSv1.2' });
  const trusted = trustNetworks(options.trustedProxies);
  const proxied =
    trusted !== undefined && options.proxyProtocol
      ? readProxyHeaders(server, { trusted, timeoutMs: limits.headersTimeoutMs, log })
      : PLAIN_CONNECTIONS;
  const origin = (socket: Socket, rawHeaders: readonly string[]): ClientOrigin =>
    originOf(socket, rawHeaders, { trusted, proxyHeader: proxied.headerOf(socket) });
  const refuseRaw = (
    refusal: S3Error,
    reason: string,
    socket: Socket,
    incoming: IncomingMessage | undefined,
  ): void => {
    const request = { reason, incoming, origin: origin(socket, incoming?.rawHeaders ?? []) };
    answerRaw(refusal, socket, request, options);
  };
  const exchanges = new WeakMap<Socket, Exchange>();
  const unreadable = new WeakSet<Socket>();
  const serve = (incoming: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void => {
    const { socket } = incoming;
    // The parser goes on through what was read before the connection was destroyed.
    if (socket.destroyed) return;
    // What a client sends behind a request that ends the connection can be the rest of an ambiguous body.
    if (exchanges.get(socket)?.response.shouldKeepAlive === false) return;
    const framing = new BodyFraming();
    const client = origin(socket, incoming.rawHeaders);
    exchanges.set(socket, { incoming, response, framing });
    if (stopping) response.shouldKeepAlive = false;
    // One whose answer began before the stop was told that it may stay.
    response.once('close', () => {
      if (stopping)
        setImmediate(() => {
          server.closeIdleConnections();
        });
    });
    options
      .handler(incoming, response, { expectsContinue, framing, origin: client })
      .catch((error: unknown) => {
        // A bug; without this, it would end the process.
        log.error({ err: error }, 'a request could not be handled');
        socket.destroy();
      });
  };
  let stopping = false;

  server.maxConnections = limits.connections;
  // `maxHeaderSize` bounds them. A limit of their number would make Node drop the rest without a word.
  server.maxHeadersCount = 0;
  server.on(options.tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
    // Asked now, Node keeps it. After a reset it cannot be had, though what was sent before can still be read: a request
    // without the address that policies ask for.
    if (socket.remoteAddress === undefined) socket.destroy();
  });
  server.on('request', (incoming: IncomingMessage, response: ServerResponse) => {
    serve(incoming, response, false);
  });
  server.on('checkContinue', (incoming: IncomingMessage, response: ServerResponse) => {
    serve(incoming, response, true);
  });
  // Any other expectation: RFC 9110, section 10.1.1, lets a server ignore it, and S3 does.
  server.on('checkExpectation', (incoming: IncomingMessage, response: ServerResponse) => {
    serve(incoming, response, false);
  });
  server.on('connect', (incoming: IncomingMessage, socket: Duplex) => {
    const refusal = new S3Error('MethodNotAllowed', {
      details: { Method: 'CONNECT', ResourceType: 'SERVICE' },
    });
    afterRunning(exchanges.get(socket as Socket), () => {
      refuseRaw(refusal, 'no tunnels', socket as Socket, incoming);
    });
  });
  server.setTimeout(limits.idleTimeoutMs, (socket: Socket) => {
    const exchange = exchanges.get(socket);
    // While the upstream works on a complete request it is not the client who is idle.
    const upstreamsTurn =
      exchange?.incoming.complete === true && !exchange.response.headersSent && !exchange.response.destroyed;
    if (!upstreamsTurn) socket.destroy();
  });
  server.on('clientError', (error: NodeJS.ErrnoException, duplex: Duplex) => {
    const socket = duplex as Socket;
    // The parser complains again about each further piece.
    if (unreadable.has(socket)) return;
    const parserError = error.code?.startsWith('HPE_') === true || error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
    if (!parserError) {
      socket.destroy();
      return;
    }
    unreadable.add(socket);
    const exchange = exchanges.get(socket);
    if (exchange !== undefined && !exchange.incoming.complete) {
      // It is the body of a request, which gets one answer: its handler's.
      exchange.framing.fail(error);
      afterRunning(exchange, () => {
        socket.destroy();
      });
    } else {
      afterRunning(exchange, () => {
        refuseRaw(
          malformedRefusal(error, limits.headerBytes),
          error.code ?? error.message,
          socket,
          undefined,
        );
      });
    }
  });
  server.on('tlsClientError', (error: Error, socket: Duplex) => {
    log.debug({ err: error, remoteAddress: (socket as Socket).remoteAddress }, 'TLS handshake failed');
  });

  return {
    listen: () =>
      new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen({ host: options.host, port: options.port }, () => {
          server.off('error', reject);
          server.on('error', (error) => {
            log.error({ err: error }, 'listener failed');
          });
          const { address, family, port } = server.address() as AddressInfo;
          const host = family === 'IPv6' ? `[${address}]` : address;
          resolve(`${options.tls === undefined ? 'http' : 'https'}://${host}:${port}`);
        });
      }),
    reloadCertificate() {
      if (options.tls === undefined || !(server instanceof HttpsServer)) return;
      try {
        server.setSecureContext({ ...readCertificate(options.tls), minVersion: 'TLSv1.2' });
        log.info({ file: options.tls.certFile }, 'certificate reloaded');
      } catch (error) {
        log.error(
          { err: error, file: options.tls.certFile },
          'certificate cannot be used, the one in use stays',
        );
      }
    },
    async close() {
      stopping = true;
      proxied.closeWaiting();
      const closed = new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
      });
      server.closeIdleConnections();
      const timer = setTimeout(() => {
        log.warn(
          { afterMs: limits.shutdownTimeoutMs },
          'requests still run at the end of the stop: cutting them',
        );
        server.closeAllConnections();
      }, limits.shutdownTimeoutMs);
      await closed;
      clearTimeout(timer);
    },
  };
}

function readCertificate(tls: { readonly certFile: string; readonly keyFile: string }): {
  readonly cert: Buffer;
  readonly key: Buffer;
} {
  return { cert: readFileSync(tls.certFile), key: readFileSync(tls.keyFile) };
}

/** A request whose headers were read, the last one of its connection. */
interface Exchange {
  readonly incoming: IncomingMessage;
  readonly response: ServerResponse;
  readonly framing: BodyFraming;
}

/** Answers go out in the order of the requests. */
function afterRunning(exchange: Exchange | undefined, act: () => void): void {
  if (exchange === undefined || exchange.response.closed) act();
  else exchange.response.once('close', act);
}

/** What reaches no handler is answered in S3's words too, if the client can still read. */
function answerRaw(
  refusal: S3Error,
  socket: Socket,
  {
    reason,
    incoming,
    origin,
  }: {
    readonly reason: string;
    readonly incoming: IncomingMessage | undefined;
    readonly origin: ClientOrigin;
  },
  options: ServerOptions,
): void {
  const requestId = options.newRequestId();
  options.onMalformed({
    requestId,
    origin,
    method: incoming?.method,
    target: incoming?.url,
    code: refusal.code,
    status: refusal.status,
    reason,
  });
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const xml = renderError(refusal, { resource: '/', requestId, hostId: options.hostId });
  socket.end(
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}\r\nContent-Type: application/xml\r\nContent-Length: ${Buffer.byteLength(xml)}\r\n` +
      `x-amz-request-id: ${requestId}\r\nx-amz-id-2: ${options.hostId}\r\nConnection: close\r\n\r\n${xml}`,
    () => {
      socket.destroy();
    },
  );
}

function malformedRefusal(error: NodeJS.ErrnoException, headerBytes: number): S3Error {
  switch (error.code) {
    case 'HPE_HEADER_OVERFLOW':
      return new S3Error('RequestHeaderSectionTooLarge', {
        details: { MaxSizeAllowed: String(headerBytes) },
      });
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new S3Error('RequestTimeout');
    default:
      return new S3Error('BadRequest', { message: 'An error occurred when parsing the HTTP request.' });
  }
}
