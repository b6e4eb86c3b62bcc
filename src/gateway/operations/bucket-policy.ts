/** Bucket policies are kept by the gateway; the upstream never sees them. */
import { parsePolicy, PolicyError } from '../../policy/index.ts';
import { S3Error } from '../../s3/index.ts';
import { emptyAnswer, type Answer } from '../answer.ts';
import type { Authorized } from '../authorize.ts';
import type { Bucket } from '../buckets.ts';
import type { Performance, PerformDependencies } from '../perform.ts';

export function getBucketPolicy({ request }: Performance): Promise<Answer> {
  const { policy } = ownBucket(request);
  if (policy.kind !== 'policy')
    throw new S3Error('NoSuchBucketPolicy', { details: { BucketName: nameOf(request) } });
  return Promise.resolve({
    status: 200,
    headers: ['content-type', 'application/json', 'content-length', String(Buffer.byteLength(policy.text))],
    body: { kind: 'text', text: policy.text },
    upstream: undefined,
  });
}

export async function putBucketPolicy(
  { request, document }: Performance,
  { store, directory, now }: PerformDependencies,
): Promise<Answer> {
  refuseFilePolicy(ownBucket(request));
  const text = document.kind === 'text' ? document.text : '';
  const bucket = nameOf(request);
  try {
    parsePolicy(text, { type: 'resource', bucket });
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    throw new S3Error('MalformedPolicy', {
      message: error.message,
      details: { Detail: error.detail, Line: String(error.line), Column: String(error.column) },
      cause: error,
    });
  }
  await store.putBucketPolicy(bucket, { document: text, changedAt: now() });
  await directory.refresh();
  return emptyAnswer(204);
}

export async function deleteBucketPolicy(
  { request }: Performance,
  { store, directory }: PerformDependencies,
): Promise<Answer> {
  refuseFilePolicy(ownBucket(request));
  await store.deleteBucketPolicy(nameOf(request));
  await directory.refresh();
  return emptyAnswer(204);
}

/** Whoever is allowed must also belong to the owner's account. Source: S3 API reference, PutBucketPolicy. */
function ownBucket({ bucket, caller }: Authorized): Bucket {
  if (bucket === undefined) throw new Error('a bucket operation without a bucket');
  if (caller.type === 'anonymous' || caller.key.principal.accountId !== bucket.ownerAccount)
    throw new S3Error('MethodNotAllowed', {
      reason: "the caller is not of the account of the bucket's owner",
    });
  return bucket;
}

function refuseFilePolicy({ policy }: Bucket): void {
  if (policy.kind === 'none' || policy.file === undefined) return;
  throw new S3Error('MethodNotAllowed', {
    message: `The policy of this bucket comes from the file ${policy.file}, and the API cannot change it: edit the file.`,
  });
}

function nameOf({ address }: Authorized): string {
  return address.bucket ?? '';
}
