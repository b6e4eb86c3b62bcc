/** Which operation is it, on which bucket and key? What the table does not know ends here. */
import { assertBucketName, identifyOperation, liftPresignedHeaders, resolveAddress } from '../s3/index.ts';
import type { Accepted, Identified } from './stages.ts';

/**
 * @param baseDomains lower-case host names below which a bucket's name may stand.
 * @throws S3Error `NotImplemented`, `MethodNotAllowed`, `InvalidBucketName`, `KeyTooLongError`, `InvalidArgument`.
 */
export function identify(request: Accepted, baseDomains: readonly string[]): Identified {
  const effective = liftPresignedHeaders(request.wire);
  const address = resolveAddress(effective, baseDomains);
  if (address.bucket !== undefined) assertBucketName(address.bucket);
  return { ...request, effective, address, operation: identifyOperation(effective, address) };
}
