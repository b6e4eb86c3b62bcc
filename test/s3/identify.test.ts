import { describe, expect, test } from 'vitest';
import {
  checkAcl,
  identifyOperation,
  isSecretField,
  parseWireRequest,
  resolveAddress,
} from '../../src/s3/index.ts';
import { identify, refusal, request } from './requests.ts';

describe('which operation a request is', () => {
  test.each([
    ['GET', '/', 'ListBuckets'],
    ['GET', '/bucket', 'ListObjects'],
    ['GET', '/bucket/', 'ListObjects'],
    ['GET', '/bucket?list-type=2&prefix=a%2F&delimiter=%2F', 'ListObjectsV2'],
    ['GET', '/bucket?acl=', 'GetBucketAcl'],
    ['GET', '/bucket/key?x-id=GetObject', 'GetObject'],
    ['GET', '/bucket/key?x-id=DeleteObject', 'GetObject'],
    ['GET', '/bucket//', 'GetObject'],
    ['HEAD', '/bucket/key?partNumber=1', 'HeadObject'],
    ['PUT', '/bucket/key', 'PutObject'],
    ['PUT', '/bucket/key?partNumber=1&uploadId=u', 'UploadPart'],
    ['POST', '/bucket/key?uploads', 'CreateMultipartUpload'],
    ['POST', '/bucket/key?uploadId=u', 'CompleteMultipartUpload'],
    ['DELETE', '/bucket/key?uploadId=u', 'AbortMultipartUpload'],
    ['DELETE', '/bucket/key?versionId=null', 'DeleteObject'],
    // Whatever its Content-Type: that of a form is asked for later, in S3's words.
    ['POST', '/bucket', 'PostObject'],
    ['POST', '/bucket?delete', 'DeleteObjects'],
    ['GET', '/bucket?versioning', 'GetBucketVersioning'],
  ])('%s %s is %s', (method, target, name) => {
    expect(identify(method, target).name).toBe(name);
  });

  test('a copy source makes a put a copy, and a part a copied part', () => {
    const headers = { 'x-amz-copy-source': '/bucket/source' };
    expect(identify('PUT', '/bucket/key', headers).name).toBe('CopyObject');
    expect(identify('PUT', '/bucket/key?partNumber=1&uploadId=u', headers).name).toBe('UploadPartCopy');
  });
});

describe('what the table does not know is refused', () => {
  test.each([
    ['PUT', '/bucket/key?acl&tagging'],
    ['GET', '/bucket?policy&acl'],
    ['PUT', '/bucket/key?retention&legal-hold'],
  ])('two sub-resources: %s %s', (method, target) => {
    const error = refusal(() => identify(method, target));
    expect(error.code).toBe('NotImplemented');
    expect(error.message).toContain('more than one operation');
  });

  test('a sub-resource beside a copy source', () => {
    expect(refusal(() => identify('PUT', '/b-b/key?tagging', { 'x-amz-copy-source': '/b-b/s' })).code).toBe(
      'NotImplemented',
    );
  });

  test.each([
    ['DELETE', '/bucket?analytics', 'analytics'],
    ['DELETE', '/bucket?unheard-of', 'unheard-of'],
    ['GET', '/bucket/key?unheard-of', 'unheard-of'],
    ['GET', '/bucket/key?tagging&partNumber=1', 'partNumber'],
    ['GET', '/bucket?list-type=2&acl', 'acl'],
    ['GET', '/bucket?list-type=3', 'list-type'],
    ['PUT', '/bucket/key?uploadId=u', 'uploadId'],
    ['PUT', '/bucket/key?versionId=v', 'versionId'],
    ['GET', '/bucket/key?attributes', 'attributes'],
    ['GET', '/bucket/key?X-AMZ-ALGORITHM=x', 'X-AMZ-ALGORITHM'],
    ['GET', '/bucket/key?x-amz-tagging=a', 'x-amz-tagging'],
    ['POST', '/bucket/key?foo', 'foo'],
    ['GET', '/?acl', 'acl'],
  ])('the parameter of %s %s', (method, target, name) => {
    const error = refusal(() => identify(method, target));
    expect(error.code).toBe('NotImplemented');
    expect(error.details).toEqual({ ParameterName: name });
    expect(error.message).toContain(`\`${name}\``);
  });

  test.each([
    ['GET', '/bucket/key', 'x-amz-tagging', 'a=b'],
    ['PUT', '/bucket/key', 'x-amz-mfa', '20899872 301749'],
    ['GET', '/bucket', 'x-amz-website-redirect-location', 'https://example.com/'],
    ['PUT', '/bucket/key', 'x-amz-server-side-encryption', 'aws:fsx'],
    ['GET', '/bucket/key', 'x-amz-server-side-encryption-aws-kms-key-id', 'k'],
    ['PUT', '/bucket/key?acl', 'x-amz-object-lock-mode', 'GOVERNANCE'],
    ['PUT', '/bucket/key', 'x-amz-checksum-md4', 'AAAA'],
    ['PUT', '/bucket/key', 'x-amz-unheard-of', ''],
    ['PUT', '/bucket/key', 'content-range', 'bytes 0-1/2'],
    ['PUT', '/bucket/key', 'if-unmodified-since', 'Sat, 21 Nov 2026 00:00:00 GMT'],
    ['PUT', '/bucket/key?tagging', 'if-match', '"e"'],
    ['GET', '/bucket/key', 'x-amz-copy-source', '/bucket/other'],
    ['DELETE', '/bucket/key', 'x-amz-meta-a', 'b'],
    ['PUT', '/bucket', 'x-amz-object-ownership', 'ObjectWriter'],
  ])('the header of %s %s with %s: %s', (method, target, name, value) => {
    const error = refusal(() => identify(method, target, { [name]: value }));
    expect(error.code).toBe('NotImplemented');
    expect(error.details).toEqual({ Header: name });
    expect(error.message).toContain(`\`${name}\``);
  });

  test('a method that S3 does not have, with the methods that it has', () => {
    const error = refusal(() => identify('PATCH', '/bucket/key'));
    expect([error.code, error.status]).toEqual(['MethodNotAllowed', 405]);
    expect(error.details).toEqual({ Method: 'PATCH', ResourceType: 'OBJECT' });
    expect(error.headers).toEqual({ allow: 'GET, HEAD, PUT, POST, DELETE, OPTIONS' });
  });

  test.each([
    ['POST', '/bucket/key'],
    ['PUT', '/'],
    ['OPTIONS', '/bucket'],
  ])('a method that means nothing there: %s %s', (method, target) => {
    expect(refusal(() => identify(method, target)).code).toBe('NotImplemented');
  });

  test.each([
    ['/', { soapaction: '""', 'content-type': 'text/xml' }],
    ['/bucket?delete', { soapaction: '' }],
    ['/bucket/key?uploads', { 'content-type': 'application/soap+xml; charset=utf-8' }],
    ['/soap', { 'content-type': 'text/xml; charset=utf-8' }],
  ])('SOAP at %s', (target, headers) => {
    const error = refusal(() => identify('POST', target, headers));
    expect(error.code).toBe('NotImplemented');
    expect(error.message).toContain('SOAP APIs for Amazon S3 are not available');
  });
});

describe('an empty name of', () => {
  test.each([
    ['a version', 'GET', '/bucket/key?versionId=', 'InvalidArgument'],
    ['a version', 'DELETE', '/bucket/key?versionId', 'InvalidArgument'],
    ['an upload', 'GET', '/bucket/key?uploadId=', 'NoSuchUpload'],
    ['an upload', 'DELETE', '/bucket/key?uploadId', 'NoSuchUpload'],
    ['an upload', 'PUT', '/bucket/key?partNumber=1&uploadId=', 'NoSuchUpload'],
  ])('%s is refused, as an upstream may take it for none: %s %s', (_, method, target, code) => {
    expect(refusal(() => identify(method, target)).code).toBe(code);
  });
});

describe('what every operation takes', () => {
  test('the parameters of a presigned URL, and those of SigV2 for the signature check to refuse', () => {
    const target =
      '/bucket/key?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=c&X-Amz-Date=d&X-Amz-Expires=1&X-Amz-SignedHeaders=host&X-Amz-Signature=s&X-Amz-Security-Token=t';
    expect(identify('GET', target).name).toBe('GetObject');
    expect(identify('GET', '/bucket/key?AWSAccessKeyId=a&Expires=1&Signature=s').name).toBe('GetObject');
  });

  test('the headers of signing and of SDKs, and whatever is not x-amz', () => {
    const headers = {
      'x-amz-date': 'd',
      'x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
      'x-amz-security-token': 't',
      'x-amz-user-agent': 'aws-sdk-js',
      'x-amzn-trace-id': 'Root=1',
      'amz-sdk-invocation-id': 'i',
      'x-forwarded-for': '192.0.2.1',
    };
    for (const target of ['/', '/bucket', '/bucket/key?tagging'])
      expect(() => identify('GET', target, headers)).not.toThrow();
  });

  test('the one value of headers that have one', () => {
    expect(identify('PUT', '/bucket/key', { 'x-amz-server-side-encryption': 'AES256' }).name).toBe(
      'PutObject',
    );
    expect(identify('PUT', '/bucket', { 'x-amz-bucket-object-lock-enabled': 'false' }).name).toBe(
      'CreateBucket',
    );
  });
});

describe('the checksum of no body', () => {
  // As the AWS SDK for Java 2.56 sends it.
  const headers = { 'x-amz-checksum-crc32': 'AAAAAA==' };

  test.each(['GET', 'HEAD'])('is taken from a %s', (method) => {
    const operation = identify(method, '/bucket/key', headers);
    expect(operation.forwardedHeaders.has('x-amz-checksum-crc32')).toBe(false);
  });

  test('is refused where an operation that writes does not know it', () => {
    expect(refusal(() => identify('DELETE', '/bucket/key', headers)).code).toBe('NotImplemented');
  });
});

describe('what comes twice', () => {
  test.each(['/bucket/key?uploadId=a&uploadId=b', '/bucket/key?versionId=a&versionId=a'])('%s', (target) => {
    expect(refusal(() => identify('DELETE', target)).code).toBe('InvalidArgument');
  });

  test.each([
    ['x-amz-copy-source', 'X-Amz-Copy-Source'],
    ['x-amz-tagging', 'x-amz-tagging'],
    ['content-md5', 'Content-MD5'],
  ])('the header %s', (one, other) => {
    const wire = parseWireRequest('PUT', '/bucket/key', ['host', 'h', one, '/bucket/a', other, '/bucket/b']);
    const error = refusal(() => identifyOperation(wire, resolveAddress(wire, [])));
    expect(error.code).toBe('InvalidArgument');
    expect(error.details).toEqual({ ArgumentName: one });
  });

  test('metadata may', () => {
    const wire = parseWireRequest('PUT', '/bucket/key', ['x-amz-meta-a', '1', 'x-amz-meta-a', '2']);
    expect(identifyOperation(wire, resolveAddress(wire, [])).name).toBe('PutObject');
  });
});

describe('headers in the query of a presigned URL', () => {
  const PRESIGNED = 'X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=s';

  test('count as headers, in any case', () => {
    expect(identify('GET', `/bucket/key?${PRESIGNED}&x-amz-checksum-mode=ENABLED`).name).toBe('GetObject');
    expect(identify('PUT', `/bucket/key?${PRESIGNED}&X-Amz-Copy-Source=%2Fbucket%2Fs`).name).toBe(
      'CopyObject',
    );
  });

  test('are refused where the header would be', () => {
    const target = `/bucket/key?${PRESIGNED}&x-amz-write-offset-bytes=0`;
    expect(refusal(() => identify('PUT', target)).details).toEqual({
      Header: 'x-amz-write-offset-bytes',
    });
  });

  test.each(['a%0d%0ax-amz-acl:private', '%00', '%7f'])(
    'are refused with control characters: %s',
    (value) => {
      const target = `/bucket/key?${PRESIGNED}&x-amz-meta-a=${value}`;
      expect(refusal(() => identify('PUT', target)).code).toBe('InvalidArgument');
    },
  );

  test('are refused twice, and when the header says something else', () => {
    const twice = `/bucket/key?${PRESIGNED}&x-amz-tagging=a&X-Amz-Tagging=a`;
    expect(refusal(() => identify('PUT', twice)).code).toBe('InvalidArgument');
    const once = `/bucket/key?${PRESIGNED}&x-amz-tagging=a`;
    expect(refusal(() => identify('PUT', once, { 'x-amz-tagging': 'b' })).code).toBe('InvalidArgument');
    expect(identify('PUT', once, { 'x-amz-tagging': 'a' }).name).toBe('PutObject');
  });
});

describe('ACLs are off', () => {
  test.each(['private', 'bucket-owner-full-control'])('%s means nothing', (acl) => {
    const headers = { 'x-amz-acl': acl };
    expect(identify('PUT', '/bucket/key', headers).name).toBe('PutObject');
    expect(() => checkAcl(request('PUT', '/bucket/key', headers))).not.toThrow();
  });

  test.each([
    ['x-amz-acl', 'public-read'],
    ['x-amz-acl', 'authenticated-read'],
    ['x-amz-acl', ''],
    ['x-amz-acl', 'Private'],
    ['x-amz-grant-read', 'id="a"'],
    ['x-amz-grant-full-control', ''],
  ])('%s: %s is refused', (name, value) => {
    const error = refusal(() => checkAcl(request('PUT', '/bucket/key', { [name]: value })));
    expect([error.code, error.status, error.message]).toEqual([
      'AccessControlListNotSupported',
      400,
      'The bucket does not allow ACLs',
    ]);
  });
});

test('fields that hold secrets are known in any case', () => {
  for (const name of [
    'Authorization',
    'X-Amz-Security-Token',
    'X-Amz-Signature',
    'x-amz-server-side-encryption-customer-key',
    'X-Amz-Copy-Source-Server-Side-Encryption-Customer-Key',
  ])
    expect(isSecretField(name)).toBe(true);
  expect(isSecretField('x-amz-date')).toBe(false);
});
