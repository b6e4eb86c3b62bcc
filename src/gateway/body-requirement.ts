/** The bucket setting `bodies`: what an upload must declare about its bytes, checked before one of them is read. */
import type { BodyRequirement } from '../config/index.ts';
import { S3Error } from '../s3/index.ts';
import type { Authenticated } from './stages.ts';

/** @throws S3Error `AccessDenied` for an upload that promises less than the bucket demands. */
export function requireBodies(
  { operation, body, caller }: Authenticated,
  requirement: BodyRequirement,
): void {
  if (requirement === 'any' || operation.body !== 'stream' || body === undefined) return;
  const hashed = body.payload.kind === 'sha256' || body.payload.kind === 'chunked-signed';
  // A hash that nobody signed is a checksum.
  if (hashed && (requirement === 'checksummed' || caller.type === 'key')) return;
  if (requirement === 'signed')
    throw refuse(
      'This bucket accepts only uploads with a signed payload: send the sha256 of the body, or signed chunks, in x-amz-content-sha256.',
    );
  const checksummed = body.checksum !== undefined || body.trailer !== undefined || body.md5 !== undefined;
  if (!checksummed)
    throw refuse(
      'This bucket accepts only uploads with a signed payload or a checksum: send an x-amz-checksum-* header or trailer, Content-MD5, or the sha256 of the body in x-amz-content-sha256.',
    );
}

function refuse(message: string): S3Error {
  return new S3Error('AccessDenied', { message, reason: "the bucket's setting `bodies`" });
}
