/** Puts a verified body back into aws-chunked framing, so that an upstream stores the client's trailing checksum. */

const FRAME_BYTES = 65_536;

export interface TrailingChecksum {
  /** `x-amz-checksum-crc32` and the like. */
  readonly name: string;
  /** base64; known only once the body has been read to its end. */
  readonly value: () => string;
}

/** Exact length in bytes of `frame`'s output. @param valueLength of the trailer's base64 value. */
export function framedLength(length: number, trailerName: string, valueLength: number): number {
  const full = Math.floor(length / FRAME_BYTES);
  const rest = length % FRAME_BYTES;
  return (
    full * frameLength(FRAME_BYTES) +
    (rest === 0 ? 0 : frameLength(rest)) +
    3 +
    trailerName.length +
    1 +
    valueLength +
    4
  );
}

/**
 * Unsigned aws-chunked framing (`STREAMING-UNSIGNED-PAYLOAD-TRAILER`) around `chunks`, which must yield exactly
 * `length` bytes. Nothing is buffered: each frame's size is known from what is left.
 */
export async function* frame(
  chunks: AsyncIterable<Buffer>,
  length: number,
  trailer: TrailingChecksum,
): AsyncGenerator<Buffer> {
  let left = length;
  let leftInFrame = 0;
  for await (let chunk of chunks) {
    while (chunk.length > 0) {
      if (leftInFrame === 0) {
        leftInFrame = Math.min(FRAME_BYTES, left);
        yield Buffer.from(`${leftInFrame.toString(16)}\r\n`, 'latin1');
      }
      const piece = chunk.subarray(0, leftInFrame);
      chunk = chunk.subarray(piece.length);
      leftInFrame -= piece.length;
      left -= piece.length;
      yield piece;
      if (leftInFrame === 0) yield Buffer.from('\r\n', 'latin1');
    }
  }
  yield Buffer.from(`0\r\n${trailer.name}:${trailer.value()}\r\n\r\n`, 'latin1');
}

function frameLength(size: number): number {
  return size.toString(16).length + 2 + size + 2;
}
