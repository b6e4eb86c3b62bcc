import { createHash } from 'node:crypto';
import { crc32 as crc32OneShot } from 'node:zlib';
import { Xxh3_128, Xxh3_64, Xxh64 } from '@aws-sdk/checksums/xxh';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CHECKSUM_ALGORITHMS, checksumOfHeader, createChecksum } from '../../src/body/index.ts';
import type { ChecksumAlgorithm } from '../../src/body/index.ts';

const ALGORITHMS = Object.keys(CHECKSUM_ALGORITHMS) as ChecksumAlgorithm[];

/** Bit by bit, as the definitions read: the other implementation that the fast ones are compared with. */
function bitwiseCrc(data: Uint8Array, width: 32 | 64, polynomial: bigint): string {
  const ones = (1n << BigInt(width)) - 1n;
  let crc = ones;
  for (const byte of data) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ polynomial : crc >> 1n;
  }
  return (crc ^ ones).toString(16).padStart(width / 4, '0');
}

async function reference(algorithm: ChecksumAlgorithm, data: Uint8Array): Promise<string> {
  if (algorithm === 'crc32') return crc32OneShot(data).toString(16).padStart(8, '0');
  if (algorithm === 'crc32c') return bitwiseCrc(data, 32, 0x82f63b78n);
  if (algorithm === 'crc64nvme') return bitwiseCrc(data, 64, 0x9a6c9329ac4bc9b5n);
  if (algorithm === 'xxhash64') return xxHash(new Xxh64(), data);
  if (algorithm === 'xxhash3') return xxHash(new Xxh3_64(), data);
  if (algorithm === 'xxhash128') return xxHash(new Xxh3_128(), data);
  return createHash(algorithm).update(data).digest('hex');
}

/** What a client of S3 sends: the AWS SDK's own implementation, in its own byte order. */
async function xxHash(hash: Xxh64 | Xxh3_64 | Xxh3_128, data: Uint8Array): Promise<string> {
  hash.update(data);
  return Buffer.from(await hash.digest()).toString('hex');
}

describe('checksums', () => {
  // Check values: the catalogue of parametrised CRC algorithms (CRC-32/ISO-HDLC, CRC-32/ISCSI, CRC-64/NVME);
  // RFC 3174 and FIPS 180-4 for "abc"; RFC 1321 for MD5; the xxHash project's `xxhsum -H1`, `-H3` and `-H2`.
  test.each([
    ['crc32', '123456789', 'cbf43926'],
    ['crc32c', '123456789', 'e3069283'],
    ['crc64nvme', '123456789', 'ae8b14860a799888'],
    ['sha1', 'abc', 'a9993e364706816aba3e25717850c26c9cd0d89d'],
    ['sha256', 'abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
    [
      'sha512',
      'abc',
      'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
    ],
    ['md5', 'abc', '900150983cd24fb0d6963f7d28e17f72'],
    ['xxhash64', 'abc', '44bc2cf5ad770999'],
    ['xxhash3', 'abc', '78af5f94892f3950'],
    ['xxhash128', 'abc', '06b05ab6733a618578af5f94892f3950'],
    ['xxhash64', '', 'ef46db3751d8e999'],
    ['xxhash3', '', '2d06800538d394c2'],
    ['xxhash128', '', '99aa06d3014798d86001c324468d497f'],
    ['crc32', '', '00000000'],
    ['crc32c', '', '00000000'],
    ['crc64nvme', '', '0000000000000000'],
  ] as const)('%s of "%s" has its published value', (algorithm, text, expected) => {
    const checksum = createChecksum(algorithm);
    checksum.update(Buffer.from(text));
    expect(checksum.digest().toString('hex')).toBe(expected);
  });

  // RFC 3720, appendix B.4.
  test.each([
    [Buffer.alloc(32), '8a9136aa'],
    [Buffer.alloc(32, 0xff), '62a8ab43'],
    [Buffer.from(Array.from({ length: 32 }, (_, i) => i)), '46dd794e'],
    [Buffer.from(Array.from({ length: 32 }, (_, i) => 31 - i)), '113fdb5c'],
  ])('crc32c of an example of RFC 3720', (data, expected) => {
    const checksum = createChecksum('crc32c');
    checksum.update(data);
    expect(checksum.digest().toString('hex')).toBe(expected);
  });

  test.each(ALGORITHMS)('%s does not depend on how the data is cut', async (algorithm) => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 700 }), { maxLength: 6 }), async (parts) => {
        const checksum = createChecksum(algorithm);
        for (const part of parts) checksum.update(part);
        expect(checksum.digest().toString('hex')).toBe(await reference(algorithm, Buffer.concat(parts)));
      }),
    );
  });

  test.each(ALGORITHMS)(
    'two %s computations that take turns do not disturb each other',
    async (algorithm) => {
      const [a, b] = [createChecksum(algorithm), createChecksum(algorithm)];
      for (let i = 0; i < 5; i++) {
        a.update(Buffer.from('left'));
        b.update(Buffer.from('right'));
      }
      const abandoned = createChecksum(algorithm);
      abandoned.update(Buffer.from('left'));
      expect(a.digest().toString('hex')).toBe(await reference(algorithm, Buffer.from('left'.repeat(5))));
      expect(b.digest().toString('hex')).toBe(await reference(algorithm, Buffer.from('right'.repeat(5))));
    },
  );

  test('the digest has the declared size', () => {
    for (const algorithm of ALGORITHMS)
      expect(createChecksum(algorithm).digest()).toHaveLength(CHECKSUM_ALGORITHMS[algorithm].size);
  });

  test('a header name in any case names its algorithm, and nothing else does', () => {
    expect(checksumOfHeader('X-Amz-Checksum-CRC32C')).toBe('crc32c');
    expect(checksumOfHeader('x-amz-checksum-crc64nvme')).toBe('crc64nvme');
    for (const name of ['x-amz-checksum-', 'x-amz-checksum-md4', 'x-amz-checksum-type', 'crc32', '__proto__'])
      expect(checksumOfHeader(name)).toBeUndefined();
  });
});
