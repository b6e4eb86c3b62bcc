/** The policy of a scoped key: one bucket, perhaps one prefix of it, and what may be done there. */
import { bucketArn, objectArn } from '../s3/index.ts';
import { IdentityInputError } from './access-key.ts';
import { type StoredPolicy } from './store.ts';

export type ScopeAccess = 'read-only' | 'read-write' | 'write-only';

export interface KeyScope {
  readonly bucket: string;
  /** Keys that start with this; undefined: the whole bucket. */
  readonly prefix: string | undefined;
  readonly access: ScopeAccess;
}

/** The name under which the policy is kept with its key. */
export const SCOPE_POLICY_NAME = 'scope';

/**
 * What an object's key needs is granted on `PREFIX*`, listing on the bucket under the condition that the listed prefix
 * starts with PREFIX. Left out on purpose: `s3:DeleteObjectVersion`, so that versioning protects against a stolen key,
 * ACLs, locks, and `s3:ListBucketMultipartUploads` under a prefix, since no condition can confine that.
 *
 * @throws IdentityInputError for a prefix that no key can start with.
 */
export function scopePolicy({ bucket, prefix, access }: KeyScope): StoredPolicy {
  if (prefix !== undefined) assertPrefix(prefix);
  const literal = prefix === undefined ? '' : literalPattern(prefix);
  const statements = [
    { Sid: 'Locate', Effect: 'Allow', Action: 's3:GetBucketLocation', Resource: bucketArn(bucket) },
    ...(LIST_ACTIONS[access].length === 0
      ? []
      : [
          {
            Sid: 'List',
            Effect: 'Allow',
            Action: LIST_ACTIONS[access],
            Resource: bucketArn(bucket),
            ...(prefix === undefined ? {} : { Condition: { StringLike: { 's3:prefix': `${literal}*` } } }),
          },
        ]),
    ...(access === 'read-write' && prefix === undefined
      ? [
          {
            Sid: 'ListUploads',
            Effect: 'Allow',
            Action: 's3:ListBucketMultipartUploads',
            Resource: bucketArn(bucket),
          },
        ]
      : []),
    {
      Sid: 'Objects',
      Effect: 'Allow',
      Action: OBJECT_ACTIONS[access],
      Resource: objectArn(bucket, `${literal}*`),
    },
  ];
  return {
    name: SCOPE_POLICY_NAME,
    document: JSON.stringify({ Version: '2012-10-17', Statement: statements }),
  };
}

const READ_ACTIONS = [
  's3:GetObject',
  's3:GetObjectVersion',
  's3:GetObjectAttributes',
  's3:GetObjectVersionAttributes',
  's3:GetObjectTagging',
  's3:GetObjectVersionTagging',
];

const WRITE_ACTIONS = ['s3:PutObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'];

const CHANGE_ACTIONS = [
  's3:DeleteObject',
  's3:PutObjectTagging',
  's3:PutObjectVersionTagging',
  's3:DeleteObjectTagging',
  's3:DeleteObjectVersionTagging',
];

const OBJECT_ACTIONS: Readonly<Record<ScopeAccess, readonly string[]>> = {
  'read-only': READ_ACTIONS,
  'read-write': [...READ_ACTIONS, ...WRITE_ACTIONS, ...CHANGE_ACTIONS],
  'write-only': WRITE_ACTIONS,
};

const LIST_ACTIONS: Readonly<Record<ScopeAccess, readonly string[]>> = {
  'read-only': ['s3:ListBucket', 's3:ListBucketVersions'],
  'read-write': ['s3:ListBucket', 's3:ListBucketVersions'],
  'write-only': [],
};

const MAX_KEY_BYTES = 1024;

function assertPrefix(prefix: string): void {
  if (prefix === '') {
    throw new IdentityInputError('The prefix is empty. For the whole bucket, leave it out.');
  }
  if (!prefix.isWellFormed()) throw new IdentityInputError('The prefix is not valid Unicode.');
  const bytes = Buffer.byteLength(prefix);
  if (bytes > MAX_KEY_BYTES) {
    throw new IdentityInputError(`The prefix has ${bytes} bytes, a key has ${MAX_KEY_BYTES} at most.`);
  }
}

/** Wildcards in a prefix are characters of keys: written as the policy variables that stand for them. */
function literalPattern(text: string): string {
  return text.replaceAll(/[*?$]/g, (character) => `\${${character}}`);
}
