/** The client's bytes: asked for when it waits for that, counted, and verified before anyone else sees them. */
import type { ServerResponse } from 'node:http';
import { openBody, readBuffered, type VerifiedBody } from '../body/index.ts';
import type { Authenticated } from './stages.ts';

/** Opened at most once, after every check that needs no body. */
export interface IncomingBody {
  /** Resolves when the first bytes may go out; see `openBody`. Throws S3Error like it. */
  open(): Promise<VerifiedBody>;
  /** The whole small body, verified. Throws S3Error like `readBuffered`. */
  read(): Promise<Buffer>;
  /** Ends the reading, wherever it is; the rest of the body stays unread. */
  release(): Promise<void>;
  /** Bytes that came so far, framing included. */
  readonly received: number;
  /** Epoch milliseconds of its last byte; undefined while it has not come. */
  readonly endedAt: number | undefined;
}

export function incomingBody(
  request: Authenticated,
  response: ServerResponse,
  { now }: { readonly now: () => number },
): IncomingBody {
  const declaration = request.body;
  if (declaration === undefined) throw new Error('the operation takes no body');
  let received = 0;
  let endedAt: number | undefined;
  const { incoming, framing } = request;
  // Not destroyed when reading stops early: the refusal still has to be written to this connection.
  const chunks = incoming.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer, undefined>;
  const source = async function* (): AsyncGenerator<Buffer> {
    // RFC 9110, section 10.1.1: only now does the client know that its request is welcome.
    if (request.expectsContinue) response.writeContinue();
    for (;;) {
      const next = await framing.guard(chunks.next());
      if (next.done === true) break;
      received += next.value.length;
      yield next.value;
    }
    endedAt = now();
  };
  return {
    open: () => openBody(declaration, source()),
    read: () => readBuffered(declaration, source()),
    async release() {
      await chunks.return?.();
    },
    get received() {
      return received;
    },
    get endedAt() {
      return endedAt;
    },
  };
}
