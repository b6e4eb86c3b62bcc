/** Every checksum of S3 as the AWS SDK computes it: what the gateway's and the store's own are compared with. */
import { Crc32, Crc32c, Crc64Nvme } from '@aws-sdk/checksums/crc';
import { Md5 } from '@aws-sdk/checksums/md5';
import { Sha1, Sha256, Sha512 } from '@aws-sdk/checksums/sha';
import { Xxh3_128, Xxh3_64, Xxh64 } from '@aws-sdk/checksums/xxh';

/** By the name in `x-amz-sdk-checksum-algorithm`; as the client's option `checksumAlgorithms` wants them. */
export const SDK_CHECKSUMS = {
  CRC32: Crc32,
  CRC32C: Crc32c,
  CRC64NVME: Crc64Nvme,
  MD5: Md5,
  SHA1: Sha1,
  SHA256: Sha256,
  SHA512: Sha512,
  XXHASH64: Xxh64,
  XXHASH3: Xxh3_64,
  XXHASH128: Xxh3_128,
} as const;

export type SdkChecksum = keyof typeof SDK_CHECKSUMS;

export const SDK_CHECKSUM_NAMES = Object.keys(SDK_CHECKSUMS) as SdkChecksum[];

/** In base64. */
export async function sdkChecksum(name: SdkChecksum, data: Uint8Array): Promise<string> {
  const checksum = new SDK_CHECKSUMS[name]();
  checksum.update(data);
  return Buffer.from(await checksum.digest()).toString('base64');
}
