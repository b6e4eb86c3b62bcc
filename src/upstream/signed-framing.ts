/**
 * A body in chunks that the gateway signs: integrity where there is no TLS.
 * Source: Amazon S3 API reference, "Signature Calculations for the Authorization Header: Transferring Payload in
 * Multiple Chunks".
 */
import { createHash } from 'node:crypto';
import { EMPTY_SHA256, type ChunkSigner } from '../sigv4/index.ts';

export const SIGNED_CHUNKS = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD';

/** S3 refuses any but the last chunk below 8 KiB. */
const CHUNK_BYTES = 65_536;
const END_OF_CHUNK = Buffer.from('\r\n', 'latin1');
const SIGNATURE_BYTES = ';chunk-signature='.length + 64;

/** Exact length in bytes of `frameSigned`'s output. */
export function signedLength(length: number): number {
  const full = Math.floor(length / CHUNK_BYTES);
  const rest = length % CHUNK_BYTES;
  return full * chunkLength(CHUNK_BYTES) + (rest === 0 ? 0 : chunkLength(rest)) + chunkLength(0);
}

/**
 * Signed aws-chunked framing around `chunks`, which must yield exactly `length` bytes. One chunk of 64 KiB is held, since
 * its signature comes before it; so the last one is signed only after all of the body has come, and with it has verified.
 */
export async function* frameSigned(
  chunks: AsyncIterable<Buffer>,
  length: number,
  signer: ChunkSigner,
): AsyncGenerator<Buffer> {
  let left = length;
  let parts: Buffer[] = [];
  let held = 0;
  for await (let piece of chunks) {
    while (piece.length > 0) {
      const size = Math.min(CHUNK_BYTES, left);
      const part = piece.subarray(0, size - held);
      piece = piece.subarray(part.length);
      parts.push(part);
      held += part.length;
      if (held < size) continue;
      yield signedChunk(parts, size, signer);
      left -= size;
      parts = [];
      held = 0;
    }
  }
  yield Buffer.from(`${header(0, signer.signChunk(EMPTY_SHA256))}\r\n`, 'latin1');
}

function signedChunk(parts: readonly Buffer[], size: number, signer: ChunkSigner): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  const head = header(size, signer.signChunk(hash.digest('hex')));
  return Buffer.concat([Buffer.from(head, 'latin1'), ...parts, END_OF_CHUNK]);
}

function header(size: number, signature: string): string {
  return `${size.toString(16)};chunk-signature=${signature}\r\n`;
}

function chunkLength(size: number): number {
  return size.toString(16).length + SIGNATURE_BYTES + 2 + size + 2;
}
