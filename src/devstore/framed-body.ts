/** Takes the framing of `STREAMING-UNSIGNED-PAYLOAD-TRAILER` off a body. */
import { openBody, parseBodyDeclaration, type ChecksumAlgorithm } from '../body/index.ts';
import { S3Error, type WireHeaders } from '../s3/index.ts';

interface FramedBody {
  /** Bytes of the object. */
  readonly length: number;
  /** Of the checksum in the trailer. */
  readonly algorithm: ChecksumAlgorithm;
  /** The object's bytes; rejects with an `S3Error` when length or trailer are wrong. */
  readonly content: () => AsyncIterable<Buffer>;
}

/** @throws S3Error for what `headers` say wrong about the framing; see `parseBodyDeclaration`. */
export function framedBody(headers: WireHeaders, source: () => AsyncIterable<Buffer>): FramedBody {
  const rules = { mode: 'stream', maxLength: Number.MAX_SAFE_INTEGER } as const;
  const declaration = parseBodyDeclaration(headers, { kind: 'chunked-unsigned' }, rules);
  const { length, trailer } = declaration;
  if (trailer === undefined) throw new S3Error('MalformedTrailerError');
  return {
    length,
    algorithm: trailer,
    async *content() {
      yield* (await openBody(declaration, source())).chunks;
    },
  };
}
