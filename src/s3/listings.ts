/**
 * One page of a listing: what is read of the upstream's answer, and how it is written for the client. Source: S3 API
 * reference, ListObjects, ListObjectsV2, ListObjectVersions, ListMultipartUploads and ListParts.
 *
 * Elements that are not listed here are dropped, as response headers are: what a store adds of its own may speak of
 * places and accounts behind the gateway.
 */
import { S3Error } from './error.ts';
import { encodeUriPath } from './uri.ts';
import { parseXml, renderXml, S3_NAMESPACE, type ParsedElement, type XmlElements } from './xml.ts';

export type ListingKind =
  'ListBucketResult' | 'ListMultipartUploadsResult' | 'ListPartsResult' | 'ListVersionsResult';

/** A page of any of them; a field that the kind does not have is never set. */
export interface Listing {
  readonly kind: ListingKind;
  /** Single elements of the page by name, keys and prefixes decoded; absent where the upstream sent none. */
  readonly fields: ListingFields;
  /** In document order: versions and delete markers come mixed, the newest of a key first. */
  readonly entries: readonly ListedEntry[];
  readonly commonPrefixes: readonly string[];
  /** Whom the page itself names: only a list of parts does. */
  readonly people: readonly Person[];
}

type ListingFields = { readonly [name in ListingField]?: string };

export interface ListedEntry {
  readonly element: 'Contents' | 'DeleteMarker' | 'Part' | 'Upload' | 'Version';
  /** Decoded; undefined for a part. */
  readonly key: string | undefined;
  /** Everything else but the people, in document order. */
  readonly content: XmlElements;
  readonly people: readonly Person[];
}

/** The upstream's are accounts of its own: which of them are named is kept, and the bucket's owner is put there. */
type Person = 'Initiator' | 'Owner';

type FieldKind =
  /** The bucket. */
  | 'bucket'
  /** A key, a prefix, or a marker that is one of them: encoded where the page is. */
  | 'key'
  /** The delimiter: encoded where the page is. */
  | 'encoded'
  | 'text';

const PAGE_FIELDS = {
  // The order of S3's own answers; each kind has some of them.
  Name: 'bucket',
  Bucket: 'bucket',
  Key: 'key',
  UploadId: 'text',
  Prefix: 'key',
  Marker: 'key',
  NextMarker: 'key',
  StartAfter: 'key',
  ContinuationToken: 'text',
  NextContinuationToken: 'text',
  KeyMarker: 'key',
  VersionIdMarker: 'text',
  UploadIdMarker: 'text',
  NextKeyMarker: 'key',
  NextVersionIdMarker: 'text',
  NextUploadIdMarker: 'text',
  PartNumberMarker: 'text',
  NextPartNumberMarker: 'text',
  KeyCount: 'text',
  MaxKeys: 'text',
  MaxUploads: 'text',
  MaxParts: 'text',
  Delimiter: 'encoded',
  EncodingType: 'text',
  IsTruncated: 'text',
  StorageClass: 'text',
  ChecksumAlgorithm: 'text',
  ChecksumType: 'text',
} as const satisfies Record<string, FieldKind>;

export type ListingField = keyof typeof PAGE_FIELDS;

/** Fields that are keys, prefixes, or markers made of them. */
export const KEY_FIELDS: readonly ListingField[] = fieldsOf('key');
/** Fields that name the bucket. */
export const BUCKET_FIELDS: readonly ListingField[] = fieldsOf('bucket');

/**
 * Reads the upstream's page.
 * @param asked what was asked for, decoded: it stands for what the page repeats of it, since radosgw repeats a prefix as
 * it is where it encodes the keys.
 * @throws S3Error `MalformedXML` when it is not one: another root, an entry without its key, a name that is not
 * encoded as the page says, a single element that comes twice.
 */
export function parseListing(text: string, kind: ListingKind, asked: ListingFields = {}): Listing {
  const root = parseXml(text, kind, { maxTags: MAX_TAGS });
  const decode = decoderOf(root);
  const fields: { [name in ListingField]?: string } = {};
  const entries: ListedEntry[] = [];
  const commonPrefixes: string[] = [];
  const people: Person[] = [];
  for (const { name, element } of root.elements)
    if (isEntry(name) && ENTRIES[kind].includes(name)) entries.push(parseEntry(name, element, decode));
    else if (name === 'CommonPrefixes')
      for (const prefix of element.children('Prefix')) commonPrefixes.push(decode(prefix.text));
    else if (isPerson(name)) people.push(name);
    else if (isField(name)) {
      if (fields[name] !== undefined) throw new S3Error('MalformedXML', { reason: `two of \`${name}\`` });
      fields[name] = asked[name] ?? (isEncoded(name) ? decode(element.text) : element.text);
    }
  return { kind, fields, entries, commonPrefixes, people };
}

/**
 * Writes a page for the client, encoded as its `EncodingType` says.
 * @param ownerId canonical id of the account that owns the bucket.
 */
export function renderListing(listing: Listing, ownerId: string): string {
  const { kind, fields, entries, commonPrefixes, people } = listing;
  const encode = fields.EncodingType === 'url' ? encodeUriPath : asItIs;
  const page: Record<string, string | undefined> = {};
  for (const name of FIELD_NAMES) {
    const value = fields[name];
    page[name] = value !== undefined && isEncoded(name) ? encode(value) : value;
  }
  return renderXml(
    kind,
    {
      ...page,
      ...renderPeople(people, ownerId),
      '#sequence': entries.map(({ element, key, content, people: named }) => ({
        [element]: {
          Key: key === undefined ? undefined : encode(key),
          ...content,
          ...renderPeople(named, ownerId),
        },
      })),
      CommonPrefixes: commonPrefixes.map((prefix) => ({ Prefix: encode(prefix) })),
    },
    { namespace: S3_NAMESPACE },
  );
}

/** A thousand entries with all that they may have are 40,000; some stores have larger pages. */
const MAX_TAGS = 200_000;

const FIELD_NAMES = Object.keys(PAGE_FIELDS) as readonly ListingField[];

const ENTRIES: Readonly<Record<ListingKind, readonly ListedEntry['element'][]>> = {
  ListBucketResult: ['Contents'],
  ListMultipartUploadsResult: ['Upload'],
  ListPartsResult: ['Part'],
  ListVersionsResult: ['DeleteMarker', 'Version'],
};

/** What an entry may hold, of whatever kind it is. */
const ENTRY_FIELDS: ReadonlySet<string> = new Set([
  'ChecksumAlgorithm',
  'ChecksumCRC32',
  'ChecksumCRC32C',
  'ChecksumCRC64NVME',
  'ChecksumMD5',
  'ChecksumSHA1',
  'ChecksumSHA256',
  'ChecksumSHA512',
  'ChecksumType',
  'ChecksumXXHASH128',
  'ChecksumXXHASH3',
  'ChecksumXXHASH64',
  'ETag',
  'Initiated',
  'IsLatest',
  'LastModified',
  'PartNumber',
  'Size',
  'StorageClass',
  'UploadId',
  'VersionId',
]);

const RESTORE_FIELDS = ['IsRestoreInProgress', 'RestoreExpiryDate'] as const;

function parseEntry(
  name: ListedEntry['element'],
  entry: ParsedElement,
  decode: (text: string) => string,
): ListedEntry {
  let key: string | undefined;
  const content: Record<string, string | string[] | XmlElements> = {};
  const people: Person[] = [];
  for (const { name: field, element } of entry.elements) {
    const before = content[field];
    if (field === 'Key') {
      if (key !== undefined) throw new S3Error('MalformedXML', { reason: 'an entry with two keys' });
      key = decode(element.text);
    } else if (isPerson(field)) people.push(field);
    else if (field === 'RestoreStatus') content[field] = restoreStatus(element);
    else if (!ENTRY_FIELDS.has(field)) continue;
    else if (before === undefined) content[field] = element.text;
    // The algorithms of an object's checksums come one by one.
    else if (field === 'ChecksumAlgorithm')
      content[field] = [...(Array.isArray(before) ? before : [before as string]), element.text];
    else throw new S3Error('MalformedXML', { reason: `two of \`${field}\` in an entry` });
  }
  if ((key === undefined) !== (name === 'Part'))
    throw new S3Error('MalformedXML', { reason: `a key too few or too many in \`${name}\`` });
  return { element: name, key, content, people };
}

function restoreStatus(element: ParsedElement): XmlElements {
  return Object.fromEntries(RESTORE_FIELDS.map((field) => [field, element.child(field)?.text]));
}

function renderPeople(people: readonly Person[], ownerId: string): XmlElements {
  return Object.fromEntries(people.map((person) => [person, { ID: ownerId }]));
}

/** With `encoding-type=url`, S3 writes a space as `+`, others as `%20`; a plus is `%2B` with all of them. */
function decoderOf(root: ParsedElement): (text: string) => string {
  const encoding = root.child('EncodingType')?.text ?? '';
  if (encoding === '') return asItIs;
  if (encoding !== 'url') throw new S3Error('MalformedXML', { reason: `the encoding type \`${encoding}\`` });
  return (text) => {
    try {
      return decodeURIComponent(text.replaceAll('+', ' '));
    } catch (error) {
      throw new S3Error('MalformedXML', { cause: error, reason: 'a name that is not encoded' });
    }
  };
}

function asItIs(text: string): string {
  return text;
}

function isEncoded(name: ListingField): boolean {
  const kind: FieldKind = PAGE_FIELDS[name];
  return kind === 'key' || kind === 'encoded';
}

function isField(name: string): name is ListingField {
  return Object.hasOwn(PAGE_FIELDS, name);
}

function isPerson(name: string): name is Person {
  return name === 'Owner' || name === 'Initiator';
}

function isEntry(name: string): name is ListedEntry['element'] {
  return Object.values(ENTRIES).some((names) => (names as readonly string[]).includes(name));
}

function fieldsOf(kind: FieldKind): readonly ListingField[] {
  return (Object.keys(PAGE_FIELDS) as ListingField[]).filter((name) => PAGE_FIELDS[name] === kind);
}
