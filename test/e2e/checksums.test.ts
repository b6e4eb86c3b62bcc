/** Every checksum that the AWS SDK computes: over the whole way, there and back, and in multipart uploads. */
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3ServiceException,
  UploadPartCommand,
  type ChecksumType,
  type CompletedPart,
  type S3Client,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runGateway, type RunningGateway } from '../support/running-gateway.ts';
import {
  SDK_CHECKSUM_NAMES,
  SDK_CHECKSUMS,
  sdkChecksum,
  type SdkChecksum,
} from '../support/sdk-checksums.ts';

const Bucket = 'checksums';
const OBJECT = randomBytes(300_000);
const LARGE_PART = randomBytes(5 * 1024 * 1024);
const LAST_PART = Buffer.from('the end');

let gateway: RunningGateway;
let client: S3Client;

beforeAll(async () => {
  gateway = await runGateway();
  client = gateway.client(gateway.root, { checksumAlgorithms: SDK_CHECKSUMS });
  await client.send(new CreateBucketCommand({ Bucket }));
});

afterAll(async () => {
  await gateway.stop();
});

const OF_THE_WHOLE: ReadonlySet<SdkChecksum> = new Set(['CRC32', 'CRC32C', 'CRC64NVME']);

const field = (algorithm: SdkChecksum): `Checksum${SdkChecksum}` => `Checksum${algorithm}`;

async function refusalOf(command: Promise<unknown>): Promise<S3ServiceException> {
  try {
    await command;
  } catch (error) {
    if (error instanceof S3ServiceException) return error;
    throw error;
  }
  throw new Error('it was not refused');
}

describe.each(SDK_CHECKSUM_NAMES)('%s', (ChecksumAlgorithm) => {
  const Key = `object-${ChecksumAlgorithm}`;
  const name = field(ChecksumAlgorithm);
  // The SDK computes MD5 for Content-MD5 only; as a checksum of the object it has to be given.
  const declared = async (data: Buffer): Promise<object> =>
    ChecksumAlgorithm === 'MD5' ? { ChecksumMD5: await sdkChecksum('MD5', data) } : { ChecksumAlgorithm };
  const asked = { Bucket, Key, ChecksumMode: 'ENABLED' } as const;

  test('of a buffer comes in a header', async () => {
    gateway.upstream.clear();
    const put = await client.send(
      new PutObjectCommand({ Bucket, Key, Body: OBJECT, ...(await declared(OBJECT)) }),
    );
    const value = await sdkChecksum(ChecksumAlgorithm, OBJECT);
    expect(put).toMatchObject({ [name]: value, ChecksumType: 'FULL_OBJECT' });
    const header = `x-amz-checksum-${ChecksumAlgorithm.toLowerCase()}: ${value}\r\n`;
    expect(gateway.upstream.sent.join('').toLowerCase()).toContain(header.toLowerCase());

    const got = await client.send(new GetObjectCommand(asked));
    // The SDK compares the body with it while it reads.
    expect(OBJECT.equals((await got.Body?.transformToByteArray()) ?? Buffer.alloc(0))).toBe(true);
    expect(got).toMatchObject({ [name]: value, ChecksumType: 'FULL_OBJECT' });
    expect(await client.send(new HeadObjectCommand(asked))).toMatchObject({ [name]: value });
  });

  test.skipIf(ChecksumAlgorithm === 'MD5')('of a stream comes in a trailer', async () => {
    gateway.upstream.clear();
    const Body = Readable.from([OBJECT.subarray(0, 100_000), OBJECT.subarray(100_000)]);
    const input = { Bucket, Key, Body, ContentLength: OBJECT.length, ChecksumAlgorithm };
    const put = await client.send(new PutObjectCommand(input));
    const value = await sdkChecksum(ChecksumAlgorithm, OBJECT);
    expect(put).toMatchObject({ [name]: value, ChecksumType: 'FULL_OBJECT' });
    expect(gateway.upstream.sent.join('')).toContain(
      `x-amz-checksum-${ChecksumAlgorithm.toLowerCase()}:${value}`,
    );
    const got = await client.send(new GetObjectCommand(asked));
    expect(OBJECT.equals((await got.Body?.transformToByteArray()) ?? Buffer.alloc(0))).toBe(true);
    expect(got).toMatchObject({ [name]: value });
  });

  test('that was computed before, and is another, is refused', async () => {
    const value = await sdkChecksum(ChecksumAlgorithm, Buffer.from('other'));
    const refused = await refusalOf(
      client.send(new PutObjectCommand({ Bucket, Key: 'wrong', Body: OBJECT, [name]: value })),
    );
    expect(refused).toMatchObject({
      name: 'BadDigest',
      message: `The ${ChecksumAlgorithm} you specified did not match the calculated checksum.`,
    });
    const head = await refusalOf(client.send(new HeadObjectCommand({ Bucket, Key: 'wrong' })));
    expect(head.name).toBe('NotFound');
  });

  test('of a copy is that of its source, or another that is asked for', async () => {
    await client.send(new PutObjectCommand({ Bucket, Key, Body: OBJECT, ...(await declared(OBJECT)) }));
    const CopySource = `${Bucket}/${Key}`;
    const copy = await client.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource }));
    expect(copy.CopyObjectResult).toMatchObject({ [name]: await sdkChecksum(ChecksumAlgorithm, OBJECT) });
    const other = await client.send(
      new CopyObjectCommand({ Bucket, Key: 'copy', CopySource, ChecksumAlgorithm: 'XXHASH3' }),
    );
    expect(other.CopyObjectResult?.ChecksumXXHASH3).toBe(await sdkChecksum('XXHASH3', OBJECT));
  });

  // As Content-MD5 it is signed, and would have to be sent.
  test.skipIf(ChecksumAlgorithm === 'MD5')(
    'of nothing in a URL that was signed before its body was known is not held against it',
    async () => {
      const url = await getSignedUrl(
        client,
        new PutObjectCommand({ Bucket, Key: 'presigned', ChecksumAlgorithm }),
      );
      expect(url).toContain(`x-amz-checksum-${ChecksumAlgorithm.toLowerCase()}=`);
      expect((await fetch(url, { method: 'PUT', body: OBJECT })).status).toBe(200);
      const other = url.replace(/(x-amz-checksum-[a-z0-9]+=)[^&]+/, '$1AAAA');
      expect((await fetch(other, { method: 'PUT', body: OBJECT })).status).toBe(403);
    },
  );

  test.skipIf(ChecksumAlgorithm === 'CRC64NVME')('of parts is composite', async () => {
    const digests = [LARGE_PART, LAST_PART].map((part) => sdkChecksum(ChecksumAlgorithm, part));
    const values = await Promise.all(digests);
    const ofAll = Buffer.concat(values.map((value) => Buffer.from(value, 'base64')));
    const whole = `${await sdkChecksum(ChecksumAlgorithm, ofAll)}-2`;
    const { refused, head } = await upload('COMPOSITE', whole);
    expect(refused).toMatchObject({ name: 'BadDigest' });
    expect(head).toMatchObject({ [name]: whole, ChecksumType: 'COMPOSITE' });
  });

  test.runIf(OF_THE_WHOLE.has(ChecksumAlgorithm))('of parts is that of the whole object', async () => {
    const whole = await sdkChecksum(ChecksumAlgorithm, Buffer.concat([LARGE_PART, LAST_PART]));
    const { refused, head } = await upload('FULL_OBJECT', whole);
    expect(refused).toMatchObject({ name: 'BadDigest' });
    expect(head).toMatchObject({ [name]: whole, ChecksumType: 'FULL_OBJECT' });
  });

  test.skipIf(OF_THE_WHOLE.has(ChecksumAlgorithm))(
    'of parts cannot be that of the whole object',
    async () => {
      const input = { Bucket, Key, ChecksumAlgorithm, ChecksumType: 'FULL_OBJECT' } as const;
      const refused = await refusalOf(client.send(new CreateMultipartUploadCommand(input)));
      expect(refused.name).toBe('InvalidRequest');
    },
  );

  /** Two parts, one as a buffer and one as a stream; completed with a wrong checksum, and with the right one. */
  async function upload(
    type: ChecksumType,
    whole: string,
  ): Promise<{ readonly refused: S3ServiceException; readonly head: object }> {
    const key = `multipart-${ChecksumAlgorithm}-${type}`;
    const created = await client.send(
      new CreateMultipartUploadCommand({ Bucket, Key: key, ChecksumAlgorithm, ChecksumType: type }),
    );
    expect(created).toMatchObject({ ChecksumAlgorithm, ChecksumType: type });
    const { UploadId } = created;
    const target = { Bucket, Key: key, UploadId };
    const Parts: CompletedPart[] = [];
    for (const [i, bytes] of [LARGE_PART, LAST_PART].entries()) {
      const PartNumber = i + 1;
      const Body = i === 0 || ChecksumAlgorithm === 'MD5' ? bytes : Readable.from([bytes]);
      const input = { ...target, PartNumber, Body, ContentLength: bytes.length, ...(await declared(bytes)) };
      const part = await client.send(new UploadPartCommand(input));
      expect(part).toMatchObject({ [name]: await sdkChecksum(ChecksumAlgorithm, bytes) });
      Parts.push({ PartNumber, ETag: part.ETag, [name]: part[name] });
    }
    const complete = (value: string): Promise<object> =>
      client.send(
        new CompleteMultipartUploadCommand({
          ...target,
          MultipartUpload: { Parts },
          ChecksumType: type,
          [name]: value,
        }),
      );
    const other = Buffer.alloc(Buffer.from(whole.split('-')[0] as string, 'base64').length).toString(
      'base64',
    );
    const refused = await refusalOf(complete(type === 'COMPOSITE' ? `${other}-2` : other));
    expect(await complete(whole)).toMatchObject({ [name]: whole, ChecksumType: type });
    const head = await client.send(new HeadObjectCommand({ Bucket, Key: key, ChecksumMode: 'ENABLED' }));
    return { refused, head };
  }
});

test('an MD5 that the SDK computes itself for a trailer is none of the checksums of S3', async () => {
  const Body = Readable.from([OBJECT]);
  const input = { Bucket, Key: 'md5', Body, ContentLength: OBJECT.length, ChecksumAlgorithm: 'MD5' } as const;
  const refused = await refusalOf(client.send(new PutObjectCommand(input)));
  expect(refused.message).toBe('The value specified in the x-amz-trailer header is not supported');
});

test('an MD5 that the SDK computes itself is verified as Content-MD5', async () => {
  const input = { Bucket, Key: 'md5', Body: OBJECT, ChecksumAlgorithm: 'MD5' } as const;
  const put = await client.send(new PutObjectCommand(input));
  expect(put.ETag).toBe(`"${Buffer.from(await sdkChecksum('MD5', OBJECT), 'base64').toString('hex')}"`);
});

test('an upload of unknown length is refused by the gateway that has no spool', async () => {
  const plain = gateway.client(gateway.root, { requestChecksumCalculation: 'WHEN_REQUIRED' });
  const refused = await refusalOf(
    plain.send(new PutObjectCommand({ Bucket, Key: 'unknown', Body: Readable.from([OBJECT]) })),
  );
  expect([refused.name, refused.$metadata.httpStatusCode]).toEqual(['MissingContentLength', 411]);
});
