/**
 * ACLs are off, as with AWS's BucketOwnerEnforced: an ACL would open a door beside the policies. The two canned ACLs
 * that grant nothing to anyone else are accepted, and mean nothing.
 */
import { S3Error } from './error.ts';
import type { WireHeaders, WireRequest } from './wire-request.ts';

/** Whether a header asks for an ACL that grants something. */
export function isGrantingAcl(headers: WireHeaders): boolean {
  for (const name of headers.names()) {
    if (name.startsWith('x-amz-grant-')) return true;
    if (name !== 'x-amz-acl') continue;
    const acl = headers.get(name);
    if (acl !== 'private' && acl !== 'bucket-owner-full-control') return true;
  }
  return false;
}

/** @throws S3Error `AccessControlListNotSupported` when a header asks for an ACL that grants something. */
export function checkAcl({ headers }: WireRequest): void {
  if (isGrantingAcl(headers)) throw new S3Error('AccessControlListNotSupported');
}
