/** Where the file of a form ends. Sources: RFC 2046, section 5.1.1; S3 API reference, "POST Object". */
import { formDelimiter, formTooLarge, malformedForm, MAX_FORM_BYTES } from './post-form.ts';

type State =
  | 'file'
  /** Two bytes tell whether the form ends or goes on. */
  | 'after-delimiter'
  /** S3 ignores every field behind the file. */
  | 'ignored-part'
  | 'epilogue';

/**
 * Divides what comes behind the head of a form into the file and the rest, in pieces of any size. Memory: less than the
 * length of a delimiter.
 * INVARIANT: a byte comes out only once it cannot be the beginning of the delimiter any more.
 */
export class FormFileParser {
  readonly #delimiter: Buffer;
  #state: State = 'file';
  /** Bytes that may turn out to be the beginning of what is looked for. */
  #held: Buffer = EMPTY;
  /** Bytes behind the file. */
  #behind = 0;
  #epilogue = '';

  constructor(boundary: string) {
    this.#delimiter = formDelimiter(boundary);
  }

  /**
   * The file's bytes among these, maybe none.
   * @throws S3Error `MalformedPOSTRequest`, `MaxPostPreDataLengthExceeded` when too much follows the file.
   */
  push(chunk: Buffer): Buffer {
    let data = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    this.#held = EMPTY;
    let file = EMPTY;
    if (this.#state === 'file') {
      const end = data.indexOf(this.#delimiter);
      if (end === -1) {
        const safe = data.length - this.#delimiterAtEnd(data);
        this.#held = data.subarray(safe);
        return data.subarray(0, safe);
      }
      file = data.subarray(0, end);
      data = data.subarray(end + this.#delimiter.length);
      this.#state = 'after-delimiter';
      this.#count(data.length);
    } else {
      this.#count(chunk.length);
    }
    this.#skip(data);
    return file;
  }

  /** @throws S3Error `MalformedPOSTRequest` when the form does not end where the body does. */
  finish(): void {
    if (this.#state !== 'epilogue' || (this.#epilogue !== '' && this.#epilogue !== '\r\n'))
      throw malformedForm('the form does not end with its boundary');
  }

  #count(bytes: number): void {
    this.#behind += bytes;
    if (this.#behind > MAX_FORM_BYTES) throw formTooLarge();
  }

  #skip(rest: Buffer): void {
    let data = rest;
    for (;;)
      switch (this.#state) {
        case 'after-delimiter': {
          if (data.length < 2) {
            this.#held = data;
            return;
          }
          const end = data.toString('latin1', 0, 2);
          // A longer line is a boundary for some parsers and none for others.
          if (end !== '--' && end !== '\r\n') throw malformedForm('something stands behind a boundary');
          this.#state = end === '--' ? 'epilogue' : 'ignored-part';
          data = data.subarray(2);
          break;
        }
        case 'ignored-part': {
          const end = data.indexOf(this.#delimiter);
          if (end === -1) {
            this.#held = data.subarray(data.length - this.#delimiterAtEnd(data));
            return;
          }
          data = data.subarray(end + this.#delimiter.length);
          this.#state = 'after-delimiter';
          break;
        }
        case 'epilogue':
          // What comes behind the final line break is ignored (RFC 2046).
          if (this.#epilogue.length < 2)
            this.#epilogue += data.toString('latin1', 0, 2 - this.#epilogue.length);
          return;
        case 'file':
          throw new Error('the file has not ended yet');
      }
  }

  /** How many of the last bytes are the beginning of a delimiter. Its only carriage return is its first byte. */
  #delimiterAtEnd(data: Buffer): number {
    const from = data.lastIndexOf(CR);
    const length = data.length - from;
    if (from === -1 || length >= this.#delimiter.length) return 0;
    return data.subarray(from).equals(this.#delimiter.subarray(0, length)) ? length : 0;
  }
}

const CR = 0x0d;
const EMPTY: Buffer = Buffer.alloc(0);
