/** What the operator has set for a bucket, beside its policies: read-only, the largest object, no more than a prefix. */
import { S3Error, type AvailableOperation, type OperationName } from '../s3/index.ts';
import type { Bucket } from './buckets.ts';

/** @throws S3Error `AccessDenied` for a change in a read-only bucket. */
export function requireWritable({ name, method }: AvailableOperation, { readOnly }: Bucket): void {
  if (!readOnly || method === 'GET' || method === 'HEAD' || method === 'OPTIONS' || KEEPS.has(name)) return;
  throw new S3Error('AccessDenied', {
    message: 'This bucket is read-only.',
    reason: "the bucket's setting `readOnly`",
  });
}

/** Changes nothing upstream: a query, and what the gateway keeps itself. */
const KEEPS: ReadonlySet<OperationName> = new Set([
  'DeleteBucketCors',
  'DeleteBucketPolicy',
  'DeletePublicAccessBlock',
  'PutBucketAcl',
  'PutBucketCors',
  'PutBucketPolicy',
  'PutObjectAcl',
  'PutPublicAccessBlock',
  'SelectObjectContent',
]);

/**
 * @param size in bytes; undefined while it is not known.
 * @throws S3Error `EntityTooLarge`.
 */
export function requireSize(size: number | undefined, { maxObjectBytes }: Bucket): void {
  if (size === undefined || maxObjectBytes === undefined || size <= maxObjectBytes) return;
  throw new S3Error('EntityTooLarge', {
    details: { ProposedSize: String(size), MaxSizeAllowed: String(maxObjectBytes) },
    reason: "the bucket's setting `maxObjectSize`",
  });
}

/**
 * INVARIANT: nothing that a client asks of a bucket that is a prefix in a shared one acts on the shared bucket, or shows
 * its settings.
 * @throws S3Error `NotImplemented` for what concerns the whole bucket upstream.
 */
export function requireInPrefix({ name, level, handling }: AvailableOperation, { place }: Bucket): void {
  if (place.prefix === '' || handling === 'gateway' || WITHIN_PREFIX.has(name)) return;
  if (level === 'object' && !BEYOND_KEY.has(name)) return;
  throw new S3Error('NotImplemented', {
    message: `This bucket is a part of a shared one: ${name} concerns the whole bucket, and is not available.`,
    reason: 'the bucket is a prefix upstream',
  });
}

/** Of the operations on a bucket those that are about its keys, or tell no more than that it is there. */
const WITHIN_PREFIX: ReadonlySet<OperationName> = new Set([
  // Refused as the making of any bucket that exists.
  'CreateBucket',
  'DeleteObjects',
  'GetBucketAcl',
  'GetBucketLocation',
  'HeadBucket',
  'ListMultipartUploads',
  'ListObjectVersions',
  'ListObjects',
  'ListObjectsV2',
  'PostObject',
  'PutBucketAcl',
]);

/** Of the operations on an object those whose answer names the bucket upstream in a form that cannot be rewritten. */
const BEYOND_KEY: ReadonlySet<OperationName> = new Set(['GetObjectTorrent']);

/** Whether a header of the upstream's answer tells about the settings of the shared bucket: the names of its rules. */
export function isBeyondPrefix(header: string, { place }: Bucket): boolean {
  return place.prefix !== '' && OF_SHARED_BUCKET.has(header);
}

const OF_SHARED_BUCKET: ReadonlySet<string> = new Set(['x-amz-abort-rule-id', 'x-amz-expiration']);
