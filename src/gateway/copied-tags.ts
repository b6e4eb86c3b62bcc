/** The tags that a copy takes along: who copies them needs the rights to read and to write them. */
import { copiedTagActions, objectArn, type CopySource, type RequiredAction } from '../s3/index.ts';
import type { Bucket } from './buckets.ts';
import type { BodyContext } from './condition-facts.ts';
import { decideAll, type DecideDependencies, type Decided } from './decide.ts';
import type { ExistingTags } from './existing-tags.ts';
import type { Authenticated } from './stages.ts';
import { UpstreamRefusal } from './upstream-error.ts';

/**
 * Decisions up to the first refusal; none where there is nothing to decide. Whether the source has tags is known
 * upstream alone, which is asked where one of these rights is missing.
 * Source: S3 API reference, CopyObject, "Permissions" and `x-amz-tagging-directive`.
 * @param copied its source, in a bucket that exists.
 * @throws UpstreamRefusal when the upstream does not tell.
 */
export async function decideCopiedTags(
  request: Authenticated,
  copied: { readonly source: CopySource; readonly bucket: Bucket },
  options: {
    readonly bucketOf: (required: RequiredAction) => Bucket | undefined;
    readonly body: BodyContext;
    readonly existingTags: ExistingTags;
  },
  dependencies: DecideDependencies,
): Promise<readonly Decided[]> {
  const { operation, effective, address } = request;
  const { source, bucket } = copied;
  const required = copiedTagActions(operation, effective, address, source);
  if (required.length === 0) return [];
  const decided = await decideAll(request, required, options, dependencies);
  if (decided.every(({ decision }) => decision.effect === 'Allow')) return decided;
  const object = {
    action: 's3:GetObjectTagging',
    resource: objectArn(source.bucket, source.key),
    bucket: source.bucket,
    versionId: source.versionId,
  };
  return (await hasTags(object, bucket, options.existingTags)) ? decided : [];
}

async function hasTags(object: RequiredAction, bucket: Bucket, existingTags: ExistingTags): Promise<boolean> {
  try {
    return (await existingTags.lookUp(object, bucket)).length > 0;
  } catch (error) {
    // A store that knows no tags has none to copy.
    if (error instanceof UpstreamRefusal && error.upstream.status === 501) return false;
    throw error;
  }
}
