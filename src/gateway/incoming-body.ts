/** The client's bytes, verified before anyone else sees them. */
import { openBody, readBuffered, type UnsizedBodyDeclaration, type VerifiedBody } from '../body/index.ts';
import { checkFileSize, largestFile, S3Error } from '../s3/index.ts';
import type { Spool, SpooledBody } from '../spool/index.ts';
import type { IncomingBytes } from './incoming-bytes.ts';
import type { Authenticated } from './stages.ts';

/** Opened at most once, after every check that needs no body. */
export interface IncomingBody {
  /**
   * Resolves when the first bytes may go out; see `openBody`. A body of unknown length is on disk by then, whole and
   * verified, see `Spool`; the file of a small form is in memory. Throws S3Error like them, and for a file outside of
   * the range that its form's policy sets.
   * @param options.maxLength most bytes that one of unknown length may have here.
   */
  open(options: { readonly maxLength: number | undefined }): Promise<VerifiedBody>;
  /** The whole small body, verified. Throws S3Error like `readBuffered`. */
  read(): Promise<Buffer>;
  /** Nothing of it stays on disk. */
  release(): Promise<void>;
  /** Bytes of the object, once a body of unknown length has been read to its end. */
  readonly settledLength: number | undefined;
}

export function incomingBody(
  { body: declaration, form }: Authenticated,
  bytes: IncomingBytes,
  { spool }: { readonly spool: Spool | undefined },
): IncomingBody {
  if (declaration === undefined) throw new Error('the operation takes no body');
  let spooled: SpooledBody | undefined;
  let settledLength: number | undefined;
  const source = form?.file ?? { [Symbol.asyncIterator]: () => bytes.chunks };
  const checkSize = (size: number): void => {
    if (form?.policy !== undefined) checkFileSize(form.policy, size);
  };
  const settle = async (limited: UnsizedBodyDeclaration): Promise<VerifiedBody> => {
    if (form?.size.kind === 'small') {
      const file = await readSmall(source, limited.maxLength);
      settledLength = file.length;
      return openBody({ ...limited, length: file.length }, once(file));
    }
    if (spool === undefined) throw new Error('there is no spool, and the length is unknown');
    spooled = await spool.hold(limited, source);
    settledLength = spooled.length;
    return spooled;
  };
  return {
    async open({ maxLength = Number.POSITIVE_INFINITY }) {
      if (declaration.length !== undefined) {
        checkSize(declaration.length);
        return openBody(declaration, source);
      }
      const largest = form?.policy === undefined ? maxLength : Math.min(maxLength, largestFile(form.policy));
      const body = await settle({ ...declaration, maxLength: Math.min(largest, declaration.maxLength) });
      checkSize(body.length);
      return body;
    },
    read() {
      if (declaration.length === undefined) throw new Error('a small body has a length');
      return readBuffered(declaration, source);
    },
    async release() {
      await spooled?.release();
    },
    get settledLength() {
      return settledLength;
    },
  };
}

/** Bounded by its form, of which no more than one read of a socket was left. */
async function readSmall(source: AsyncIterable<Buffer>, maxLength: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of source) chunks.push(chunk);
  const file = Buffer.concat(chunks);
  if (file.length > maxLength)
    throw new S3Error('EntityTooLarge', {
      details: { ProposedSize: String(file.length), MaxSizeAllowed: String(maxLength) },
    });
  return file;
}

// eslint-disable-next-line @typescript-eslint/require-await
async function* once(chunk: Buffer): AsyncGenerator<Buffer, void, undefined> {
  yield chunk;
}
