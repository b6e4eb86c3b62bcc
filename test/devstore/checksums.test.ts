import { createHash } from 'node:crypto';
import { Xxh3_128, Xxh3_64, Xxh64 } from '@aws-sdk/checksums/xxh';
import {
  ChecksumAlgorithm,
  CreateBucketCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createChecksum } from '../../src/body/index.ts';
import { combineChecksums } from '../../src/devstore/checksums.ts';
import { codeOf, filesOf, startStore } from './support.ts';

const Bucket = 'bucket';
const Key = 'key';

async function xxHash(hash: Xxh64 | Xxh3_64 | Xxh3_128): Promise<string> {
  hash.update(Buffer.from('123456789'));
  return Buffer.from(await hash.digest()).toString('base64');
}

const md5 = (text: string): string => createHash('md5').update(text).digest('base64');

/** Of `123456789`: the catalogue of parametrised CRC algorithms, node:crypto, and the AWS SDK's own xxHash. */
const OF_DIGITS = [
  ['x-amz-checksum-crc32', 'y/Q5Jg=='],
  ['x-amz-checksum-crc32c', '4waSgw=='],
  ['x-amz-checksum-crc64nvme', 'rosUhgp5mIg='],
  ['x-amz-checksum-sha1', createHash('sha1').update('123456789').digest('base64')],
  ['x-amz-checksum-sha256', createHash('sha256').update('123456789').digest('base64')],
  ['x-amz-checksum-sha512', createHash('sha512').update('123456789').digest('base64')],
  ['x-amz-checksum-md5', md5('123456789')],
  ['x-amz-checksum-xxhash64', await xxHash(new Xxh64())],
  ['x-amz-checksum-xxhash3', await xxHash(new Xxh3_64())],
  ['x-amz-checksum-xxhash128', await xxHash(new Xxh3_128())],
] as const;

describe('checksums of objects', () => {
  test.each(OF_DIGITS)('%s is verified, kept and told on demand', async (name, value) => {
    const { client, send } = await startStore();
    await client.send(new CreateBucketCommand({ Bucket }));
    const put = { method: 'PUT', path: '/bucket/key', body: '123456789' };
    const wrong = Buffer.alloc(Buffer.from(value, 'base64').length).toString('base64');
    const label = name.slice('x-amz-checksum-'.length).toUpperCase();
    const refused = await send({ ...put, headers: { [name]: wrong } });
    expect(refused).toMatchObject({ status: 400, code: 'BadDigest' });
    expect(refused.body.toString()).toContain(
      `<Message>The ${label} you specified did not match the calculated checksum.</Message>`,
    );
    expect(await send({ ...put, headers: { [name]: 'AAA=' } })).toMatchObject({ code: 'InvalidRequest' });
    expect(await codeOf(client.send(new HeadObjectCommand({ Bucket, Key })))).toBe('NotFound');

    const stored = await send({ ...put, headers: { [name]: value } });
    expect(stored.headers).toMatchObject({ [name]: value, 'x-amz-checksum-type': 'FULL_OBJECT' });
    for (const method of ['GET', 'HEAD']) {
      const asked = { method, path: '/bucket/key', headers: { 'x-amz-checksum-mode': 'ENABLED' } };
      expect((await send(asked)).headers).toMatchObject({ [name]: value });
      expect((await send({ ...asked, headers: {} })).headers).not.toHaveProperty(name);
      const part = { ...asked.headers, range: 'bytes=0-3' };
      expect((await send({ ...asked, headers: part })).headers).not.toHaveProperty(name);
    }
  });

  test.each(Object.values(ChecksumAlgorithm).filter((name) => /^(?:CRC|SHA1|SHA256)/.test(name)))(
    'an SDK that computes %s agrees in both directions',
    async (algorithm) => {
      const { client } = await startStore();
      await client.send(new CreateBucketCommand({ Bucket }));
      await client.send(
        new PutObjectCommand({ Bucket, Key, Body: 'some data', ChecksumAlgorithm: algorithm }),
      );
      const got = await client.send(new GetObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }));
      expect(await got.Body?.transformToString()).toBe('some data');
      expect(got.ChecksumType).toBe('FULL_OBJECT');
    },
  );

  test('two of them, or one that is named but not there, are refused', async () => {
    const { client, send } = await startStore();
    await client.send(new CreateBucketCommand({ Bucket }));
    const put = { method: 'PUT', path: '/bucket/key', body: '123456789' };
    const two = { 'x-amz-checksum-crc32': 'y/Q5Jg==', 'x-amz-checksum-crc32c': '4waSgw==' };
    expect(await send({ ...put, headers: two })).toMatchObject({ status: 400, code: 'InvalidRequest' });
    const named = { 'x-amz-sdk-checksum-algorithm': 'CRC32' };
    expect(await send({ ...put, headers: named })).toMatchObject({ status: 400, code: 'InvalidRequest' });
  });

  test('Content-MD5 is verified', async () => {
    const { client, send, directory } = await startStore();
    await client.send(new CreateBucketCommand({ Bucket }));
    const put = { method: 'PUT', path: '/bucket/key', body: 'x' };
    expect(await send({ ...put, headers: { 'content-md5': md5('y') } })).toMatchObject({
      code: 'BadDigest',
    });
    expect(await send({ ...put, headers: { 'content-md5': 'short' } })).toMatchObject({
      code: 'InvalidDigest',
    });
    expect(await filesOf(directory)).toEqual({ data: [], temporary: [] });
    expect((await send({ ...put, headers: { 'content-md5': md5('x') } })).status).toBe(200);
  });
});

describe('checksums of objects made of parts', () => {
  test.each(['crc32', 'crc32c', 'crc64nvme'] as const)(
    '%s of the whole follows from those of the parts',
    (algorithm) => {
      const value = (data: Uint8Array): string => {
        const checksum = createChecksum(algorithm);
        checksum.update(data);
        return checksum.digest().toString('base64');
      };
      fc.assert(
        fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { minLength: 1, maxLength: 6 }), (parts) => {
          const combined = combineChecksums(
            { algorithm, type: 'FULL_OBJECT' },
            parts.map((part) => ({ value: value(part), size: part.length })),
          );
          expect(combined.value).toBe(value(Buffer.concat(parts)));
        }),
      );
    },
  );
});
