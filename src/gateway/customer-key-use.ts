/** Whether the upstream took notice of the client's own encryption key (SSE-C). */
import { hasCustomerKey, S3Error, type OperationName } from '../s3/index.ts';
import type { UpstreamResponse } from '../upstream/index.ts';
import type { Authorized } from './authorize.ts';
import { UpstreamRefusal, upstreamOutcome } from './upstream-error.ts';

/** Their answers repeat the algorithm of the key. Source: S3 API reference, the response syntax of each. */
const CONFIRMED: ReadonlySet<OperationName> = new Set([
  'CreateMultipartUpload',
  'GetObject',
  'HeadObject',
  'PostObject',
  'PutObject',
  'UploadPart',
]);

const ALGORITHM = 'x-amz-server-side-encryption-customer-algorithm';

/**
 * Some stores overlook the key, and keep the object readable for anyone: the client must not believe otherwise.
 * @throws UpstreamRefusal `NotImplemented`; what was written is upstream all the same.
 */
export function requireKeyUse(
  { operation, effective }: Authorized,
  method: string,
  response: UpstreamResponse,
): void {
  if (!CONFIRMED.has(operation.name) || !hasCustomerKey(effective.headers)) return;
  // One of the gateway's own making.
  if (method === 'HEAD' && operation.name !== 'HeadObject') return;
  if (response.headers.indexOf(ALGORITHM) % 2 === 0) return;
  response.body.discard();
  const { code, status } = new S3Error('NotImplemented');
  throw new UpstreamRefusal(
    {
      code,
      status,
      message: 'Server Side Encryption with Customer provided keys is not available in this bucket.',
    },
    { ...upstreamOutcome(response), cause: 'the upstream took no notice of an SSE-C key' },
  );
}
