/** What is off for a bucket until its operator switches it on. */
import { S3Error, type SwitchedPart } from '../s3/index.ts';
import type { Bucket } from './buckets.ts';

/** @throws S3Error `NotImplemented` for a part whose switch is off; only the record names the setting. */
export function requireSwitches(
  bucket: Pick<Bucket, 'name' | 'operations'>,
  parts: readonly SwitchedPart[],
): void {
  for (const { needs, part } of parts)
    if (!bucket.operations.has(needs))
      throw new S3Error('NotImplemented', {
        message: `The ${part} is not implemented for this bucket.`,
        reason: `the ${part} needs \`${needs}\` in the setting \`operations\` of the bucket \`${bucket.name}\``,
      });
}
