/**
 * The part of a browser form that comes before the file's bytes.
 * Sources: RFC 7578; RFC 2046, section 5.1.1; S3 API reference, "POST Object". Why no library: docs/decisions/0010.
 */
import { S3Error } from './error.ts';
import { parsePartHeaders } from './post-part-headers.ts';

/** S3's limit for everything that is not the file: 20 KB. */
export const MAX_FORM_BYTES = 20_480;

/** A field as it was sent. */
export interface FormField {
  readonly name: string;
  readonly value: Buffer;
}

export interface FormHead {
  /** In the order of the form. */
  readonly fields: readonly FormField[];
  /** Of the part named `file`; undefined when that part has no such parameter. */
  readonly filename: string | undefined;
  /** Bytes of the body before the first one of the file. */
  readonly length: number;
  /** What came along of the file, and maybe of what follows it. */
  readonly rest: Buffer;
}

/**
 * The delimiter of a form, out of the request's Content-Type.
 * @throws S3Error `PreconditionFailed` for another media type, `MalformedPOSTRequest` without a usable boundary.
 */
export function parseFormBoundary(contentType: string | undefined): string {
  const [type] = (contentType ?? '').split(';', 1);
  if (type?.trim().toLowerCase() !== 'multipart/form-data')
    throw new S3Error('PreconditionFailed', {
      details: { Condition: 'Bucket POST must be of the enclosure-type multipart/form-data' },
    });
  const found = [...(contentType ?? '').matchAll(BOUNDARY)];
  const boundary = found[0]?.[1] ?? found[0]?.[2];
  if (found.length !== 1 || boundary === undefined || !USABLE.test(boundary))
    throw malformedForm('no boundary in Content-Type, or none that RFC 2046 allows');
  return boundary;
}

const BOUNDARY = /;\s*boundary=(?:"([^"]*)"|([^\s;"]*))(?=\s*(?:;|$))/gi;
const USABLE = /^[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]$/;

/** What stands between two parts, and in front of the dashes that end the form. */
export function formDelimiter(boundary: string): Buffer {
  return Buffer.from(`\r\n--${boundary}`, 'latin1');
}

/** A form that cannot be read in exactly one way. */
export function malformedForm(reason: string): S3Error {
  return new S3Error('MalformedPOSTRequest', { reason });
}

/** More beside the file than S3 takes. */
export function formTooLarge(): S3Error {
  return new S3Error('MaxPostPreDataLengthExceeded', {
    details: { MaxPostPreDataLengthBytes: String(MAX_FORM_BYTES) },
  });
}

type State =
  /** Before the first delimiter, which needs no line break in front of it. */
  'start' | 'after-delimiter' | 'headers' | 'value';

/** Reads the body up to the file, in pieces of any size; keeps 20 KB at most, and reads each byte once. */
export class FormHeadParser {
  readonly #delimiter: Buffer;
  readonly #fields: FormField[] = [];
  #buffer = Buffer.allocUnsafe(4096);
  #length = 0;
  /** Where the state's own bytes begin. */
  #at = 0;
  /** Up to here what the state waits for has been looked for. */
  #searched = 0;
  #state: State = 'start';
  #field = '';

  constructor(boundary: string) {
    this.#delimiter = formDelimiter(boundary);
  }

  /**
   * Undefined while the file has not begun.
   * @throws S3Error `MalformedPOSTRequest`, `MaxPostPreDataLengthExceeded`, and `InvalidArgument` for a form without file.
   */
  push(chunk: Buffer): FormHead | undefined {
    const before = this.#length;
    this.#append(chunk.subarray(0, MAX_FORM_BYTES - before));
    const filename = this.#advance();
    if (filename !== undefined)
      return {
        fields: this.#fields,
        filename: filename.value,
        length: this.#at,
        rest: chunk.subarray(this.#at - before),
      };
    if (before + chunk.length > MAX_FORM_BYTES) throw formTooLarge();
    return undefined;
  }

  #append(data: Buffer): void {
    const length = this.#length + data.length;
    if (length > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.min(MAX_FORM_BYTES, Math.max(length, 2 * this.#buffer.length)));
      this.#buffer.copy(larger, 0, 0, this.#length);
      this.#buffer = larger;
    }
    data.copy(this.#buffer, this.#length);
    this.#length = length;
  }

  /** As far as the bytes reach; the file's name, if it has one, once the file begins. */
  #advance(): { readonly value: string | undefined } | undefined {
    for (;;)
      switch (this.#state) {
        case 'start':
          if (!this.#start()) return undefined;
          break;
        case 'after-delimiter':
          if (this.#length - this.#at < 2) return undefined;
          this.#openPart(this.#buffer.toString('latin1', this.#at, this.#at + 2));
          break;
        case 'headers': {
          const end = this.#find(END_OF_HEADERS);
          if (end === undefined) return undefined;
          const { name, filename } = parsePartHeaders(this.#buffer.subarray(this.#at, end));
          this.#enter('value', end + END_OF_HEADERS.length);
          if (name.toLowerCase() === 'file') return { value: filename };
          this.#field = name;
          break;
        }
        case 'value': {
          const end = this.#find(this.#delimiter);
          if (end === undefined) return undefined;
          this.#fields.push({ name: this.#field, value: this.#buffer.subarray(this.#at, end) });
          this.#enter('after-delimiter', end + this.#delimiter.length);
          break;
        }
      }
  }

  /** Whether the first delimiter was read. Nothing but one line break may stand before it. */
  #start(): boolean {
    const wanted = this.#buffer[0] === CR ? this.#delimiter : this.#delimiter.subarray(2);
    const length = Math.min(this.#length, wanted.length);
    if (!this.#buffer.subarray(0, length).equals(wanted.subarray(0, length)))
      throw malformedForm('the body does not begin with its boundary');
    if (length < wanted.length || length === 0) return false;
    this.#enter('after-delimiter', length);
    return true;
  }

  #openPart(end: string): void {
    if (end === '--')
      throw new S3Error('InvalidArgument', {
        message: 'POST requires exactly one file upload per request.',
        details: { ArgumentName: 'file', ArgumentValue: '0' },
      });
    if (end !== '\r\n') throw malformedForm('something stands behind a boundary');
    this.#enter('headers', this.#at + 2);
  }

  #enter(state: State, at: number): void {
    this.#state = state;
    this.#at = at;
    this.#searched = at;
  }

  #find(wanted: Buffer): number | undefined {
    const found = this.#buffer.subarray(0, this.#length).indexOf(wanted, this.#searched);
    if (found !== -1) return found;
    this.#searched = Math.max(this.#at, this.#length - wanted.length + 1);
    return undefined;
  }
}

const CR = 0x0d;
const END_OF_HEADERS = Buffer.from('\r\n\r\n');
