/** A request for each operation, and one for each of its variants that may need other actions. */
import type { OperationName } from '../../../src/s3/index.ts';
import { SETTINGS_EXAMPLES } from '../../s3/settings-examples.ts';
import {
  arnOf,
  listedNeeds,
  listedOperation,
  type Need,
  type Walk,
  type WalkedEntry,
} from './listed-actions.ts';

const BUCKET = 'walk-main';
const OTHER_BUCKET = 'walk-other';
/** Of settings that the gateway keeps, so that those who read them find none. */
const SET_BUCKET = 'walk-set';

const TAGGING = '<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>';
/** About nobody's rights: all of the account need an identity policy as well, and the key is nobody's. */
const POLICY = JSON.stringify({
  Version: '2012-10-17',
  Statement: [
    {
      Effect: 'Allow',
      Principal: { AWS: 'arn:aws:iam::000000000000:root' },
      Action: 's3:GetObject',
      Resource: `arn:aws:s3:::${SET_BUCKET}/unused`,
    },
  ],
});

/** Bodies that the operations cannot do without. Source: S3 API reference, the request syntax of each. */
const BODIES: Partial<Record<OperationName, string>> = {
  ...SETTINGS_EXAMPLES,
  CompleteMultipartUpload:
    '<CompleteMultipartUpload><Part><ETag>"e"</ETag><PartNumber>1</PartNumber></Part></CompleteMultipartUpload>',
  PutBucketCors:
    '<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>https://www.example.com</AllowedOrigin></CORSRule></CORSConfiguration>',
  PutBucketPolicy: POLICY,
  PutBucketTagging: TAGGING,
  PutObject: 'content',
  PutObjectAnnotation: 'content',
  PutObjectTagging: TAGGING,
  PutPublicAccessBlock:
    '<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls></PublicAccessBlockConfiguration>',
  UploadPart: 'content',
};

/** Values of what the match rules of the list only name. */
const PARAMETERS: Readonly<Record<string, string>> = { id: 'report1', partNumber: '1', uploadId: 'upload-1' };
const HEADERS: Readonly<Record<string, string>> = {
  'access-control-request-method': 'GET',
  origin: 'https://www.example.com',
  'x-amz-copy-source': `${BUCKET}/source`,
  'x-amz-object-attributes': 'ETag',
  'x-amz-rename-source': `${BUCKET}/source`,
};

type Special = Partial<Omit<Walk, 'operation' | 'variant'>>;

function walk(operation: OperationName, variant?: string, special: Special = {}): Walk {
  const { queryPresent, queryEquals, headersPresent } = listedOperation(operation).match;
  const entries = special.entries ?? [];
  return {
    operation,
    ...(variant !== undefined && { variant }),
    bucket: BUCKET,
    key: 'key',
    body: entries.length > 0 ? deleteDocument(entries) : (BODIES[operation] ?? ''),
    fields: {},
    sourceHasTags: false,
    bodyHasTags: false,
    entries,
    ...special,
    query: {
      ...Object.fromEntries(queryPresent.map((name) => [name, PARAMETERS[name] ?? ''])),
      ...queryEquals,
      ...special.query,
    },
    headers: {
      ...Object.fromEntries(headersPresent.map((name) => [name, HEADERS[name] ?? ''])),
      ...special.headers,
    },
  };
}

function deleteDocument(entries: readonly WalkedEntry[]): string {
  const objects = entries.map(
    ({ key, versionId, etag }) =>
      `<Object><Key>${key}</Key>${versionId === undefined ? '' : `<VersionId>${versionId}</VersionId>`}${
        etag === undefined ? '' : `<ETag>${etag}</ETag>`
      }</Object>`,
  );
  return `<Delete>${objects.join('')}</Delete>`;
}

/** Operations whose every request needs the same. */
const PLAIN: readonly OperationName[] = [
  'AbortMultipartUpload',
  'CreateBucketMetadataConfiguration',
  'CreateBucketMetadataTableConfiguration',
  'DeleteBucketAnalyticsConfiguration',
  'DeleteBucketCors',
  'DeleteBucketEncryption',
  'DeleteBucketIntelligentTieringConfiguration',
  'DeleteBucketInventoryConfiguration',
  'DeleteBucketLifecycle',
  'DeleteBucketMetadataConfiguration',
  'DeleteBucketMetadataTableConfiguration',
  'DeleteBucketMetricsConfiguration',
  'DeleteBucketOwnershipControls',
  'DeleteBucketPolicy',
  'DeleteBucketReplication',
  'DeleteBucketTagging',
  'DeleteBucketWebsite',
  'DeletePublicAccessBlock',
  'GetBucketAccelerateConfiguration',
  'GetBucketAcl',
  'GetBucketAnalyticsConfiguration',
  'GetBucketCors',
  'GetBucketEncryption',
  'GetBucketIntelligentTieringConfiguration',
  'GetBucketInventoryConfiguration',
  'GetBucketLifecycleConfiguration',
  'GetBucketLocation',
  'GetBucketLogging',
  'GetBucketMetadataConfiguration',
  'GetBucketMetadataTableConfiguration',
  'GetBucketMetricsConfiguration',
  'GetBucketNotificationConfiguration',
  'GetBucketOwnershipControls',
  'GetBucketPolicy',
  'GetBucketPolicyStatus',
  'GetBucketReplication',
  'GetBucketRequestPayment',
  'GetBucketTagging',
  'GetBucketVersioning',
  'GetBucketWebsite',
  'GetObjectLockConfiguration',
  'GetPublicAccessBlock',
  'HeadBucket',
  'ListBucketAnalyticsConfigurations',
  'ListBucketIntelligentTieringConfigurations',
  'ListBucketInventoryConfigurations',
  'ListBucketMetricsConfigurations',
  'ListBuckets',
  'ListMultipartUploads',
  'ListParts',
  'PutBucketAccelerateConfiguration',
  'PutBucketAnalyticsConfiguration',
  'PutBucketEncryption',
  'PutBucketIntelligentTieringConfiguration',
  'PutBucketInventoryConfiguration',
  'PutBucketLifecycleConfiguration',
  'PutBucketLogging',
  'PutBucketMetricsConfiguration',
  'PutBucketNotificationConfiguration',
  'PutBucketOwnershipControls',
  'PutBucketReplication',
  'PutBucketRequestPayment',
  'PutBucketTagging',
  'PutBucketVersioning',
  'PutBucketWebsite',
  'PutObjectLockConfiguration',
  'UpdateBucketMetadataAnnotationTableConfiguration',
  'UpdateBucketMetadataInventoryTableConfiguration',
  'UpdateBucketMetadataJournalTableConfiguration',
  'UploadPart',
];

const VERSION = { query: { versionId: 'version-1' } };

/** Operations on an object that may name a version, whether that needs other actions or not. */
const OF_A_VERSION: readonly OperationName[] = [
  'DeleteObject',
  'DeleteObjectTagging',
  'GetObject',
  'GetObjectAcl',
  'GetObjectAttributes',
  'GetObjectLegalHold',
  'GetObjectRetention',
  'GetObjectTagging',
  'HeadObject',
  'PutObjectLegalHold',
  'PutObjectRetention',
  'PutObjectTagging',
  'RestoreObject',
];

const ANNOTATED: readonly OperationName[] = [
  'DeleteObjectAnnotation',
  'GetObjectAnnotation',
  'PutObjectAnnotation',
];

const ANNOTATIONS = 'x-amz-object-annotation-directive';
const BYPASS = 'x-amz-bypass-governance-retention';
const UNTIL = '2040-01-02T03:04:05.000Z';

/** Of a new object, however it is made. */
const NEW_OBJECT: readonly (readonly [variant: string, headers: Readonly<Record<string, string>>])[] = [
  ['with tags', { 'x-amz-tagging': 'a=b' }],
  ['with a header for tags that says none', { 'x-amz-tagging': '' }],
  ['with a lock', { 'x-amz-object-lock-mode': 'GOVERNANCE', 'x-amz-object-lock-retain-until-date': UNTIL }],
  ['with the mode of a lock alone', { 'x-amz-object-lock-mode': 'GOVERNANCE' }],
  ['with the end of a lock alone', { 'x-amz-object-lock-retain-until-date': UNTIL }],
  ['with a legal hold', { 'x-amz-object-lock-legal-hold': 'OFF' }],
  [
    'with everything',
    {
      'x-amz-tagging': 'a=b',
      'x-amz-object-lock-mode': 'COMPLIANCE',
      'x-amz-object-lock-retain-until-date': UNTIL,
      'x-amz-object-lock-legal-hold': 'ON',
    },
  ],
  ['with the canned ACL private', { 'x-amz-acl': 'private' }],
  ['with the canned ACL bucket-owner-full-control', { 'x-amz-acl': 'bucket-owner-full-control' }],
];

/** Of what writes an object at once. */
const CONDITIONAL: readonly (readonly [variant: string, headers: Readonly<Record<string, string>>])[] = [
  ['if an entity tag matches', { 'if-match': '"e"' }],
  ['if there is an object', { 'if-match': '*' }],
  ['if there is none', { 'if-none-match': '*' }],
];

const SOURCES: readonly (readonly [variant: string, source: string])[] = [
  ['of a source with a leading slash', `/${BUCKET}/source`],
  ['of a source in another bucket', `${OTHER_BUCKET}/a%20key/with%2Bparts`],
  ['of a source whose slashes are encoded', `${OTHER_BUCKET}%2Fa%20key%2Fwith%2Bparts`],
  ['of a source whose leading slash is encoded', `%2F${OTHER_BUCKET}%2Fa%20key%2Fwith%2Bparts`],
  ['of a version', `${BUCKET}/source?versionId=version-1`],
  ['of a version in another bucket', `/${OTHER_BUCKET}/a%20key/with%2Bparts?versionId=version-1`],
];

const withHeaders = (
  operation: OperationName,
  variants: readonly (readonly [variant: string, headers: Readonly<Record<string, string>>])[],
): readonly Walk[] => variants.map(([variant, headers]) => walk(operation, variant, { headers }));
const ofSources = (operation: OperationName): readonly Walk[] =>
  SOURCES.map(([variant, source]) => walk(operation, variant, { headers: { 'x-amz-copy-source': source } }));

export const WALKS: readonly Walk[] = [
  ...PLAIN.map((operation) => walk(operation)),
  ...OF_A_VERSION.flatMap((operation) => [walk(operation), walk(operation, 'of a version', VERSION)]),
  ...ANNOTATED.flatMap((operation) => [
    walk(operation, undefined, { query: { annotationName: 'a' } }),
    walk(operation, 'of a version', { query: { annotationName: 'a', ...VERSION.query } }),
  ]),
  walk('ListObjectAnnotations'),
  walk('ListObjectAnnotations', 'of a version', VERSION),

  walk('PutBucketCors', undefined, { bucket: SET_BUCKET }),
  walk('PutBucketPolicy', undefined, { bucket: SET_BUCKET }),
  walk('PutPublicAccessBlock', undefined, { bucket: SET_BUCKET }),
  walk('CreateBucket', undefined, { bucket: 'walk-new-1' }),
  walk('CreateBucket', 'with an object lock', {
    bucket: 'walk-new-2',
    headers: { 'x-amz-bucket-object-lock-enabled': 'true' },
  }),
  walk('CreateBucket', 'with an object lock in capitals', {
    bucket: 'walk-new-3',
    headers: { 'x-amz-bucket-object-lock-enabled': 'TRUE' },
  }),
  walk('CreateBucket', 'without an object lock', {
    bucket: 'walk-new-4',
    headers: { 'x-amz-bucket-object-lock-enabled': 'false' },
  }),
  walk('CreateBucket', 'with its ownership', {
    bucket: 'walk-new-5',
    headers: { 'x-amz-object-ownership': 'BucketOwnerEnforced' },
  }),
  walk('CreateBucket', 'with the canned ACL private', {
    bucket: 'walk-new-6',
    headers: { 'x-amz-acl': 'private' },
  }),
  walk('DeleteBucket', undefined, { bucket: 'walk-gone' }),

  walk('ListObjects'),
  walk('ListObjects', 'below a prefix', { query: { prefix: 'a/', delimiter: '/' } }),
  walk('ListObjectsV2'),
  walk('ListObjectsV2', 'with owners', { query: { 'fetch-owner': 'true' } }),
  walk('ListObjectVersions'),
  walk('ListObjectVersions', 'of a key', { query: { prefix: 'key', 'key-marker': 'a' } }),

  walk('PutBucketAcl', undefined, { headers: { 'x-amz-acl': 'private' } }),
  walk('PutObjectAcl', undefined, { headers: { 'x-amz-acl': 'private' } }),
  walk('PutObjectAcl', 'of a version', { ...VERSION, headers: { 'x-amz-acl': 'private' } }),

  walk('PutObject'),
  ...withHeaders('PutObject', [...NEW_OBJECT, ...CONDITIONAL]),
  walk('CreateMultipartUpload'),
  ...withHeaders('CreateMultipartUpload', NEW_OBJECT),
  walk('CompleteMultipartUpload'),
  ...withHeaders('CompleteMultipartUpload', CONDITIONAL),
  walk('CopyObject'),
  ...withHeaders('CopyObject', [...NEW_OBJECT, ...CONDITIONAL]),
  ...ofSources('CopyObject'),
  walk('CopyObject', 'of a source with tags', {
    headers: { 'x-amz-copy-source': `${BUCKET}/tagged` },
    sourceHasTags: true,
  }),
  walk('CopyObject', 'of a version with tags', {
    headers: { 'x-amz-copy-source': `${BUCKET}/tagged?versionId=version-1` },
    sourceHasTags: true,
  }),
  walk('CopyObject', 'with annotations', { headers: { [ANNOTATIONS]: 'COPY' } }),
  walk('CopyObject', 'of a version with annotations', {
    headers: { [ANNOTATIONS]: 'COPY', 'x-amz-copy-source': `${BUCKET}/source?versionId=version-1` },
  }),
  walk('CopyObject', 'without annotations', { headers: { [ANNOTATIONS]: 'EXCLUDE' } }),
  walk('CopyObject', 'of a source with tags that are replaced', {
    headers: {
      'x-amz-copy-source': `${BUCKET}/tagged`,
      'x-amz-tagging-directive': 'REPLACE',
      'x-amz-tagging': 'a=b',
    },
    sourceHasTags: true,
  }),
  walk('UploadPartCopy'),
  ...ofSources('UploadPartCopy'),
  walk('UploadPartCopy', 'of a range', { headers: { 'x-amz-copy-source-range': 'bytes=0-3' } }),
  walk('RenameObject'),
  walk('RenameObject', 'with a leading slash', { headers: { 'x-amz-rename-source': `/${BUCKET}/source` } }),
  ...withHeaders('RenameObject', CONDITIONAL),
  walk('SelectObjectContent'),

  ...withHeaders('DeleteObject', [
    ['past governance', { [BYPASS]: 'true' }],
    ['past governance in capitals', { [BYPASS]: 'TRUE' }],
    ['not past governance', { [BYPASS]: 'false' }],
    ['if an entity tag matches', { 'if-match': '"e"' }],
    ['if there is an object', { 'if-match': '*' }],
  ]),
  walk('DeleteObject', 'of a version past governance', { ...VERSION, headers: { [BYPASS]: 'true' } }),
  ...withHeaders('PutObjectRetention', [
    ['past governance', { [BYPASS]: 'true' }],
    ['past governance in capitals', { [BYPASS]: 'TRUE' }],
    ['not past governance', { [BYPASS]: 'false' }],
  ]),
  walk('DeleteObjects', undefined, { entries: [{ key: 'k1' }] }),
  walk('DeleteObjects', 'of a version', { entries: [{ key: 'k1', versionId: 'v1' }] }),
  walk('DeleteObjects', 'of several', {
    entries: [
      { key: 'k1' },
      { key: 'k2', versionId: 'v2' },
      { key: 'k3', etag: 'e3' },
      { key: 'k4', etag: '*' },
    ],
  }),
  ...['true', 'TRUE', 'false'].map((value) =>
    walk('DeleteObjects', `with the header ${BYPASS}: ${value}`, {
      entries: [{ key: 'k1' }, { key: 'k2', versionId: 'v2' }],
      headers: { [BYPASS]: value },
    }),
  ),

  walk('PostObject'),
  walk('PostObject', 'with tags', { fields: { tagging: TAGGING } }),
  walk('PostObject', 'with a lock', {
    fields: { 'x-amz-object-lock-mode': 'GOVERNANCE', 'x-amz-object-lock-retain-until-date': UNTIL },
  }),
  walk('PostObject', 'with a legal hold', { fields: { 'x-amz-object-lock-legal-hold': 'ON' } }),
  walk('PostObject', 'with the canned ACL private', { fields: { acl: 'private' } }),
];

/** Requests that are refused whatever the policies say, though the list knows actions for them. */
export const REFUSED_FOR_ALL: readonly {
  readonly walk: Walk;
  readonly code: string;
  readonly reason: string;
}[] = [
  ...(['PutObject', 'CopyObject', 'CreateMultipartUpload', 'CreateBucket'] as const).flatMap((operation) =>
    [
      { 'x-amz-acl': 'public-read' },
      { 'x-amz-grant-read': 'uri="http://acs.amazonaws.com/groups/global/AllUsers"' },
    ].map((headers) => ({
      walk: walk(operation, `with ${Object.keys(headers).join()}`, { bucket: 'walk-new-7', headers }),
      code: 'AccessControlListNotSupported',
      reason: 'ACLs are off: docs/decisions/0007',
    })),
  ),
  {
    walk: walk('PostObject', 'with an ACL', { fields: { acl: 'public-read' } }),
    code: 'AccessControlListNotSupported',
    reason: 'ACLs are off: docs/decisions/0007',
  },
  {
    walk: walk('CreateBucket', 'with tags', {
      bucket: 'walk-new-8',
      body: '<CreateBucketConfiguration><Tags><Tag><Key>a</Key><Value>b</Value></Tag></Tags></CreateBucketConfiguration>',
      bodyHasTags: true,
    }),
    code: 'NotImplemented',
    reason: 'tags of a bucket are set by PutBucketTagging, which is decided on its own',
  },
];

/** Where the gateway needs something else than what the list says. */
export const DEVIATIONS: readonly {
  readonly operation: OperationName;
  readonly action: string;
  /** As the list calls it. */
  readonly resource: string;
  readonly isNeeded: boolean;
  readonly when: (walk: Walk) => boolean;
  readonly reason: string;
}[] = [
  ...(['PutObject', 'CopyObject', 'CreateMultipartUpload', 'PostObject'] as const).map((operation) => ({
    operation,
    action: 's3:PutObjectAcl',
    resource: 'object',
    isNeeded: false,
    when: isHarmlessAcl,
    reason: 'the two canned ACLs that grant nobody anything mean nothing: docs/decisions/0007',
  })),
  ...[
    ['s3:GetObjectAnnotation', 'copy-source-object', false] as const,
    ['s3:GetObjectVersionAnnotation', 'copy-source-object', true] as const,
    ['s3:PutObjectAnnotation', 'object', undefined] as const,
  ].map(([action, resource, ofVersion]) => ({
    operation: 'CopyObject' as const,
    action,
    resource,
    isNeeded: true,
    when: ({ headers }: Walk) =>
      headers[ANNOTATIONS] === 'COPY' &&
      (ofVersion === undefined || headers['x-amz-copy-source']?.includes('?versionId=') === ofVersion),
    reason: 'the list has the header as a condition key alone; S3 copies annotations with these rights',
  })),
  {
    operation: 'CopyObject',
    action: 's3:GetObject',
    resource: 'object',
    isNeeded: true,
    when: namesEntityTag,
    reason: 'the answer to a conditional copy tells an entity tag, as that of a put does',
  },
  ...[
    ['s3:GetObject', 'copy-source-object'] as const,
    ['s3:DeleteObject', 'copy-source-object'] as const,
    ['s3:PutObject', 'object'] as const,
  ].map(([action, resource]) => ({
    operation: 'RenameObject' as const,
    action,
    resource,
    isNeeded: true,
    when: () => true,
    reason:
      'S3 has renames in directory buckets alone, where a session decides: here each key is decided as well',
  })),
  {
    operation: 'RenameObject',
    action: 's3:GetObject',
    resource: 'object',
    isNeeded: true,
    when: namesEntityTag,
    reason: 'the answer to a conditional rename tells an entity tag, as that of a put does',
  },
];

function isHarmlessAcl({ headers, fields }: Walk): boolean {
  const acl = headers['x-amz-acl'] ?? fields['acl'];
  return acl === 'private' || acl === 'bucket-owner-full-control';
}

function namesEntityTag({ headers }: Walk): boolean {
  return (headers['if-match'] ?? '*') !== '*';
}

/** What a request needs here, or one entry of a DeleteObjects: what the list says, and the deviations. */
export function needsOf(walked: Walk, entry?: WalkedEntry): readonly Need[] {
  const deviations = DEVIATIONS.filter(
    ({ operation, when }) => operation === walked.operation && when(walked),
  ).map(({ action, resource, isNeeded }) => ({
    isNeeded,
    need: { action, resource: arnOf(resource, walked) },
  }));
  const dropped = new Set(deviations.filter(({ isNeeded }) => !isNeeded).map(({ need }) => nameOf(need)));
  const added = deviations.filter(({ isNeeded }) => isNeeded).map(({ need }) => need);
  return [...listedNeeds(walked, entry).filter((need) => !dropped.has(nameOf(need))), ...added];
}

export function nameOf({ action, resource }: Need): string {
  return `${action} ${resource}`;
}
