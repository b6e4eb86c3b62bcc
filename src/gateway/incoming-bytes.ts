/** The bytes of a request's body as they come: asked for when the client waits for that, and counted. */
import type { ServerResponse } from 'node:http';
import type { Received } from './stages.ts';

/** S3's own limit for one upload, in bytes: 5 GiB. */
export const MAX_UPLOAD_BYTES = 5 * 1024 ** 3;

export interface IncomingBytes {
  /** To be read once, by one reader after the other. Rejects when the client goes away, or its framing breaks. */
  readonly chunks: AsyncIterator<Buffer, void, undefined>;
  /** Ends the reading, wherever it is; the rest of the body stays unread. */
  release(): Promise<void>;
  /** Bytes that came so far, framing included. */
  readonly received: number;
  /** Epoch milliseconds of the last byte; undefined while it has not come. */
  readonly endedAt: number | undefined;
}

export function incomingBytes(
  { incoming, framing, expectsContinue }: Received,
  response: ServerResponse,
  { now }: { readonly now: () => number },
): IncomingBytes {
  let received = 0;
  let endedAt: number | undefined;
  // Not destroyed when reading stops early: the refusal still has to be written to this connection.
  const source = incoming.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer, undefined>;
  const read = async function* (): AsyncGenerator<Buffer, void, undefined> {
    // RFC 9110, section 10.1.1: only now does the client know that its request is welcome.
    if (expectsContinue) response.writeContinue();
    for (;;) {
      const next = await framing.guard(source.next());
      if (next.done === true) break;
      received += next.value.length;
      yield next.value;
    }
    endedAt = now();
  };
  return {
    chunks: read(),
    async release() {
      await source.return?.();
    },
    get received() {
      return received;
    },
    get endedAt() {
      return endedAt;
    },
  };
}
