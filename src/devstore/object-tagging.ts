/** Tags of objects. */
import type { Call, Reply, Store } from './call.ts';
import { requireObject } from './object-commit.ts';
import { readDocument } from './request-body.ts';
import { MAX_OBJECT_TAGS, parseTagging, renderTagging, type Tag } from './tagging.ts';

const MAX_DOCUMENT_BYTES = 64 * 1024;

export function getObjectTagging({ bucket, key }: Call, store: Store): Reply {
  return { status: 200, body: renderTagging(requireObject(store, bucket, key).tags) };
}

export async function putObjectTagging(call: Call, store: Store): Promise<Reply> {
  setTags(call, store, parseTagging(await readDocument(call, MAX_DOCUMENT_BYTES), MAX_OBJECT_TAGS));
  return { status: 200 };
}

export function deleteObjectTagging(call: Call, store: Store): Reply {
  setTags(call, store, []);
  return { status: 204 };
}

function setTags({ bucket, key }: Call, store: Store, tags: readonly Tag[]): void {
  store.catalog.transaction(() => {
    requireObject(store, bucket, key);
    store.catalog.objects.setTags(bucket, key, tags);
  });
}
