/** The first value of a request: what the connection and the request line say. */
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import type { BodyFraming } from './body-framing.ts';
import type { ClientOrigin } from './client-origin.ts';
import type { Received, TlsSession } from './stages.ts';

/** What the server knows of a request besides what it says itself. */
export interface Reception {
  readonly expectsContinue: boolean;
  readonly framing: BodyFraming;
  readonly origin: ClientOrigin;
}

export function receive(
  incoming: IncomingMessage,
  { expectsContinue, framing, origin }: Reception,
  { newRequestId, now }: { readonly newRequestId: () => string; readonly now: () => number },
): Received {
  const { socket } = incoming;
  return {
    requestId: newRequestId(),
    receivedAt: now(),
    method: incoming.method ?? '',
    target: incoming.url ?? '',
    remoteAddress: origin.remoteAddress,
    peerAddress: origin.peerAddress,
    secure: origin.secure,
    originProblem: origin.problem,
    tls: socket instanceof TLSSocket ? sessionOf(socket) : undefined,
    incoming,
    framing,
    expectsContinue,
  };
}

function sessionOf(socket: TLSSocket): TlsSession {
  return { protocol: socket.getProtocol() ?? '', cipher: socket.getCipher().name };
}
