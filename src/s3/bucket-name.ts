/** Bucket names. Source: S3 user guide, "General purpose bucket naming rules". */
import { S3Error } from './error.ts';

/** Names with these endings are aliases of something else, which would walk around the policy of what is behind. */
const RESERVED_SUFFIXES = ['-s3alias', '--ol-s3', '.mrap', '--x-s3', '--table-s3'];
const RESERVED_PREFIXES = ['xn--', 'sthree-'];
const NAME = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const IPV4 = /^\d+\.\d+\.\d+\.\d+$/;

export function isBucketName(name: string): boolean {
  return (
    NAME.test(name) &&
    !name.includes('..') &&
    !IPV4.test(name) &&
    !RESERVED_PREFIXES.some((prefix) => name.startsWith(prefix)) &&
    !RESERVED_SUFFIXES.some((suffix) => name.endsWith(suffix))
  );
}

/** @throws S3Error `InvalidBucketName` for anything that S3 would not name a bucket, ARNs and aliases included. */
export function assertBucketName(name: string): void {
  if (!isBucketName(name)) throw new S3Error('InvalidBucketName', { details: { BucketName: name } });
}
