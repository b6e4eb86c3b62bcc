import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  parseCompleteMultipartUpload,
  parseCreateBucketConfiguration,
  parseDeleteObjects,
  parseDeleteResult,
  parseListBuckets,
  parseTagging,
  renderAccessControlPolicy,
  renderCompleteMultipartUpload,
  renderCreateBucketConfiguration,
  renderDeleteObjects,
  renderDeleteResult,
  renderError,
  renderListBuckets,
  renderLocation,
  renderTagging,
  S3_NAMESPACE,
  S3Error,
} from '../../src/s3/index.ts';
import { ODD_KEYS } from './odd-keys.ts';
import { refusal } from './requests.ts';

const HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n';
const text = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1 }),
  fc.constantFrom(...ODD_KEYS),
  fc.string({ unit: fc.constantFrom(' ', '\r', '\n', '\t', '&', ';', '<', ']', '#'), minLength: 1 }),
);

describe('DeleteObjects', () => {
  test('the request of the API reference', () => {
    const body = `<Delete xmlns="${S3_NAMESPACE}">
      <Object><Key>sample1.txt</Key></Object>
      <Object><Key>sample2.txt</Key><VersionId>OYcLXagmS.WaD..oyH4KRguB95_YhLs7</VersionId></Object>
      <Quiet>true</Quiet></Delete>`;
    expect(parseDeleteObjects(body)).toEqual({
      quiet: true,
      objects: [
        { key: 'sample1.txt' },
        { key: 'sample2.txt', versionId: 'OYcLXagmS.WaD..oyH4KRguB95_YhLs7' },
      ],
    });
  });

  test('what is rendered names the same objects, whatever their keys', () => {
    const versionId = text.map((id) => id.replaceAll('/', '_')).filter((id) => id !== '.' && id !== '..');
    const entry = fc.record(
      { key: text, versionId, etag: text, lastModifiedTime: text, size: text },
      { requiredKeys: ['key'] },
    );
    fc.assert(
      fc.property(fc.array(entry, { minLength: 1, maxLength: 20 }), fc.boolean(), (objects, quiet) => {
        expect(parseDeleteObjects(renderDeleteObjects({ quiet, objects }))).toEqual({ quiet, objects });
      }),
    );
  });

  test('a thousand objects with all that they may have are read, and no document with far more tags', () => {
    const object = { key: 'k', versionId: 'v', etag: '"e"', lastModifiedTime: 't', size: '1' };
    const objects = Array.from({ length: 1000 }, () => object);
    expect(parseDeleteObjects(renderDeleteObjects({ quiet: true, objects })).objects).toHaveLength(1000);
    for (const tag of ['<a/>', '<!---->', '<?a?>', '<']) {
      const error = refusal(() => parseDeleteObjects(`<Delete>${tag.repeat(20_000)}</Delete>`));
      expect([error.code, error.reason]).toEqual(['MalformedXML', 'more than 20000 tags']);
    }
  });

  test('a key above 1,024 bytes is refused', () => {
    const objects = [{ key: 'k'.repeat(1025) }];
    const error = refusal(() => parseDeleteObjects(renderDeleteObjects({ quiet: false, objects })));
    expect(error.code).toBe('KeyTooLongError');
  });

  test('an empty version is none', () => {
    const body = '<Delete><Object><Key>k</Key><VersionId/></Object><Quiet>false</Quiet></Delete>';
    expect(parseDeleteObjects(body)).toEqual({ quiet: false, objects: [{ key: 'k' }] });
  });

  test('a line break of the document is one character, a numeric reference is what it says', () => {
    const body = '<Delete><Object><Key>a\r\nb&#13;c&#x1;</Key></Object></Delete>';
    expect(parseDeleteObjects(body).objects).toEqual([{ key: 'a\nb\rc\u0001' }]);
  });

  test('1,000 entries are read, 1,001 and none are refused', () => {
    expect(parseDeleteObjects(deleteOf(1000)).objects).toHaveLength(1000);
    expect(refusal(() => parseDeleteObjects(deleteOf(1001))).code).toBe('MalformedXML');
    expect(refusal(() => parseDeleteObjects(deleteOf(0))).code).toBe('MalformedXML');
  });

  test.each([
    '',
    '<Delete>',
    '<Other><Object><Key>k</Key></Object></Other>',
    '<Delete><Object><Key></Key></Object></Delete>',
    '<Delete><Object><VersionId>v</VersionId></Object></Delete>',
    '<Delete><Object><Key>a</Key><Key>b</Key></Object></Delete>',
    '<Delete><Object><Key>a<b>c</b></Key></Object></Delete>',
    '<Delete><Object><Key>a</Key><Prefix>b</Prefix></Object></Delete>',
    '<Delete><Object><Key>a</Key></Object><Bucket>b</Bucket></Delete>',
    '<Delete><Object><Key>a</Key></Object><Quiet>maybe</Quiet></Delete>',
    '<Delete><Object><Key>a</Key></Object></Delete><Delete><Object><Key>b</Key></Object></Delete>',
    '<!DOCTYPE x [<!ENTITY e "k">]><Delete><Object><Key>&e;</Key></Object></Delete>',
    '<Delete><Object><Key>&e;</Key></Object></Delete>',
    '<Delete><Object><Key><![CDATA[k]]></Key></Object></Delete>',
    '{"Delete":{}}',
  ])('%j is refused', (body) => {
    expect(refusal(() => parseDeleteObjects(body)).code).toBe('MalformedXML');
  });

  test('the answer goes through, whatever the keys', () => {
    const deleted = fc.record(
      { key: text, versionId: text, deleteMarker: fc.boolean(), deleteMarkerVersionId: text },
      { requiredKeys: ['key'] },
    );
    const error = fc.record(
      { key: text, versionId: text, code: fc.constant('AccessDenied'), message: text },
      { requiredKeys: ['key', 'code', 'message'] },
    );
    fc.assert(
      fc.property(fc.array(deleted), fc.array(error), (done, errors) => {
        const result = { deleted: done, errors };
        expect(parseDeleteResult(renderDeleteResult(result))).toEqual(result);
      }),
    );
  });

  test('the answer has the form of the API reference', () => {
    const result = {
      deleted: [{ key: 'sample1.txt' }],
      errors: [{ key: 'sample2.txt', code: 'AccessDenied', message: 'Access Denied' }],
    };
    expect(renderDeleteResult(result)).toBe(
      `${HEAD}<DeleteResult xmlns="${S3_NAMESPACE}"><Deleted><Key>sample1.txt</Key></Deleted><Error><Key>sample2.txt</Key><Code>AccessDenied</Code><Message>Access Denied</Message></Error></DeleteResult>`,
    );
  });
});

describe('tag sets', () => {
  test('go through, whatever is in them', () => {
    const tag = fc.record({
      key: fc.string({ unit: 'binary', minLength: 1, maxLength: 128 }),
      value: fc.string({ unit: 'binary', maxLength: 256 }),
    });
    const tags = fc.uniqueArray(tag, { maxLength: 10, selector: ({ key }) => key });
    fc.assert(
      fc.property(tags, (set) => {
        expect(parseTagging(renderTagging(set), 'object')).toEqual(set);
      }),
    );
  });

  test('an object has at most 10 tags, a bucket 50', () => {
    expect(parseTagging(tagging(numbered(10)), 'object')).toHaveLength(10);
    expect(parseTagging(tagging(numbered(50)), 'bucket')).toHaveLength(50);
    expect(refusal(() => parseTagging(tagging(numbered(11)), 'object'))).toMatchObject({
      code: 'BadRequest',
      message: 'Object tags cannot be greater than 10',
    });
    expect(refusal(() => parseTagging(tagging(numbered(51)), 'bucket')).code).toBe('BadRequest');
  });

  test('keys have 1 to 128 characters, values up to 256, counted as Unicode counts them', () => {
    const longest = [['\u{1f600}'.repeat(128), '\u{1f600}'.repeat(256)]] as const;
    expect(parseTagging(tagging(longest), 'object')).toHaveLength(1);
    for (const [key, value] of [
      ['', 'v'],
      ['k'.repeat(129), 'v'],
      ['k', 'v'.repeat(257)],
    ] as const)
      expect(refusal(() => parseTagging(tagging([[key, value]]), 'object')).code).toBe('InvalidTag');
  });

  test('a key comes once; another case is another key', () => {
    const twice = [
      ['k', '1'],
      ['k', '2'],
    ] as const;
    expect(refusal(() => parseTagging(tagging(twice), 'object'))).toMatchObject({
      code: 'InvalidTag',
      message: 'Cannot provide multiple Tags with the same key',
    });
    const cases = [
      ['k', ''],
      ['K', ''],
    ] as const;
    expect(parseTagging(tagging(cases), 'object')).toHaveLength(2);
  });

  test.each([
    '<Tagging/>',
    '<Tagging><TagSet><Tag><Key>k</Key></Tag></TagSet></Tagging>',
    '<Tagging><TagSet><Tag><Value>v</Value></Tag></TagSet></Tagging>',
    '<Tagging><TagSet><Other/></TagSet></Tagging>',
    '<Tagging><TagSet/><TagSet/></Tagging>',
  ])('%s is refused', (body) => {
    expect(refusal(() => parseTagging(body, 'object')).code).toBe('MalformedXML');
  });

  test('an empty set is a set', () => {
    expect(parseTagging('<Tagging><TagSet/></Tagging>', 'object')).toEqual([]);
  });
});

describe('CompleteMultipartUpload', () => {
  test('ten thousand parts with their checksums are read', () => {
    const parts = Array.from({ length: 10_000 }, (_, i) => ({
      partNumber: i + 1,
      etag: '"e"',
      checksums: { ChecksumCRC32: 'AAAAAA==' },
    }));
    expect(parseCompleteMultipartUpload(renderCompleteMultipartUpload(parts))).toHaveLength(10_000);
  });

  const parts = [
    { partNumber: 1, etag: '"a54357aff0632cce46d942af68356b38"', checksums: { ChecksumCRC32: 'AAAAAA==' } },
    { partNumber: 10_000, etag: '0c78aef83f66abc1fa1e8477f296d394', checksums: {} },
  ];

  test('goes through, in its order', () => {
    expect(parseCompleteMultipartUpload(renderCompleteMultipartUpload(parts))).toEqual(parts);
    const reversed = parts.toReversed();
    expect(parseCompleteMultipartUpload(renderCompleteMultipartUpload(reversed))).toEqual(reversed);
  });

  test.each(['0', '10001', '-1', '1.5', '1e3', '0x1', ''])('the part number %j is refused', (number) => {
    expect(refusal(() => parseCompleteMultipartUpload(part(number))).code).toBe('InvalidArgument');
  });

  test.each([
    '<CompleteMultipartUpload/>',
    '<CompleteMultipartUpload><Part><PartNumber>1</PartNumber></Part></CompleteMultipartUpload>',
    '<CompleteMultipartUpload><Part><ETag>e</ETag></Part></CompleteMultipartUpload>',
    part('1</PartNumber><ChecksumMD4>A</ChecksumMD4><PartNumber>1'),
  ])('%s is refused', (body) => {
    expect(refusal(() => parseCompleteMultipartUpload(body)).code).toBe('MalformedXML');
  });

  test('10,000 parts are read, 10,001 are refused', () => {
    const many = Array.from({ length: 10_001 }, () => ({ partNumber: 1, etag: 'e', checksums: {} }));
    const longest = many.slice(1);
    expect(parseCompleteMultipartUpload(renderCompleteMultipartUpload(longest))).toHaveLength(10_000);
    expect(refusal(() => parseCompleteMultipartUpload(renderCompleteMultipartUpload(many))).code).toBe(
      'MalformedXML',
    );
  });
});

describe('where a bucket is', () => {
  test('the body of CreateBucket names a region, or none', () => {
    expect(parseCreateBucketConfiguration('')).toBeUndefined();
    expect(parseCreateBucketConfiguration('<CreateBucketConfiguration/>')).toBeUndefined();
    expect(parseCreateBucketConfiguration(renderCreateBucketConfiguration('eu-west-1'))).toBe('eu-west-1');
    expect(renderCreateBucketConfiguration('us-east-1')).toBe('');
  });

  test.each(['Bucket', 'Location', 'Tags'])('with %s it is NotImplemented', (name) => {
    const body = `<CreateBucketConfiguration><${name}/></CreateBucketConfiguration>`;
    expect(refusal(() => parseCreateBucketConfiguration(body)).code).toBe('NotImplemented');
  });

  test('ten thousand buckets are read', () => {
    const bucket = { name: 'b', creationDate: 'd', bucketRegion: 'r' };
    const list = { ownerId: 'o', buckets: Array.from({ length: 10_000 }, () => bucket) };
    expect(parseListBuckets(renderListBuckets(list)).buckets).toHaveLength(10_000);
  });

  test('GetBucketLocation answers us-east-1 by an empty element', () => {
    expect(renderLocation('us-east-1')).toBe(
      `${HEAD}<LocationConstraint xmlns="${S3_NAMESPACE}"></LocationConstraint>`,
    );
    expect(renderLocation('us-west-2')).toBe(
      `${HEAD}<LocationConstraint xmlns="${S3_NAMESPACE}">us-west-2</LocationConstraint>`,
    );
  });
});

test('ListBuckets goes through', () => {
  const list = {
    ownerId: 'abcdef',
    buckets: [
      { name: 'amzn-s3-demo-bucket', creationDate: '2019-12-11T23:32:47.000Z', bucketRegion: 'us-west-2' },
      { name: 'other-bucket', creationDate: '2019-12-11T23:32:47.000Z' },
    ],
    continuationToken: 'next',
    prefix: 'a',
  };
  expect(parseListBuckets(renderListBuckets(list))).toEqual(list);
  expect(parseListBuckets(renderListBuckets({ ownerId: 'a', buckets: [] }))).toEqual({
    ownerId: 'a',
    buckets: [],
  });
});

test('an ACL shows the full control of the owner, in the form of the API reference', () => {
  expect(renderAccessControlPolicy('75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a')).toBe(
    `${HEAD}<AccessControlPolicy xmlns="${S3_NAMESPACE}"><Owner><ID>75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a</ID></Owner><AccessControlList><Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"><ID>75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a</ID></Grantee><Permission>FULL_CONTROL</Permission></Grant></AccessControlList></AccessControlPolicy>`,
  );
});

describe('error documents', () => {
  test('have the form of the API reference', () => {
    const error = new S3Error('NoSuchKey', { message: 'The resource you requested does not exist' });
    const context = { resource: '/mybucket/myfoto.jpg', requestId: '4442587FB7D0A2F9', hostId: 'h' };
    expect(renderError(error, context)).toBe(
      `${HEAD}<Error><Code>NoSuchKey</Code><Message>The resource you requested does not exist</Message><Resource>/mybucket/myfoto.jpg</Resource><RequestId>4442587FB7D0A2F9</RequestId><HostId>h</HostId></Error>`,
    );
  });

  test('have what belongs to the code after the message, escaped', () => {
    const error = new S3Error('InvalidArgument', { details: { ArgumentName: 'a', ArgumentValue: '<b>&\r' } });
    expect(renderError(error, { resource: '/', requestId: 'r', hostId: 'h' })).toContain(
      '<Message>Invalid Argument</Message><ArgumentName>a</ArgumentName><ArgumentValue>&lt;b&gt;&amp;&#xd;</ArgumentValue><Resource>/</Resource>',
    );
  });
});

function deleteOf(count: number): string {
  return `<Delete>${'<Object><Key>k</Key></Object>'.repeat(count)}</Delete>`;
}

function tagging(tags: readonly (readonly [string, string])[]): string {
  return renderTagging(tags.map(([key, value]) => ({ key, value })));
}

function numbered(count: number): (readonly [string, string])[] {
  return Array.from({ length: count }, (_, index) => [`k${index}`, ''] as const);
}

function part(number: string): string {
  return `<CompleteMultipartUpload><Part><PartNumber>${number}</PartNumber><ETag>e</ETag></Part></CompleteMultipartUpload>`;
}
