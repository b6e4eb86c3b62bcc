/** Lists of header and parameter names that rows share. All lower-case but the query parameters. */
import type { OperationAction } from '../operation.ts';

export const EXPECTED_OWNER = 'x-amz-expected-bucket-owner';

/** Who calls accepts that the upstream charges for it: the gateway, so it needs the switch `request-payment`. */
export const REQUEST_PAYER = 'x-amz-request-payer';
export const CHARGED_RESPONSE = ['x-amz-request-charged'] as const;

/** The checksums that the gateway verifies, and Content-MD5. */
export const CHECKSUM_HEADERS = [
  'content-md5',
  'x-amz-checksum-crc32',
  'x-amz-checksum-crc32c',
  'x-amz-checksum-crc64nvme',
  'x-amz-checksum-md5',
  'x-amz-checksum-sha1',
  'x-amz-checksum-sha256',
  'x-amz-checksum-sha512',
  'x-amz-checksum-xxhash64',
  'x-amz-checksum-xxhash3',
  'x-amz-checksum-xxhash128',
  'x-amz-sdk-checksum-algorithm',
] as const;

/** Of a body that streams in: its length and the name of its trailer, when it is framed as aws-chunked. */
export const STREAMING_HEADERS = ['x-amz-decoded-content-length', 'x-amz-trailer'] as const;

/** Stored with the object, and given back with it. */
export const CONTENT_HEADERS = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-type',
  'expires',
  'x-amz-meta-*',
] as const;

/** Accepted so that they can be judged by `checkAcl`; never forwarded. */
export const ACL_HEADERS = [
  'x-amz-acl',
  'x-amz-grant-full-control',
  'x-amz-grant-read',
  'x-amz-grant-read-acp',
  'x-amz-grant-write',
  'x-amz-grant-write-acp',
] as const;

/** Encryption with a key that the client brings. The key is a secret. */
export const CUSTOMER_KEY_HEADERS = [
  'x-amz-server-side-encryption-customer-algorithm',
  'x-amz-server-side-encryption-customer-key',
  'x-amz-server-side-encryption-customer-key-md5',
] as const;

export const COPY_SOURCE_HEADERS = [
  'x-amz-copy-source',
  'x-amz-copy-source-if-match',
  'x-amz-copy-source-if-modified-since',
  'x-amz-copy-source-if-none-match',
  'x-amz-copy-source-if-unmodified-since',
  'x-amz-copy-source-server-side-encryption-customer-algorithm',
  'x-amz-copy-source-server-side-encryption-customer-key',
  'x-amz-copy-source-server-side-encryption-customer-key-md5',
  'x-amz-source-expected-bucket-owner',
] as const;

/** Of a new object; all of them but a plain `AES256` need the switch `kms-keys`. */
const ENCRYPTION_HEADERS = [
  'x-amz-server-side-encryption',
  'x-amz-server-side-encryption-aws-kms-key-id',
  'x-amz-server-side-encryption-bucket-key-enabled',
  'x-amz-server-side-encryption-context',
] as const;

/** What a new object may be given, beside its content headers. */
export const NEW_OBJECT_HEADERS = [
  ...ACL_HEADERS,
  ...CUSTOMER_KEY_HEADERS,
  ...ENCRYPTION_HEADERS,
  'x-amz-object-lock-legal-hold',
  'x-amz-object-lock-mode',
  'x-amz-object-lock-retain-until-date',
  REQUEST_PAYER,
  'x-amz-storage-class',
  'x-amz-tagging',
  // Needs the switch `website`.
  'x-amz-website-redirect-location',
] as const;

export const READ_HEADERS = [
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'range',
  'x-amz-checksum-mode',
  ...CUSTOMER_KEY_HEADERS,
  EXPECTED_OWNER,
  REQUEST_PAYER,
] as const;

export const READ_PARAMETERS = [
  'partNumber',
  'response-cache-control',
  'response-content-disposition',
  'response-content-encoding',
  'response-content-language',
  'response-content-type',
  'response-expires',
  'versionId',
] as const;

/** Framing and type of an XML answer. */
export const XML_RESPONSE = ['content-length', 'content-type'] as const;

/** The id of a KMS key needs the switch `kms-keys`, what was charged `request-payment`. */
const ENCRYPTION_RESPONSE = [
  ...CHARGED_RESPONSE,
  'x-amz-server-side-encryption',
  'x-amz-server-side-encryption-aws-kms-key-id',
  'x-amz-server-side-encryption-bucket-key-enabled',
  'x-amz-server-side-encryption-customer-algorithm',
  'x-amz-server-side-encryption-customer-key-md5',
] as const;

export const WRITTEN_RESPONSE = [
  'etag',
  'x-amz-checksum-*',
  'x-amz-expiration',
  'x-amz-object-size',
  'x-amz-version-id',
  ...ENCRYPTION_RESPONSE,
] as const;

export const COPIED_RESPONSE = [
  ...XML_RESPONSE,
  'x-amz-copy-source-version-id',
  'x-amz-expiration',
  'x-amz-version-id',
  ...ENCRYPTION_RESPONSE,
] as const;

export const UPLOAD_RESPONSE = [
  ...XML_RESPONSE,
  'x-amz-abort-date',
  'x-amz-abort-rule-id',
  'x-amz-checksum-algorithm',
  'x-amz-checksum-type',
  ...ENCRYPTION_RESPONSE,
] as const;

/** A website redirect and the state of replication need their switches. */
export const READ_RESPONSE = [
  'accept-ranges',
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-length',
  'content-range',
  'content-type',
  'etag',
  'expires',
  'last-modified',
  'x-amz-archive-status',
  'x-amz-checksum-*',
  'x-amz-delete-marker',
  'x-amz-expiration',
  'x-amz-meta-*',
  'x-amz-missing-meta',
  'x-amz-mp-parts-count',
  'x-amz-object-lock-legal-hold',
  'x-amz-object-lock-mode',
  'x-amz-object-lock-retain-until-date',
  'x-amz-replication-status',
  'x-amz-restore',
  'x-amz-storage-class',
  'x-amz-tagging-count',
  'x-amz-version-id',
  'x-amz-website-redirect-location',
  ...ENCRYPTION_RESPONSE,
] as const;

export const READ_HEADER_ACTIONS = [
  { action: 's3:GetObjectTagging', headers: ['x-amz-tagging-count'] },
  {
    action: 's3:GetObjectRetention',
    headers: ['x-amz-object-lock-mode', 'x-amz-object-lock-retain-until-date'],
  },
  { action: 's3:GetObjectLegalHold', headers: ['x-amz-object-lock-legal-hold'] },
] as const;

/** One action without a versionId, the other one instead of it with a versionId. */
export function byVersion(action: string, versionAction: string): readonly OperationAction[] {
  return [
    { action, resource: 'object', when: { noQuery: 'versionId' } },
    { action: versionAction, resource: 'object', when: { query: 'versionId' } },
  ];
}

/** What the headers of a new object add to `s3:PutObject`. */
export const NEW_OBJECT_ACTIONS: readonly OperationAction[] = [
  { action: 's3:PutObject', resource: 'object' },
  { action: 's3:PutObjectAcl', resource: 'object', when: { grantingAcl: true } },
  { action: 's3:PutObjectTagging', resource: 'object', when: { nonEmptyHeader: 'x-amz-tagging' } },
  {
    action: 's3:PutObjectRetention',
    resource: 'object',
    when: { anyHeader: ['x-amz-object-lock-mode', 'x-amz-object-lock-retain-until-date'] },
  },
  {
    action: 's3:PutObjectLegalHold',
    resource: 'object',
    when: { anyHeader: ['x-amz-object-lock-legal-hold'] },
  },
];

export const COPY_SOURCE_ACTIONS: readonly OperationAction[] = [
  { action: 's3:GetObject', resource: 'copy-source', when: { copySourceVersion: false } },
  { action: 's3:GetObjectVersion', resource: 'copy-source', when: { copySourceVersion: true } },
];
