/** ListParts and ListMultipartUploads. */
import { CHECKSUM_ALGORITHMS } from '../body/index.ts';
import { queryValue, renderXml, S3_NAMESPACE, type XmlElements } from '../s3/index.ts';
import { requireBucket } from './bucket-handlers.ts';
import type { Call, Reply, Store } from './call.ts';
import { collectKeyPage, keyAfter } from './key-page.ts';
import { parseEncoding, parseInteger, parseMaximum } from './listing-query.ts';
import { requireUpload } from './multipart-parts.ts';
import { renderPartChecksumElement } from './object-headers.ts';
import type { StoredUpload } from './upload-records.ts';

const MAX_PARTS = 1000;
const MAX_UPLOADS = 1000;

export function listParts(call: Call, store: Store): Reply {
  const { wire, bucket, key } = call;
  const upload = requireUpload(call, store);
  const maximum = parseMaximum(wire.query, 'max-parts', MAX_PARTS);
  const marker = parseInteger(wire.query, 'part-number-marker') ?? 0;
  const { encode, type } = parseEncoding(wire.query);
  const rest = store.catalog.uploads.parts(upload.id).filter((part) => part.number > marker);
  const page = rest.slice(0, maximum);
  const truncated = maximum > 0 && rest.length > maximum;
  const content = {
    Bucket: bucket,
    Key: encode(key),
    UploadId: upload.id,
    PartNumberMarker: marker,
    NextPartNumberMarker: truncated ? page.at(-1)?.number : undefined,
    MaxParts: maximum,
    EncodingType: type,
    IsTruncated: truncated,
    Part: page.map((part) =>
      Object.assign(
        {
          PartNumber: part.number,
          LastModified: new Date(part.modified).toISOString(),
          ETag: `"${part.md5}"`,
          Size: part.size,
        },
        renderPartChecksumElement(part.checksum),
      ),
    ),
    ...renderUpload(upload, store),
  };
  return { status: 200, body: renderXml('ListPartsResult', content, { namespace: S3_NAMESPACE }) };
}

export function listMultipartUploads({ bucket, wire }: Call, store: Store): Reply {
  requireBucket(store, bucket);
  const prefix = queryValue(wire.query, 'prefix') ?? '';
  const delimiter = queryValue(wire.query, 'delimiter') ?? '';
  const keyMarker = queryValue(wire.query, 'key-marker') ?? '';
  // S3 ignores the id without the key.
  const idMarker = keyMarker === '' ? '' : (queryValue(wire.query, 'upload-id-marker') ?? '');
  const maximum = parseMaximum(wire.query, 'max-uploads', MAX_UPLOADS);
  const { encode, type } = parseEncoding(wire.query);
  const bytes = { prefix: Buffer.from(prefix), delimiter: Buffer.from(delimiter) };
  const marker = Buffer.from(keyMarker);
  const from = idMarker !== '' || keyMarker === '' ? marker : keyAfter(marker, bytes.prefix, bytes.delimiter);
  const page = collectKeyPage({ ...bytes, from, maximum }, (key, until) =>
    store.catalog.uploads.scan(bucket, { from: key, afterId: key.equals(marker) ? idMarker : '', until }),
  );
  const lastKey = page.last?.toString() ?? '';
  const lastRow = page.rows.at(-1);
  const content = {
    Bucket: bucket,
    KeyMarker: encode(keyMarker),
    UploadIdMarker: idMarker,
    NextKeyMarker: page.truncated ? encode(lastKey) : undefined,
    NextUploadIdMarker:
      page.truncated && page.last !== undefined && lastRow?.key.equals(page.last) === true
        ? lastRow.id
        : undefined,
    Prefix: encode(prefix),
    Delimiter: delimiter === '' ? undefined : encode(delimiter),
    EncodingType: type,
    MaxUploads: maximum,
    IsTruncated: page.truncated,
    Upload: page.rows.map((upload) => ({
      Key: encode(upload.key.toString()),
      UploadId: upload.id,
      Initiated: new Date(upload.initiated).toISOString(),
      ...renderUpload(upload, store),
    })),
    CommonPrefixes: page.commonPrefixes.map((common) => ({ Prefix: encode(common.toString()) })),
  };
  return {
    status: 200,
    body: renderXml('ListMultipartUploadsResult', content, { namespace: S3_NAMESPACE }),
  };
}

function renderUpload(
  { storageClass, checksum }: Pick<StoredUpload, 'storageClass' | 'checksum'>,
  { ownerId }: Store,
): XmlElements {
  return {
    Initiator: { ID: ownerId },
    Owner: { ID: ownerId },
    StorageClass: storageClass,
    ChecksumAlgorithm: checksum === undefined ? undefined : CHECKSUM_ALGORITHMS[checksum.algorithm].label,
    ChecksumType: checksum?.type,
  };
}
