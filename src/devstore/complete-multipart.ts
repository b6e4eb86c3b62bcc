/** The end of multipart uploads. */
import { createHash } from 'node:crypto';
import { CHECKSUM_ALGORITHMS, checksumOfHeader, type ChecksumAlgorithm } from '../body/index.ts';
import {
  encodeUriPath,
  parseXml,
  renderXml,
  S3_NAMESPACE,
  S3Error,
  type ParsedElement,
  WireHeaders,
} from '../s3/index.ts';
import type { Call, Reply, Store } from './call.ts';
import { combineChecksums, type ObjectChecksum } from './checksums.ts';
import { parseWriteCondition } from './conditions.ts';
import { requireUpload } from './multipart-parts.ts';
import { commitObject } from './object-commit.ts';
import { renderChecksumElements } from './object-headers.ts';
import type { Segment } from './object-records.ts';
import { readDocument } from './request-body.ts';
import type { StoredUpload } from './upload-records.ts';

/** 10,000 parts with their checksums. */
const MAX_DOCUMENT_BYTES = 8 * 1024 * 1024;
const MIN_PART_BYTES = 5 * 1024 * 1024;

/** The parts' files become the object's: nothing is copied. */
export async function completeMultipartUpload(call: Call, store: Store): Promise<Reply> {
  const { wire, bucket, key } = call;
  const condition = parseWriteCondition(wire.headers);
  requireUpload(call, store);
  // The declared checksum is that of the object, not of this document.
  const listed = parseParts(await readDocument(withoutObjectChecksum(call), MAX_DOCUMENT_BYTES));

  // INVARIANT: no await from here on, so that what was checked is what is committed.
  const upload = requireUpload(call, store);
  const { uploads } = store.catalog;
  const chosen = choose(listed, uploads, upload);
  const size = chosen.reduce((sum, part) => sum + part.size, 0);
  const checksum =
    upload.checksum &&
    combineChecksums(
      upload.checksum,
      chosen.map((part) => ({ value: part.checksum?.value ?? '', size: part.size })),
    );
  checkDeclarations(wire.headers, checksum, size);
  const etag = `"${combinedMd5(chosen)}-${chosen.length}"`;
  const { headers, tags, storageClass } = upload;
  const object = {
    headers,
    tags,
    storageClass,
    size,
    etag,
    checksum,
    modified: store.now(),
    partsCount: chosen.length,
    data: upload.id,
  };
  const segments = chosen.map((part, index) => Object.assign({}, part, { number: index + 1 }));
  commitObject(store, { bucket, key, object, segments, condition }, () => {
    uploads.remove(bucket, key, upload.id);
    const kept = new Set(segments.map(({ file }) => file));
    return uploads.removeParts(upload.id).filter((file) => !kept.has(file));
  });

  const host = wire.headers.get('host') ?? '';
  const content = {
    Location: `http://${host}/${bucket}/${encodeUriPath(key)}`,
    Bucket: bucket,
    Key: key,
    ETag: etag,
    ...renderChecksumElements(checksum),
  };
  return {
    status: 200,
    body: renderXml('CompleteMultipartUploadResult', content, { namespace: S3_NAMESPACE }),
  };
}

export function abortMultipartUpload(call: Call, store: Store): Reply {
  const { uploads } = store.catalog;
  const unused = store.catalog.transaction(() => {
    const { id } = requireUpload(call, store);
    uploads.remove(call.bucket, call.key, id);
    return uploads.removeParts(id);
  });
  store.files.remove(unused);
  return { status: 204 };
}

interface ListedPart {
  readonly number: number;
  readonly etag: string;
  readonly checksums: ReadonlyMap<ChecksumAlgorithm, string>;
}

/** Of 10,000 parts, each with number, entity tag and checksums. */
const MAX_TAGS = 120_000;

function parseParts(document: string): readonly ListedPart[] {
  const root = parseXml(document, 'CompleteMultipartUpload', { maxTags: MAX_TAGS });
  const parts = root.children('Part').map(parsePart);
  if (parts.length === 0) throw new S3Error('MalformedXML');
  for (let i = 1; i < parts.length; i++)
    if ((parts[i] as ListedPart).number <= (parts[i - 1] as ListedPart).number)
      throw new S3Error('InvalidPartOrder');
  return parts;
}

function parsePart(element: ParsedElement): ListedPart {
  const number = element.child('PartNumber')?.text ?? '';
  const etag = element.child('ETag')?.text;
  if (!/^\d{1,5}$/.test(number) || etag === undefined) throw new S3Error('MalformedXML');
  const checksums = new Map<ChecksumAlgorithm, string>();
  for (const name of element.childNames) {
    if (name === 'PartNumber' || name === 'ETag') continue;
    const algorithm = name.startsWith('Checksum')
      ? checksumOfHeader(`x-amz-checksum-${name.slice('Checksum'.length)}`)
      : undefined;
    if (algorithm === undefined) throw new S3Error('MalformedXML');
    checksums.set(algorithm, element.child(name)?.text ?? '');
  }
  return { number: Number(number), etag: etag.replaceAll('"', ''), checksums };
}

/** @throws S3Error `InvalidPart`, `EntityTooSmall` or `InvalidRequest`. */
function choose(
  listed: readonly ListedPart[],
  uploads: Store['catalog']['uploads'],
  upload: StoredUpload,
): readonly Segment[] {
  const stored = new Map(uploads.parts(upload.id).map((part) => [part.number, part]));
  const chosen = listed.map(({ number, etag, checksums }) => {
    const part = stored.get(number);
    const details = { UploadId: upload.id, PartNumber: String(number), ETag: etag };
    if (part === undefined || part.md5 !== etag) throw new S3Error('InvalidPart', { details });
    for (const [algorithm, value] of checksums)
      if (part.checksum?.algorithm !== algorithm || part.checksum.value !== value)
        throw new S3Error('InvalidPart', { details });
    if (upload.checksum?.type === 'COMPOSITE' && !checksums.has(upload.checksum.algorithm))
      throw new S3Error('InvalidRequest', {
        message: `The upload was created using a ${upload.checksum.algorithm} checksum. The complete request must include the checksum for each part. It was missing for part ${number} in the request.`,
      });
    return part;
  });
  const small = chosen.slice(0, -1).find((part) => part.size < MIN_PART_BYTES);
  if (small !== undefined)
    throw new S3Error('EntityTooSmall', {
      details: {
        ProposedSize: String(small.size),
        MinSizeAllowed: String(MIN_PART_BYTES),
        PartNumber: String(small.number),
        ETag: small.md5,
      },
    });
  return chosen;
}

/** @throws S3Error `BadDigest` or `InvalidRequest` when the object is not what the request declares. */
function checkDeclarations(headers: WireHeaders, checksum: ObjectChecksum | undefined, size: number): void {
  const type = headers.get('x-amz-checksum-type');
  if (type !== undefined && type.toUpperCase() !== checksum?.type)
    throw new S3Error('InvalidRequest', {
      message: `The upload was created using the ${checksum?.type ?? 'null'} checksum mode. The complete request must use the same checksum mode.`,
    });
  for (const [algorithm, { header, label }] of Object.entries(CHECKSUM_ALGORITHMS)) {
    const declared = headers.get(header);
    if (declared === undefined) continue;
    if (checksum === undefined || checksum.algorithm !== algorithm)
      throw new S3Error('InvalidRequest', {
        message: `Checksum Type mismatch occurred, expected checksum Type: ${checksum?.algorithm ?? 'null'}, actual checksum Type: ${algorithm}`,
      });
    // MinIO's clients leave the number of parts out.
    const digest = checksum.type === 'COMPOSITE' ? checksum.value.split('-')[0] : checksum.value;
    if (declared !== checksum.value && declared !== digest)
      throw new S3Error('BadDigest', {
        message: `The ${label} you specified did not match the calculated checksum.`,
      });
  }
  const declaredSize = headers.get('x-amz-mp-object-size');
  if (declaredSize !== undefined && declaredSize !== String(size))
    throw new S3Error('InvalidRequest', {
      message: `The provided 'x-amz-mp-object-size' header value ${declaredSize} does not match what was computed: ${size}`,
    });
}

function withoutObjectChecksum(call: Call): Call {
  const { headers } = call.wire;
  const raw: string[] = [];
  for (const [name, value] of headers.entries())
    if (checksumOfHeader(name) === undefined) raw.push(name, value);
  return { ...call, wire: { ...call.wire, headers: new WireHeaders(raw) } };
}

function combinedMd5(parts: readonly Segment[]): string {
  const md5 = createHash('md5');
  for (const part of parts) md5.update(Buffer.from(part.md5, 'hex'));
  return md5.digest('hex');
}
