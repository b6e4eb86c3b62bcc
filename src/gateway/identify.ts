/** Which operation is it, on which bucket and key? What the table does not know ends here. */
import {
  assertBucketName,
  identifyOperation,
  liftPresignedHeaders,
  publicUrlOf,
  resolveAddress,
  type GatewayNames,
  type WireHeaders,
} from '../s3/index.ts';
import { checkUserMetadata, USER_METADATA, type AcceptLimits } from './accept.ts';
import type { Accepted, Identified } from './stages.ts';

export interface IdentifyDependencies extends GatewayNames {
  readonly limits: AcceptLimits;
}

/**
 * @throws S3Error `NotImplemented`, `MethodNotAllowed`, `InvalidBucketName`, `KeyTooLongError`, `InvalidArgument`,
 * `MetadataTooLarge`.
 */
export function identify(
  request: Accepted,
  { baseDomains, publicUrls, limits }: IdentifyDependencies,
): Identified {
  const effective = liftPresignedHeaders(request.wire);
  if (effective !== request.wire) checkUserMetadata(userMetadataBytes(effective.headers), limits);
  const address = resolveAddress(effective, baseDomains, publicUrls);
  if (address.bucket !== undefined) assertBucketName(address.bucket);
  const operation = identifyOperation(effective, address);
  return {
    ...request,
    effective,
    address,
    publicUrl: publicUrlOf(effective, { baseDomains, publicUrls }),
    operation,
    form: operation.name === 'PostObject' ? 'unread' : undefined,
  };
}

export function userMetadataBytes(headers: WireHeaders): number {
  let total = 0;
  for (const [name, value] of headers.entries())
    if (name.startsWith(USER_METADATA)) total += name.length - USER_METADATA.length + value.length;
  return total;
}
