/** What an object carries besides its bytes, in and out of header fields. */
import { CHECKSUM_ALGORITHMS, withoutAwsChunked } from '../body/index.ts';
import { queryValue, S3Error, type QueryParameter, type WireHeaders } from '../s3/index.ts';
import type { BodyChecksum, ObjectChecksum } from './checksums.ts';
import type { ObjectDescription, StoredObject } from './object-records.ts';
import { parseTaggingHeader } from './tagging.ts';

const CONTENT_HEADERS: readonly string[] = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-type',
  'expires',
];
export const META_PREFIX = 'x-amz-meta-';
export const RESPONSE_OVERRIDES: readonly string[] = CONTENT_HEADERS.map((name) => `response-${name}`);

const DEFAULT_CONTENT_TYPE = 'binary/octet-stream';
const MAX_META_BYTES = 2048;
const STANDARD = 'STANDARD';
const STORAGE_CLASSES: ReadonlySet<string> = new Set([
  STANDARD,
  'REDUCED_REDUNDANCY',
  'STANDARD_IA',
  'ONEZONE_IA',
  'INTELLIGENT_TIERING',
  'GLACIER',
  'DEEP_ARCHIVE',
  'GLACIER_IR',
]);

/** @throws S3Error `MetadataTooLarge`, `InvalidStorageClass`, or what is wrong with the tags. */
export function parseDescription(headers: WireHeaders): ObjectDescription {
  const kept: Record<string, string> = { 'content-type': DEFAULT_CONTENT_TYPE };
  let metaBytes = 0;
  for (const [name, value] of headers.entries()) {
    if (name.startsWith(META_PREFIX)) {
      metaBytes += name.length - META_PREFIX.length + value.length;
      kept[name] = value;
    } else if (CONTENT_HEADERS.includes(name) && value !== '') {
      const stored = name === 'content-encoding' ? withoutAwsChunked(value) : value;
      if (stored !== undefined) kept[name] = stored;
    }
  }
  if (metaBytes > MAX_META_BYTES)
    throw new S3Error('MetadataTooLarge', {
      details: { Size: String(metaBytes), MaxSizeAllowed: String(MAX_META_BYTES) },
    });
  return {
    headers: kept,
    tags: parseTaggingHeader(headers.get('x-amz-tagging') ?? ''),
    storageClass: parseStorageClass(headers.get('x-amz-storage-class')),
  };
}

/** The header fields of an object, without those that depend on the part that is asked for. */
export function renderObjectHeaders(
  object: StoredObject,
  query: readonly QueryParameter[],
): Record<string, string> {
  const fields: Record<string, string> = {
    'accept-ranges': 'bytes',
    etag: object.etag,
    'last-modified': new Date(object.modified).toUTCString(),
    ...object.headers,
  };
  for (const name of CONTENT_HEADERS) {
    const override = queryValue(query, `response-${name}`);
    if (override === undefined) continue;
    if (!/^[\t\x20-\x7e]*$/.test(override))
      throw new S3Error('InvalidArgument', {
        message: `Header value cannot be represented using ISO-8859-1.`,
        details: { ArgumentName: `response-${name}`, ArgumentValue: override },
      });
    fields[name] = override;
  }
  if (object.storageClass !== STANDARD) fields['x-amz-storage-class'] = object.storageClass;
  if (object.tags.length > 0) fields['x-amz-tagging-count'] = String(object.tags.length);
  return fields;
}

export function renderChecksumHeaders(checksum: ObjectChecksum | undefined): Record<string, string> {
  if (checksum === undefined) return {};
  return { ...renderPartChecksumHeader(checksum), 'x-amz-checksum-type': checksum.type };
}

/** Parts have no checksum type. */
export function renderPartChecksumHeader(checksum: BodyChecksum | undefined): Record<string, string> {
  return checksum === undefined ? {} : { [CHECKSUM_ALGORITHMS[checksum.algorithm].header]: checksum.value };
}

/** The elements that an answer's document has for a checksum. */
export function renderChecksumElements(checksum: ObjectChecksum | undefined): Record<string, string> {
  if (checksum === undefined) return {};
  return { ...renderPartChecksumElement(checksum), ChecksumType: checksum.type };
}

export function renderPartChecksumElement(checksum: BodyChecksum | undefined): Record<string, string> {
  if (checksum === undefined) return {};
  return { [`Checksum${CHECKSUM_ALGORITHMS[checksum.algorithm].label}`]: checksum.value };
}

function parseStorageClass(value: string | undefined): string {
  const storageClass = value ?? STANDARD;
  if (!STORAGE_CLASSES.has(storageClass)) throw new S3Error('InvalidStorageClass');
  return storageClass;
}
