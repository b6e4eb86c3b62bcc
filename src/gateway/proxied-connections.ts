/** Connections that begin with a PROXY protocol header, ahead of TLS and of HTTP. */
import type { Server, Socket } from 'node:net';
import type { Logger } from '../telemetry/index.ts';
import { peerAddressOf, type TrustedProxies } from './client-origin.ts';
import { parseProxyHeader, ProxyHeaderError, type ProxyHeader } from './proxy-protocol.ts';

export interface ProxiedConnections {
  /** What the connection began with; undefined for one from elsewhere than a trusted proxy. */
  headerOf(socket: Socket): ProxyHeader | undefined;
  /** Ends those whose header has not come yet. */
  closeWaiting(): void;
}

/** Without the PROXY protocol. */
export const PLAIN_CONNECTIONS: ProxiedConnections = {
  headerOf: () => undefined,
  closeWaiting: () => undefined,
};

/**
 * Puts itself before the server's own handling of new connections. One from a trusted proxy must begin with a header
 * within `timeoutMs`, and is handed on without it; one without a header is ended, since it would be taken for the
 * proxy's own. From anyone else nothing is read: what looks like a header there is a bad HTTP request or TLS record.
 */
export function readProxyHeaders(
  server: Server,
  options: { readonly trusted: TrustedProxies; readonly timeoutMs: number; readonly log: Logger },
): ProxiedConnections {
  const { trusted, timeoutMs, log } = options;
  const handOn = server.listeners('connection') as ((socket: Socket) => void)[];
  const headers = new WeakMap<Socket, ProxyHeader>();
  /** By both ends: the TLS socket of a connection is another object than the one whose header was read. */
  const handshaking = new Map<string, ProxyHeader>();
  const waiting = new Set<Socket>();
  const accept = (socket: Socket): void => {
    for (const listener of handOn) listener.call(server, socket);
  };
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    if (socket.remoteAddress === undefined) socket.destroy();
    else if (trusted.has(peerAddressOf(socket))) expectHeader(socket);
    else accept(socket);
  });
  server.on('secureConnection', (socket: Socket) => {
    const ends = endsOf(socket);
    const header = handshaking.get(ends);
    handshaking.delete(ends);
    if (header !== undefined) headers.set(socket, header);
    // Without its header, the word of a trusted proxy would be taken from whoever it passes on.
    else if (socket.remoteAddress === undefined || trusted.has(peerAddressOf(socket))) socket.destroy();
  });

  function expectHeader(socket: Socket): void {
    let data = Buffer.alloc(0);
    const stopWaiting = (): void => {
      clearTimeout(timer);
      waiting.delete(socket);
      socket.off('readable', onReadable).off('end', onEnd).off('error', onError).off('close', stopWaiting);
    };
    const refuse = (reason: string): void => {
      log.warn({ peerAddress: socket.remoteAddress, reason }, 'connection of a trusted proxy refused');
      socket.destroy();
    };
    const onReadable = (): void => {
      const chunk = socket.read() as Buffer | null;
      if (chunk === null) return;
      data = Buffer.concat([data, chunk]);
      let header: ProxyHeader | undefined;
      try {
        header = parseProxyHeader(data);
      } catch (error) {
        if (!(error instanceof ProxyHeaderError)) throw error;
        refuse(error.message);
        return;
      }
      if (header === undefined) return;
      stopWaiting();
      remember(socket, header);
      if (data.length > header.length) socket.unshift(data.subarray(header.length));
      accept(socket);
    };
    // Balancers open and close connections to see whether somebody listens.
    const onEnd = (): void => {
      if (data.length > 0) refuse('the connection ended within the PROXY header');
      else socket.destroy();
    };
    const onError = (): void => {
      socket.destroy();
    };
    const timer = setTimeout(() => {
      refuse('the PROXY header did not come in time');
    }, timeoutMs);
    waiting.add(socket);
    socket.on('readable', onReadable).on('end', onEnd).on('error', onError).on('close', stopWaiting);
  }

  function remember(socket: Socket, header: ProxyHeader): void {
    headers.set(socket, header);
    const ends = endsOf(socket);
    handshaking.set(ends, header);
    socket.once('close', () => {
      if (handshaking.get(ends) === header) handshaking.delete(ends);
    });
  }

  return {
    headerOf: (socket) => headers.get(socket),
    closeWaiting() {
      for (const socket of waiting) socket.destroy();
    },
  };
}

function endsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
