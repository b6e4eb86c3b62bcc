/** Reads a client's body to its end, verifying it, and keeps back the last of it until everything verified. */
import { S3Error } from '../s3/index.ts';
import { AwsChunkedDecoder } from './aws-chunked.ts';
import {
  isFramed,
  tooLarge,
  wrongLength,
  type BodyDeclaration,
  type UnsizedBodyDeclaration,
} from './declaration.ts';
import { createBodyDigests } from './digests.ts';

export class VerifyingReader {
  /** Set once everything has verified, if there is a trailer. */
  verifiedTrailer: string | undefined;
  /** Undefined when only the end of the body tells. */
  readonly #length: number | undefined;
  readonly #maxLength: number;
  readonly #source: AsyncIterator<Buffer>;
  readonly #decoder: AwsChunkedDecoder | undefined;
  readonly #digests: ReturnType<typeof createBodyDigests>;
  #received = 0;
  /** INVARIANT: not empty bytes, the last that came; released by later ones, or when everything has verified. */
  #held: Buffer | undefined;
  #released: Buffer[] = [];
  #ended = false;

  constructor(declaration: BodyDeclaration | UnsizedBodyDeclaration, source: AsyncIterable<Buffer>) {
    const { payload, length, trailer } = declaration;
    this.#length = length;
    this.#maxLength = declaration.length ?? declaration.maxLength;
    this.#source = source[Symbol.asyncIterator]();
    this.#digests = createBodyDigests(declaration);
    if (isFramed(payload)) {
      const signatures = payload.kind === 'chunked-signed' ? payload.chunks : undefined;
      this.#decoder = new AwsChunkedDecoder({ length, maxLength: this.#maxLength, signatures, trailer });
    }
  }

  get verified(): boolean {
    return this.#ended;
  }

  /** Resolves to undefined after the last bytes. Not to be called again after it rejected. */
  async read(): Promise<Buffer | undefined> {
    while (this.#released.length === 0 && !this.#ended) {
      const piece = await this.#next();
      if (piece === undefined) this.#end();
      else if (this.#decoder === undefined) this.#take(piece);
      else for (const data of this.#decoder.decode(piece)) this.#take(data);
    }
    return this.#released.shift();
  }

  #take(data: Buffer): void {
    if (data.length === 0) return;
    this.#received += data.length;
    if (this.#received > this.#maxLength)
      throw this.#length === undefined ? tooLarge(this.#received, this.#maxLength) : wrongLength();
    this.#digests.update(data);
    if (this.#held !== undefined) this.#released.push(this.#held);
    this.#held = data;
  }

  #end(): void {
    const trailerValue = this.#decoder?.finish();
    if (this.#length !== undefined && this.#received !== this.#length) throw wrongLength();
    this.#digests.verify(trailerValue);
    this.verifiedTrailer = trailerValue;
    this.#ended = true;
    if (this.#held !== undefined) this.#released.push(this.#held);
  }

  async #next(): Promise<Buffer | undefined> {
    try {
      const result = await this.#source.next();
      return result.done === true ? undefined : result.value;
    } catch (error) {
      if (error instanceof S3Error) throw error;
      throw this.#decoder === undefined && this.#length !== undefined
        ? wrongLength(error)
        : new S3Error('IncompleteBody', { cause: error });
    }
  }
}
