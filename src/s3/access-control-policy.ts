/** The answer of GetBucketAcl and GetObjectAcl where ACLs are off. Source: S3 API reference, GetBucketAcl. */
import { renderXml, S3_NAMESPACE } from './xml.ts';

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
