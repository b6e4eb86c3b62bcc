/** Request headers and query parameters that belong to no single operation. All header names are lower-case. */
import type { OperationSwitch } from './operation-switch.ts';

/** Headers of `x-amz-*` that every operation takes: signing, and what SDKs say about themselves. Never forwarded. */
export const COMMON_HEADERS: ReadonlySet<string> = new Set([
  'x-amz-content-sha256',
  'x-amz-date',
  'x-amz-region-set',
  'x-amz-security-token',
  'x-amz-te',
  'x-amz-user-agent',
]);

/**
 * Query parameters that every operation takes: those of a presigned URL, SigV2's (which the signature check refuses
 * in S3's words), and the SDKs' hint at the operation's name. Never forwarded.
 */
export const COMMON_PARAMETERS: ReadonlySet<string> = new Set([
  'X-Amz-Algorithm',
  'X-Amz-Content-Sha256',
  'X-Amz-Credential',
  'X-Amz-Date',
  'X-Amz-Expires',
  'X-Amz-Region-Set',
  'X-Amz-Security-Token',
  'X-Amz-Signature',
  'X-Amz-SignedHeaders',
  'AWSAccessKeyId',
  'Expires',
  'Signature',
  'x-id',
]);

/** Of these headers only these values are implemented; any other is `NotImplemented`. */
export const ONLY_VALUES: ReadonlyMap<string, readonly string[]> = new Map([
  ['x-amz-server-side-encryption', ['AES256', 'aws:kms', 'aws:kms:dsse']],
  ['x-amz-object-annotation-directive', ['COPY', 'EXCLUDE']],
  // ACLs are off.
  ['x-amz-object-ownership', ['BucketOwnerEnforced']],
]);

/** Request headers that are accepted only where the operator has switched them on. */
export const SWITCHED_HEADERS: ReadonlyMap<string, OperationSwitch> = new Map([
  ['x-amz-object-annotation-directive', 'annotations'],
  ['x-amz-request-payer', 'request-payment'],
  ['x-amz-server-side-encryption-aws-kms-key-id', 'kms-keys'],
  ['x-amz-server-side-encryption-bucket-key-enabled', 'kms-keys'],
  ['x-amz-server-side-encryption-context', 'kms-keys'],
  ['x-amz-website-redirect-location', 'website'],
]);

/** Headers of the upstream's answer that reach the client only there: they tell about the upstream's account. */
export const SWITCHED_RESPONSE_HEADERS: ReadonlyMap<string, OperationSwitch> = new Map([
  ['x-amz-replication-status', 'replication'],
  ['x-amz-request-charged', 'request-payment'],
  ['x-amz-server-side-encryption-aws-kms-key-id', 'kms-keys'],
  ['x-amz-website-redirect-location', 'website'],
]);

/** Headers beside `x-amz-*` that change what a write does: refused where the operation does not know them. */
export const WRITE_CONDITIONS: ReadonlySet<string> = new Set([
  'content-range',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-unmodified-since',
]);

const SECRET_FIELDS: ReadonlySet<string> = new Set([
  'authorization',
  'cookie',
  'proxy-authorization',
  'signature',
  'x-amz-copy-source-server-side-encryption-customer-key',
  'x-amz-mfa',
  'x-amz-security-token',
  'x-amz-server-side-encryption-customer-key',
  'x-amz-signature',
]);

/** Whether a header or a query parameter of that name, in any case, carries a secret, a token or a signature. */
export function isSecretField(name: string): boolean {
  return SECRET_FIELDS.has(name.toLowerCase());
}
