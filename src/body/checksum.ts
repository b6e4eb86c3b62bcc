/** The checksums that S3 keeps with an object, computed incrementally. */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import {
  createCRC32,
  createCRC64,
  createXXHash128,
  createXXHash3,
  createXXHash64,
  type IHasher,
} from 'hash-wasm';

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
  md5: { label: 'MD5', header: 'x-amz-checksum-md5', size: 16 },
  sha1: { label: 'SHA1', header: 'x-amz-checksum-sha1', size: 20 },
  sha256: { label: 'SHA256', header: 'x-amz-checksum-sha256', size: 32 },
  sha512: { label: 'SHA512', header: 'x-amz-checksum-sha512', size: 64 },
  xxhash64: { label: 'XXHASH64', header: 'x-amz-checksum-xxhash64', size: 8 },
  xxhash3: { label: 'XXHASH3', header: 'x-amz-checksum-xxhash3', size: 8 },
  xxhash128: { label: 'XXHASH128', header: 'x-amz-checksum-xxhash128', size: 16 },
} as const satisfies Record<string, ChecksumSpec>;

export type ChecksumAlgorithm = keyof typeof CHECKSUM_ALGORITHMS;

export interface Checksum {
  update(data: Uint8Array): void;
  /** The value, big-endian for CRCs and xxHash; once, and nothing may be added after it. */
  digest(): Buffer;
}

/** Starts one computation; nothing needs to be released when it is abandoned. */
export function createChecksum(algorithm: ChecksumAlgorithm): Checksum {
  if (algorithm === 'crc32') return createCrc32();
  const shared = SHARED.get(algorithm);
  return shared === undefined ? createHash(algorithm) : createSharedChecksum(shared);
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

// One WebAssembly instance per algorithm serves every computation: it is only ever used inside one synchronous
// call, and the running value (8 bytes to half a KiB) is loaded before and saved after it. So there is no pool to
// bound. CRC polynomials are bit-reversed: Castagnoli 0x1EDC6F41, and 0xAD93D23594C93659 of the NVM Express
// specification. xxHash has the seed 0, as S3's has.
const SHARED: ReadonlyMap<ChecksumAlgorithm, IHasher> = new Map([
  ['crc32c', await createCRC32(0x82f63b78)],
  ['crc64nvme', await createCRC64('9a6c9329ac4bc9b5')],
  ['xxhash64', await createXXHash64()],
  ['xxhash3', await createXXHash3()],
  ['xxhash128', await createXXHash128()],
]);

function createSharedChecksum(hasher: IHasher): Checksum {
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
