/** The checksums that S3 keeps with an object, computed incrementally. */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { createCRC32, createCRC64 } from 'hash-wasm';

interface ChecksumSpec {
  /** As S3 writes it in `x-amz-checksum-algorithm`, in XML (`Checksum` + label) and in messages. */
  readonly label: string;
  /** The header and trailer that carries the value in base64; lower case. */
  readonly header: string;
  /** Bytes of the value. */
  readonly size: number;
}

/** Source: S3 User Guide, "Checking object integrity"; key → how the algorithm is named on the wire. */
export const CHECKSUM_ALGORITHMS = {
  crc32: { label: 'CRC32', header: 'x-amz-checksum-crc32', size: 4 },
  crc32c: { label: 'CRC32C', header: 'x-amz-checksum-crc32c', size: 4 },
  crc64nvme: { label: 'CRC64NVME', header: 'x-amz-checksum-crc64nvme', size: 8 },
  sha1: { label: 'SHA1', header: 'x-amz-checksum-sha1', size: 20 },
  sha256: { label: 'SHA256', header: 'x-amz-checksum-sha256', size: 32 },
} as const satisfies Record<string, ChecksumSpec>;

export type ChecksumAlgorithm = keyof typeof CHECKSUM_ALGORITHMS;

export interface Checksum {
  update(data: Uint8Array): void;
  /** The value, big-endian for the CRCs; once, and nothing may be added after it. */
  digest(): Buffer;
}

/** Starts one computation; nothing needs to be released when it is abandoned. `md5` is for Content-MD5 and ETags. */
export function createChecksum(algorithm: ChecksumAlgorithm | 'md5'): Checksum {
  if (algorithm === 'crc32') return createCrc32();
  if (algorithm === 'crc32c') return createSharedChecksum(CRC32C);
  if (algorithm === 'crc64nvme') return createSharedChecksum(CRC64NVME);
  return createHash(algorithm);
}

/** The algorithm of an `x-amz-checksum-*` header or trailer name in any case; undefined for another name. */
export function checksumOfHeader(name: string): ChecksumAlgorithm | undefined {
  const lower = name.toLowerCase();
  for (const algorithm of Object.keys(CHECKSUM_ALGORITHMS) as ChecksumAlgorithm[])
    if (CHECKSUM_ALGORITHMS[algorithm].header === lower) return algorithm;
  return undefined;
}

/** Decodes padded base64 of exactly `size` bytes; undefined for anything else, also for unused bits that are set. */
export function decodeDigest(text: string, size: number): Buffer | undefined {
  const value = Buffer.from(text, 'base64');
  return value.length === size && value.toString('base64') === text ? value : undefined;
}

// One WebAssembly instance per polynomial serves every computation: it is only ever used inside one synchronous
// call, and the running value (8 or 12 bytes) is loaded before and saved after it. So there is no pool to bound.
// Polynomials are bit-reversed: Castagnoli 0x1EDC6F41, and 0xAD93D23594C93659 of the NVM Express specification.
const CRC32C = await createCRC32(0x82f63b78);
const CRC64NVME = await createCRC64('9a6c9329ac4bc9b5');

function createSharedChecksum(hasher: typeof CRC32C): Checksum {
  let state = hasher.init().save();
  return {
    update(data) {
      state = hasher.load(state).update(data).save();
    },
    digest: () => Buffer.from(hasher.load(state).digest('binary')),
  };
}

function createCrc32(): Checksum {
  let value = 0;
  return {
    update(data) {
      value = crc32(data, value);
    },
    digest() {
      const out = Buffer.allocUnsafe(4);
      out.writeUInt32BE(value);
      return out;
    },
  };
}
