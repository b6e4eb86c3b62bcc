/** The answer of GetBucketAcl and GetObjectAcl where ACLs are off. Source: S3 API reference, GetBucketAcl. */
import { parseXml, renderXml, S3_NAMESPACE } from './xml.ts';

/** One grant: full control for the owner. @param ownerId canonical id of the account that owns the bucket. */
export function renderAccessControlPolicy(ownerId: string): string {
  return renderXml(
    'AccessControlPolicy',
    {
      Owner: { ID: ownerId },
      AccessControlList: {
        Grant: {
          Grantee: {
            '@xmlns:xsi': 'http://www.w3.org/2001/XMLSchema-instance',
            '@xsi:type': 'CanonicalUser',
            ID: ownerId,
          },
          Permission: 'FULL_CONTROL',
        },
      },
    },
    { namespace: S3_NAMESPACE },
  );
}

/**
 * Whether a written ACL gives full control to the owner and nothing to anyone else: the equivalent of
 * `bucket-owner-full-control`, which S3 accepts where ACLs are off. Clients write back what they have read.
 * @throws S3Error `MalformedXML`.
 */
export function grantsOnlyOwner(text: string, ownerId: string): boolean {
  const list = parseXml(text, 'AccessControlPolicy').child('AccessControlList');
  const grants = list?.children('Grant') ?? [];
  return (
    grants.length > 0 &&
    grants.every(
      (grant) =>
        grant.child('Permission')?.text === 'FULL_CONTROL' &&
        grant.child('Grantee')?.child('ID')?.text === ownerId,
    )
  );
}
