/** Settings that a bucket keeps to itself. Source: S3 API reference, the operation of each. */
import {
  any,
  boolean,
  date,
  document,
  elements,
  integer,
  oneOf,
  oneOfThese,
  optional,
  refused,
  required,
  some,
  switchedValues,
  text,
  word,
} from '../document-schema.ts';

const TAG = elements({ Key: required(text), Value: required(text) });

export const STATUS = oneOf('Enabled', 'Disabled');

/** What a rule applies to, in the shape that analytics, metrics, tiering and replication share. */
export const TAG_FILTER = elements({
  Prefix: optional(text),
  Tag: optional(TAG),
  And: optional(elements({ Prefix: optional(text), Tag: any(TAG) })),
});

export const VERSIONING = document('VersioningConfiguration', {
  Status: optional(oneOf('Enabled', 'Suspended')),
  MfaDelete: optional(
    oneOfThese(['Disabled'], {
      Enabled: "it needs a device that belongs to the root user of the upstream's account",
    }),
  ),
});

const TRANSITION = { Date: optional(date), Days: optional(integer), StorageClass: required(word) };

const SIZES = { ObjectSizeGreaterThan: optional(integer), ObjectSizeLessThan: optional(integer) };

export const LIFECYCLE = document('LifecycleConfiguration', {
  Rule: some(
    elements({
      ID: optional(text),
      Status: required(STATUS),
      Prefix: optional(text),
      Filter: optional(
        elements({
          Prefix: optional(text),
          Tag: optional(TAG),
          ...SIZES,
          And: optional(elements({ Prefix: optional(text), Tag: any(TAG), ...SIZES })),
        }),
      ),
      Expiration: optional(
        elements({
          Date: optional(date),
          Days: optional(integer),
          ExpiredObjectDeleteMarker: optional(boolean),
        }),
      ),
      Transition: any(elements(TRANSITION)),
      NoncurrentVersionExpiration: optional(
        elements({ NoncurrentDays: optional(integer), NewerNoncurrentVersions: optional(integer) }),
      ),
      NoncurrentVersionTransition: any(
        elements({
          NoncurrentDays: optional(integer),
          NewerNoncurrentVersions: optional(integer),
          StorageClass: required(word),
        }),
      ),
      AbortIncompleteMultipartUpload: optional(elements({ DaysAfterInitiation: optional(integer) })),
    }),
  ),
});

export const OBJECT_LOCK = document('ObjectLockConfiguration', {
  ObjectLockEnabled: optional(oneOf('Enabled')),
  Rule: optional(
    elements({
      DefaultRetention: optional(
        elements({
          Mode: optional(oneOf('GOVERNANCE', 'COMPLIANCE')),
          Days: optional(integer),
          Years: optional(integer),
          DefaultEventHold: refused('event holds are not known to the gateway'),
        }),
      ),
    }),
  ),
});

export const ENCRYPTION = document('ServerSideEncryptionConfiguration', {
  Rule: some(
    elements({
      ApplyServerSideEncryptionByDefault: optional(
        elements({
          SSEAlgorithm: required(
            switchedValues(['AES256'], { 'aws:kms': 'kms-keys', 'aws:kms:dsse': 'kms-keys' }),
          ),
          KMSMasterKeyID: optional(text, 'kms-keys'),
        }),
      ),
      BucketKeyEnabled: optional(boolean),
      BlockedEncryptionTypes: optional(elements({ EncryptionType: any(oneOf('NONE', 'SSE-C')) })),
    }),
  ),
});

const ACLS_OFF = 'ACLs are off';

export const OWNERSHIP = document('OwnershipControls', {
  Rule: required(
    elements({
      ObjectOwnership: required(
        oneOfThese(['BucketOwnerEnforced'], { BucketOwnerPreferred: ACLS_OFF, ObjectWriter: ACLS_OFF }),
      ),
    }),
  ),
});
