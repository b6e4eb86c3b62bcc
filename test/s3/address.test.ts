import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addressLevel,
  assertBucketName,
  bucketArn,
  encodeUriPath,
  isBucketName,
  objectArn,
  parseCopySource,
  parseWireRequest,
  renderCopySource,
  resolveAddress,
  type Address,
} from '../../src/s3/index.ts';
import { ODD_KEYS } from './odd-keys.ts';
import { refusal } from './requests.ts';

const BASES = ['s3.example.com', 'example.com', 'localhost'];

function addressOf(host: string, target: string, baseDomains: readonly string[] = BASES): Address {
  return resolveAddress(parseWireRequest('GET', target, ['Host', host]), baseDomains);
}

/** Any key that S3 takes: Unicode without lone surrogates, 1 to 1,024 bytes. */
const key = fc
  .string({ unit: 'binary', minLength: 1, maxLength: 300 })
  .filter((text) => Buffer.byteLength(text) <= 1024);

describe('bucket and key of a request', () => {
  test.each<[string, string, Address]>([
    ['127.0.0.1:9000', '/', { style: 'path' }],
    ['127.0.0.1:9000', '/bucket', { style: 'path', bucket: 'bucket' }],
    ['127.0.0.1:9000', '/bucket/', { style: 'path', bucket: 'bucket' }],
    ['127.0.0.1:9000', '/bucket/key', { style: 'path', bucket: 'bucket', key: 'key' }],
    ['[::1]:9000', '/bucket/key', { style: 'path', bucket: 'bucket', key: 'key' }],
    ['s3.example.com', '/bucket/a//b/', { style: 'path', bucket: 'bucket', key: 'a//b/' }],
    ['S3.Example.COM:8443', '/bucket/k', { style: 'path', bucket: 'bucket', key: 'k' }],
    ['bucket.s3.example.com', '/', { style: 'virtual', bucket: 'bucket' }],
    ['bucket.s3.example.com:8443', '/key', { style: 'virtual', bucket: 'bucket', key: 'key' }],
    ['Bucket.S3.example.com', '/key', { style: 'virtual', bucket: 'bucket', key: 'key' }],
    ['bucket.s3.example.com', '//key', { style: 'virtual', bucket: 'bucket', key: '/key' }],
    ['my.dotted.bucket.s3.example.com', '/k', { style: 'virtual', bucket: 'my.dotted.bucket', key: 'k' }],
    ['bucket.example.com.', '/k', { style: 'virtual', bucket: 'bucket', key: 'k' }],
    ['bucket.localhost:9000', '/k', { style: 'virtual', bucket: 'bucket', key: 'k' }],
    ['notexample.com', '/bucket/k', { style: 'path', bucket: 'bucket', key: 'k' }],
    ['.example.com', '/bucket/k', { style: 'path', bucket: 'bucket', key: 'k' }],
    ['elsewhere.test', '/bucket/k', { style: 'path', bucket: 'bucket', key: 'k' }],
    ['h', '/bucket/a/../b', { style: 'path', bucket: 'bucket', key: 'a/../b' }],
    ['h', '/bucket/a%2Fb', { style: 'path', bucket: 'bucket', key: 'a/b' }],
    ['h', '/bucket/a%252Fb', { style: 'path', bucket: 'bucket', key: 'a%2Fb' }],
    ['h', '/bucket/a+b%20c', { style: 'path', bucket: 'bucket', key: 'a+b c' }],
  ])('%s %s', (host, target, address) => {
    expect(addressOf(host, target)).toEqual(address);
  });

  test('levels', () => {
    expect(addressLevel(addressOf('h', '/'))).toBe('service');
    expect(addressLevel(addressOf('h', '/bucket/'))).toBe('bucket');
    expect(addressLevel(addressOf('h', '/bucket//'))).toBe('object');
  });

  test('a path without a bucket before its key is refused', () => {
    expect(refusal(() => addressOf('h', '//key')).code).toBe('InvalidBucketName');
  });

  test('a key may have 1,024 bytes, not characters, and no more', () => {
    const longest = '\u00e9'.repeat(512);
    expect(addressOf('h', `/bucket/${encodeUriPath(longest)}`).key).toBe(longest);
    const error = refusal(() => addressOf('h', `/bucket/${encodeUriPath(`${longest}a`)}`));
    expect([error.code, error.details]).toEqual([
      'KeyTooLongError',
      { Size: '1025', MaxSizeAllowed: '1024' },
    ]);
  });

  test.each(ODD_KEYS.map((odd) => [odd]))('the key %j arrives as it is, in both styles', (odd) => {
    expect(addressOf('h', `/bucket/${encodeUriPath(odd)}`).key).toBe(odd);
    expect(addressOf('bucket.localhost', `/${encodeUriPath(odd)}`).key).toBe(odd);
  });

  test('any key arrives as it is', () => {
    fc.assert(
      fc.property(key, (any) => {
        expect(addressOf('h', `/bucket/${encodeUriPath(any)}`)).toEqual({
          style: 'path',
          bucket: 'bucket',
          key: any,
        });
        expect(addressOf('b-b.localhost', `/${encodeUriPath(any)}`)).toEqual({
          style: 'virtual',
          bucket: 'b-b',
          key: any,
        });
      }),
    );
  });
});

describe('bucket names', () => {
  test.each([
    'abc',
    'amzn-s3-demo-bucket',
    'my.example.s3.bucket',
    '1bucket',
    'a'.repeat(63),
    'a-.b',
    '1.2.3.4.5',
  ])('%s is one', (name) => {
    expect(() => {
      assertBucketName(name);
    }).not.toThrow();
  });

  test.each([
    '',
    'ab',
    'a'.repeat(64),
    'Bucket',
    'under_score',
    '-bucket',
    'bucket-',
    '.bucket',
    'bucket.',
    'a..b',
    '192.168.5.4',
    'xn--bucket',
    'sthree-bucket',
    'sthree-configurator',
    'bucket-s3alias',
    'bucket--ol-s3',
    'bucket.mrap',
    'bucket--usw2-az1--x-s3',
    'bucket--table-s3',
    'arn:aws:s3:us-west-2:123456789012:accesspoint',
    'bücket',
    'bucket\n',
    'buc ket',
    '..',
  ])('%j is none', (name) => {
    expect(isBucketName(name)).toBe(false);
    const error = refusal(() => {
      assertBucketName(name);
    });
    expect([error.code, error.details]).toEqual(['InvalidBucketName', { BucketName: name }]);
  });

  test('ARNs hold the key as it is', () => {
    expect(bucketArn('bucket')).toBe('arn:aws:s3:::bucket');
    expect(objectArn('bucket', 'a//../b c')).toBe('arn:aws:s3:::bucket/a//../b c');
  });
});

describe('copy sources', () => {
  test.each([
    ['/bucket/key', { bucket: 'bucket', key: 'key' }],
    ['bucket/key', { bucket: 'bucket', key: 'key' }],
    ['bucket%2Fa%2Fb', { bucket: 'bucket', key: 'a/b' }],
    ['%2Fbucket%2Fkey', { bucket: 'bucket', key: 'key' }],
    ['/bucket//key', { bucket: 'bucket', key: '/key' }],
    ['/bucket/a/../b', { bucket: 'bucket', key: 'a/../b' }],
    ['/bucket/a%20b+c', { bucket: 'bucket', key: 'a b+c' }],
    ['/bucket/a%2520', { bucket: 'bucket', key: 'a%20' }],
    ['/bucket/key?versionId=v1', { bucket: 'bucket', key: 'key', versionId: 'v1' }],
    ['/bucket/key?versionId=a%2Bb', { bucket: 'bucket', key: 'key', versionId: 'a+b' }],
    ['/bucket/a%3FversionId=x', { bucket: 'bucket', key: 'a?versionId=x' }],
    ['/bucket/a%3Fb?versionId=null', { bucket: 'bucket', key: 'a?b', versionId: 'null' }],
  ])('%s', (header, source) => {
    expect(parseCopySource(header)).toEqual(source);
  });

  test.each([
    '',
    '/',
    'bucket',
    '/bucket/',
    '//key',
    '/bucket/key?versionId=',
    '/bucket/key?versionid=v',
    '/bucket/key?versionId=a&x=y',
    '/bucket/key?x=y&versionId=a',
    '/bucket/a?b?versionId=v',
    '/bucket/key?versionId=a?versionId=b',
    '/bucket/key?',
    '/bucket/%zz',
    '/bucket/%ff',
    '/bucket/k\u00e9y',
    '/Bucket/key',
    '/bucket-s3alias/key',
    '/bucket--ol-s3/key',
    '/../key',
  ])('%j is refused', (header) => {
    const error = refusal(() => parseCopySource(header));
    expect(error.code).toBe('InvalidArgument');
    expect(error.details).toEqual({ ArgumentName: 'x-amz-copy-source', ArgumentValue: header });
  });

  test.each([
    'arn:aws:s3:us-west-2:123456789012:accesspoint/point/object/key',
    '/arn%3Aaws%3As3:::bucket/key',
    'ARN:aws:s3:::b/k',
  ])('the ARN %s is NotImplemented', (header) => {
    expect(refusal(() => parseCopySource(header)).code).toBe('NotImplemented');
  });

  test('a key above 1,024 bytes is refused', () => {
    expect(refusal(() => parseCopySource(`/bucket/${'k'.repeat(1025)}`)).code).toBe('KeyTooLongError');
  });

  test('what goes upstream names what was parsed, whatever the key and the version', () => {
    fc.assert(
      fc.property(fc.oneof(key, fc.constantFrom(...ODD_KEYS)), fc.option(key), (any, version) => {
        const source = { bucket: 'bucket', key: any, ...(version === null ? {} : { versionId: version }) };
        expect(parseCopySource(renderCopySource(source))).toEqual(source);
      }),
    );
  });
});
