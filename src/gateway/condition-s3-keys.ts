/**
 * The condition keys of S3. Source: Service Authorization Reference, "Actions, resources, and condition keys for Amazon
 * S3", and S3 User Guide, "Bucket policy examples using condition keys". An action that does not take a key on AWS does
 * not have it here either: `condition-keys.ts` sees to that, not these rows.
 */
import { parseCopySource, queryValue, type OperationName } from '../s3/index.ts';
import { absent, headerKey, type ConditionKey, type FilledKey } from './condition-key.ts';
import { ExistingTagsNeeded, type Facts } from './condition-facts.ts';

const GRANTS = 'never: ACLs are off, and the header is refused before any policy is asked';

/** Of `s3:`, and of directory buckets by another prefix. */
const COMMON: readonly FilledKey[] = [
  {
    name: 's3:ResourceAccount',
    from: 'as `aws:ResourceAccount`',
    value: ({ resource }) => resource.account,
  },
  {
    name: 's3:TlsVersion',
    from: 'the TLS of the connection to the gateway, such as `1.3`; behind a proxy that ends TLS it is that of the proxy',
    when: 'the connection has TLS',
    value: ({ request }) => tlsVersion(request.tls?.protocol),
  },
  {
    name: 's3:authType',
    from: '`REST-HEADER`, `REST-QUERY-STRING` (presigned URL) or `POST` (browser form)',
    when: 'somebody signed',
    value: ({ request: { caller } }) =>
      caller.type === 'anonymous' ? undefined : AUTH_TYPES[caller.claim.form],
  },
  {
    name: 's3:signatureAge',
    from: 'milliseconds since the date in the signature; 0 for one that lies ahead',
    when: 'somebody signed',
    value: ({ request: { caller }, now }) =>
      caller.type === 'anonymous' ? undefined : String(Math.max(0, now - caller.claim.signedAt)),
  },
  {
    name: 's3:signatureversion',
    from: '`AWS4-HMAC-SHA256`, or `AWS4-ECDSA-P256-SHA256` for SigV4A',
    when: 'somebody signed',
    value: ({ request: { caller } }) => (caller.type === 'anonymous' ? undefined : caller.claim.algorithm),
  },
  {
    name: 's3:x-amz-content-sha256',
    from: 'the payload mode that holds: 64 hex digits, `UNSIGNED-PAYLOAD` (also where a presigned URL or a form says nothing) or `STREAMING-…`',
    value: ({ request }) => request.payloadHash,
  },
];

export const S3_CONDITION_KEYS: readonly ConditionKey[] = [
  ...COMMON,
  {
    name: 's3:prefix',
    from: 'parameter `prefix` of a listing of objects or versions, decoded',
    when: 'the parameter is there, be it empty',
    value: listingParameter('prefix'),
  },
  {
    name: 's3:delimiter',
    from: 'parameter `delimiter` of such a listing',
    when: 'the parameter is there, be it empty',
    value: listingParameter('delimiter'),
  },
  {
    name: 's3:max-keys',
    from: 'parameter `max-keys` of such a listing, or the `1000` that S3 takes instead of none; what is no whole number refuses the request',
    when: 'it is a listing, not HeadBucket',
    value: maxKeys,
  },
  {
    name: 's3:versionid',
    from: 'the version that is named: parameter `versionId`, `?versionId=` of a copy source, `VersionId` of an entry of DeleteObjects',
    value: ({ required }) => required.versionId,
  },
  {
    name: 's3:ExistingObjectTag/',
    from: 'the tag of that key that the object, or the version that is named, has upstream: looked up when a policy asks',
    when: 'the object is there and has it',
    tags: ({ existingTags }) => existingTags,
    orThrow: () => new ExistingTagsNeeded(),
  },
  {
    name: 's3:RequestObjectTag/',
    from: 'the new tag of that key: header `x-amz-tagging`, form field `tagging`, body of PutObjectTagging',
    when: 'the request has it',
    tags: objectTags,
  },
  {
    name: 's3:RequestObjectTagKeys',
    from: 'the keys of these tags',
    when: 'the request has tags',
    multivalued: true,
    value: (facts) => objectTags(facts)?.map(({ key }) => key),
  },
  {
    name: 's3:ObjectCreationOperation',
    from: '`true` for PutObject, PostObject, CopyObject, CompleteMultipartUpload and RenameObject; `false` for the other steps of an upload in parts',
    value: ({ request }) => CREATIONS[request.operation.name],
  },
  {
    name: 's3:if-match',
    from: 'header `if-match`, or `ETag` of an entry of DeleteObjects',
    when: 'the request has it',
    header: 'if-match',
    value: ({ request, body }) => body.entityTag ?? request.effective.headers.get('if-match'),
  },
  headerKey('if-none-match'),
  {
    name: 's3:x-amz-copy-source',
    from: 'header `x-amz-copy-source` as `bucket/key`, decoded, without leading slash and version',
    when: 'the header is there',
    header: 'x-amz-copy-source',
    value: copySource,
  },
  headerKey('x-amz-metadata-directive'),
  headerKey('x-amz-storage-class'),
  headerKey('x-amz-website-redirect-location'),
  headerKey('x-amz-server-side-encryption'),
  headerKey('x-amz-server-side-encryption-aws-kms-key-id'),
  headerKey('x-amz-server-side-encryption-customer-algorithm'),
  {
    name: 's3:object-lock-mode',
    from: 'header `x-amz-object-lock-mode`, or `Mode` in the body of PutObjectRetention',
    when: 'the request has it',
    value: ({ request, body }) => body.lockMode ?? request.effective.headers.get('x-amz-object-lock-mode'),
  },
  {
    name: 's3:object-lock-retain-until-date',
    from: 'header `x-amz-object-lock-retain-until-date`, or `RetainUntilDate` in the body of PutObjectRetention; one that cannot be read refuses the request',
    when: 'the request has it',
    value: retainUntil,
  },
  {
    name: 's3:object-lock-remaining-retention-days',
    from: 'days from now until that date, a begun one counted; one that cannot be read refuses the request',
    when: 'the request has such a date',
    value: remainingDays,
  },
  {
    name: 's3:object-lock-legal-hold',
    from: 'header `x-amz-object-lock-legal-hold`, or `Status` in the body of PutObjectLegalHold: `ON`, `OFF`',
    when: 'the request has it',
    value: ({ request, body }) =>
      body.legalHold ?? request.effective.headers.get('x-amz-object-lock-legal-hold'),
  },
  ...absent(
    ['s3:object-lock-event-hold', 's3:object-lock-event-hold-duration-days'],
    'requests with event holds are refused',
  ),
  headerKey(
    'x-amz-acl',
    'the header is there: `private` or `bucket-owner-full-control`, all others are refused',
  ),
  headerKey('x-amz-grant-full-control', GRANTS),
  headerKey('x-amz-grant-read', GRANTS),
  headerKey('x-amz-grant-read-acp', GRANTS),
  headerKey('x-amz-grant-write', GRANTS),
  headerKey('x-amz-grant-write-acp', GRANTS),
  {
    name: 's3:locationconstraint',
    from: '`LocationConstraint` in the body of CreateBucket',
    when: 'the body has it',
    value: ({ body }) => body.locationConstraint,
  },
  headerKey('x-amz-object-ownership'),
  headerKey('x-amz-bucket-namespace'),
  {
    name: 's3:InventoryAccessibleOptionalFields',
    from: '`OptionalFields` in the body of PutBucketInventoryConfiguration',
    when: 'the body has them',
    multivalued: true,
    value: ({ body }) => (body.inventoryFields?.length === 0 ? undefined : body.inventoryFields),
  },
  {
    name: 's3:isReplicationPauseRequest',
    from: '`false`: the fault injection service of AWS does not call',
    value: () => 'false',
  },
  ...absent(['s3:destinationRegion'], 'the fault injection service of AWS does not call'),
  {
    name: 's3:annotation-prefix',
    from: 'parameter `annotation-prefix`',
    when: 'the parameter is there, be it empty',
    value: (facts) => parameter(facts, 'annotation-prefix'),
  },
  {
    name: 's3:max-annotation-results',
    from: 'parameter `max-annotation-results`',
    when: 'the parameter is there',
    value: (facts) => parameter(facts, 'max-annotation-results'),
  },
  headerKey('x-amz-object-annotation-directive'),
  headerKey('x-amz-object-if-match'),
  ...absent(
    ['s3:BucketTag/'],
    'the tags of buckets are kept upstream and are for cost allocation, as on AWS for a bucket without ABAC',
  ),
  ...absent(
    [
      's3:AccessPointNetworkOrigin',
      's3:AccessPointTag/',
      's3:DataAccessPointAccount',
      's3:DataAccessPointArn',
    ],
    'there are no access points',
  ),
  ...absent(['s3:AccessGrantsInstanceArn'], 'there are no access grants'),
  ...absent(
    ['s3:deliverySourceArn', 's3:logType', 's3:resourceArnBeingAuthorized'],
    'no service of AWS delivers logs',
  ),
  ...COMMON.map(ofDirectoryBuckets),
  ...absent(
    [
      's3express:AccessPointTag/',
      's3express:AllAccessRestrictedToLocalZoneGroup',
      's3express:BucketTag/',
      's3express:Permissions',
      's3express:SessionMode',
      's3express:x-amz-server-side-encryption',
      's3express:x-amz-server-side-encryption-aws-kms-key-id',
    ],
    'there are no directory buckets and no sessions with them; RenameObject alone asks for `s3express:CreateSession`',
  ),
  ...absent(
    ['s3-object-lambda:TlsVersion', 's3-object-lambda:authType', 's3-object-lambda:signatureAge'],
    'WriteGetObjectResponse is refused',
  ),
];

function ofDirectoryBuckets(key: FilledKey): FilledKey {
  return { ...key, name: key.name.replace('s3:', 's3express:') };
}

/** Source: S3 API reference, "Amazon S3 Signature Version 4 authentication-specific policy keys". */
const AUTH_TYPES = { header: 'REST-HEADER', presigned: 'REST-QUERY-STRING', post: 'POST' } as const;

/** Source: S3 User Guide, "Enforce conditional writes on Amazon S3 buckets"; a rename makes an object at once, too. */
const CREATIONS: Partial<Record<OperationName, 'true' | 'false'>> = {
  CompleteMultipartUpload: 'true',
  CopyObject: 'true',
  CreateMultipartUpload: 'false',
  PostObject: 'true',
  PutObject: 'true',
  RenameObject: 'true',
  UploadPart: 'false',
  UploadPartCopy: 'false',
};

const LISTINGS: ReadonlySet<OperationName> = new Set(['ListObjects', 'ListObjectsV2', 'ListObjectVersions']);

/** What HeadBucket, or a look at whether the caller may list, does not have. */
function isListing({ request }: Facts): boolean {
  return LISTINGS.has(request.operation.name);
}

function parameter({ request }: Facts, name: string): string | undefined {
  return queryValue(request.effective.query, name);
}

function listingParameter(name: string): FilledKey['value'] {
  return (facts) => (isListing(facts) ? parameter(facts, name) : undefined);
}

/**
 * Stores take no value for their maximum, and some take digits without end.
 * @throws Error for what is no number of at most 15 digits: a Deny on its size would otherwise not hold.
 */
function maxKeys(facts: Facts): string | undefined {
  if (!isListing(facts)) return undefined;
  const asked = parameter(facts, 'max-keys') ?? '';
  if (asked === '') return '1000';
  if (!/^\d{1,15}$/.test(asked)) throw new Error(`\`max-keys\` is no whole number: \`${asked}\``);
  return asked;
}

/** `TLSv1.3` */
function tlsVersion(protocol: string | undefined): string | undefined {
  return protocol?.startsWith('TLSv') === true ? protocol.slice(4) : undefined;
}

/** As it was understood and is forwarded, whichever way the client has written it. */
function copySource({ request }: Facts): string | undefined {
  const header = request.effective.headers.get('x-amz-copy-source');
  if (header === undefined) return undefined;
  const { bucket, key } = parseCopySource(header);
  return `${bucket}/${key}`;
}

/** Out of the XML body, or out of `x-amz-tagging`. */
function objectTags({ request, body }: Facts): Facts['body']['tags'] {
  const tags = body.tags ?? request.objectTags;
  return tags?.length === 0 ? undefined : tags;
}

/** As SDKs write it, and as the body of PutObjectRetention may have it. */
const DATE = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?)?$/;

/**
 * The retention that the request asks for; what an object has is known upstream only, and no action asks for it.
 * @throws Error for a date that cannot be read: a Deny on it would otherwise not hold.
 */
function retainUntil({ request, body }: Facts): string | undefined {
  const date = body.retainUntil ?? request.effective.headers.get('x-amz-object-lock-retain-until-date');
  if (date !== undefined && !(DATE.test(date) && Date.parse(date) > 0))
    throw new Error(`the retention date \`${date}\` cannot be read`);
  return date;
}

const DAY_MS = 86_400_000;

/**
 * Begun days count, so that one who asks for ten days is not below ten by the time that the request took.
 * @throws Error as `retainUntil`.
 */
function remainingDays(facts: Facts): string | undefined {
  const date = retainUntil(facts);
  if (date === undefined) return undefined;
  return String(Math.ceil((Date.parse(date) - facts.now) / DAY_MS));
}
