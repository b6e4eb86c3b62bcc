/** What a bucket's own account alone may do, whatever policies grant to others. */
import { S3Error } from '../../s3/index.ts';
import type { Authorized } from '../authorize.ts';
import type { Bucket } from '../buckets.ts';

/**
 * The bucket of the request, whose caller is of its owner's account.
 * @throws S3Error `otherwise`.
 */
export function ownBucket(
  { bucket, caller }: Authorized,
  otherwise: 'AccessDenied' | 'MethodNotAllowed',
): Bucket {
  if (bucket === undefined) throw new Error('a bucket operation without a bucket');
  if (caller.type === 'anonymous' || caller.key.principal.accountId !== bucket.ownerAccount)
    throw new S3Error(otherwise, { reason: "the caller is not of the account of the bucket's owner" });
  return bucket;
}
