/** From the names that a client uses to those of the place where its bucket is, and back. */
import { keyAsPath, renderCopySource, S3Error, type CopySource } from '../s3/index.ts';
import type { Authorized } from './authorize.ts';
import type { Bucket } from './buckets.ts';
import type { Place } from './routes.ts';
import { UpstreamRefusal } from './upstream-error.ts';

/** In bytes of UTF-8. Source: S3 User Guide, "Naming Amazon S3 objects". */
const MAX_KEY_BYTES = 1024;

export function placeOf({ bucket, address }: Authorized): Place {
  if (bucket === undefined) throw new Error(`no place for ${address.bucket ?? 'a request without a bucket'}`);
  return bucket.place;
}

/** True when keys or names upstream differ from those that the client knows. */
export function isMapped(place: Place, bucket: string): boolean {
  return place.prefix !== '' || place.bucket !== bucket;
}

/**
 * INVARIANT: what comes back is below the prefix, also for an upstream that keeps objects as files and takes keys for
 * paths; see docs/decisions/0009.
 * @throws S3Error `KeyTooLongError`, `InvalidArgument`.
 */
export function upstreamKey(place: Place, key: string): string;
export function upstreamKey(place: Place, key: string | undefined): string | undefined;
export function upstreamKey({ prefix }: Place, key: string | undefined): string | undefined {
  if (key === undefined || prefix === '') return key;
  const whole = prefix + key;
  const size = Buffer.byteLength(whole);
  if (size > MAX_KEY_BYTES)
    throw new S3Error('KeyTooLongError', {
      details: {
        Size: String(Buffer.byteLength(key)),
        MaxSizeAllowed: String(MAX_KEY_BYTES - Buffer.byteLength(prefix)),
      },
    });
  assertBelow(prefix, whole);
  return whole;
}

/** A prefix or marker of a listing, which may be any text. */
export function upstreamPrefix({ prefix }: Place, text: string): string {
  if (prefix === '') return text;
  assertBelow(prefix, prefix + text);
  return prefix + text;
}

/** Undefined for a key that is not below the prefix: the upstream named what was not asked for. */
export function clientKey({ prefix }: Place, key: string): string | undefined {
  return key.startsWith(prefix) ? key.slice(prefix.length) : undefined;
}

/** The header as it goes upstream. */
export function upstreamCopySource(
  source: CopySource,
  { sourceBucket }: Pick<Authorized, 'sourceBucket'>,
): string {
  if (sourceBucket === undefined) throw new Error('a copy source without its bucket');
  const { place } = sourceBucket;
  return renderCopySource({ ...source, bucket: place.bucket, key: upstreamKey(place, source.key) });
}

/** The upstream's refusal names the client's bucket and key, whatever they and the source of a copy are called there. */
export function inClientsWords(
  request: Pick<Authorized, 'address' | 'bucket' | 'sourceBucket'>,
  refusal: UpstreamRefusal,
): UpstreamRefusal {
  const { address, bucket, sourceBucket } = request;
  const mapped = [bucket, sourceBucket].filter((one) => one !== undefined && isMapped(one.place, one.name));
  if (mapped.length === 0) return refusal;
  const betrays = (text: string): boolean => mapped.some((one) => one !== undefined && names(one, text));
  const { BucketName, Key, ...others } = refusal.details;
  const details = {
    ...Object.fromEntries(Object.entries(others).filter(([, text]) => !betrays(text))),
    // Of a copy they may be those of the source.
    ...(BucketName !== undefined && sourceBucket === undefined && { BucketName: address.bucket ?? '' }),
    ...(Key !== undefined && sourceBucket === undefined && { Key: address.key ?? '' }),
  };
  const { code, status, message, upstream } = refusal;
  return new UpstreamRefusal({ code, status, message: betrays(message) ? code : message, details }, upstream);
}

/** Whether a text of the upstream, worded as it likes, tells where the bucket is. */
export function names({ name, place }: Pick<Bucket, 'name' | 'place'>, text: string): boolean {
  if (place.bucket !== name && text.includes(place.bucket)) return true;
  return place.prefix !== '' && text.includes(place.prefix);
}

function assertBelow(prefix: string, whole: string): void {
  if (whole.includes('/.') && !keyAsPath(whole).startsWith(prefix))
    throw new S3Error('InvalidArgument', {
      message: 'The key leads out of the bucket when it is read as a path.',
      reason: 'a key of a virtual bucket that an upstream which keeps objects as files would find elsewhere',
    });
}
