/** DeleteObject and DeleteObjects. */
import { parseDeleteObjects, renderDeleteResult, S3Error, type DeleteEntry } from '../s3/index.ts';
import { requireBucket } from './bucket-handlers.ts';
import type { Call, Reply, Store } from './call.ts';
import { declaredChecksum } from './checksums.ts';
import { checkWriteCondition, parseWriteCondition } from './conditions.ts';
import { readDocument } from './request-body.ts';

/** 1,000 keys of 1,024 bytes, each byte written as a numeric reference. */
const MAX_DOCUMENT_BYTES = 8 * 1024 * 1024;

export function deleteObject({ wire, bucket, key }: Call, store: Store): Reply {
  const { objects } = store.catalog;
  const condition = parseWriteCondition(wire.headers);
  const unused = store.catalog.transaction(() => {
    requireBucket(store, bucket);
    checkWriteCondition(condition, objects.find(bucket, key), key);
    return objects.remove(bucket, key);
  });
  store.files.remove(unused);
  return { status: 204 };
}

/** Deletes every key that it can in one transaction, and tells each one's outcome. */
export async function deleteObjects(call: Call, store: Store): Promise<Reply> {
  const { headers } = call.wire;
  if (!headers.has('content-md5') && declaredChecksum(headers) === undefined)
    throw new S3Error('InvalidRequest', {
      message: 'Missing required header for this request: Content-MD5 OR x-amz-checksum-*',
    });
  const request = parseDeleteObjects(await readDocument(call, MAX_DOCUMENT_BYTES));
  const targets = request.objects.map((entry) => ({ key: entry.key, refusal: refusalOf(entry) }));
  const unused = store.catalog.transaction(() => {
    requireBucket(store, call.bucket);
    return targets.flatMap(({ key, refusal }) =>
      refusal === undefined ? store.catalog.objects.remove(call.bucket, key) : [],
    );
  });
  store.files.remove(unused);
  const deleted = request.quiet ? [] : targets.filter(({ refusal }) => refusal === undefined);
  const errors = targets.flatMap(({ key, refusal }) =>
    refusal === undefined ? [] : [{ key, code: refusal.code, message: refusal.message }],
  );
  return { status: 200, body: renderDeleteResult({ deleted, errors }) };
}

/** A version, or a condition on what is deleted, must not be passed over. */
function refusalOf(entry: DeleteEntry): S3Error | undefined {
  const name = Object.keys(entry).find((field) => field !== 'key');
  if (name === undefined) return undefined;
  return new S3Error('NotImplemented', {
    message: `\`${name}\` of an object to delete is not implemented`,
  });
}
