/** The answer of ListBuckets. Source: S3 API reference, ListBuckets. */
import { optionalText, requiredText } from './xml-elements.ts';
import { parseXml, renderXml, S3_NAMESPACE, type ParsedElement } from './xml.ts';

export interface ListedBucket {
  readonly name: string;
  /** ISO 8601, as it goes over the wire. */
  readonly creationDate: string;
  readonly bucketRegion?: string;
}

interface BucketList {
  readonly ownerId: string;
  readonly buckets: readonly ListedBucket[];
  readonly continuationToken?: string;
  readonly prefix?: string;
}

export function renderListBuckets(list: BucketList): string {
  return renderXml(
    'ListAllMyBucketsResult',
    {
      Owner: { ID: list.ownerId },
      Buckets: {
        Bucket: list.buckets.map((bucket) => ({
          Name: bucket.name,
          CreationDate: bucket.creationDate,
          BucketRegion: bucket.bucketRegion,
        })),
      },
      ContinuationToken: list.continuationToken,
      Prefix: list.prefix,
    },
    { namespace: S3_NAMESPACE },
  );
}

/** Of 10,000 buckets, each with name, date, region and ARN. */
const MAX_TAGS = 110_000;

/** Reads the upstream's answer. @throws S3Error `MalformedXML` when it is not one. */
export function parseListBuckets(text: string): BucketList {
  const root = parseXml(text, 'ListAllMyBucketsResult', { maxTags: MAX_TAGS });
  return {
    ownerId: root.child('Owner')?.child('ID')?.text ?? '',
    buckets: root.child('Buckets')?.children('Bucket').map(parseBucket) ?? [],
    ...optionalText('continuationToken', root, 'ContinuationToken'),
    ...optionalText('prefix', root, 'Prefix'),
  };
}

function parseBucket(element: ParsedElement): ListedBucket {
  return {
    name: requiredText(element, 'Name'),
    creationDate: requiredText(element, 'CreationDate'),
    ...optionalText('bucketRegion', element, 'BucketRegion'),
  };
}
