/** The client's bytes: asked for when it waits for that, counted, and verified before anyone else sees them. */
import type { ServerResponse } from 'node:http';
import { openBody, readBuffered, type Spool, type SpooledBody, type VerifiedBody } from '../body/index.ts';
import type { Authenticated } from './stages.ts';

/** Opened at most once, after every check that needs no body. */
export interface IncomingBody {
  /**
   * Resolves when the first bytes may go out; see `openBody`. A body of unknown length is on disk by then, whole and
   * verified; see `Spool`. Throws S3Error like them.
   * @param options.maxLength most bytes that one of unknown length may have here.
   */
  open(options: { readonly maxLength: number | undefined }): Promise<VerifiedBody>;
  /** The whole small body, verified. Throws S3Error like `readBuffered`. */
  read(): Promise<Buffer>;
  /** Ends the reading, wherever it is; the rest of the body stays unread, and nothing of it on disk. */
  release(): Promise<void>;
  /** Bytes that came so far, framing included. */
  readonly received: number;
  /** Epoch milliseconds of its last byte; undefined while it has not come. */
  readonly endedAt: number | undefined;
  /** Bytes of the object, once a body of unknown length has been read to its end. */
  readonly spooledLength: number | undefined;
}

export function incomingBody(
  request: Authenticated,
  response: ServerResponse,
  { now, spool }: { readonly now: () => number; readonly spool: Spool | undefined },
): IncomingBody {
  const declaration = request.body;
  if (declaration === undefined) throw new Error('the operation takes no body');
  let received = 0;
  let endedAt: number | undefined;
  let spooled: SpooledBody | undefined;
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
    async open({ maxLength = Number.POSITIVE_INFINITY }) {
      if (declaration.length !== undefined) return openBody(declaration, source());
      if (spool === undefined) throw new Error('there is no spool, and the length is unknown');
      const limited = { ...declaration, maxLength: Math.min(maxLength, declaration.maxLength) };
      spooled = await spool.hold(limited, source());
      return spooled;
    },
    read() {
      if (declaration.length === undefined) throw new Error('a small body has a length');
      return readBuffered(declaration, source());
    },
    async release() {
      await chunks.return?.();
      await spooled?.release();
    },
    get received() {
      return received;
    },
    get endedAt() {
      return endedAt;
    },
    get spooledLength() {
      return spooled?.length;
    },
  };
}
