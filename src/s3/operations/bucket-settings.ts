/** Settings that a bucket keeps to itself: versioning, lifecycle, encryption, ownership. */
import { ENCRYPTION, LIFECYCLE, OWNERSHIP, VERSIONING } from '../documents/bucket-documents.ts';
import type { OperationSpec } from '../operation.ts';
import { readSetting, removeSetting, writeSetting } from './settings.ts';

const VERSIONS = { query: ['versioning'] };
const RULES = { query: ['lifecycle'] };
const KEYS = { query: ['encryption'] };
const OWNERS = { query: ['ownershipControls'] };

/** Below it, objects are not moved to another storage class. */
const MINIMUM_SIZE = 'x-amz-transition-default-minimum-object-size';

export const BUCKET_SETTING_OPERATIONS = {
  GetBucketVersioning: readSetting({
    match: VERSIONS,
    root: VERSIONING.root,
    action: 's3:GetBucketVersioning',
  }),
  // `x-amz-mfa` is unknown: the device would be that of the upstream's root user.
  PutBucketVersioning: writeSetting(VERSIONING, {
    match: VERSIONS,
    action: 's3:PutBucketVersioning',
    integrity: 'required',
  }),
  GetBucketLifecycleConfiguration: readSetting({
    match: RULES,
    root: LIFECYCLE.root,
    action: 's3:GetLifecycleConfiguration',
    responseHeaders: [MINIMUM_SIZE],
    alsoKnownAs: ['GetBucketLifecycle'],
  }),
  PutBucketLifecycleConfiguration: writeSetting(LIFECYCLE, {
    match: RULES,
    action: 's3:PutLifecycleConfiguration',
    integrity: 'required',
    headers: [MINIMUM_SIZE],
    responseHeaders: [MINIMUM_SIZE],
    alsoKnownAs: ['PutBucketLifecycle'],
  }),
  DeleteBucketLifecycle: removeSetting({
    match: RULES,
    root: LIFECYCLE.root,
    action: 's3:PutLifecycleConfiguration',
  }),
  GetBucketEncryption: {
    ...readSetting({ match: KEYS, root: ENCRYPTION.root, action: 's3:GetEncryptionConfiguration' }),
    // Without `kms-keys` it does not tell which key of the upstream's account it is.
    handling: 'rewrite',
  },
  PutBucketEncryption: writeSetting(ENCRYPTION, {
    match: KEYS,
    action: 's3:PutEncryptionConfiguration',
    integrity: 'required',
  }),
  DeleteBucketEncryption: removeSetting({
    match: KEYS,
    root: ENCRYPTION.root,
    action: 's3:PutEncryptionConfiguration',
  }),
  GetBucketOwnershipControls: readSetting({
    match: OWNERS,
    root: OWNERSHIP.root,
    action: 's3:GetBucketOwnershipControls',
  }),
  PutBucketOwnershipControls: writeSetting(OWNERSHIP, {
    match: OWNERS,
    action: 's3:PutBucketOwnershipControls',
    integrity: 'required',
  }),
  DeleteBucketOwnershipControls: removeSetting({
    match: OWNERS,
    root: OWNERSHIP.root,
    action: 's3:PutBucketOwnershipControls',
  }),
} as const satisfies Record<string, OperationSpec>;
