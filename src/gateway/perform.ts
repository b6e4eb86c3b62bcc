/** Does what was authorized: by the gateway itself, or by forwarding it. */
import type { Answer, DecidedEntry } from './answer.ts';
import type { Authorized } from './authorize.ts';
import type { RequestDocument } from './documents.ts';
import { forward, forwardedHeaders, streamPayload, xmlPayload, type ForwardDependencies } from './forward.ts';
import type { IncomingBody } from './incoming-body.ts';
import { requireSwitches } from './bucket-switches.ts';
import { readSettings, requireKnown } from './operations/settings.ts';
import { getAcl, putAcl } from './operations/acl.ts';
import { copyHeaders, listObjectAnnotations, putObjectAnnotation } from './operations/annotations.ts';
import { getBucketEncryption } from './operations/bucket-encryption.ts';
import { deleteBucketCors, getBucketCors, putBucketCors } from './operations/bucket-cors.ts';
import { createBucket, deleteBucket, getBucketLocation, headBucket } from './operations/bucket-lifecycle.ts';
import { deleteBucketPolicy, getBucketPolicy, putBucketPolicy } from './operations/bucket-policy.ts';
import { deleteObjects } from './operations/delete-objects.ts';
import { createMultipartUpload } from './operations/create-multipart-upload.ts';
import { listBuckets } from './operations/list-buckets.ts';
import { list, rewrittenListing } from './operations/listing.ts';
import { postObject } from './operations/post-object.ts';
import {
  deletePublicAccessBlock,
  getBucketPolicyStatus,
  getPublicAccessBlock,
  putPublicAccessBlock,
} from './operations/public-access.ts';
import { requireCompletedSize, requireCopySize } from './operations/sized-writes.ts';
import { renderCompleteMultipartUpload, renderTagging } from '../s3/index.ts';
import type { ListingTokens } from './listing-token.ts';
import type { Routes } from './routes.ts';
import type { BucketDirectory, IdentityStore } from '../identity/index.ts';

export interface PerformDependencies extends ForwardDependencies {
  readonly store: IdentityStore;
  readonly directory: BucketDirectory;
  readonly routes: Routes;
  readonly listingTokens: ListingTokens;
  readonly region: string;
}

export interface Performance {
  readonly request: Authorized;
  readonly document: RequestDocument;
  readonly body: () => IncomingBody;
  readonly signal: AbortSignal;
  /** Takes down what was decided for each key, so that the record has it whatever becomes of the request. */
  readonly noteEntries: (entries: readonly DecidedEntry[]) => void;
}

/** @throws S3Error or UpstreamRefusal; anything else is a bug. */
export async function perform(performance: Performance, dependencies: PerformDependencies): Promise<Answer> {
  const { request, document, signal } = performance;
  switch (request.operation.name) {
    case 'ListBuckets':
      return listBuckets(performance, dependencies);
    case 'CreateBucket':
      return createBucket(performance, dependencies);
    case 'DeleteBucket':
      return deleteBucket(performance, dependencies);
    case 'HeadBucket':
      return headBucket(performance, dependencies);
    case 'GetBucketLocation':
      return getBucketLocation(performance, dependencies);
    case 'GetBucketEncryption':
      return getBucketEncryption(performance, dependencies);
    case 'GetBucketPolicy':
      return getBucketPolicy(performance);
    case 'PutBucketPolicy':
      return putBucketPolicy(performance, dependencies);
    case 'DeleteBucketPolicy':
      return deleteBucketPolicy(performance, dependencies);
    case 'GetBucketCors':
      return getBucketCors(performance);
    case 'PutBucketCors':
      return putBucketCors(performance, dependencies);
    case 'DeleteBucketCors':
      return deleteBucketCors(performance, dependencies);
    case 'GetBucketPolicyStatus':
      return getBucketPolicyStatus(performance);
    case 'GetPublicAccessBlock':
      return getPublicAccessBlock(performance);
    case 'PutPublicAccessBlock':
      return putPublicAccessBlock(performance, dependencies);
    case 'DeletePublicAccessBlock':
      return deletePublicAccessBlock(performance, dependencies);
    case 'GetBucketAcl':
    case 'GetObjectAcl':
      return getAcl(performance, dependencies);
    case 'PutBucketAcl':
    case 'PutObjectAcl':
      return putAcl(performance, dependencies);
    case 'DeleteObjects':
      return deleteObjects(performance, dependencies);
    case 'PostObject':
      return postObject(performance, dependencies);
    case 'ListObjectAnnotations':
      return listObjectAnnotations(performance, dependencies);
    case 'CreateMultipartUpload':
      return createMultipartUpload(performance, dependencies);
    default:
  }
  const listing = rewrittenListing(request);
  if (listing !== undefined) return list(performance, listing, dependencies);
  if (request.operation.knownBy !== undefined)
    await requireKnown(request, request.operation.knownBy, signal, dependencies);
  if (request.operation.name === 'PutObjectAnnotation') return putObjectAnnotation(performance, dependencies);
  if (request.operation.answerRoots !== undefined)
    return readSettings(performance, request.operation.answerRoots, dependencies);
  if (request.copySource !== undefined) await requireCopySize(request, signal, dependencies);
  if (document.kind === 'tagging')
    return forwardDocument(request, renderTagging(document.tags), signal, dependencies);
  if (document.kind === 'parts') {
    await requireCompletedSize(request, document.parts, signal, dependencies);
    return forwardDocument(request, renderCompleteMultipartUpload(document.parts), signal, dependencies);
  }
  if (document.kind === 'settings') {
    const { switched, xml } = document.settings;
    if (request.bucket !== undefined) requireSwitches(request.bucket, switched);
    return forwardDocument(request, xml, signal, dependencies);
  }
  if (request.operation.name === 'CopyObject') {
    const headers = copyHeaders(request, dependencies);
    return forward(request, { payload: { kind: 'none' }, signal, headers }, dependencies);
  }
  if (request.operation.body !== 'stream')
    return forward(request, { payload: { kind: 'none' }, signal }, dependencies);
  const body = await performance.body().open({ maxLength: request.bucket?.maxObjectBytes });
  const payload = streamPayload(request, body);
  return forward(request, { payload, signal, upload: body }, dependencies);
}

/** Headers that spoke of the client's own text do not hold for the one written anew. */
function forwardDocument(
  request: Authorized,
  xml: string,
  signal: AbortSignal,
  dependencies: PerformDependencies,
): Promise<Answer> {
  const { payload, headers } = xmlPayload(xml);
  const ofTheObject = request.operation.checksums === 'object';
  const kept = forwardedHeaders(request).filter(
    ([name]) =>
      name !== 'content-md5' &&
      name !== 'content-type' &&
      (ofTheObject || !name.startsWith('x-amz-checksum-')),
  );
  return forward(request, { payload, signal, headers: [...kept, ...headers] }, dependencies);
}
