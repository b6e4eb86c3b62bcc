/** Single byte ranges. Source: RFC 9110, section 14. */
import { S3Error } from '../s3/index.ts';

export interface ByteRange {
  readonly start: number;
  readonly length: number;
}

/**
 * Reads a Range header. Undefined for what is to be ignored, several ranges included: S3 sends the whole object then.
 * @throws S3Error `InvalidRange` when the range has nothing in common with the object.
 */
export function parseRange(header: string, size: number): ByteRange | undefined {
  const match = /^bytes=\s*(?:(\d{1,15})-(\d{0,15})|-(\d{1,15}))\s*$/i.exec(header);
  if (match === null) return undefined;
  const [, first, last, suffix] = match;
  if (first === undefined) {
    const length = Math.min(Number(suffix), size);
    if (length === 0) throw unsatisfiable(header, size);
    return { start: size - length, length };
  }
  const start = Number(first);
  if (last !== undefined && last !== '' && Number(last) < start) return undefined;
  if (start >= size) throw unsatisfiable(header, size);
  const end = last === undefined || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  return { start, length: end - start + 1 };
}

/**
 * Reads an `x-amz-copy-source-range`, which must lie inside the source.
 * @throws S3Error `InvalidArgument` or `InvalidRange`.
 */
export function parseCopyRange(header: string, size: number): ByteRange {
  const match = /^bytes=(\d{1,15})-(\d{1,15})$/.exec(header);
  const start = Number(match?.[1]);
  const end = Number(match?.[2]);
  if (match === null || end < start)
    throw new S3Error('InvalidArgument', {
      message:
        'The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy',
      details: { ArgumentName: 'x-amz-copy-source-range', ArgumentValue: header },
    });
  if (end >= size)
    throw new S3Error('InvalidArgument', {
      message: `Range specified is not valid for source object of size: ${size}`,
      details: { ArgumentName: 'x-amz-copy-source-range', ArgumentValue: header },
    });
  return { start, length: end - start + 1 };
}

function unsatisfiable(header: string, size: number): S3Error {
  return new S3Error('InvalidRange', {
    details: { RangeRequested: header, ActualObjectSize: String(size) },
    headers: { 'content-range': `bytes */${size}` },
  });
}
