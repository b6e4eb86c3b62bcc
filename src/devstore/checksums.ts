/** The checksums of S3 as requests declare them, and those of whole objects made of parts. */
import {
  CHECKSUM_ALGORITHMS,
  checksumOfHeader,
  createChecksum,
  type ChecksumAlgorithm,
} from '../body/index.ts';
import { S3Error, type WireHeaders } from '../s3/index.ts';

export type ChecksumType = 'COMPOSITE' | 'FULL_OBJECT';

/** Of bytes in a row: a body, a part. */
export interface BodyChecksum {
  readonly algorithm: ChecksumAlgorithm;
  /** Base64. */
  readonly value: string;
}

export interface ObjectChecksum {
  readonly algorithm: ChecksumAlgorithm;
  readonly type: ChecksumType;
  /** Base64; `-N` behind it when composite. */
  readonly value: string;
}

const ALGORITHMS = Object.keys(CHECKSUM_ALGORITHMS) as ChecksumAlgorithm[];
const LABELS = ALGORITHMS.map((algorithm) => CHECKSUM_ALGORITHMS[algorithm].label).join(', ');

/** CRCs are linear, so that the whole one follows from those of the parts. Bit-reversed polynomials. */
const CRC_POLYNOMIALS: Readonly<Partial<Record<ChecksumAlgorithm, bigint>>> = {
  crc32: 0xedb88320n,
  crc32c: 0x82f63b78n,
  crc64nvme: 0x9a6c9329ac4bc9b5n,
};

/**
 * The checksum that a request declares for its body.
 * @throws S3Error `InvalidRequest` for several, for a malformed one, or for an algorithm named without its value.
 */
export function declaredChecksum(headers: WireHeaders): BodyChecksum | undefined {
  const declared: BodyChecksum[] = [];
  for (const [name, value] of headers.entries()) {
    const algorithm = checksumOfHeader(name);
    if (algorithm !== undefined) declared.push({ algorithm, value });
  }
  const [checksum] = declared;
  if (declared.length > 1)
    throw new S3Error('InvalidRequest', {
      message: 'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.',
    });
  const named = headers.get('x-amz-sdk-checksum-algorithm');
  if (named !== undefined) {
    const algorithm = parseAlgorithm(named, 'x-amz-sdk-checksum-algorithm');
    if (checksum === undefined)
      throw new S3Error('InvalidRequest', {
        message:
          'x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.',
      });
    if (checksum.algorithm !== algorithm)
      throw new S3Error('InvalidRequest', {
        message: 'Value for x-amz-sdk-checksum-algorithm header is invalid.',
      });
  }
  if (checksum === undefined) return undefined;
  const { header, size } = CHECKSUM_ALGORITHMS[checksum.algorithm];
  if (!isBase64Of(checksum.value, size))
    throw new S3Error('InvalidRequest', { message: `Value for ${header} header is invalid.` });
  return checksum;
}

/** @throws S3Error `InvalidRequest` for an algorithm that S3 has not. */
export function parseAlgorithm(label: string, header: string): ChecksumAlgorithm {
  const wanted = label.toUpperCase();
  const algorithm = ALGORITHMS.find((candidate) => CHECKSUM_ALGORITHMS[candidate].label === wanted);
  if (algorithm === undefined)
    throw new S3Error('InvalidRequest', {
      message: `Checksum algorithm provided is unsupported. Please try again with any of the valid types: [${LABELS}]`,
      details: { ArgumentName: header, ArgumentValue: label },
    });
  return algorithm;
}

/** What a multipart upload will have as its checksum. @throws S3Error `InvalidRequest` for a pair that S3 has not. */
export function uploadChecksum(
  headers: WireHeaders,
): { readonly algorithm: ChecksumAlgorithm; readonly type: ChecksumType } | undefined {
  const label = headers.get('x-amz-checksum-algorithm');
  const type = headers.get('x-amz-checksum-type')?.toUpperCase();
  if (label === undefined) {
    if (type === undefined) return undefined;
    throw new S3Error('InvalidRequest', {
      message: 'The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.',
    });
  }
  const algorithm = parseAlgorithm(label, 'x-amz-checksum-algorithm');
  if (type === undefined) return { algorithm, type: algorithm === 'crc64nvme' ? 'FULL_OBJECT' : 'COMPOSITE' };
  const known = type === 'COMPOSITE' || type === 'FULL_OBJECT';
  const fits = type === 'COMPOSITE' ? algorithm !== 'crc64nvme' : CRC_POLYNOMIALS[algorithm] !== undefined;
  if (!known)
    throw new S3Error('InvalidRequest', { message: 'Value for x-amz-checksum-type header is invalid.' });
  if (!fits)
    throw new S3Error('InvalidRequest', {
      message: `The ${type} checksum type cannot be used with the ${CHECKSUM_ALGORITHMS[algorithm].label.toLowerCase()} checksum algorithm.`,
    });
  return { algorithm, type };
}

/**
 * The checksum of an object made of parts.
 * Source: S3 User Guide, "Checking object integrity", full object and composite checksum types.
 * @param parts base64 values, all of `algorithm`, and sizes in bytes.
 */
export function combineChecksums(
  { algorithm, type }: Pick<ObjectChecksum, 'algorithm' | 'type'>,
  parts: readonly { readonly value: string; readonly size: number }[],
): ObjectChecksum {
  if (type === 'COMPOSITE') {
    const whole = createChecksum(algorithm);
    for (const { value } of parts) whole.update(Buffer.from(value, 'base64'));
    return { algorithm, type, value: `${whole.digest().toString('base64')}-${parts.length}` };
  }
  const polynomial = CRC_POLYNOMIALS[algorithm];
  if (polynomial === undefined) throw new Error(`${algorithm} has no full object form`);
  const { size: bytes } = CHECKSUM_ALGORITHMS[algorithm];
  const topBit = 1n << BigInt(8 * bytes - 1);
  const shifts = new Map<number, bigint>();
  let crc = 0n;
  for (const { value, size } of parts) {
    const shift = shifts.get(size) ?? powerOfX(8 * size, topBit, polynomial);
    shifts.set(size, shift);
    crc =
      multiply(shift, crc, topBit, polynomial) ^
      BigInt(`0x${Buffer.from(value, 'base64').toString('hex') || '0'}`);
  }
  const hex = crc.toString(16).padStart(2 * bytes, '0');
  return { algorithm, type, value: Buffer.from(hex, 'hex').toString('base64') };
}

export function isBase64Of(text: string, size: number): boolean {
  const bytes = Buffer.from(text, 'base64');
  return bytes.length === size && bytes.toString('base64') === text;
}

/** x to the given power modulo the polynomial; bit-reversed, so that the top bit is x to the power of 0. */
function powerOfX(exponent: number, topBit: bigint, polynomial: bigint): bigint {
  let result = topBit;
  let square = topBit >> 1n;
  for (let left = exponent; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) result = multiply(square, result, topBit, polynomial);
    square = multiply(square, square, topBit, polynomial);
  }
  return result;
}

function multiply(a: bigint, b: bigint, topBit: bigint, polynomial: bigint): bigint {
  let product = 0n;
  let shifted = b;
  for (let bit = topBit; bit > 0n; bit >>= 1n) {
    if ((a & bit) !== 0n) product ^= shifted;
    shifted = (shifted & 1n) === 1n ? (shifted >> 1n) ^ polynomial : shifted >> 1n;
  }
  return product;
}
