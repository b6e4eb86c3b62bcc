/** A client's body, verified while it streams. */
import { CHECKSUM_ALGORITHMS, type ChecksumAlgorithm } from './checksum.ts';
import type { BodyDeclaration } from './declaration.ts';
import { VerifyingReader } from './verifying-reader.ts';

export interface VerifiedBody {
  /** Bytes of the object: the Content-Length of the upstream request. */
  readonly length: number;
  /**
   * The object's bytes, to be iterated once.
   * INVARIANT: the last bytes come out only after hash, chunk signatures, trailer, checksum, Content-MD5 and
   * lengths have all verified; otherwise iteration throws an `S3Error` with bytes outstanding, and the caller
   * destroys the upstream connection.
   */
  readonly chunks: AsyncIterable<Buffer>;
  /** Whether everything has verified: true before the last bytes come out. */
  readonly verified: boolean;
  /** The verified checksum of the forms with a trailer, so that it can be sent on. */
  readonly trailer: VerifiedTrailer | undefined;
}

interface VerifiedTrailer {
  /** `x-amz-checksum-crc32` */
  readonly name: string;
  /** Characters of the value in base64, known from the start. */
  readonly valueLength: number;
  /** In base64. To be called after the last of `chunks`; throws before it. */
  value(): string;
}

/**
 * Starts reading. Resolves when the first bytes may go out: a body that fits into one read, and so every empty
 * one, is completely verified by then, and the caller sends no upstream header before. A client that waits for
 * `100 Continue` must get it first.
 *
 * `source` is read through its iterator and never closed, whatever happens: the refusal has to be answered on the
 * same connection. Memory: two reads of the source, and 1 KiB of framing.
 * @throws S3Error as the iteration of `chunks` does: IncompleteBody, XAmzContentSHA256Mismatch,
 * SignatureDoesNotMatch, InvalidChunkSizeError, MalformedTrailerError, BadDigest, InvalidRequest. A source that
 * fails counts as cut short, unless it fails with an `S3Error`, which passes.
 */
export async function openBody(
  declaration: BodyDeclaration,
  source: AsyncIterable<Buffer>,
): Promise<VerifiedBody> {
  const reader = new VerifyingReader(declaration, source);
  const first = await reader.read();
  return {
    length: declaration.length,
    chunks: chunksOf(first, reader),
    get verified() {
      return reader.verified;
    },
    trailer: declaration.trailer && trailerOf(declaration.trailer, reader),
  };
}

/**
 * Reads a whole body and verifies it; the declaration's `maxLength` is what bounds it, and memory grows with what
 * comes, not with what is declared.
 * @throws S3Error as `openBody`.
 */
export async function readBuffered(
  declaration: BodyDeclaration,
  source: AsyncIterable<Buffer>,
): Promise<Buffer> {
  const reader = new VerifyingReader(declaration, source);
  let buffer = Buffer.alloc(0);
  let length = 0;
  for (let chunk = await reader.read(); chunk !== undefined; chunk = await reader.read()) {
    if (length + chunk.length > buffer.length) {
      const larger = Buffer.allocUnsafe(
        Math.min(declaration.length, Math.max(2 * buffer.length, length + chunk.length)),
      );
      buffer.copy(larger, 0, 0, length);
      buffer = larger;
    }
    length += chunk.copy(buffer, length);
  }
  return buffer.subarray(0, length);
}

async function* chunksOf(
  first: Buffer | undefined,
  reader: VerifyingReader,
): AsyncGenerator<Buffer, void, undefined> {
  for (let chunk = first; chunk !== undefined; chunk = await reader.read()) yield chunk;
}

/** The trailer of what `reader` reads. */
export function trailerOf(algorithm: ChecksumAlgorithm, reader: VerifyingReader): VerifiedTrailer {
  const { header, size } = CHECKSUM_ALGORITHMS[algorithm];
  return {
    name: header,
    valueLength: Math.ceil(size / 3) * 4,
    value() {
      if (reader.verifiedTrailer === undefined) throw new Error('the trailer has not been verified yet');
      return reader.verifiedTrailer;
    },
  };
}
