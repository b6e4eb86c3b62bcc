/** Copies and multipart uploads through the AWS SDK. */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runGateway, type RunningGateway } from '../support/running-gateway.ts';
import { sendRaw } from './support/signed-request.ts';

const Bucket = 'docs';
const OTHER = 'archive';
const PART_BYTES = 5 * 1024 * 1024;
let gateway: RunningGateway;
let s3: S3Client;

beforeAll(async () => {
  gateway = await runGateway();
  s3 = gateway.client();
  await s3.send(new CreateBucketCommand({ Bucket }));
  await s3.send(new CreateBucketCommand({ Bucket: OTHER }));
});

afterAll(async () => {
  await gateway.stop();
});

describe('CopyObject', () => {
  const source = `${Bucket}/source`;
  let ETag: string | undefined;

  beforeAll(async () => {
    const put = await s3.send(
      new PutObjectCommand({
        Bucket,
        Key: 'source',
        Body: 'content',
        ContentType: 'text/plain',
        Metadata: { color: 'blue' },
        Tagging: 'a=1',
      }),
    );
    ETag = put.ETag;
  });

  test.each([Bucket, OTHER])('into %s, metadata and tags go along', async (to) => {
    const copied = await s3.send(new CopyObjectCommand({ Bucket: to, Key: 'copy', CopySource: source }));
    expect(copied.CopyObjectResult?.ETag).toBe(ETag);
    expect(copied.CopyObjectResult?.LastModified).toBeInstanceOf(Date);
    const got = await s3.send(new GetObjectCommand({ Bucket: to, Key: 'copy' }));
    expect(got).toMatchObject({ ContentType: 'text/plain', Metadata: { color: 'blue' } });
    expect(await got.Body?.transformToString()).toBe('content');
    const tags = await s3.send(new GetObjectTaggingCommand({ Bucket: to, Key: 'copy' }));
    expect(tags.TagSet).toEqual([{ Key: 'a', Value: '1' }]);
  });

  test('the directives REPLACE take what the request says instead', async () => {
    await s3.send(
      new CopyObjectCommand({
        Bucket,
        Key: 'replaced',
        CopySource: source,
        MetadataDirective: 'REPLACE',
        ContentType: 'text/csv',
        Metadata: { shape: 'round' },
        TaggingDirective: 'REPLACE',
        Tagging: 'b=2',
      }),
    );
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key: 'replaced' }));
    expect(head).toMatchObject({ ContentType: 'text/csv', Metadata: { shape: 'round' } });
    expect(head.Metadata).not.toHaveProperty('color');
    const tags = await s3.send(new GetObjectTaggingCommand({ Bucket, Key: 'replaced' }));
    expect(tags.TagSet).toEqual([{ Key: 'b', Value: '2' }]);
  });

  test('onto itself needs a change', async () => {
    const same = new CopyObjectCommand({ Bucket, Key: 'source', CopySource: source });
    await expect(s3.send(same)).rejects.toMatchObject({ name: 'InvalidRequest' });
  });

  test('conditions on the source hold', async () => {
    await s3.send(
      new CopyObjectCommand({ Bucket, Key: 'cond', CopySource: source, CopySourceIfMatch: ETag }),
    );
    const copy = new CopyObjectCommand({
      Bucket,
      Key: 'cond',
      CopySource: source,
      CopySourceIfNoneMatch: ETag,
    });
    await expect(s3.send(copy)).rejects.toMatchObject({ name: 'PreconditionFailed' });
  });

  test('a leading slash, escaped separators and odd names mean the same source', async () => {
    await s3.send(new PutObjectCommand({ Bucket, Key: 'a/b+c d?e', Body: 'odd' }));
    for (const CopySource of [`/${Bucket}/a/b%2Bc%20d%3Fe`, `${Bucket}%2Fa%2Fb%2Bc%20d%3Fe`]) {
      await s3.send(new CopyObjectCommand({ Bucket, Key: 'odd-copy', CopySource }));
      const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'odd-copy' }));
      expect(await got.Body?.transformToString()).toBe('odd');
    }
  });

  test.each([
    ['no key', Bucket, 'InvalidArgument'],
    ['an ARN', 'arn:aws:s3:us-east-1:123456789012:accesspoint/ap/object/k', 'NotImplemented'],
    ['an alias', 'ap-metadata-s3alias/k', 'InvalidArgument'],
    ['another query', `${Bucket}/source?acl`, 'InvalidArgument'],
  ])('a source with %s is refused, unasked upstream', async (_, CopySource, code) => {
    gateway.upstream.clear();
    const copy = new CopyObjectCommand({ Bucket, Key: 'k', CopySource });
    await expect(s3.send(copy)).rejects.toMatchObject({ name: code });
    expect(gateway.upstream.requestLines()).toEqual([]);
  });

  test('of a missing source is NoSuchKey, of an unknown bucket NoSuchBucket', async () => {
    const missing = new CopyObjectCommand({ Bucket, Key: 'k', CopySource: `${Bucket}/none` });
    await expect(s3.send(missing)).rejects.toMatchObject({ name: 'NoSuchKey' });
    const unknown = new CopyObjectCommand({ Bucket, Key: 'k', CopySource: 'nowhere/none' });
    await expect(s3.send(unknown)).rejects.toMatchObject({ name: 'NoSuchBucket' });
  });

  test('the right to read the source is needed, and for a version that of the version', async () => {
    const writer = await gateway.keyWithPolicy('writer', allow(['s3:PutObject'], `${OTHER}/*`));
    const copy = new CopyObjectCommand({ Bucket: OTHER, Key: 'k', CopySource: source });
    gateway.upstream.clear();
    await expect(gateway.client(writer).send(copy)).rejects.toMatchObject({ name: 'AccessDenied' });
    const reader = await gateway.keyWithPolicy('copier', {
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Action: 's3:PutObject', Resource: `arn:aws:s3:::${OTHER}/*` },
        { Effect: 'Allow', Action: 's3:GetObject', Resource: `arn:aws:s3:::${Bucket}/*` },
      ],
    });
    const versioned = new CopyObjectCommand({
      Bucket: OTHER,
      Key: 'k',
      CopySource: `${source}?versionId=v1`,
    });
    const refused = await gateway
      .client(reader)
      .send(versioned)
      .catch((error: unknown) => error);
    expect(refused).toMatchObject({ name: 'AccessDenied' });
    expect(String(refused)).toContain('s3:GetObjectVersion');
    expect(gateway.upstream.requestLines()).toEqual([]);
    await gateway.client(reader).send(new CopyObjectCommand({ ...copy.input, TaggingDirective: 'REPLACE' }));
  });

  test('a version of the source goes upstream with its id', async () => {
    gateway.upstream.clear();
    const versioned = new CopyObjectCommand({ Bucket, Key: 'k', CopySource: `${source}?versionId=a%2Bb` });
    // The store behind has no versions, and says so.
    await expect(s3.send(versioned)).rejects.toMatchObject({ name: 'NotImplemented' });
    expect(gateway.upstream.sent.join('')).toMatch(/x-amz-copy-source: \/docs\/source\?versionId=a%2Bb\r\n/);
  });

  test('of a source that is missing to a caller who may not list it: 403', async () => {
    const key = await gateway.keyWithPolicy('blind', allow(['s3:PutObject', 's3:GetObject'], '*/*'));
    const copy = new CopyObjectCommand({ Bucket, Key: 'k', CopySource: `${Bucket}/none` });
    await expect(gateway.client(key).send(copy)).rejects.toMatchObject({ name: 'AccessDenied' });
  });

  test('of a source that is missing in a bucket of which the caller may not list: 403', async () => {
    const copies = ['s3:PutObject', 's3:GetObject'].map((action) => ({
      Effect: 'Allow',
      Action: action,
      Resource: 'arn:aws:s3:::*/*',
    }));
    const list = { Effect: 'Allow', Action: 's3:ListBucket', Resource: `arn:aws:s3:::${OTHER}` };
    const key = await gateway.keyWithPolicy('half-blind', {
      Version: '2012-10-17',
      Statement: [...copies, list],
    });
    const copy = new CopyObjectCommand({ Bucket: OTHER, Key: 'k', CopySource: `${Bucket}/none` });
    await expect(gateway.client(key).send(copy)).rejects.toMatchObject({ name: 'AccessDenied' });
  });

  test('the record names the source', async () => {
    const copied = await s3.send(
      new CopyObjectCommand({ Bucket: OTHER, Key: 'recorded', CopySource: source }),
    );
    const record = await gateway.record(copied.$metadata.requestId ?? '');
    expect(record).toMatchObject({
      operation: 'CopyObject',
      bucket: OTHER,
      key: 'recorded',
      copySource: { bucket: Bucket, key: 'source' },
    });
  });
});

describe('multipart', () => {
  const whole = randomBytes(PART_BYTES);
  const parts = [whole, randomBytes(PART_BYTES), Buffer.from('the last part')];

  test('three parts become one object, with its listing on the way', async () => {
    const Key = 'big/three parts';
    const created = await s3.send(
      new CreateMultipartUploadCommand({
        Bucket,
        Key,
        ContentType: 'video/mp4',
        Metadata: { a: 'b' },
        Tagging: 't=1',
      }),
    );
    const { UploadId } = created;
    expect(created).toMatchObject({ Bucket, Key });
    const uploaded = await Promise.all(
      parts.map(async (Body, index) => {
        const PartNumber = index + 1;
        const part = await s3.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }));
        expect(part.ETag).toBe(`"${createHash('md5').update(Body).digest('hex')}"`);
        return { PartNumber, ETag: part.ETag, ChecksumCRC32: part.ChecksumCRC32 };
      }),
    );
    const listed = await s3.send(new ListPartsCommand({ Bucket, Key, UploadId, MaxParts: 2 }));
    expect(listed.Parts?.map(({ PartNumber, Size }) => [PartNumber, Size])).toEqual([
      [1, PART_BYTES],
      [2, PART_BYTES],
    ]);
    expect(listed).toMatchObject({ IsTruncated: true, NextPartNumberMarker: '2' });
    const rest = await s3.send(new ListPartsCommand({ Bucket, Key, UploadId, PartNumberMarker: '2' }));
    expect(rest.Parts?.map(({ PartNumber }) => PartNumber)).toEqual([3]);

    const uploads = await s3.send(new ListMultipartUploadsCommand({ Bucket, Prefix: 'big/' }));
    expect(uploads.Uploads?.map((upload) => [upload.Key, upload.UploadId])).toEqual([[Key, UploadId]]);

    const done = await s3.send(
      new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts: uploaded } }),
    );
    const digests = Buffer.concat(parts.map((part) => createHash('md5').update(part).digest()));
    const ETag = `"${createHash('md5').update(digests).digest('hex')}-3"`;
    expect(done).toMatchObject({
      Bucket,
      Key,
      ETag,
      Location: `${gateway.url}/${Bucket}/big/three%20parts`,
    });
    const got = await s3.send(new GetObjectCommand({ Bucket, Key }));
    expect(got).toMatchObject({ ETag, ContentType: 'video/mp4', Metadata: { a: 'b' }, TagCount: 1 });
    expect(Buffer.concat(parts).equals((await got.Body?.transformToByteArray()) ?? Buffer.alloc(0))).toBe(
      true,
    );
    const second = await s3.send(new HeadObjectCommand({ Bucket, Key, PartNumber: 2 }));
    expect(second).toMatchObject({ ContentLength: PART_BYTES, PartsCount: 3 });
  });

  test('UploadPartCopy takes a range of another object', async () => {
    await s3.send(new PutObjectCommand({ Bucket: OTHER, Key: 'whole', Body: whole }));
    const Key = 'assembled';
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }));
    const copy = await s3.send(
      new UploadPartCopyCommand({ Bucket, Key, UploadId, PartNumber: 1, CopySource: `${OTHER}/whole` }),
    );
    const range = await s3.send(
      new UploadPartCopyCommand({
        Bucket,
        Key,
        UploadId,
        PartNumber: 2,
        CopySource: `${OTHER}/whole`,
        CopySourceRange: 'bytes=10-19',
      }),
    );
    await s3.send(
      new CompleteMultipartUploadCommand({
        Bucket,
        Key,
        UploadId,
        MultipartUpload: {
          Parts: [
            { PartNumber: 1, ETag: copy.CopyPartResult?.ETag },
            { PartNumber: 2, ETag: range.CopyPartResult?.ETag },
          ],
        },
      }),
    );
    const got = await s3.send(new GetObjectCommand({ Bucket, Key, Range: `bytes=${PART_BYTES}-` }));
    expect(Buffer.from((await got.Body?.transformToByteArray()) ?? [])).toEqual(whole.subarray(10, 20));
  });

  test('UploadPartCopy needs the right to read its source', async () => {
    const key = await gateway.keyWithPolicy('part-writer', allow(['s3:PutObject'], `${Bucket}/*`));
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: 'mine' }));
    const copy = new UploadPartCopyCommand({
      Bucket,
      Key: 'mine',
      UploadId,
      PartNumber: 1,
      CopySource: `${OTHER}/whole`,
    });
    await expect(gateway.client(key).send(copy)).rejects.toMatchObject({ name: 'AccessDenied' });
  });

  test('an aborted upload is gone', async () => {
    const Key = 'aborted';
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }));
    await s3.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 1, Body: 'x' }));
    const aborted = await s3.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
    expect(aborted.$metadata.httpStatusCode).toBe(204);
    await expect(s3.send(new ListPartsCommand({ Bucket, Key, UploadId }))).rejects.toMatchObject({
      name: 'NoSuchUpload',
    });
  });

  test('a part that is too small, a wrong order and a wrong entity tag are refused in S3’s words', async () => {
    const Key = 'wrong';
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }));
    const etags: (string | undefined)[] = [];
    for (const PartNumber of [1, 2]) {
      const part = await s3.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body: 'tiny' }));
      etags.push(part.ETag);
    }
    const complete = (Parts: { PartNumber: number; ETag: string | undefined }[]): Promise<unknown> =>
      s3.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }));
    const [one, two] = etags;
    await expect(
      complete([
        { PartNumber: 1, ETag: one },
        { PartNumber: 2, ETag: two },
      ]),
    ).rejects.toMatchObject({ name: 'EntityTooSmall' });
    await expect(
      complete([
        { PartNumber: 2, ETag: two },
        { PartNumber: 1, ETag: one },
      ]),
    ).rejects.toMatchObject({ name: 'InvalidPartOrder' });
    await expect(complete([{ PartNumber: 1, ETag: '"0"' }])).rejects.toMatchObject({ name: 'InvalidPart' });
    const empty = await sendRaw(gateway, {
      method: 'POST',
      path: `/${Bucket}/${Key}`,
      query: { uploadId: UploadId ?? '' },
      body: '<CompleteMultipartUpload/>',
      credentials: gateway.root,
    });
    expect(empty).toMatchObject({ status: 400, code: 'MalformedXML' });
  });

  test('lib-storage uploads a stream of unknown length', async () => {
    const body = randomBytes(12 * 1024 * 1024);
    const upload = new Upload({
      client: s3,
      params: { Bucket, Key: 'managed', Body: Readable.from(slices(body, 100_000)) },
      partSize: PART_BYTES,
    });
    await upload.done();
    const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'managed' }));
    expect(body.equals((await got.Body?.transformToByteArray()) ?? Buffer.alloc(0))).toBe(true);
  });
});

function* slices(buffer: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < buffer.length; at += size) yield buffer.subarray(at, at + size);
}

function allow(actions: readonly string[], resource: string): object {
  return {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: actions, Resource: `arn:aws:s3:::${resource}` }],
  };
}
