/** Which rule of the `buckets` list holds for a bucket. */
import { matchesBucketPattern } from '../s3/index.ts';
import type { BucketSettings, Config } from './config.ts';

/** The first matching rule's settings; without one, any body is accepted and the configured account owns the bucket. */
export function bucketSettings(
  config: Pick<Config, 'buckets' | 'accountId'>,
  bucket: string,
): BucketSettings {
  for (const rule of config.buckets) if (matchesBucketPattern(rule.pattern, bucket)) return rule;
  return {
    bodies: 'any',
    owner: config.accountId,
    readOnly: false,
    maxObjectBytes: undefined,
    filterListings: false,
    operations: NO_OPERATIONS,
  };
}

const NO_OPERATIONS: ReadonlySet<never> = new Set();
