/** PutObject and CopyObject. */
import { randomUUID } from 'node:crypto';
import { parseCopySource, renderXml, S3_NAMESPACE, S3Error, type WireHeaders } from '../s3/index.ts';
import { requireBucket } from './bucket-handlers.ts';
import type { Call, Reply, Store } from './call.ts';
import { parseAlgorithm } from './checksums.ts';
import { checkCopySourceConditions, checkWriteCondition, parseWriteCondition } from './conditions.ts';
import { commitObject, requireObject } from './object-commit.ts';
import { parseDescription, renderChecksumElements, renderChecksumHeaders } from './object-headers.ts';
import type { ObjectDescription, Segment, StoredObject } from './object-records.ts';
import { createBodyVerifier, createDigester, type VerifiedBody } from './request-body.ts';

/** Of one PUT, and of the source of one copy. */
export const MAX_PUT_BYTES = 5 * 1024 ** 3;

export async function putObject(call: Call, store: Store): Promise<Reply> {
  const { headers } = call.wire;
  const { bucket, key } = call;
  const description = parseDescription(headers);
  const condition = parseWriteCondition(headers);
  if (call.contentLength > MAX_PUT_BYTES)
    throw new S3Error('EntityTooLarge', {
      details: { ProposedSize: String(call.contentLength), MaxSizeAllowed: String(MAX_PUT_BYTES) },
    });
  // Before the body is asked for; the commit checks again, since it may take long.
  requireBucket(store, bucket);
  checkWriteCondition(condition, store.catalog.objects.find(bucket, key), key);
  const { file, size, result } = await store.files.write(call.body(), createBodyVerifier(call));
  const { object, segment } = describe(store, description, { file, size, ...result });
  commitOrDelete(store, [file], () =>
    commitObject(store, { bucket, key, object, segments: [segment], condition }),
  );
  return { status: 200, headers: { etag: object.etag, ...renderChecksumHeaders(object.checksum) } };
}

export async function copyObject(call: Call, store: Store): Promise<Reply> {
  const { headers } = call.wire;
  const { bucket, key } = call;
  const condition = parseWriteCondition(headers);
  const named = headers.get('x-amz-checksum-algorithm');
  const wanted = named === undefined ? undefined : parseAlgorithm(named, 'x-amz-checksum-algorithm');
  requireBucket(store, bucket);
  const source = requireCopySource(call, store);
  if (source.object.size > MAX_PUT_BYTES)
    throw new S3Error('InvalidRequest', {
      message: `The specified copy source is larger than the maximum allowable size for a copy source: ${MAX_PUT_BYTES}`,
    });
  const description = describeCopy(headers, source.object);
  const replaces = directive(headers, 'x-amz-metadata-directive') === 'REPLACE';
  if (
    source.bucket === bucket &&
    source.key === key &&
    !replaces &&
    description.storageClass === source.object.storageClass
  )
    throw new S3Error('InvalidRequest', {
      message:
        "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    });
  const copied = await copyBytes(store, source.object, {
    start: 0,
    length: source.object.size,
    algorithm: wanted ?? source.object.checksum?.algorithm,
  });
  const { object, segment } = describe(store, description, copied);
  commitOrDelete(store, [copied.file], () =>
    commitObject(store, { bucket, key, object, segments: [segment], condition }),
  );
  const content = {
    LastModified: new Date(object.modified).toISOString(),
    ETag: object.etag,
    ...renderChecksumElements(object.checksum),
  };
  return { status: 200, body: renderXml('CopyObjectResult', content, { namespace: S3_NAMESPACE }) };
}

/**
 * Finds what `x-amz-copy-source` names and checks its conditions.
 * @throws S3Error `NoSuchBucket`, `NoSuchKey`, `PreconditionFailed`, or what is wrong with the header.
 */
export function requireCopySource(
  { wire }: Call,
  store: Store,
): { readonly bucket: string; readonly key: string; readonly object: StoredObject } {
  const { bucket, key, versionId } = parseCopySource(wire.headers.get('x-amz-copy-source') ?? '');
  if (versionId !== undefined)
    throw new S3Error('NotImplemented', { details: { Header: 'x-amz-copy-source' } });
  const object = requireObject(store, bucket, key);
  checkCopySourceConditions(wire.headers, object);
  return { bucket, key, object };
}

/**
 * Writes a new file with bytes of an object, which may be replaced or deleted meanwhile.
 * INVARIANT: no await between the look-up of `source` and this.
 */
export async function copyBytes(
  store: Store,
  source: StoredObject,
  range: {
    readonly start: number;
    readonly length: number;
    readonly algorithm: Parameters<typeof createDigester>[0];
  },
): Promise<VerifiedBody & { readonly file: string; readonly size: number }> {
  const segments = store.catalog.objects.segments(source);
  const release = store.files.hold(segments);
  try {
    const { file, size, result } = await store.files.write(
      store.files.read(segments, range.start, range.length),
      createDigester(range.algorithm),
    );
    return { file, size, ...result };
  } finally {
    release();
  }
}

/** Runs a commit; the files are deleted when it is refused. */
export function commitOrDelete(store: Store, files: readonly string[], commit: () => void): void {
  try {
    commit();
  } catch (error) {
    store.files.remove(files);
    throw error;
  }
}

function describe(
  store: Store,
  description: ObjectDescription,
  { file, size, md5, checksum }: VerifiedBody & { readonly file: string; readonly size: number },
): { readonly object: StoredObject; readonly segment: Segment } {
  const modified = store.now();
  return {
    object: {
      ...description,
      size,
      etag: `"${md5}"`,
      modified,
      checksum: checksum === undefined ? undefined : { ...checksum, type: 'FULL_OBJECT' },
      partsCount: undefined,
      data: randomUUID(),
    },
    segment: { number: 1, file, size, md5, checksum, modified },
  };
}

function describeCopy(headers: WireHeaders, source: StoredObject): ObjectDescription {
  const given = parseDescription(headers);
  return {
    headers: directive(headers, 'x-amz-metadata-directive') === 'REPLACE' ? given.headers : source.headers,
    tags: directive(headers, 'x-amz-tagging-directive') === 'REPLACE' ? given.tags : source.tags,
    // Never copied: without the header, a copy is STANDARD.
    storageClass: given.storageClass,
  };
}

function directive(headers: WireHeaders, name: string): 'COPY' | 'REPLACE' {
  const value = headers.get(name) ?? 'COPY';
  if (value !== 'COPY' && value !== 'REPLACE')
    throw new S3Error('InvalidArgument', {
      message: `Unknown ${name === 'x-amz-metadata-directive' ? 'metadata' : 'tagging'} directive.`,
      details: { ArgumentName: name, ArgumentValue: value },
    });
  return value;
}
