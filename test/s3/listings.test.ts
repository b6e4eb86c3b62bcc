import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseListing, renderListing, S3_NAMESPACE, type Listing } from '../../src/s3/index.ts';
import { ODD_KEYS } from './odd-keys.ts';
import { refusal } from './requests.ts';

const HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n';
const OWNER = '75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a';
const OURS = '0'.repeat(64);

describe('ListObjects', () => {
  /** S3 API reference, ListObjects, sample response, with the elements of the response syntax. */
  const page = `<?xml version="1.0" encoding="UTF-8"?>
    <ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
      <Name>bucket</Name><Prefix/><Marker/><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated>
      <Contents><Key>my-image.jpg</Key><LastModified>2009-10-12T17:50:30.000Z</LastModified>
        <ETag>"fba9dede5f27731c9771645a39863328"</ETag><Size>434234</Size><StorageClass>STANDARD</StorageClass>
        <Owner><ID>${OWNER}</ID><DisplayName>mtd@amazon.com</DisplayName></Owner></Contents>
      <Contents><Key>my-third-image.jpg</Key><LastModified>2009-10-12T17:50:30.000Z</LastModified>
        <ETag>"1b2cf535f27731c974343645a3985328"</ETag><ChecksumAlgorithm>CRC32</ChecksumAlgorithm>
        <ChecksumAlgorithm>SHA256</ChecksumAlgorithm><ChecksumType>COMPOSITE</ChecksumType><Size>64994</Size>
        <StorageClass>GLACIER</StorageClass><RestoreStatus><IsRestoreInProgress>false</IsRestoreInProgress>
        <RestoreExpiryDate>2012-12-21T00:00:00.000Z</RestoreExpiryDate></RestoreStatus></Contents>
      <CommonPrefixes><Prefix>photos/</Prefix></CommonPrefixes>
    </ListBucketResult>`;

  test('is read, and written with the owner of the bucket in place of the upstream account', () => {
    const listing = parseListing(page, 'ListBucketResult');
    expect(listing.fields).toEqual({
      Name: 'bucket',
      Prefix: '',
      Marker: '',
      MaxKeys: '1000',
      IsTruncated: 'false',
    });
    expect(listing.entries.map(({ key }) => key)).toEqual(['my-image.jpg', 'my-third-image.jpg']);
    expect(listing.commonPrefixes).toEqual(['photos/']);
    expect(renderListing(listing, OURS)).toBe(
      `${HEAD}<ListBucketResult xmlns="${S3_NAMESPACE}"><Name>bucket</Name><Prefix></Prefix><Marker></Marker>` +
        '<MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated>' +
        '<Contents><Key>my-image.jpg</Key><LastModified>2009-10-12T17:50:30.000Z</LastModified>' +
        '<ETag>&quot;fba9dede5f27731c9771645a39863328&quot;</ETag><Size>434234</Size>' +
        `<StorageClass>STANDARD</StorageClass><Owner><ID>${OURS}</ID></Owner></Contents>` +
        '<Contents><Key>my-third-image.jpg</Key><LastModified>2009-10-12T17:50:30.000Z</LastModified>' +
        '<ETag>&quot;1b2cf535f27731c974343645a3985328&quot;</ETag><ChecksumAlgorithm>CRC32</ChecksumAlgorithm>' +
        '<ChecksumAlgorithm>SHA256</ChecksumAlgorithm><ChecksumType>COMPOSITE</ChecksumType><Size>64994</Size>' +
        '<StorageClass>GLACIER</StorageClass><RestoreStatus><IsRestoreInProgress>false</IsRestoreInProgress>' +
        '<RestoreExpiryDate>2012-12-21T00:00:00.000Z</RestoreExpiryDate></RestoreStatus></Contents>' +
        '<CommonPrefixes><Prefix>photos/</Prefix></CommonPrefixes></ListBucketResult>',
    );
  });

  test('what a store adds of its own is dropped', () => {
    const listing = parseListing(
      `<ListBucketResult><Name>b</Name><Zone>eu-1</Zone><Contents><Key>k</Key><Type>Normal</Type>
        <UserMetadata><a>b</a></UserMetadata></Contents></ListBucketResult>`,
      'ListBucketResult',
    );
    expect(renderListing(listing, OURS)).toBe(
      `${HEAD}<ListBucketResult xmlns="${S3_NAMESPACE}"><Name>b</Name><Contents><Key>k</Key></Contents></ListBucketResult>`,
    );
  });
});

/** S3 API reference, ListObjectVersions, sample response, shortened. */
test('versions and delete markers keep their order', () => {
  const listing = parseListing(
    `<ListVersionsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
      <Name>mtp-versioning-fresh</Name><Prefix/><KeyMarker>key3</KeyMarker><VersionIdMarker>null</VersionIdMarker>
      <NextKeyMarker>key3</NextKeyMarker><NextVersionIdMarker>d-d309mfjFrUmoQ0DBsVqmcMV15OI.</NextVersionIdMarker>
      <MaxKeys>3</MaxKeys><IsTruncated>true</IsTruncated>
      <Version><Key>key3</Key><VersionId>8XECiENpj8pydEDJdd-_VRrvaGKAHOaGMNW7tg6UViI.</VersionId><IsLatest>true</IsLatest>
        <LastModified>2009-12-09T00:18:23.000Z</LastModified><ETag>"396fefef536d5ce46c7537ecf978a360"</ETag>
        <Size>217</Size><Owner><ID>${OWNER}</ID></Owner><StorageClass>STANDARD</StorageClass></Version>
      <DeleteMarker><Key>my-second-image.jpg</Key><VersionId>03jpff543dhffds434rfdsFDN943fdsFkdmqnh892</VersionId>
        <IsLatest>true</IsLatest><LastModified>2009-11-12T17:50:30.000Z</LastModified>
        <Owner><ID>${OWNER}</ID><DisplayName>mtd@amazon.com</DisplayName></Owner></DeleteMarker>
      <Version><Key>my-second-image.jpg</Key><VersionId>QUpfdndhfd8438MNFDN93jdnJFkdmqnh893</VersionId>
        <IsLatest>false</IsLatest></Version>
    </ListVersionsResult>`,
    'ListVersionsResult',
  );
  expect(listing.entries.map(({ element, key }) => [element, key])).toEqual([
    ['Version', 'key3'],
    ['DeleteMarker', 'my-second-image.jpg'],
    ['Version', 'my-second-image.jpg'],
  ]);
  const xml = renderListing(listing, OURS);
  expect(xml.match(/<(?:Version|DeleteMarker)>/g)).toEqual(['<Version>', '<DeleteMarker>', '<Version>']);
  expect(xml).not.toContain(OWNER);
  expect(parseListing(xml, 'ListVersionsResult')).toEqual(listing);
});

/** S3 API reference, ListParts, sample response, shortened. */
test('a list of parts names the owner of the bucket as the one who began the upload', () => {
  const listing = parseListing(
    `<ListPartsResult><Bucket>example-bucket</Bucket><Key>example-object</Key><UploadId>XXBsb2FkIElE</UploadId>
      <Initiator><ID>arn:aws:iam::111122223333:user/some-user-11116a31-17b5-4fb7-9df5-b288870f11xx</ID></Initiator>
      <Owner><ID>${OWNER}</ID><DisplayName>someName</DisplayName></Owner><StorageClass>STANDARD</StorageClass>
      <PartNumberMarker>1</PartNumberMarker><NextPartNumberMarker>3</NextPartNumberMarker><MaxParts>2</MaxParts>
      <IsTruncated>true</IsTruncated>
      <Part><PartNumber>2</PartNumber><LastModified>2010-11-10T20:48:34.000Z</LastModified>
        <ETag>"7778aef83f66abc1fa1e8477f296d394"</ETag><Size>10485760</Size></Part></ListPartsResult>`,
    'ListPartsResult',
  );
  expect(listing.fields).toMatchObject({ Bucket: 'example-bucket', Key: 'example-object', MaxParts: '2' });
  const xml = renderListing(listing, OURS);
  expect(xml).toContain(`<Initiator><ID>${OURS}</ID></Initiator><Owner><ID>${OURS}</ID></Owner>`);
  expect(xml).toContain('<Part><PartNumber>2</PartNumber>');
});

describe('encoding-type=url', () => {
  test('is read whether a space is `+` or `%20`, and written so that both decoders read it', () => {
    const listing = parseListing(
      `<ListBucketResult><Prefix>a+b%2B</Prefix><Delimiter>%2F</Delimiter><EncodingType>url</EncodingType>
        <Contents><Key>a+b%2B/c%20%C3%A4</Key></Contents></ListBucketResult>`,
      'ListBucketResult',
    );
    expect(listing.fields).toMatchObject({ Prefix: 'a b+', Delimiter: '/' });
    expect(listing.entries[0]?.key).toBe('a b+/c ä');
    expect(renderListing(listing, OURS)).toContain('<Key>a%20b%2B/c%20%C3%A4</Key>');
  });

  test('names that are not encoded, and other encodings, are no page', () => {
    for (const page of [
      '<EncodingType>url</EncodingType><Contents><Key>100%</Key></Contents>',
      '<EncodingType>base64</EncodingType>',
      '<Contents><ETag>a</ETag></Contents>',
      '<Contents><Key>a</Key><Key>b</Key></Contents>',
      '<Name>a</Name><Name>b</Name>',
    ])
      expect(
        refusal(() => parseListing(`<ListBucketResult>${page}</ListBucketResult>`, 'ListBucketResult')).code,
      ).toBe('MalformedXML');
  });
});

test('whatever the keys, a page that is written is the page that is read', () => {
  const key = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(...ODD_KEYS));
  const entry = fc.record({
    element: fc.constantFrom('Version' as const, 'DeleteMarker' as const),
    key,
    content: fc.record({ VersionId: key, IsLatest: fc.constantFrom('true', 'false') }),
    people: fc.constantFrom([], ['Owner' as const]),
  });
  const listing: fc.Arbitrary<Listing> = fc
    .tuple(key, key, fc.array(entry), fc.array(key), fc.boolean())
    .map(([prefix, marker, entries, commonPrefixes, encoded]) => ({
      kind: 'ListVersionsResult',
      fields: { Prefix: prefix, KeyMarker: marker, ...(encoded && { EncodingType: 'url' }) },
      entries,
      commonPrefixes,
      people: [],
    }));
  fc.assert(
    fc.property(listing, (page) => {
      expect(parseListing(renderListing(page, OURS), 'ListVersionsResult')).toEqual(page);
    }),
  );
});

test('a thousand entries with all that they may have are read', () => {
  const contents = Array.from(
    { length: 1000 },
    (_, i) => `<Contents><Key>${i}</Key><LastModified>l</LastModified><ETag>e</ETag>
      <ChecksumAlgorithm>CRC32</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType><Size>1</Size>
      <StorageClass>STANDARD</StorageClass><Owner><ID>i</ID><DisplayName>d</DisplayName></Owner>
      <RestoreStatus><IsRestoreInProgress>false</IsRestoreInProgress><RestoreExpiryDate>d</RestoreExpiryDate>
      </RestoreStatus></Contents>`,
  );
  const listing = parseListing(
    `<ListBucketResult>${contents.join('')}</ListBucketResult>`,
    'ListBucketResult',
  );
  expect(listing.entries).toHaveLength(1000);
});
