/**
 * Opens a browser form: reads its fields, which say what is to be done, and leaves its file unread. From then on the
 * request is the PUT that the form stands for.
 */
import type { Spool } from '../spool/index.ts';
import {
  formDelimiter,
  FormFileParser,
  FormHeadParser,
  identifyOperation,
  malformedForm,
  parseFormBoundary,
  parsePostFields,
  postKey,
  requestOfForm,
  S3Error,
  type FormHead,
  type PostFields,
} from '../s3/index.ts';
import { checkUserMetadata, type AcceptLimits } from './accept.ts';
import { userMetadataBytes } from './identify.ts';
import type { IncomingBytes } from './incoming-bytes.ts';
import type { OpenForm, UnreadForm } from './stages.ts';

export interface PostForm {
  readonly fields: PostFields;
  /**
   * The file's bytes, to be iterated once. INVARIANT: it ends only after the form has ended as it should; else it throws
   * an `S3Error`, so that a body which holds back its last bytes until then is never stored.
   */
  readonly file: AsyncIterable<Buffer>;
  readonly size: FileSize;
}

/** What is known of the file's length before its end comes. */
type FileSize =
  /** Told by Content-Length, if the file is the last field and the form ends as browsers end it. Bytes. */
  | { readonly kind: 'told'; readonly length: number }
  /** One read of a socket at most, which is kept in memory until the end is there. */
  | { readonly kind: 'small' }
  | { readonly kind: 'unknown' };

export interface OpenFormDependencies {
  readonly limits: AcceptLimits;
  /** Takes files whose length is not known; without it the length must be told. */
  readonly spool: Spool | undefined;
}

/** One read of a socket: what is left of a form with a small file is looked at as a whole. */
const SMALL_BYTES = 65_536;

/**
 * @throws S3Error `PreconditionFailed`, `MalformedPOSTRequest`, `MaxPostPreDataLengthExceeded`, `MissingContentLength`,
 * `IncompleteBody`; `InvalidArgument`, `KeyTooLongError`, `MetadataTooLarge`, `NotImplemented` and others for fields.
 */
export async function openForm(
  request: UnreadForm,
  { chunks }: IncomingBytes,
  { limits, spool }: OpenFormDependencies,
): Promise<OpenForm> {
  const { wire, address } = request;
  const boundary = parseFormBoundary(wire.headers.get('content-type'));
  const contentLength = wire.headers.get('content-length');
  if (contentLength === undefined && spool === undefined) throw new S3Error('MissingContentLength');
  const head = await readHead(boundary, chunks);
  const fields = parsePostFields(head);
  const key = postKey(fields);
  const size = fileSize(contentLength === undefined ? undefined : Number(contentLength) - head.length, {
    boundary,
    spool,
  });
  const effective = requestOfForm(wire, fields);
  checkUserMetadata(userMetadataBytes(effective.headers), limits);
  return {
    ...request,
    effective,
    address: { ...address, key },
    // At the bucket, where the form was sent: the headers are other ones now.
    operation: identifyOperation(effective, address),
    form: { fields, file: readFile(boundary, head.rest, chunks, size), size },
  };
}

async function readHead(boundary: string, chunks: IncomingBytes['chunks']): Promise<FormHead> {
  const parser = new FormHeadParser(boundary);
  for (;;) {
    const chunk = await nextChunk(chunks);
    if (chunk === undefined) throw malformedForm('the form ends before its file');
    const head = parser.push(chunk);
    if (head !== undefined) return head;
  }
}

/** @param left bytes of the body from the file's first one on; undefined for a body in chunks. */
function fileSize(
  left: number | undefined,
  { boundary, spool }: { readonly boundary: string; readonly spool: Spool | undefined },
): FileSize {
  if (left === undefined) return { kind: 'unknown' };
  if (left <= SMALL_BYTES) return { kind: 'small' };
  const length = left - formDelimiter(boundary).length - END.length;
  // Its true length may be less by some fields behind it.
  return spool === undefined || length > spool.maxBodyBytes ? { kind: 'told', length } : { kind: 'unknown' };
}

/** Behind the last boundary, as all browsers write it. */
const END = '--\r\n';

async function* readFile(
  boundary: string,
  first: Buffer,
  chunks: IncomingBytes['chunks'],
  size: FileSize,
): AsyncGenerator<Buffer, void, undefined> {
  const parser = new FormFileParser(boundary);
  let length = 0;
  for (let chunk: Buffer | undefined = first; chunk !== undefined; chunk = await nextChunk(chunks)) {
    const data = parser.push(chunk);
    length += data.length;
    if (size.kind === 'told' && length > size.length) throw notLast();
    if (data.length > 0) yield data;
  }
  parser.finish();
  if (size.kind === 'told' && length !== size.length) throw notLast();
}

async function nextChunk(chunks: IncomingBytes['chunks']): Promise<Buffer | undefined> {
  try {
    const next = await chunks.next();
    return next.done === true ? undefined : next.value;
  } catch (cause) {
    throw new S3Error('IncompleteBody', { cause });
  }
}

/** The length that went upstream was another one. */
function notLast(): S3Error {
  return new S3Error('MalformedPOSTRequest', {
    message:
      'The body of your POST request is not well-formed multipart/form-data: a file of this size must be the last field, and the form must end with a line break.',
    reason: 'the length of the file could not be told from Content-Length; with a spool, it need not be',
  });
}
