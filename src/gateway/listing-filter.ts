/** What of a listing a caller gets to see in a bucket whose listings are filtered. See docs/filtered-listings.md. */
import { mayAllowBelow } from '../policy/index.ts';
import { asPathsToo, objectArn, type ListedEntry } from '../s3/index.ts';
import type { Authorized } from './authorize.ts';
import type { Bucket } from './buckets.ts';
import { decide, type DecideDependencies } from './decide.ts';

export interface ListingFilter {
  shows(entry: ListedEntry): boolean;
  /** Whether some key that begins so may be shown: when in doubt, true. */
  reaches(prefix: string): boolean;
}

/** Any of these lets an entry be seen. */
const ACTIONS: Readonly<Record<ListedEntry['element'], readonly string[]>> = {
  Contents: ['s3:GetObject'],
  DeleteMarker: ['s3:GetObject', 's3:GetObjectVersion'],
  Part: [],
  Upload: ['s3:GetObject', 's3:PutObject'],
  Version: ['s3:GetObjectVersion'],
};

/**
 * All decisions are made at one time, with the context of the listing. What hangs on the tags of an object is a refusal:
 * they would have to be looked up for each of a thousand keys.
 * @param elements that the listing may have.
 */
export function createListingFilter(
  request: Authorized,
  bucket: Bucket,
  elements: readonly ListedEntry['element'][],
  dependencies: DecideDependencies,
): ListingFilter {
  const now = dependencies.now();
  const { name } = bucket;
  const allActions = [...new Set(elements.flatMap((element) => ACTIONS[element]))];
  const decideOn = (action: string, resource: string, versionId: string | undefined) =>
    decide(request, { action, resource, bucket: name, versionId }, bucket, { now }, dependencies);
  const may = (action: string, key: string, versionId: string | undefined): boolean =>
    asPathsToo({ action, resource: objectArn(name, key), bucket: name, versionId }).every(
      ({ resource }) => decideOn(action, resource, versionId).decision.effect === 'Allow',
    );
  const reaches = (prefix: string): boolean =>
    bucket.policy.kind !== 'broken' &&
    allActions.some((action) => {
      const { evaluated, policies } = decideOn(action, objectArn(name, prefix), undefined);
      return mayAllowBelow(evaluated, policies);
    });
  return {
    reaches,
    shows({ element, key = '', content: { VersionId } }) {
      const versionId = typeof VersionId === 'string' ? VersionId : undefined;
      return (
        ACTIONS[element].some((action) =>
          may(action, key, action === 's3:GetObjectVersion' ? versionId : undefined),
        ) &&
        // What is allowed for the sake of its version alone may have been passed over with other keys.
        (versionId === undefined || reaches(key))
      );
    },
  };
}
