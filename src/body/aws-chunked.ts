/**
 * The aws-chunked framing, taken off while its chunk and trailer signatures are verified.
 * Sources: "Signature Calculations for the Authorization Header: Transferring Payload in Multiple Chunks", the
 * same with trailing headers, and for the unsigned form PutObject with `STREAMING-UNSIGNED-PAYLOAD-TRAILER`.
 */
import { createHash, type Hash } from 'node:crypto';
import { S3Error, stripWhiteSpace } from '../s3/index.ts';
import { EMPTY_SHA256, sha256Hex, type ChunkVerifier } from '../sigv4/index.ts';
import { CHECKSUM_ALGORITHMS, type ChecksumAlgorithm } from './checksum.ts';
import { tooLarge, wrongLength } from './declaration.ts';

interface FramingOptions {
  /** Bytes the chunks must add up to; undefined when they tell the length themselves. */
  readonly length: number | undefined;
  /** Bytes they may add up to; the same where `length` is known. */
  readonly maxLength: number;
  /** Absent for the unsigned form. */
  readonly signatures: ChunkVerifier | undefined;
  /** Absent for the form without a trailer. */
  readonly trailer: ChecksumAlgorithm | undefined;
}

/** Longest line of the framing, its end included. */
const MAX_LINE_BYTES = 1024;
/** Every signed chunk but the last has at least this many bytes. */
const MIN_CHUNK_BYTES = 8192;
/** A read with more chunks than this is joined: handing on each small one would cost more than the copy. */
const MAX_SLICES = 2;

const UNSIGNED_SIZE_LINE = /^([0-9a-f]{1,16})\r\n$/i;
const SIGNED_SIZE_LINES = {
  64: /^([0-9a-f]{1,16});chunk-signature=([0-9a-f]{64})\r\n$/i,
  144: /^([0-9a-f]{1,16});chunk-signature=([0-9a-f*]{144})\r\n$/i,
};
const TRAILER_SIGNATURE_LINES = {
  64: /^x-amz-trailer-signature:([0-9a-f]{64})\r\n$/i,
  144: /^x-amz-trailer-signature:([0-9a-f*]{144})\r\n$/i,
};

/** What the next byte belongs to. */
type State = 'size' | 'data' | 'data-end' | 'trailer' | 'trailer-end' | 'trailer-signature' | 'end' | 'done';

/** Takes the encoded bytes in order, cut anywhere; holds at most one line of framing. */
export class AwsChunkedDecoder {
  readonly #signatures: ChunkVerifier | undefined;
  readonly #trailer: ChecksumAlgorithm | undefined;
  readonly #maxLength: number;
  readonly #exact: boolean;
  #state: State = 'size';
  #line = '';
  /** Bytes that further chunks must, or may, announce. */
  #unannounced: number;
  /** The current chunk: its number from 1, its size, what is still to come of it, its hash and signature. */
  #chunkNumber = 0;
  #chunkSize = 0;
  #chunkLeft = 0;
  #chunkHash: Hash | undefined;
  #chunkSignature = '';
  #trailerValue: string | undefined;

  constructor(options: FramingOptions) {
    this.#signatures = options.signatures;
    this.#trailer = options.trailer;
    this.#maxLength = options.maxLength;
    this.#exact = options.length !== undefined;
    this.#unannounced = options.maxLength;
  }

  /**
   * The object's bytes in `piece`, as parts of it where they are few. The last chunk among them can be
   * unverified: the caller keeps back the last of what it gets until `finish` has returned.
   * @throws S3Error as soon as the framing, a length or a signature is wrong.
   */
  decode(piece: Buffer): readonly Buffer[] {
    const slices: Buffer[] = [];
    let at = 0;
    while (at < piece.length) {
      if (this.#state === 'data') {
        const data = piece.subarray(at, at + this.#chunkLeft);
        this.#takeData(data);
        slices.push(data);
        at += data.length;
      } else {
        at = this.#takeLine(piece, at);
      }
    }
    return slices.length > MAX_SLICES ? [Buffer.concat(slices)] : slices;
  }

  /**
   * Says that no more bytes come. Returns the trailer's value, undefined for the form without one.
   * @throws S3Error IncompleteBody when the framing has not reached its end.
   */
  finish(): string | undefined {
    if (this.#state !== 'done') throw new S3Error('IncompleteBody');
    return this.#trailerValue;
  }

  #takeData(data: Buffer): void {
    this.#chunkHash?.update(data);
    this.#chunkLeft -= data.length;
    if (this.#chunkLeft > 0) return;
    if (this.#chunkHash !== undefined) this.#verifyChunk(this.#chunkHash.digest('hex'));
    this.#state = 'data-end';
  }

  /** Reads up to the end of a line, or of the piece; returns where it stopped. */
  #takeLine(piece: Buffer, from: number): number {
    if (this.#state === 'done') throw new S3Error('IncompleteBody', { reason: 'bytes after the last chunk' });
    const lineFeed = piece.indexOf(0x0a, from);
    const end = lineFeed === -1 ? piece.length : lineFeed + 1;
    if (this.#line.length + end - from > MAX_LINE_BYTES) throw this.#malformed();
    this.#line += piece.toString('latin1', from, end);
    if (lineFeed !== -1) {
      const line = this.#line;
      this.#line = '';
      this.#endLine(line);
    }
    return end;
  }

  #endLine(line: string): void {
    if (this.#state === 'size') this.#startChunk(line);
    else if (this.#state === 'trailer') this.#takeTrailer(line);
    else if (this.#state === 'trailer-signature') this.#verifyTrailer(line);
    else if (line !== '\r\n') throw this.#malformed();
    else if (this.#state === 'data-end') this.#state = 'size';
    else if (this.#state === 'trailer-end') this.#state = this.#afterTrailer();
    else this.#state = 'done';
  }

  #startChunk(line: string): void {
    const pattern =
      this.#signatures === undefined
        ? UNSIGNED_SIZE_LINE
        : SIGNED_SIZE_LINES[this.#signatures.signatureLength];
    const match = pattern.exec(line);
    if (match === null) throw this.#malformed();
    const size = Number.parseInt(match[1] as string, 16);
    this.#checkLength(size);
    if (this.#signatures !== undefined && size > 0) this.#checkPreviousSize();
    this.#unannounced -= size;
    this.#chunkNumber++;
    this.#chunkSize = size;
    this.#chunkLeft = size;
    this.#chunkSignature = match[2] ?? '';
    if (size > 0) {
      this.#chunkHash = this.#signatures === undefined ? undefined : createHash('sha256');
      this.#state = 'data';
      return;
    }
    if (this.#signatures !== undefined) this.#verifyChunk(EMPTY_SHA256);
    this.#state = this.#trailer === undefined ? 'end' : 'trailer';
  }

  #checkLength(size: number): void {
    if (this.#exact && (size > this.#unannounced || (size === 0 && this.#unannounced > 0)))
      throw wrongLength();
    if (size > this.#unannounced) throw tooLarge(this.#maxLength - this.#unannounced + size, this.#maxLength);
  }

  #checkPreviousSize(): void {
    if (this.#chunkNumber > 0 && this.#chunkSize < MIN_CHUNK_BYTES)
      throw new S3Error('InvalidChunkSizeError', {
        details: { Chunk: String(this.#chunkNumber), BadChunkSize: String(this.#chunkSize) },
      });
  }

  #verifyChunk(sha256: string): void {
    if (this.#signatures?.verifyChunk(sha256, this.#chunkSignature) !== true)
      throw new S3Error('SignatureDoesNotMatch', {
        reason: `signature of chunk ${this.#chunkNumber} is wrong`,
      });
  }

  #takeTrailer(line: string): void {
    // minio-go ends the trailer's line by LF and an empty line by CRLF instead of one CRLF.
    const short = !line.endsWith('\r\n');
    const text = line.slice(0, short ? -1 : -2);
    const colon = text.indexOf(':');
    if (text.slice(0, Math.max(colon, 0)).toLowerCase() !== this.#trailerName()) throw this.#malformed();
    this.#trailerValue = stripWhiteSpace(text.slice(colon + 1));
    this.#state = short ? 'trailer-end' : this.#afterTrailer();
  }

  #afterTrailer(): State {
    return this.#signatures === undefined ? 'end' : 'trailer-signature';
  }

  #verifyTrailer(line: string): void {
    const signature = TRAILER_SIGNATURE_LINES[this.#signatures?.signatureLength ?? 64].exec(line)?.[1];
    if (signature === undefined) throw this.#malformed();
    const sha256 = sha256Hex(`${this.#trailerName()}:${this.#trailerValue}\n`);
    if (this.#signatures?.verifyTrailer(sha256, signature) !== true)
      throw new S3Error('SignatureDoesNotMatch', { reason: 'signature of the trailer is wrong' });
    this.#state = 'end';
  }

  #trailerName(): string | undefined {
    return this.#trailer === undefined ? undefined : CHECKSUM_ALGORITHMS[this.#trailer].header;
  }

  /** The chunks' framing is broken, or what follows the last chunk is not what was announced. */
  #malformed(): S3Error {
    return new S3Error(
      this.#state === 'size' || this.#state === 'data-end' ? 'IncompleteBody' : 'MalformedTrailerError',
    );
  }
}
