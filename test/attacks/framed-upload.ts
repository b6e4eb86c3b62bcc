/**
 * Uploads in aws-chunked framing, as pieces that a test can change after they were signed. Source: S3 API reference,
 * "Transferring Payload in Multiple Chunks (Chunked Upload)", with and without trailing headers.
 */
import { sdkChecksum, type SdkChecksum } from '../support/sdk-checksums.ts';
import type { Header, SignedRequest } from '../support/raw-signer.ts';
import { BUCKET, type Arena } from './arena.ts';

export const SIGNED = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD';
export const SIGNED_TRAILER = `${SIGNED}-TRAILER`;
export const UNSIGNED_TRAILER = 'STREAMING-UNSIGNED-PAYLOAD-TRAILER';
export type Form = typeof SIGNED | typeof SIGNED_TRAILER | typeof UNSIGNED_TRAILER;
export const FORMS: readonly Form[] = [SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER];

/** One line or piece of data of the framing, by what it is. */
export interface Piece {
  readonly kind: 'size' | 'data' | 'end' | 'trailer' | 'trailer-signature' | 'last';
  readonly text: Buffer | string;
}

export interface Upload {
  readonly form: Form;
  readonly key: string;
  readonly chunks: readonly Buffer[];
  readonly headers?: readonly Header[];
  /** Null leaves the header out. */
  readonly decodedLength?: number | string | null;
  /** Of the trailer; CRC32 without. */
  readonly algorithm?: SdkChecksum;
  readonly trailerValue?: string;
  readonly trailerName?: string;
  /** In chunks of HTTP instead of a Content-Length. */
  readonly httpChunks?: true;
  /** Changes the pieces after they were signed. */
  readonly change?: (pieces: readonly Piece[]) => readonly Piece[];
}

/** A PUT of an object, or of a part when `key` has the query of one. */
export async function framedUpload(arena: Arena, options: Upload): Promise<SignedRequest> {
  const { form, key, chunks, headers = [], algorithm = 'CRC32', httpChunks } = options;
  const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  const decodedLength = options.decodedLength === undefined ? length : options.decodedLength;
  const request = arena.sign({
    method: 'PUT',
    target: `/${BUCKET}/${key}`,
    payloadHash: form,
    headers: [
      ['content-encoding', 'aws-chunked'],
      ...(decodedLength === null ? [] : ([['x-amz-decoded-content-length', String(decodedLength)]] as const)),
      ...(form === SIGNED ? [] : ([['x-amz-trailer', checksumHeader(algorithm)]] as const)),
      ...headers,
    ],
  });
  const pieces = await frame(request, options);
  const framed = Buffer.concat((options.change?.(pieces) ?? pieces).map(({ text }) => Buffer.from(text)));
  const body = httpChunks === undefined ? framed : inHttpChunks(framed);
  return {
    ...request,
    headers: [
      ...request.headers.filter(([name]) => name !== 'Content-Length'),
      httpChunks === undefined ? ['Content-Length', String(body.length)] : ['Transfer-Encoding', 'chunked'],
    ],
    body,
  };
}

/** One chunk of HTTP, and the last. */
export function inHttpChunks(data: Buffer): Buffer {
  const size = Buffer.from(`${data.length.toString(16)}\r\n`);
  const chunk = data.length === 0 ? [] : [size, data, Buffer.from('\r\n')];
  return Buffer.concat([...chunk, Buffer.from('0\r\n\r\n')]);
}

/** The pieces of a body, signed as chunks of `request`. */
export async function frame(
  request: SignedRequest,
  options: Pick<Upload, 'form' | 'chunks' | 'algorithm' | 'trailerValue' | 'trailerName'>,
): Promise<readonly Piece[]> {
  const { form, chunks, algorithm = 'CRC32', trailerName = checksumHeader(algorithm) } = options;
  const size = (chunk: Buffer): Piece => ({
    kind: 'size',
    text:
      form === UNSIGNED_TRAILER
        ? `${chunk.length.toString(16)}\r\n`
        : `${chunk.length.toString(16)};chunk-signature=${request.chain.chunk(chunk)}\r\n`,
  });
  const pieces: Piece[] = [];
  for (const chunk of chunks)
    pieces.push(size(chunk), { kind: 'data', text: chunk }, { kind: 'end', text: '\r\n' });
  pieces.push(size(Buffer.alloc(0)));
  if (form !== SIGNED) {
    const value = options.trailerValue ?? (await sdkChecksum(algorithm, Buffer.concat(chunks)));
    pieces.push({ kind: 'trailer', text: `${trailerName}:${value}\r\n` });
    if (form === SIGNED_TRAILER)
      pieces.push({
        kind: 'trailer-signature',
        text: `x-amz-trailer-signature:${request.chain.trailer(`${trailerName}:${value}\n`)}\r\n`,
      });
  }
  return [...pieces, { kind: 'last', text: '\r\n' }];
}

/** Changes the nth piece of a kind, from 0; a negative n counts from the end. Undefined leaves it out. */
export function nth(kind: Piece['kind'], n: number, change: (text: string) => string | undefined) {
  return (pieces: readonly Piece[]): readonly Piece[] => {
    const target = pieces.filter((piece) => piece.kind === kind).at(n);
    return pieces.flatMap((piece) => {
      if (piece !== target) return [piece];
      const text = change(piece.text.toString('latin1'));
      return text === undefined ? [] : [{ kind, text: Buffer.from(text, 'latin1') }];
    });
  };
}

/** The line with another signature of the same length. */
export function otherSignature(line: string): string {
  return line.replace(
    /(?<==|:)[0-9a-f]{64}/,
    (signature) => (signature.startsWith('0') ? '1' : '0') + signature.slice(1),
  );
}

/** `x-amz-checksum-crc32` */
export function checksumHeader(algorithm: SdkChecksum): string {
  return `x-amz-checksum-${algorithm.toLowerCase()}`;
}
