/** Operations on the service and on buckets. */
import { assertBucketName, parseXml, queryValue, renderXml, S3_NAMESPACE, S3Error } from '../s3/index.ts';
import type { Call, Reply, Store } from './call.ts';
import { parseMaximum } from './listing-query.ts';
import { readDocument } from './request-body.ts';
import { MAX_BUCKET_TAGS, parseTagging, renderTagging } from './tagging.ts';
import type { StoredBucket } from './bucket-records.ts';

const MAX_BUCKETS = 10_000;
const MAX_CONFIGURATION_BYTES = 64 * 1024;

export function listBuckets({ wire }: Call, { catalog, ownerId }: Store): Reply {
  const prefix = queryValue(wire.query, 'prefix') ?? '';
  const token = queryValue(wire.query, 'continuation-token');
  const limit = parseMaximum(wire.query, 'max-buckets', MAX_BUCKETS);
  const from = token !== undefined && token > prefix ? token : prefix;
  const found = catalog.buckets.list({ prefix, from, limit: limit + 1 });
  const page = found.slice(0, limit);
  const content = {
    Owner: { ID: ownerId },
    Buckets: {
      Bucket: page.map(({ name, created }) => ({
        Name: name,
        CreationDate: new Date(created).toISOString(),
      })),
    },
    // The next page starts with the name that the token says: bucket names need no encoding.
    ContinuationToken: limit > 0 ? found[limit]?.name : undefined,
    Prefix: prefix === '' ? undefined : prefix,
  };
  return {
    status: 200,
    body: renderXml('ListAllMyBucketsResult', content, { namespace: S3_NAMESPACE }),
  };
}

export async function createBucket(call: Call, store: Store): Promise<Reply> {
  assertBucketName(call.bucket);
  const document = await readDocument(call, MAX_CONFIGURATION_BYTES);
  if (document !== '') {
    const configuration = parseXml(document, 'CreateBucketConfiguration');
    const location = configuration.child('LocationConstraint')?.text;
    if (configuration.childNames.some((name) => name !== 'LocationConstraint'))
      throw new S3Error('NotImplemented', { details: { Resource: 'CreateBucketConfiguration' } });
    if (location !== undefined && location !== '' && location !== store.region)
      throw new S3Error('IllegalLocationConstraintException', {
        message: `The ${location} location constraint is incompatible for the region specific endpoint this request was sent to.`,
      });
  }
  const made = store.catalog.transaction(() => store.catalog.buckets.insert(call.bucket, store.now()));
  if (!made) throw new S3Error('BucketAlreadyOwnedByYou', { details: { BucketName: call.bucket } });
  return { status: 200, headers: { location: `/${call.bucket}` } };
}

export function headBucket({ bucket }: Call, store: Store): Reply {
  requireBucket(store, bucket);
  return { status: 200, headers: { 'x-amz-bucket-region': store.region } };
}

/** Takes the bucket's unfinished uploads along, as S3 does. */
export function deleteBucket({ bucket }: Call, store: Store): Reply {
  const { catalog } = store;
  const unused = catalog.transaction(() => {
    requireBucket(store, bucket);
    if (!catalog.objects.isEmpty(bucket))
      throw new S3Error('BucketNotEmpty', { details: { BucketName: bucket } });
    catalog.buckets.remove(bucket);
    return catalog.uploads.removeAll(bucket);
  });
  store.files.remove(unused);
  return { status: 204 };
}

export function getBucketLocation({ bucket }: Call, store: Store): Reply {
  requireBucket(store, bucket);
  const location = store.region === 'us-east-1' ? '' : store.region;
  return { status: 200, body: renderXml('LocationConstraint', location, { namespace: S3_NAMESPACE }) };
}

export function getBucketTagging({ bucket }: Call, store: Store): Reply {
  const { tags } = requireBucket(store, bucket);
  if (tags === undefined) throw new S3Error('NoSuchTagSet', { details: { BucketName: bucket } });
  return { status: 200, body: renderTagging(tags) };
}

export async function putBucketTagging(call: Call, store: Store): Promise<Reply> {
  const tags = parseTagging(await readDocument(call, MAX_CONFIGURATION_BYTES), MAX_BUCKET_TAGS);
  store.catalog.transaction(() => {
    requireBucket(store, call.bucket);
    store.catalog.buckets.setTags(call.bucket, tags);
  });
  return { status: 204 };
}

export function deleteBucketTagging({ bucket }: Call, store: Store): Reply {
  store.catalog.transaction(() => {
    requireBucket(store, bucket);
    store.catalog.buckets.setTags(bucket, undefined);
  });
  return { status: 204 };
}

/** @throws S3Error `NoSuchBucket`. */
export function requireBucket({ catalog }: Store, name: string): StoredBucket {
  const bucket = catalog.buckets.find(name);
  if (bucket === undefined) throw new S3Error('NoSuchBucket', { details: { BucketName: name } });
  return bucket;
}
