/** How public a bucket is, and may become. Kept by the gateway, as policies are; the upstream never sees it. */
import {
  bucketArn,
  parsePublicAccessBlock,
  renderPolicyStatus,
  renderPublicAccessBlock,
  S3Error,
} from '../../s3/index.ts';
import { emptyAnswer, xmlAnswer, type Answer } from '../answer.ts';
import type { Authorized } from '../authorize.ts';
import type { Bucket } from '../buckets.ts';
import type { Performance, PerformDependencies } from '../perform.ts';
import { ownBucket } from './own-bucket.ts';

/** The bucket's own, whatever holds for all buckets of the gateway. */
export function getPublicAccessBlock({ request }: Performance): Promise<Answer> {
  const { name, publicAccessBlock } = ownBucket(request, 'AccessDenied');
  if (publicAccessBlock === undefined)
    throw new S3Error('NoSuchPublicAccessBlockConfiguration', { details: { BucketName: name } });
  return Promise.resolve(xmlAnswer(renderPublicAccessBlock(publicAccessBlock)));
}

export async function putPublicAccessBlock(
  { request, document }: Performance,
  { store, directory, now }: PerformDependencies,
): Promise<Answer> {
  const { name } = ownBucket(request, 'AccessDenied');
  const block = parsePublicAccessBlock(document.kind === 'text' ? document.text : '');
  await store.putPublicAccessBlock(name, { document: renderPublicAccessBlock(block), changedAt: now() });
  await directory.refresh();
  return emptyAnswer(200, ['content-length', '0']);
}

export async function deletePublicAccessBlock(
  { request }: Performance,
  { store, directory }: PerformDependencies,
): Promise<Answer> {
  await store.deletePublicAccessBlock(ownBucket(request, 'AccessDenied').name);
  await directory.refresh();
  return emptyAnswer(204);
}

/** Of the policy alone: what is blocked besides does not make it less public. */
export function getBucketPolicyStatus({ request }: Performance): Promise<Answer> {
  const { name, policy } = ownBucket(request, 'AccessDenied');
  if (policy.kind !== 'policy') throw new S3Error('NoSuchBucketPolicy', { details: { BucketName: name } });
  return Promise.resolve(xmlAnswer(renderPolicyStatus({ isPublic: policy.policy.publicBy !== undefined })));
}

/** @throws S3Error `AccessDenied` where public policies are blocked. Source: S3 User Guide, "Troubleshoot access denied errors". */
export function refusePublicPolicy(
  { caller }: Authorized,
  { name, publicAccessBlock, blockPublicPolicy }: Bucket,
): void {
  if (!blockPublicPolicy || caller.type === 'anonymous') return;
  throw new S3Error('AccessDenied', {
    message: `User: ${caller.key.principal.arn} is not authorized to perform: s3:PutBucketPolicy on resource: "${bucketArn(name)}" because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.`,
    reason: `the policy is public, and BlockPublicPolicy is set ${publicAccessBlock?.blockPublicPolicy === true ? 'for the bucket' : 'for the gateway'}`,
  });
}
