/** ListObjects, both versions. */
import { CHECKSUM_ALGORITHMS } from '../body/index.ts';
import {
  queryValue,
  renderXml,
  S3_NAMESPACE,
  S3Error,
  type QueryParameter,
  type XmlElements,
} from '../s3/index.ts';
import { requireBucket } from './bucket-handlers.ts';
import type { Call, Reply, Store } from './call.ts';
import { collectKeyPage, keyAfter, type KeyPage } from './key-page.ts';
import { parseEncoding, parseMaximum, type KeyEncoding } from './listing-query.ts';
import type { ListedObject } from './object-records.ts';

const MAX_KEYS = 1000;

export function listObjects({ bucket, wire }: Call, store: Store): Reply {
  const listing = openListing(wire.query);
  const marker = queryValue(wire.query, 'marker') ?? '';
  const page = listing.collect(store, bucket, listing.after(marker));
  const { encode } = listing.encoding;
  return listing.reply({
    Name: bucket,
    Prefix: encode(listing.prefix),
    Marker: encode(marker),
    // S3 tells it only with a delimiter; without one, clients take the last key.
    NextMarker:
      page.truncated && listing.delimiter !== undefined && page.last !== undefined
        ? encode(page.last.toString())
        : undefined,
    MaxKeys: listing.maximum,
    Delimiter: listing.delimiter === undefined ? undefined : encode(listing.delimiter),
    EncodingType: listing.encoding.type,
    IsTruncated: page.truncated,
    ...renderEntries(page, listing.encoding, store.ownerId),
  });
}

export function listObjectsV2({ bucket, wire }: Call, store: Store): Reply {
  if (queryValue(wire.query, 'list-type') !== '2')
    throw new S3Error('InvalidArgument', {
      message: 'Invalid List Type specified in Request',
      details: { ArgumentName: 'list-type', ArgumentValue: queryValue(wire.query, 'list-type') ?? '' },
    });
  const listing = openListing(wire.query);
  const token = queryValue(wire.query, 'continuation-token');
  const startAfter = queryValue(wire.query, 'start-after') ?? '';
  const page = listing.collect(
    store,
    bucket,
    token === undefined ? listing.after(startAfter) : decodeToken(token),
  );
  const { encode } = listing.encoding;
  const withOwner = queryValue(wire.query, 'fetch-owner') === 'true';
  return listing.reply({
    Name: bucket,
    Prefix: encode(listing.prefix),
    StartAfter: startAfter === '' ? undefined : encode(startAfter),
    ContinuationToken: token,
    NextContinuationToken: page.next?.toString('base64url'),
    KeyCount: page.rows.length + page.commonPrefixes.length,
    MaxKeys: listing.maximum,
    Delimiter: listing.delimiter === undefined ? undefined : encode(listing.delimiter),
    EncodingType: listing.encoding.type,
    IsTruncated: page.truncated,
    ...renderEntries(page, listing.encoding, withOwner ? store.ownerId : undefined),
  });
}

interface Listing {
  readonly prefix: string;
  readonly delimiter: string | undefined;
  readonly maximum: number;
  readonly encoding: KeyEncoding;
  after(marker: string): Buffer;
  collect(store: Store, bucket: string, from: Buffer): KeyPage<ListedObject>;
  reply(content: XmlElements): Reply;
}

function openListing(query: readonly QueryParameter[]): Listing {
  const prefixText = queryValue(query, 'prefix') ?? '';
  const delimiterText = queryValue(query, 'delimiter') ?? '';
  const prefix = Buffer.from(prefixText);
  const delimiter = Buffer.from(delimiterText);
  const maximum = parseMaximum(query, 'max-keys', MAX_KEYS);
  return {
    prefix: prefixText,
    delimiter: delimiterText === '' ? undefined : delimiterText,
    maximum,
    encoding: parseEncoding(query),
    after: (marker) => (marker === '' ? prefix : keyAfter(Buffer.from(marker), prefix, delimiter)),
    collect(store, bucket, from) {
      requireBucket(store, bucket);
      return collectKeyPage({ prefix, delimiter, from, maximum }, (key, until) =>
        store.catalog.objects.scan(bucket, key, until),
      );
    },
    reply: (content) => ({
      status: 200,
      body: renderXml('ListBucketResult', content, { namespace: S3_NAMESPACE }),
    }),
  };
}

function renderEntries(
  { rows, commonPrefixes }: KeyPage<ListedObject>,
  { encode }: KeyEncoding,
  ownerId: string | undefined,
): XmlElements {
  return {
    Contents: rows.map((row) => ({
      Key: encode(row.key.toString()),
      LastModified: new Date(row.modified).toISOString(),
      ETag: row.etag,
      ChecksumAlgorithm:
        row.checksum === undefined ? undefined : CHECKSUM_ALGORITHMS[row.checksum.algorithm].label,
      ChecksumType: row.checksum?.type,
      Size: row.size,
      StorageClass: row.storageClass,
      Owner: ownerId === undefined ? undefined : { ID: ownerId },
    })),
    CommonPrefixes: commonPrefixes.map((prefix) => ({ Prefix: encode(prefix.toString()) })),
  };
}

/** The token is the key that the next page starts with. */
function decodeToken(token: string): Buffer {
  const key = Buffer.from(token, 'base64url');
  if (key.length === 0 || key.toString('base64url') !== token)
    throw new S3Error('InvalidArgument', {
      message: 'The continuation token provided is incorrect',
      details: { ArgumentName: 'continuation-token', ArgumentValue: token },
    });
  return key;
}
