/**
 * Encryption with a key that the client brings with each request (SSE-C). The key is a secret: no message, record or
 * log has it. Source: S3 User Guide, "Using server-side encryption with customer-provided keys".
 */
import { createHash } from 'node:crypto';
import { S3Error } from './error.ts';
import type { WireHeaders } from './wire-request.ts';

/** Whether the request carries such a key, for its object or for the source of a copy. */
export function hasCustomerKey(headers: WireHeaders): boolean {
  return PREFIXES.some((prefix) => FIELDS.some((field) => headers.has(prefix + field)));
}

/**
 * Checked here, since an upstream that overlooks half of them would store the object without that key.
 * @throws S3Error `InvalidArgument`, `InvalidEncryptionAlgorithmError`, in the words of S3.
 */
export function checkCustomerKeys(headers: WireHeaders): void {
  for (const prefix of PREFIXES) checkCustomerKey(headers, prefix);
}

const PREFIXES = [
  'x-amz-server-side-encryption-customer-',
  'x-amz-copy-source-server-side-encryption-customer-',
] as const;
const FIELDS = ['algorithm', 'key', 'key-md5'] as const;
const KEY_BYTES = 32;

function checkCustomerKey(headers: WireHeaders, prefix: string): void {
  const [algorithm, key, md5] = FIELDS.map((field) => headers.get(prefix + field));
  if (algorithm === undefined && key === undefined && md5 === undefined) return;
  if (algorithm === undefined)
    throw invalid(
      prefix,
      'Requests specifying Server Side Encryption with Customer provided keys must provide a valid encryption algorithm.',
    );
  if (algorithm !== 'AES256')
    throw new S3Error('InvalidEncryptionAlgorithmError', {
      details: { ArgumentName: `${prefix}algorithm`, ArgumentValue: algorithm },
    });
  if (key === undefined)
    throw invalid(
      prefix,
      'Requests specifying Server Side Encryption with Customer provided keys must provide an appropriate secret key.',
    );
  if (md5 === undefined)
    throw invalid(
      prefix,
      'Requests specifying Server Side Encryption with Customer provided keys must provide the client calculated MD5 of the secret key.',
    );
  const bytes = Buffer.from(key, 'base64');
  if (bytes.length !== KEY_BYTES || bytes.toString('base64') !== key)
    throw invalid(prefix, 'The secret key was invalid for the specified algorithm.');
  if (createHash('md5').update(bytes).digest('base64') !== md5)
    throw invalid(prefix, 'The calculated MD5 hash of the key did not match the hash that was provided.');
}

function invalid(prefix: string, message: string): S3Error {
  return new S3Error('InvalidArgument', { message, details: { ArgumentName: `${prefix}key` } });
}
