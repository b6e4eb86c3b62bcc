/** Which rule of the `buckets` list holds for a bucket. */
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
    operations: NO_OPERATIONS,
  };
}

const NO_OPERATIONS: BucketSettings['operations'] = new Set();

/** `*` stands for any characters, also none; everything else for itself. Linear in the length of the name for each star. */
export function matchesBucketPattern(pattern: string, bucket: string): boolean {
  let p = 0;
  let b = 0;
  let star = -1;
  let resume = 0;
  while (b < bucket.length) {
    if (p < pattern.length && pattern[p] === '*') {
      star = p++;
      resume = b;
    } else if (p < pattern.length && pattern[p] === bucket[b]) {
      p++;
      b++;
    } else if (star === -1) return false;
    else {
      p = star + 1;
      b = ++resume;
    }
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}
