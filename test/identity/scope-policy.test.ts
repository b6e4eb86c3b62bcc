import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { IdentityInputError, scopePolicy, type KeyScope } from '../../src/identity/index.ts';
import { compilePolicy, evaluate, parsePolicy } from '../../src/policy/index.ts';
import { ACCOUNT } from './fixtures.ts';

interface Attempt {
  readonly action: string;
  /** What follows `arn:aws:s3:::`. */
  readonly on: string;
  /** The `prefix` parameter of a listing. */
  readonly listed?: string;
}

function decider(scope: KeyScope): (attempt: Attempt) => 'Allow' | 'Deny' {
  const { name, document } = scopePolicy(scope);
  const identity = compilePolicy(parsePolicy(document, { type: 'identity' }), { name });
  return ({ action, on, listed }) =>
    evaluate(
      {
        action: `s3:${action}`,
        resource: `arn:aws:s3:::${on}`,
        resourceAccount: ACCOUNT,
        principal: {
          type: 'user',
          arn: `arn:aws:iam::${ACCOUNT}:user/alice`,
          accountId: ACCOUNT,
          userName: 'alice',
        },
        context: (key) => (key === 's3:prefix' ? listed : undefined),
      },
      { identity },
    ).effect;
}

const READS = [
  'GetObject',
  'GetObjectVersion',
  'GetObjectTagging',
  'GetObjectVersionTagging',
  'GetObjectAttributes',
];
const WRITES = ['PutObject', 'AbortMultipartUpload', 'ListMultipartUploadParts'];
const CHANGES = ['DeleteObject', 'PutObjectTagging', 'DeleteObjectTagging'];
const LISTINGS = ['ListBucket', 'ListBucketVersions'];
/** What no scoped key may do, whatever its access: beyond objects, or past the protection of versions and locks. */
const NEVER_ON_OBJECTS = [
  'DeleteObjectVersion',
  'PutObjectAcl',
  'PutObjectRetention',
  'PutObjectLegalHold',
  'BypassGovernanceRetention',
  'RestoreObject',
];
const NEVER_ON_BUCKETS = [
  'CreateBucket',
  'DeleteBucket',
  'GetBucketPolicy',
  'PutBucketPolicy',
  'DeleteBucketPolicy',
  'PutBucketTagging',
  'PutLifecycleConfiguration',
  'PutBucketVersioning',
  'PutBucketAcl',
];

const ALLOWED = {
  'read-only': { objects: READS, lists: true },
  'read-write': { objects: [...READS, ...WRITES, ...CHANGES], lists: true },
  'write-only': { objects: WRITES, lists: false },
} as const;
const OBJECT_ACTIONS = [...READS, ...WRITES, ...CHANGES, ...NEVER_ON_OBJECTS];

describe.each(['read-only', 'read-write', 'write-only'] as const)('%s', (access) => {
  const allowed = new Set<string>(ALLOWED[access].objects);
  const lists = ALLOWED[access].lists ? 'Allow' : 'Deny';
  const wholeBucket = decider({ bucket: 'reports', prefix: undefined, access });
  const underPrefix = decider({ bucket: 'reports', prefix: 'team-a/', access });

  test.each(OBJECT_ACTIONS)('%s on objects', (action) => {
    const expected = allowed.has(action) ? 'Allow' : 'Deny';
    expect(wholeBucket({ action, on: 'reports/x' })).toBe(expected);
    expect(wholeBucket({ action, on: 'reports2/x' })).toBe('Deny');
    expect(underPrefix({ action, on: 'reports/team-a/x/y' })).toBe(expected);
    expect(underPrefix({ action, on: 'reports/team-a/' })).toBe(expected);
    for (const outside of ['reports/team-a', 'reports/team-b/x', 'reports/x/team-a/y', 'other/team-a/x']) {
      expect(underPrefix({ action, on: outside })).toBe('Deny');
    }
    // A key that only looks like the prefix once dots are resolved is another key.
    expect(underPrefix({ action, on: 'reports/./team-a/x' })).toBe('Deny');
    expect(underPrefix({ action, on: 'reports/TEAM-A/x' })).toBe('Deny');
  });

  test.each(LISTINGS)('%s', (action) => {
    expect(wholeBucket({ action, on: 'reports' })).toBe(lists);
    expect(wholeBucket({ action, on: 'reports', listed: 'any' })).toBe(lists);
    expect(wholeBucket({ action, on: 'other' })).toBe('Deny');
    expect(underPrefix({ action, on: 'reports', listed: 'team-a/' })).toBe(lists);
    expect(underPrefix({ action, on: 'reports', listed: 'team-a/sub' })).toBe(lists);
    for (const listed of [undefined, '', 't', 'team-a', 'team-b/', '/team-a/']) {
      expect(underPrefix({ action, on: 'reports', ...(listed === undefined ? {} : { listed }) })).toBe(
        'Deny',
      );
    }
  });

  test('the location of the bucket, of no other', () => {
    for (const decide of [wholeBucket, underPrefix]) {
      expect(decide({ action: 'GetBucketLocation', on: 'reports' })).toBe('Allow');
      expect(decide({ action: 'GetBucketLocation', on: 'other' })).toBe('Deny');
    }
  });

  test('running uploads are listed by a key that may write the whole bucket, and by no other', () => {
    const attempt = { action: 'ListBucketMultipartUploads', on: 'reports', listed: 'team-a/' };
    expect(wholeBucket(attempt)).toBe(access === 'read-write' ? 'Allow' : 'Deny');
    expect(underPrefix(attempt)).toBe('Deny');
  });

  test.each(NEVER_ON_BUCKETS)('never %s', (action) => {
    expect(wholeBucket({ action, on: 'reports' })).toBe('Deny');
    expect(underPrefix({ action, on: 'reports' })).toBe('Deny');
  });

  test('never ListAllMyBuckets', () => {
    expect(wholeBucket({ action: 'ListAllMyBuckets', on: '*' })).toBe('Deny');
  });
});

describe('prefixes', () => {
  test.each([
    ['a*/', 'a*/x', 'ab/x'],
    ['a?/', 'a?/x', 'ab/x'],
    ['$/', '$/x', 'x/x'],
    ['${aws:username}/', '${aws:username}/x', 'alice/x'],
    ['${*}/', '${*}/x', 'anything/x'],
    ['a\\*', 'a\\*x', 'a\\bx'],
    ['ä/', 'ä/x', 'a\u0308/x'],
    ['a:b/', 'a:b/x', 'a/x'],
    ['"}],"', '"}],"x', 'x'],
    ['a b\n/', 'a b\n/x', 'a b/x'],
  ])('%j is taken literally', (prefix, inside, outside) => {
    const decide = decider({ bucket: 'reports', prefix, access: 'read-only' });
    expect(decide({ action: 'GetObject', on: `reports/${inside}` })).toBe('Allow');
    expect(decide({ action: 'GetObject', on: `reports/${outside}` })).toBe('Deny');
    expect(decide({ action: 'ListBucket', on: 'reports', listed: prefix })).toBe('Allow');
    expect(decide({ action: 'ListBucket', on: 'reports', listed: outside })).toBe('Deny');
  });

  test('a key is inside exactly when it starts with the prefix, whatever both are', () => {
    const text = fc.string({
      unit: fc.constantFrom('a', 'b', '/', '*', '?', '$', '{', '}', ':', '.', 'ß'),
      maxLength: 8,
    });
    fc.assert(
      fc.property(text, text, fc.boolean(), (prefix, rest, extend) => {
        fc.pre(prefix !== '');
        const key = extend ? prefix + rest : rest;
        const expected = key.startsWith(prefix) ? 'Allow' : 'Deny';
        const decide = decider({ bucket: 'reports', prefix, access: 'read-only' });
        expect(decide({ action: 'GetObject', on: `reports/${key}` })).toBe(expected);
        expect(decide({ action: 'ListBucket', on: 'reports', listed: key })).toBe(expected);
      }),
      { numRuns: 500 },
    );
  });

  test.each(['', '\ud800', 'x'.repeat(1025)])('%j is refused', (prefix) => {
    expect(() => scopePolicy({ bucket: 'reports', prefix, access: 'read-only' })).toThrow(IdentityInputError);
  });
});
