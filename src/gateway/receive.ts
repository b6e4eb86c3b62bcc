/** The first value of a request: what the connection and the request line say. */
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import type { BodyFraming } from './body-framing.ts';
import type { Received, TlsSession } from './stages.ts';

export function receive(
  incoming: IncomingMessage,
  { expectsContinue, framing }: { readonly expectsContinue: boolean; readonly framing: BodyFraming },
  { newRequestId, now }: { readonly newRequestId: () => string; readonly now: () => number },
): Received {
  const { socket } = incoming;
  return {
    requestId: newRequestId(),
    receivedAt: now(),
    method: incoming.method ?? '',
    target: incoming.url ?? '',
    remoteAddress: addressOf(socket.remoteAddress),
    tls: socket instanceof TLSSocket ? sessionOf(socket) : undefined,
    incoming,
    framing,
    expectsContinue,
  };
}

/** An IPv4 client of a socket that listens on IPv6 is written as IPv4. */
function addressOf(address: string | undefined): string {
  return address?.startsWith('::ffff:') ? address.slice('::ffff:'.length) : (address ?? '');
}

function sessionOf(socket: TLSSocket): TlsSession {
  return { protocol: socket.getProtocol() ?? '', cipher: socket.getCipher().name };
}
