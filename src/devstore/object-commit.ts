/** The switch from one state of a key to the next: data and metadata together, in one transaction. */
import { S3Error } from '../s3/index.ts';
import { requireBucket } from './bucket-handlers.ts';
import type { Store } from './call.ts';
import { checkWriteCondition, type WriteCondition } from './conditions.ts';
import type { Segment, StoredObject } from './object-records.ts';

export interface NewObject {
  readonly bucket: string;
  readonly key: string;
  readonly object: StoredObject;
  readonly segments: readonly Segment[];
  readonly condition: WriteCondition;
}

/**
 * Puts an object in place of what is there: the last to commit wins, whole. What it replaces is deleted once nobody
 * reads it any more. When this throws, nothing changed, and the segments' files are still the caller's.
 * @param alsoInTransaction runs first, in the same transaction; the files that it makes unused.
 * @throws S3Error `NoSuchBucket`, `NoSuchKey` or `PreconditionFailed`.
 */
export function commitObject(
  store: Store,
  { bucket, key, object, segments, condition }: NewObject,
  alsoInTransaction: () => readonly string[] = () => [],
): void {
  const { objects } = store.catalog;
  const unused = store.catalog.transaction(() => {
    requireBucket(store, bucket);
    checkWriteCondition(condition, objects.find(bucket, key), key);
    const files = [...alsoInTransaction(), ...objects.remove(bucket, key)];
    objects.insert(bucket, key, object, segments);
    return files;
  });
  store.files.remove(unused);
}

/** @throws S3Error `NoSuchBucket` or `NoSuchKey`. */
export function requireObject(store: Store, bucket: string, key: string): StoredObject {
  requireBucket(store, bucket);
  const object = store.catalog.objects.find(bucket, key);
  if (object === undefined) throw new S3Error('NoSuchKey', { details: { Key: key } });
  return object;
}
