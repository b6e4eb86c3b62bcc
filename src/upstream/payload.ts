/** What an upload or document is on the wire: its bytes, length, hash and the headers that speak of them. */
import { sha256Hex, UNSIGNED_PAYLOAD, EMPTY_SHA256, type ChunkSigner } from '../sigv4/index.ts';
import { frame, framedLength, type TrailingChecksum } from './framing.ts';
import { frameSigned, SIGNED_CHUNKS, signedLength } from './signed-framing.ts';

export type UpstreamPayload =
  | { readonly kind: 'none' }
  /** Small and complete. */
  | { readonly kind: 'buffer'; readonly data: Buffer }
  /** `sha256` when the client declared one: the upstream checks it again. Unsigned otherwise. */
  | (Streamed & { readonly kind: 'stream'; readonly sha256: string | undefined })
  /** Each chunk signed anew. */
  | (Streamed & { readonly kind: 'signed-chunks' })
  /** Framed with a trailing checksum. */
  | (Streamed & {
      readonly kind: 'framed';
      readonly trailer: TrailingChecksum & { readonly valueLength: number };
    });

interface Streamed {
  /** Exactly `length` bytes, or it throws. */
  readonly chunks: AsyncIterable<Buffer>;
  readonly length: number;
}

export interface WirePayload {
  /** @param chunks for signed chunks, of the request's signature. */
  readonly body: (chunks: ChunkSigner | undefined) => AsyncIterable<Buffer> | Buffer | undefined;
  readonly contentLength: number | undefined;
  /** Of `x-amz-content-sha256`. */
  readonly hash: string;
  readonly headers: readonly (readonly [string, string])[];
  /** Added behind the object's own Content-Encoding, as the SDKs write it. */
  readonly framed: boolean;
  /** It comes as fast as a client sends it. */
  readonly streams: boolean;
  /** Whether a stream's bytes were asked for: it cannot be sent again then. */
  readonly touched: () => boolean;
}

const EMPTY = Buffer.alloc(0);

export function wirePayload(payload: UpstreamPayload): WirePayload {
  if (payload.kind === 'none') return NO_BODY;
  if (payload.kind === 'buffer') {
    const { data } = payload;
    return { ...UNTOUCHED, body: () => data, contentLength: data.length, hash: sha256Hex(data) };
  }
  const { length } = payload;
  if (length === 0 && payload.kind !== 'framed')
    return { ...UNTOUCHED, body: () => EMPTY, contentLength: 0, hash: EMPTY_SHA256 };
  const { chunks, touched } = watched(payload.chunks);
  const decodedLength = ['x-amz-decoded-content-length', String(length)] as const;
  switch (payload.kind) {
    case 'stream':
      return {
        body: () => chunks,
        contentLength: length,
        hash: payload.sha256 ?? UNSIGNED_PAYLOAD,
        headers: [],
        framed: false,
        streams: true,
        touched,
      };
    case 'signed-chunks':
      return {
        body: (signer) => frameSigned(chunks, length, signer as ChunkSigner),
        contentLength: signedLength(length),
        hash: SIGNED_CHUNKS,
        headers: [decodedLength],
        framed: true,
        streams: true,
        touched,
      };
    case 'framed': {
      const { trailer } = payload;
      return {
        body: () => frame(chunks, length, trailer),
        contentLength: framedLength(length, trailer.name, trailer.valueLength),
        hash: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
        headers: [decodedLength, ['x-amz-trailer', trailer.name]],
        framed: true,
        streams: true,
        touched,
      };
    }
  }
}

const UNTOUCHED = { headers: [], framed: false, streams: false, touched: () => false } as const;
const NO_BODY: WirePayload = {
  ...UNTOUCHED,
  body: () => undefined,
  contentLength: undefined,
  hash: EMPTY_SHA256,
};

function watched(source: AsyncIterable<Buffer>): {
  readonly chunks: AsyncIterable<Buffer>;
  readonly touched: () => boolean;
} {
  let touched = false;
  return {
    chunks: {
      [Symbol.asyncIterator]() {
        touched = true;
        return source[Symbol.asyncIterator]();
      },
    },
    touched: () => touched,
  };
}
