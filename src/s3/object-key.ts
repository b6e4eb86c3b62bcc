/** Object keys: any UTF-8, compared and forwarded byte for byte. */
import { S3Error } from './error.ts';

/** In UTF-8 bytes. */
const MAX_KEY_BYTES = 1024;

/** @throws S3Error `KeyTooLongError` above 1,024 bytes. */
export function assertKeyLength(key: string): void {
  // A UTF-16 unit is at most three bytes in UTF-8.
  if (key.length * 3 <= MAX_KEY_BYTES) return;
  const size = Buffer.byteLength(key, 'utf8');
  if (size > MAX_KEY_BYTES)
    throw new S3Error('KeyTooLongError', {
      details: { Size: String(size), MaxSizeAllowed: String(MAX_KEY_BYTES) },
    });
}

/**
 * The key that a store which keeps objects as files may make of this one: empty and `.` segments gone, `..` resolved,
 * never above the bucket; a final slash stays. The key itself when it is such a path already.
 */
export function keyAsPath(key: string): string {
  if (!/(?:^|\/)(?:\/|\.\.?(?:\/|$))/.test(key)) return key;
  const segments: string[] = [];
  for (const segment of key.split('/'))
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(segment);
  return segments.join('/') + (key.endsWith('/') && segments.length > 0 ? '/' : '');
}
