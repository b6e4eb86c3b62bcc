/**
 * Policies of browser forms. Expectations: S3 API reference, "POST Policy" and its worked example; Ceph's s3-tests
 * (`test_post_object_*`), which pass on AWS; recorded answers of S3 for codes and words.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  checkFileSize,
  checkPostPolicy,
  largestFile,
  parsePostFields,
  parsePostPolicy,
  S3Error,
  type PostFields,
  type PostPolicy,
} from '../../src/s3/index.ts';

const NOW = Date.UTC(2015, 11, 29);
const EXPIRATION = '2015-12-30T12:00:00.000Z';

const { post_policy: example } = JSON.parse(
  readFileSync(new URL('../vectors/s3-doc-examples.json', import.meta.url), 'utf8'),
) as { readonly post_policy: { readonly policy_base64: string } };

const base64 = (document: unknown): string =>
  Buffer.from(typeof document === 'string' ? document : JSON.stringify(document)).toString('base64');

const policyOf = (conditions: unknown, more: object = {}): PostPolicy =>
  parsePostPolicy(base64({ expiration: EXPIRATION, conditions, ...more }));

function fieldsOf(fields: Readonly<Record<string, string>>, filename?: string): PostFields {
  return parsePostFields({
    fields: Object.entries(fields).map(([name, value]) => ({ name, value: Buffer.from(value) })),
    filename,
  });
}

function refusal(act: () => unknown): S3Error {
  try {
    act();
  } catch (error) {
    if (error instanceof S3Error) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

/** With the bucket and the key covered. */
function check(conditions: readonly unknown[], fields: Readonly<Record<string, string>> = {}): void {
  checkPostPolicy(
    policyOf([{ bucket: 'b' }, ['starts-with', '$key', ''], ...conditions]),
    fieldsOf({ key: 'foo.txt', ...fields }),
    { bucket: 'b', now: NOW },
  );
}

const failed = (condition: string) => ({
  code: 'AccessDenied',
  status: 403,
  message: `Invalid according to Policy: Policy Condition failed: ${condition}`,
});

const invalid = (problem: string) => ({
  code: 'InvalidPolicyDocument',
  status: 400,
  message: `Invalid Policy: ${problem}`,
});

describe('the worked example of the documentation', () => {
  const policy = parsePostPolicy(example.policy_base64);
  const form = {
    key: 'user/user1/${filename}',
    acl: 'public-read',
    success_action_redirect: 'http://sigv4examplebucket.s3.amazonaws.com/successful_upload.html',
    'Content-Type': 'image/jpeg',
    'x-amz-meta-uuid': '14365123651274',
    'x-amz-server-side-encryption': 'AES256',
    'X-Amz-Credential': 'AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request',
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Date': '20151229T000000Z',
    'x-amz-meta-tag': '',
    Policy: example.policy_base64,
    'X-Amz-Signature': '8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e',
  };
  const request = { bucket: 'sigv4examplebucket', now: NOW };

  test('holds for its own form', () => {
    expect(policy.expiration).toBe(Date.parse(EXPIRATION));
    expect(policy.conditions).toHaveLength(11);
    checkPostPolicy(policy, fieldsOf(form, 'photo.jpg'), request);
  });

  const refused = (changes: Record<string, string>, more: object = {}): S3Error =>
    refusal(() => {
      checkPostPolicy(policy, fieldsOf({ ...form, ...changes }, 'photo.jpg'), { ...request, ...more });
    });

  test('holds for no other bucket, key, type or later time', () => {
    expect(refused({}, { bucket: 'another' })).toMatchObject(
      failed('["eq", "$bucket", "sigv4examplebucket"]'),
    );
    expect(refused({ key: 'user/user2/a' })).toMatchObject(failed('["starts-with", "$key", "user/user1/"]'));
    expect(refused({ 'Content-Type': 'text/html' })).toMatchObject(
      failed('["starts-with", "$Content-Type", "image/"]'),
    );
    expect(refused({ acl: 'private' })).toMatchObject(failed('["eq", "$acl", "public-read"]'));
    expect(refused({}, { now: Date.parse(EXPIRATION) })).toMatchObject({
      code: 'AccessDenied',
      message: 'Invalid according to Policy: Policy expired.',
    });
    expect(refused({ 'x-amz-meta-more': 'x' })).toMatchObject({
      code: 'AccessDenied',
      status: 403,
      message: 'Invalid according to Policy: Extra input fields: x-amz-meta-more',
    });
  });
});

describe('conditions', () => {
  test.each<[string, readonly unknown[], Record<string, string>]>([
    ['a simple one', [{ acl: 'private' }], { acl: 'private' }],
    ['eq', [['eq', '$acl', 'private']], { acl: 'private' }],
    ['starts-with', [['starts-with', '$x-amz-meta-a', 'v']], { 'x-amz-meta-a': 'value' }],
    ['starts-with, of a key with an empty segment', [['starts-with', '$key', 'a//']], { key: 'a//b' }],
    ['starts-with, of a key that stays below', [['starts-with', '$key', 'a/']], { key: 'a/b/../c' }],
    ['starts-with anything', [['starts-with', '$x-amz-meta-a', '']], { 'x-amz-meta-a': '' }],
    [
      'names and operators in any case',
      [['StArTs-WiTh', '$CoNtEnT-TyPe', 'text/plain'], { AcL: 'private' }],
      { aCl: 'private', 'content-type': 'text/plain' },
    ],
    [
      'a dollar sign in the value',
      [['starts-with', '$x-amz-meta-a', '\\$foo']],
      { 'x-amz-meta-a': '\\$foo.txt' },
    ],
    ['several of one field', [['starts-with', '$acl', 'p'], { acl: 'private' }], { acl: 'private' }],
    ['an ignored field without one', [], { 'x-ignore-foo': 'bar' }],
    [
      'a list of types',
      [['starts-with', '$Content-Type', 'image/']],
      { 'Content-Type': 'image/jpg,image/png,image/gif' },
    ],
    ['a range of sizes as text', [['content-length-range', '5', '10']], {}],
    ['the bucket as a field', [], { bucket: 'b' }],
  ])('%s holds', (_, conditions, fields) => {
    expect(() => {
      check(conditions, fields);
    }).not.toThrow();
  });

  test.each<[string, readonly unknown[], Record<string, string>, string]>([
    ['another value', [{ acl: 'private' }], { acl: 'public-read' }, '["eq", "$acl", "private"]'],
    ['another case of the value', [{ acl: 'private' }], { acl: 'Private' }, '["eq", "$acl", "private"]'],
    ['another beginning', [['starts-with', '$acl', 'x']], { acl: 'private' }, '["starts-with", "$acl", "x"]'],
    [
      'a field that is not there',
      [['starts-with', '$Content-Type', '']],
      {},
      '["starts-with", "$Content-Type", ""]',
    ],
    [
      'a name without its dollar sign',
      [['eq', 'acl', 'private']],
      { acl: 'private' },
      '["eq", "acl", "private"]',
    ],
    [
      'one of several',
      [['starts-with', '$acl', 'p'], { acl: 'x' }],
      { acl: 'private' },
      '["eq", "$acl", "x"]',
    ],
    [
      'one entry of a list of types',
      [['starts-with', '$Content-Type', 'image/']],
      { 'Content-Type': 'image/jpg,text/plain' },
      '["starts-with", "$Content-Type", "image/"]',
    ],
    [
      'a comma in another field',
      [{ 'x-amz-meta-a': 'a' }],
      { 'x-amz-meta-a': 'a,a' },
      '["eq", "$x-amz-meta-a", "a"]',
    ],
    ['another bucket', [{ bucket: 'c' }], {}, '["eq", "$bucket", "c"]'],
    [
      'a range that is none',
      [['content-length-range', 'test', '10']],
      {},
      '["content-length-range", "test", "10"]',
    ],
    ['quotes in the value', [{ acl: 'a"b' }], { acl: 'a' }, '["eq", "$acl", "a\\"b"]'],
  ])('%s does not hold', (_, conditions, fields, text) => {
    expect(
      refusal(() => {
        check(conditions, fields);
      }),
    ).toMatchObject(failed(text));
  });

  test('fields that none covers are named as they were sent', () => {
    expect(
      refusal(() => {
        check([], { StorageClass: 'STANDARD', submit: 'Upload' });
      }),
    ).toMatchObject({ message: 'Invalid according to Policy: Extra input fields: StorageClass, submit' });
    expect(
      refusal(() => {
        checkPostPolicy(policyOf([['starts-with', '$key', '']]), fieldsOf({ key: 'a' }), {
          bucket: 'b',
          now: NOW,
        });
      }),
    ).toMatchObject({ message: 'Invalid according to Policy: Extra input fields: bucket' });
  });

  test('a name of every object is a field like any other', () => {
    for (const name of ['__proto__', 'constructor', 'toString']) {
      check([['eq', `$${name}`, 'x']], { [name]: 'x' });
      expect(
        refusal(() => {
          check([['starts-with', `$${name}`, '']]);
        }).code,
      ).toBe('AccessDenied');
    }
  });
});

describe('sizes', () => {
  const policy = policyOf([['content-length-range', 5, 10]]);

  test('are inclusive', () => {
    for (const size of [5, 10]) checkFileSize(policy, size);
    expect(
      refusal(() => {
        checkFileSize(policy, 12);
      }),
    ).toMatchObject({
      code: 'EntityTooLarge',
      status: 400,
      message: 'Your proposed upload exceeds the maximum allowed size',
      details: { ProposedSize: '12', MaxSizeAllowed: '10' },
    });
    expect(
      refusal(() => {
        checkFileSize(policy, 1);
      }),
    ).toMatchObject({
      code: 'EntityTooSmall',
      status: 400,
      message: 'Your proposed upload is smaller than the minimum allowed size',
      details: { ProposedSize: '1', MinSizeAllowed: '5' },
    });
  });

  test('of several ranges all hold', () => {
    const both = policyOf([
      ['content-length-range', 0, 10],
      ['content-length-range', 4, 20],
    ]);
    expect(largestFile(both)).toBe(10);
    expect(
      refusal(() => {
        checkFileSize(both, 11);
      }).code,
    ).toBe('EntityTooLarge');
    expect(
      refusal(() => {
        checkFileSize(both, 3);
      }).code,
    ).toBe('EntityTooSmall');
    expect(largestFile(policyOf([]))).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('a document that cannot be read', () => {
  const conditions: readonly unknown[] = [];

  test.each<[string, unknown, string]>([
    ['no JSON', '{', 'Invalid JSON.'],
    ['nothing', '', 'Invalid JSON.'],
    ['a trailing comma', `{"expiration":"${EXPIRATION}","conditions":[{"a":"b"},]}`, 'Invalid JSON.'],
    ['no object', '[]', 'Invalid JSON.'],
    ['null', 'null', 'Invalid JSON.'],
    ['a policy of another kind', { Version: '2012-10-17', Statement: [] }, "Unexpected: 'version'"],
    ['CONDITIONS', { expiration: EXPIRATION, CONDITIONS: conditions }, "Unexpected: 'conditions'"],
    ['EXPIRATION', { EXPIRATION, conditions }, "Unexpected: 'expiration'"],
    ['no expiration', { conditions }, 'Policy missing expiration.'],
    ['no conditions', { expiration: EXPIRATION }, 'Policy missing conditions.'],
    [
      'conditions that are no list',
      { expiration: EXPIRATION, conditions: {} },
      "Invalid 'conditions' value: must be a List.",
    ],
    [
      'an expiration with an offset',
      { expiration: '2011-09-13T07:52:58+02:00', conditions },
      "Invalid 'expiration' value: '2011-09-13T07:52:58+02:00'",
    ],
    [
      'an expiration of another form',
      { expiration: '2015-10-17 03:15:59 UTC', conditions },
      "Invalid 'expiration' value: '2015-10-17 03:15:59 UTC'",
    ],
    [
      'an expiration that does not exist',
      { expiration: '2015-02-30T00:00:00Z', conditions },
      "Invalid 'expiration' value: '2015-02-30T00:00:00Z'",
    ],
    ['an expiration that is a number', { expiration: 5, conditions }, "Invalid 'expiration' value: '5'"],
  ])('%s', (_, document, problem) => {
    expect(refusal(() => parsePostPolicy(base64(document)))).toMatchObject(invalid(problem));
  });

  test.each<[string, unknown, string]>([
    [
      'an empty object',
      {},
      'Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.',
    ],
    [
      'an object of two',
      { a: 'b', c: 'd' },
      'Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.',
    ],
    ['a number as value', { 'Content-Length': 6199034 }, 'Invalid Simple-Condition: value must be a string.'],
    ['null as value', { success_action_redirect: null }, 'Invalid JSON.'],
    ['text', 'key', 'Invalid condition test: must be a List or Object.'],
    ['an empty list', [], 'Invalid Condition: missing operation identifier.'],
    ['another operation', ['ends-with', '$key', 'a'], "Invalid Condition: unknown operation 'ends-with'."],
    [
      'too few arguments',
      ['content-length-range', 0],
      'Invalid content-length-range: wrong number of arguments.',
    ],
    ['too many arguments', ['eq', '$key', 'a', 'b'], 'Invalid eq: wrong number of arguments.'],
    ['an argument that is no text', ['eq', '$key', 5], 'Invalid JSON.'],
    ['a negative size', ['content-length-range', -1, 0], 'Invalid JSON.'],
    ['a size with a fraction', ['content-length-range', 0, 0.5], 'Invalid JSON.'],
  ])('%s as a condition', (_, condition, problem) => {
    expect(refusal(() => policyOf([condition]))).toMatchObject(invalid(problem));
  });

  test.each(['%%%', 'abc', 'YWJj\n', 'YQ==YQ==', '_-8='])('%j is no base64', (text) => {
    expect(refusal(() => parsePostPolicy(text))).toMatchObject(invalid('invalid Base64 encoding.'));
  });

  test('what is not UTF-8', () => {
    const text = Buffer.from([0x7b, 0xff, 0x7d]).toString('base64');
    expect(refusal(() => parsePostPolicy(text))).toMatchObject(invalid('Invalid JSON.'));
  });
});
