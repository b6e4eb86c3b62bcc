/** Bucket policies are kept by the gateway; the upstream never sees them. */
import { isPublic, parsePolicy, PolicyError } from '../../policy/index.ts';
import { S3Error } from '../../s3/index.ts';
import { emptyAnswer, type Answer } from '../answer.ts';
import type { Authorized } from '../authorize.ts';
import type { Bucket } from '../buckets.ts';
import type { Performance, PerformDependencies } from '../perform.ts';
import { ownBucket } from './own-bucket.ts';
import { refusePublicPolicy } from './public-access.ts';

/** Also for whoever is allowed. Source: S3 API reference, PutBucketPolicy. */
const OTHER_ACCOUNT = 'MethodNotAllowed';

export function getBucketPolicy({ request }: Performance): Promise<Answer> {
  const { policy } = ownBucket(request, OTHER_ACCOUNT);
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
  { store, directory, buckets, now }: PerformDependencies,
): Promise<Answer> {
  const { name } = ownBucket(request, OTHER_ACCOUNT);
  const text = document.kind === 'text' ? document.text : '';
  const policy = readPolicy(text, name);
  // Who sends the policy slowly is judged by what holds at its end.
  const bucket = await buckets.find(name);
  if (bucket === undefined) throw new S3Error('NoSuchBucket', { details: { BucketName: name } });
  refuseFilePolicy(bucket);
  if (isPublic(policy)) refusePublicPolicy(request, bucket);
  await store.putBucketPolicy(name, { document: text, changedAt: now() });
  await directory.refresh();
  return emptyAnswer(204);
}

/** @throws S3Error `MalformedPolicy` that says where the policy is wrong, and what to do. */
function readPolicy(text: string, bucket: string): ReturnType<typeof parsePolicy> {
  try {
    return parsePolicy(text, { type: 'resource', bucket });
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    throw new S3Error('MalformedPolicy', {
      message: error.message,
      details: { Detail: error.detail, Line: String(error.line), Column: String(error.column) },
      cause: error,
    });
  }
}

export async function deleteBucketPolicy(
  { request }: Performance,
  { store, directory }: PerformDependencies,
): Promise<Answer> {
  refuseFilePolicy(ownBucket(request, OTHER_ACCOUNT));
  await store.deleteBucketPolicy(nameOf(request));
  await directory.refresh();
  return emptyAnswer(204);
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
