/** ARNs of what S3 requests are about. Keys stand in them as they are, never encoded. */

/** The resource of ListBuckets: `*` matches it, the ARN of a bucket does not. */
export const ALL_BUCKETS_ARN = 'arn:aws:s3:::*';

export function bucketArn(bucket: string): string {
  return `arn:aws:s3:::${bucket}`;
}

export function objectArn(bucket: string, key: string): string {
  return `arn:aws:s3:::${bucket}/${key}`;
}
