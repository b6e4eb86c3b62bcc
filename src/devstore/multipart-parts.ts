/** The start of multipart uploads, and their parts. */
import { randomBytes } from 'node:crypto';
import { CHECKSUM_ALGORITHMS } from '../body/index.ts';
import { queryValue, renderXml, S3_NAMESPACE, S3Error } from '../s3/index.ts';
import { requireBucket } from './bucket-handlers.ts';
import { parseCopyRange } from './byte-range.ts';
import type { Call, Reply, Store } from './call.ts';
import { declaredChecksum, uploadChecksum } from './checksums.ts';
import { parseDescription, renderPartChecksumElement, renderPartChecksumHeader } from './object-headers.ts';
import type { Segment } from './object-records.ts';
import { commitOrDelete, copyBytes, MAX_PUT_BYTES, requireCopySource } from './put-object.ts';
import { createBodyVerifier, type VerifiedBody } from './request-body.ts';
import type { StoredUpload } from './upload-records.ts';

const MAX_PART_NUMBER = 10_000;

export function createMultipartUpload({ wire, bucket, key }: Call, store: Store): Reply {
  const description = parseDescription(wire.headers);
  const checksum = uploadChecksum(wire.headers);
  const initiated = store.now();
  // The time first, so that the uploads of a key are listed in the order of their start.
  const id = `${initiated.toString(16).padStart(12, '0')}${randomBytes(16).toString('hex')}`;
  store.catalog.transaction(() => {
    requireBucket(store, bucket);
    store.catalog.uploads.insert(bucket, key, { ...description, id, initiated, checksum });
  });
  const headers =
    checksum === undefined
      ? {}
      : {
          'x-amz-checksum-algorithm': CHECKSUM_ALGORITHMS[checksum.algorithm].label,
          'x-amz-checksum-type': checksum.type,
        };
  const content = { Bucket: bucket, Key: key, UploadId: id };
  return {
    status: 200,
    headers,
    body: renderXml('InitiateMultipartUploadResult', content, { namespace: S3_NAMESPACE }),
  };
}

export async function uploadPart(call: Call, store: Store): Promise<Reply> {
  const number = parsePartNumber(call);
  if (call.contentLength > MAX_PUT_BYTES)
    throw new S3Error('EntityTooLarge', {
      details: { ProposedSize: String(call.contentLength), MaxSizeAllowed: String(MAX_PUT_BYTES) },
    });
  const upload = requireUpload(call, store);
  const declared = declaredChecksum(call.wire.headers)?.algorithm ?? call.trailer;
  const expected = upload.checksum?.algorithm;
  if (declared !== undefined && expected !== undefined && declared !== expected)
    throw new S3Error('InvalidRequest', {
      message: `Checksum Type mismatch occurred, expected checksum Type: ${expected}, actual checksum Type: ${declared}`,
    });
  const { file, size, result } = await store.files.write(call.body(), createBodyVerifier(call, expected));
  const part = commitPart(call, store, { number, file, size, ...result });
  return { status: 200, headers: { etag: `"${part.md5}"`, ...renderPartChecksumHeader(part.checksum) } };
}

export async function uploadPartCopy(call: Call, store: Store): Promise<Reply> {
  const number = parsePartNumber(call);
  const upload = requireUpload(call, store);
  const { object } = requireCopySource(call, store);
  const header = call.wire.headers.get('x-amz-copy-source-range');
  const range =
    header === undefined ? { start: 0, length: object.size } : parseCopyRange(header, object.size);
  if (range.length > MAX_PUT_BYTES)
    throw new S3Error('InvalidRequest', {
      message: `The specified copy source is larger than the maximum allowable size for a copy source: ${MAX_PUT_BYTES}`,
    });
  const copied = await copyBytes(store, object, { ...range, algorithm: upload.checksum?.algorithm });
  const part = commitPart(call, store, { number, ...copied });
  const content = {
    LastModified: new Date(part.modified).toISOString(),
    ETag: `"${part.md5}"`,
    ...renderPartChecksumElement(part.checksum),
  };
  return { status: 200, body: renderXml('CopyPartResult', content, { namespace: S3_NAMESPACE }) };
}

/** @throws S3Error `NoSuchBucket` or `NoSuchUpload`. */
export function requireUpload({ wire, bucket, key }: Call, store: Store): StoredUpload {
  requireBucket(store, bucket);
  const id = queryValue(wire.query, 'uploadId') ?? '';
  const upload = store.catalog.uploads.find(bucket, key, id);
  if (upload === undefined) throw new S3Error('NoSuchUpload', { details: { UploadId: id } });
  return upload;
}

/** The last part of a number wins, whole. */
function commitPart(
  call: Call,
  store: Store,
  { number, file, size, md5, checksum }: VerifiedBody & Pick<Segment, 'number' | 'file' | 'size'>,
): Segment {
  const part: Segment = { number, file, size, md5, checksum, modified: store.now() };
  commitOrDelete(store, [file], () => {
    const replaced = store.catalog.transaction(() => {
      const { id } = requireUpload(call, store);
      return store.catalog.uploads.putPart(id, part);
    });
    if (replaced !== undefined) store.files.remove([replaced]);
  });
  return part;
}

function parsePartNumber({ wire }: Call): number {
  const text = queryValue(wire.query, 'partNumber') ?? '';
  const number = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (number < 1 || number > MAX_PART_NUMBER)
    throw new S3Error('InvalidArgument', {
      message: `Part number must be an integer between 1 and ${MAX_PART_NUMBER}, inclusive`,
      details: { ArgumentName: 'partNumber', ArgumentValue: text },
    });
  return number;
}
