/** Takes aws-chunked framing off a body. */
import {
  openBody,
  parseBodyDeclaration,
  type ChecksumAlgorithm,
  type PayloadDeclaration,
} from '../body/index.ts';
import type { WireHeaders } from '../s3/index.ts';

interface FramedBody {
  /** Bytes of the object. */
  readonly length: number;
  /** Of the checksum in the trailer, if it has one. */
  readonly algorithm: ChecksumAlgorithm | undefined;
  /** The object's bytes; rejects with an `S3Error` when length, signatures or trailer are wrong. */
  readonly content: () => AsyncIterable<Buffer>;
}

/** @throws S3Error for what `headers` say wrong about the framing; see `parseBodyDeclaration`. */
export function framedBody(
  headers: WireHeaders,
  framing: PayloadDeclaration,
  source: () => AsyncIterable<Buffer>,
): FramedBody {
  const rules = { mode: 'stream', maxLength: Number.MAX_SAFE_INTEGER } as const;
  const declaration = parseBodyDeclaration(headers, framing, rules);
  const { length, trailer } = declaration;
  return {
    length,
    algorithm: trailer,
    async *content() {
      yield* (await openBody(declaration, source())).chunks;
    },
  };
}
