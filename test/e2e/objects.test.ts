/** Objects through the AWS SDK: what is put is what is got, with everything that S3 keeps beside the bytes. */
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  DeleteObjectTaggingCommand,
  GetObjectAclCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  PutBucketPolicyCommand,
  PutObjectAclCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runGateway, type RunningGateway } from '../support/running-gateway.ts';
import { exchange, sendRaw } from './support/signed-request.ts';

const Bucket = 'docs';
let gateway: RunningGateway;
let s3: S3Client;

beforeAll(async () => {
  gateway = await runGateway();
  s3 = gateway.client();
  await s3.send(new CreateBucketCommand({ Bucket }));
});

afterAll(async () => {
  await gateway.stop();
});

describe('put and get', () => {
  test('content headers and user metadata come back as they were sent', async () => {
    const sent = {
      ContentType: 'text/csv; charset=utf-8',
      CacheControl: 'max-age=3600, private',
      ContentDisposition: 'attachment; filename="a b.csv"',
      ContentLanguage: 'de-AT',
      Metadata: { project: 'Blue  Sky', 'x-y': '1' },
    };
    await s3.send(new PutObjectCommand({ Bucket, Key: 'described', Body: 'a,b\n', ...sent }));
    const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'described' }));
    expect(got).toMatchObject({
      ...sent,
      ContentLength: 4,
      AcceptRanges: 'bytes',
    });
    expect(await got.Body?.transformToString()).toBe('a,b\n');
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key: 'described' }));
    expect(head).toMatchObject({ ...sent, ContentLength: 4, ETag: got.ETag });
  });

  test.each([
    ['RFC 2047', '=?UTF-8?B?w6TDtsO8?='],
    ['UTF-8', 'äöü — 日本'],
  ])('non-ASCII metadata in %s is unchanged, byte for byte', async (form, value) => {
    const path = `/${Bucket}/meta-${form.replace(' ', '-')}`;
    const credentials = gateway.root;
    const headers = { 'x-amz-meta-name': value };
    expect(await sendRaw(gateway, { method: 'PUT', path, credentials, headers })).toMatchObject({
      status: 200,
    });
    const got = await sendRaw(gateway, { path, credentials });
    expect(Buffer.from(String(got.headers['x-amz-meta-name']), 'latin1').toString('utf8')).toBe(value);
  });

  test('metadata in latin1, which is not UTF-8, is unchanged, byte for byte', async () => {
    await s3.send(new CreateBucketCommand({ Bucket: 'drop-box' }));
    const Policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Principal: '*', Action: 's3:*Object', Resource: 'arn:aws:s3:::drop-box/*' },
      ],
    });
    await s3.send(new PutBucketPolicyCommand({ Bucket: 'drop-box', Policy }));
    // No signer writes anything but UTF-8: the anonymous one signs nothing.
    const headers = {
      host: `127.0.0.1:${gateway.port}`,
      'content-length': '0',
      'x-amz-meta-name': 'Gr\u00fc\u00dfe',
    };
    const target = '/drop-box/latin1';
    expect(await exchange(gateway.port, { method: 'PUT', target, headers })).toMatchObject({ status: 200 });
    const got = await exchange(gateway.port, { target, headers: { host: headers.host } });
    expect(got.headers['x-amz-meta-name']).toBe('Gr\u00fc\u00dfe');
  });

  test('an empty object', async () => {
    const Key = 'empty';
    const put = await s3.send(new PutObjectCommand({ Bucket, Key, Body: Buffer.alloc(0) }));
    expect(put.ETag).toBe('"d41d8cd98f00b204e9800998ecf8427e"');
    const got = await s3.send(new GetObjectCommand({ Bucket, Key }));
    expect(got.ContentLength).toBe(0);
    expect(await got.Body?.transformToString()).toBe('');
  });

  test('a PUT with Content-Length 0 and no body stores an empty object', async () => {
    const answer = await sendRaw(gateway, {
      method: 'PUT',
      path: `/${Bucket}/zero`,
      credentials: gateway.root,
      headers: { 'content-length': '0' },
    });
    expect(answer).toMatchObject({ status: 200, headers: { etag: '"d41d8cd98f00b204e9800998ecf8427e"' } });
  });

  test('a stream of unknown checksum goes as aws-chunked with a trailer, and is stored without framing', async () => {
    const text = 'line\n'.repeat(50_000);
    const chunks = Array.from({ length: 10 }, (_, i) =>
      Buffer.from(text.slice(i * 25_000, (i + 1) * 25_000)),
    );
    await s3.send(
      new PutObjectCommand({
        Bucket,
        Key: 'streamed',
        Body: Readable.from(chunks),
        ContentLength: text.length,
      }),
    );
    const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'streamed' }));
    expect(await got.Body?.transformToString()).toBe(text);
    expect(got.ContentEncoding).toBeUndefined();
  });

  test('Content-Encoding stays, and the bytes are not touched', async () => {
    const zipped = gzipSync('hello '.repeat(100));
    await s3.send(
      new PutObjectCommand({
        Bucket,
        Key: 'zipped',
        Body: Readable.from([zipped]),
        ContentLength: zipped.length,
        ContentEncoding: 'gzip',
      }),
    );
    const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'zipped' }));
    expect(got.ContentEncoding).toBe('gzip');
    expect(Buffer.from((await got.Body?.transformToByteArray()) ?? [])).toEqual(zipped);
  });

  test('a deleted object is gone', async () => {
    await s3.send(new PutObjectCommand({ Bucket, Key: 'gone', Body: 'x' }));
    const deleted = await s3.send(new DeleteObjectCommand({ Bucket, Key: 'gone' }));
    expect(deleted.$metadata.httpStatusCode).toBe(204);
    await expect(s3.send(new GetObjectCommand({ Bucket, Key: 'gone' }))).rejects.toMatchObject({
      name: 'NoSuchKey',
      $metadata: { httpStatusCode: 404 },
    });
    await expect(s3.send(new HeadObjectCommand({ Bucket, Key: 'gone' }))).rejects.toMatchObject({
      name: 'NotFound',
    });
  });

  test('answers carry the gateway’s own ids and Date, not the upstream’s', async () => {
    await s3.send(new PutObjectCommand({ Bucket, Key: 'ids', Body: 'x' }));
    const answer = await sendRaw(gateway, { path: `/${Bucket}/ids`, credentials: gateway.root });
    expect(answer.headers['x-amz-request-id']).toMatch(/^[0-9A-F]{16}$/);
    expect(answer.headers['x-amz-id-2']).toBeTruthy();
    expect(answer.headers['server']).toBe('Bucketwarden');
    expect(Math.abs(Date.parse(answer.headers.date ?? '') - Date.now())).toBeLessThan(5_000);
    const record = await gateway.record(String(answer.headers['x-amz-request-id']));
    const { requestId } = record['upstream'] as { requestId?: string };
    expect(requestId).toBeTruthy();
    expect(requestId).not.toBe(answer.headers['x-amz-request-id']);
  });
});

describe('parts of objects and conditions', () => {
  const Key = 'range';
  const ETag = '"781e5e245d69b566979b86e28d23f2c7"';

  beforeAll(async () => {
    await s3.send(new PutObjectCommand({ Bucket, Key, Body: '0123456789' }));
  });

  test.each([
    ['bytes=2-4', '234', 'bytes 2-4/10'],
    ['bytes=7-', '789', 'bytes 7-9/10'],
    ['bytes=-3', '789', 'bytes 7-9/10'],
    ['bytes=0-999', '0123456789', 'bytes 0-9/10'],
  ])('206 for %s', async (Range, content, ContentRange) => {
    const got = await s3.send(new GetObjectCommand({ Bucket, Key, Range }));
    expect(got.$metadata.httpStatusCode).toBe(206);
    expect(got).toMatchObject({ ContentRange, ContentLength: content.length });
    expect(await got.Body?.transformToString()).toBe(content);
  });

  test('416 for a range beyond the end', async () => {
    const beyond = s3.send(new GetObjectCommand({ Bucket, Key, Range: 'bytes=10-' }));
    await expect(beyond).rejects.toMatchObject({
      name: 'InvalidRange',
      $metadata: { httpStatusCode: 416 },
    });
  });

  test('304 without a body when the entity tag is known', async () => {
    const answer = await sendRaw(gateway, {
      path: `/${Bucket}/${Key}`,
      credentials: gateway.root,
      headers: { 'if-none-match': ETag },
    });
    expect(answer).toMatchObject({ status: 304, body: '', headers: { etag: ETag } });
  });

  test('304 when it was not modified since', async () => {
    const tomorrow = new Date(Date.now() + 86_400_000);
    const get = s3.send(new GetObjectCommand({ Bucket, Key, IfModifiedSince: tomorrow }));
    await expect(get).rejects.toMatchObject({ $metadata: { httpStatusCode: 304 } });
  });

  test.each([
    ['If-Match', { IfMatch: '"00000000000000000000000000000000"' }],
    ['If-Unmodified-Since', { IfUnmodifiedSince: new Date('2020-01-01') }],
  ])('412 when %s does not hold', async (_, condition) => {
    const get = s3.send(new GetObjectCommand({ Bucket, Key, ...condition }));
    await expect(get).rejects.toMatchObject({
      name: 'PreconditionFailed',
      $metadata: { httpStatusCode: 412 },
    });
  });

  test('a write with If-None-Match: * does not replace an object', async () => {
    const put = s3.send(new PutObjectCommand({ Bucket, Key, Body: 'other', IfNoneMatch: '*' }));
    await expect(put).rejects.toMatchObject({ name: 'PreconditionFailed' });
    const got = await s3.send(new GetObjectCommand({ Bucket, Key }));
    expect(await got.Body?.transformToString()).toBe('0123456789');
  });

  test('a conditional write with the right entity tag replaces it', async () => {
    const first = await s3.send(new PutObjectCommand({ Bucket, Key: 'cas', Body: '1', IfNoneMatch: '*' }));
    await s3.send(new PutObjectCommand({ Bucket, Key: 'cas', Body: '2', IfMatch: first.ETag }));
    const again = s3.send(new PutObjectCommand({ Bucket, Key: 'cas', Body: '3', IfMatch: first.ETag }));
    await expect(again).rejects.toMatchObject({ name: 'PreconditionFailed' });
  });

  test('response-* parameters override headers', async () => {
    const got = await s3.send(
      new GetObjectCommand({
        Bucket,
        Key,
        ResponseContentType: 'text/html',
        ResponseContentDisposition: 'inline',
        ResponseCacheControl: 'no-store',
        ResponseContentLanguage: 'en',
      }),
    );
    expect(got).toMatchObject({
      ContentType: 'text/html',
      ContentDisposition: 'inline',
      CacheControl: 'no-store',
      ContentLanguage: 'en',
    });
  });
});

function base64Of(hex: string): string {
  return Buffer.from(hex, 'hex').toString('base64');
}

describe('checksums', () => {
  // Of "hello": CRC32 3610a686, CRC32C 9a71bb4c, SHA-1 and SHA-256 as sha1sum and sha256sum print them.
  test.each([
    ['CRC32', { ChecksumCRC32: base64Of('3610a686') }],
    ['CRC32C', { ChecksumCRC32C: base64Of('9a71bb4c') }],
    ['SHA1', { ChecksumSHA1: base64Of('aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d') }],
    [
      'SHA256',
      { ChecksumSHA256: base64Of('2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824') },
    ],
  ] as const)(
    '%s is in the answer to the PUT, and of a GET that asks for it',
    async (algorithm, checksum) => {
      const Key = `sum-${algorithm}`;
      const put = await s3.send(
        new PutObjectCommand({ Bucket, Key, Body: 'hello', ChecksumAlgorithm: algorithm }),
      );
      expect(put).toMatchObject(checksum);
      const got = await s3.send(new GetObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }));
      expect(got).toMatchObject({ ...checksum, ChecksumType: 'FULL_OBJECT' });
      const head = await s3.send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }));
      expect(head).toMatchObject(checksum);
    },
  );

  test('the checksum of a trailer is stored upstream, too', async () => {
    const Key = 'sum-trailer';
    const put = await s3.send(
      new PutObjectCommand({
        Bucket,
        Key,
        Body: Readable.from([Buffer.from('hel'), Buffer.from('lo')]),
        ContentLength: 5,
        ChecksumAlgorithm: 'CRC32C',
      }),
    );
    expect(put.ChecksumCRC32C).toBe(base64Of('9a71bb4c'));
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }));
    expect(head.ChecksumCRC32C).toBe(base64Of('9a71bb4c'));
  });

  test('a wrong one is BadDigest, and nothing is stored', async () => {
    const put = s3.send(
      new PutObjectCommand({ Bucket, Key: 'bad', Body: 'hello', ChecksumCRC32: 'AAAAAA==' }),
    );
    await expect(put).rejects.toMatchObject({
      name: 'BadDigest',
      message: 'The CRC32 you specified did not match the calculated checksum.',
    });
    await expect(s3.send(new HeadObjectCommand({ Bucket, Key: 'bad' }))).rejects.toMatchObject({
      name: 'NotFound',
    });
  });

  test('so is a wrong Content-MD5', async () => {
    const put = s3.send(
      new PutObjectCommand({ Bucket, Key: 'bad', Body: 'hello', ContentMD5: 'AAAAAAAAAAAAAAAAAAAAAA==' }),
    );
    await expect(put).rejects.toMatchObject({ name: 'BadDigest' });
  });
});

describe('tags', () => {
  const Key = 'tagged';
  const TagSet = [
    { Key: 'team', Value: 'blue' },
    { Key: 'cost center', Value: 'a+b=c/ü' },
  ];

  test('of an object: put, get, counted, deleted', async () => {
    await s3.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }));
    await s3.send(new PutObjectTaggingCommand({ Bucket, Key, Tagging: { TagSet } }));
    const got = await s3.send(new GetObjectTaggingCommand({ Bucket, Key }));
    expect(byKey(got.TagSet)).toEqual(byKey(TagSet));
    expect((await s3.send(new GetObjectCommand({ Bucket, Key }))).TagCount).toBe(2);
    const deleted = await s3.send(new DeleteObjectTaggingCommand({ Bucket, Key }));
    expect(deleted.$metadata.httpStatusCode).toBe(204);
    expect((await s3.send(new GetObjectTaggingCommand({ Bucket, Key }))).TagSet).toEqual([]);
  });

  test('with the upload', async () => {
    await s3.send(new PutObjectCommand({ Bucket, Key, Body: 'x', Tagging: 'a=1&b=two%20words' }));
    const got = await s3.send(new GetObjectTaggingCommand({ Bucket, Key }));
    expect(byKey(got.TagSet)).toEqual([
      { Key: 'a', Value: '1' },
      { Key: 'b', Value: 'two words' },
    ]);
  });

  test('the count is hidden from who may not read tags', async () => {
    await s3.send(new PutObjectCommand({ Bucket, Key, Body: 'x', Tagging: 'a=1' }));
    const reader = await gateway.keyWithPolicy('only-reads', {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: `arn:aws:s3:::${Bucket}/*` }],
    });
    const got = await gateway.client(reader).send(new GetObjectCommand({ Bucket, Key }));
    expect(got.TagCount).toBeUndefined();
  });

  test('eleven are too many', async () => {
    const tags = Array.from({ length: 11 }, (_, i) => ({ Key: `k${i}`, Value: '' }));
    const put = s3.send(new PutObjectTaggingCommand({ Bucket, Key, Tagging: { TagSet: tags } }));
    await expect(put).rejects.toMatchObject({ $metadata: { httpStatusCode: 400 } });
  });
});

describe('ACLs are off', () => {
  const Key = 'acl';

  beforeAll(async () => {
    await s3.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }));
  });

  test('reading one shows the owner’s full control', async () => {
    const acl = await s3.send(new GetObjectAclCommand({ Bucket, Key }));
    expect(acl.Grants).toEqual([
      {
        Grantee: expect.objectContaining({ Type: 'CanonicalUser', ID: acl.Owner?.ID }),
        Permission: 'FULL_CONTROL',
      },
    ]);
  });

  test.each(['private', 'bucket-owner-full-control'] as const)(
    '%s is accepted and not forwarded',
    async (ACL) => {
      gateway.upstream.clear();
      await s3.send(new PutObjectCommand({ Bucket, Key, Body: 'x', ACL }));
      await s3.send(new PutObjectAclCommand({ Bucket, Key, ACL }));
      expect(gateway.upstream.sent.join('')).not.toContain('x-amz-acl');
    },
  );

  test.each([
    [
      'a public one with an upload',
      () => new PutObjectCommand({ Bucket, Key, Body: 'x', ACL: 'public-read' }),
    ],
    ['a grant with an upload', () => new PutObjectCommand({ Bucket, Key, Body: 'x', GrantRead: 'id=abc' })],
    ['a public one', () => new PutObjectAclCommand({ Bucket, Key, ACL: 'public-read' })],
  ] as const)('%s is refused', async (_, command) => {
    gateway.upstream.clear();
    await expect(s3.send(command())).rejects.toMatchObject({
      name: 'AccessControlListNotSupported',
      message: 'The bucket does not allow ACLs',
      $metadata: { httpStatusCode: 400 },
    });
    expect(gateway.upstream.requestLines()).toEqual([]);
  });

  test('the ACL of what is not there is NoSuchKey', async () => {
    await expect(s3.send(new GetObjectAclCommand({ Bucket, Key: 'none' }))).rejects.toMatchObject({
      name: 'NoSuchKey',
    });
  });
});

describe('x-amz-expected-bucket-owner', () => {
  test('the owner’s account passes, another is refused', async () => {
    await s3.send(
      new PutObjectCommand({ Bucket, Key: 'own', Body: 'x', ExpectedBucketOwner: '000000000000' }),
    );
    const other = s3.send(new GetObjectCommand({ Bucket, Key: 'own', ExpectedBucketOwner: '111111111111' }));
    await expect(other).rejects.toMatchObject({ name: 'AccessDenied' });
  });
});

function byKey(
  tags: readonly { Key?: string | undefined; Value?: string | undefined }[] | undefined,
): unknown {
  return (tags ?? []).toSorted((a, b) => (a.Key ?? '').localeCompare(b.Key ?? ''));
}
