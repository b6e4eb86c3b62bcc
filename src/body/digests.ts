/** The digests of one body that its declaration asks for, each computed once. */
import { timingSafeEqual } from 'node:crypto';
import { S3Error } from '../s3/index.ts';
import {
  CHECKSUM_ALGORITHMS,
  createChecksum,
  decodeDigest,
  type Checksum,
  type ChecksumAlgorithm,
} from './checksum.ts';
import type { BodyDeclaration } from './declaration.ts';

export interface BodyDigests {
  update(data: Buffer): void;
  /**
   * Compares everything declared with the data given; once, after the last of it.
   * @param trailerValue what the announced trailer held, in base64.
   * @throws S3Error XAmzContentSHA256Mismatch, BadDigest, or InvalidRequest for an undecodable trailer value.
   */
  verify(trailerValue: string | undefined): void;
}

export function createBodyDigests(declaration: Omit<BodyDeclaration, 'length'>): BodyDigests {
  const { payload, checksum, trailer } = declaration;
  const declaredHash = payload.kind === 'sha256' ? payload.sha256 : undefined;
  const algorithm = checksum?.algorithm ?? trailer;
  const wanted = new Set<ChecksumAlgorithm>();
  if (declaredHash !== undefined) wanted.add('sha256');
  if (algorithm !== undefined) wanted.add(algorithm);
  if (declaration.md5 !== undefined) wanted.add('md5');
  const running = new Map<ChecksumAlgorithm, Checksum>();
  for (const name of wanted) running.set(name, createChecksum(name));

  return {
    update(data) {
      for (const digest of running.values()) digest.update(data);
    },
    verify(trailerValue) {
      const values = new Map<string, Buffer>();
      for (const [name, digest] of running) values.set(name, digest.digest());
      const matches = (name: string, expected: Buffer): boolean => {
        const value = values.get(name);
        return value !== undefined && value.length === expected.length && timingSafeEqual(value, expected);
      };
      if (declaredHash !== undefined && !matches('sha256', Buffer.from(declaredHash, 'hex')))
        throw new S3Error('XAmzContentSHA256Mismatch', {
          details: {
            ClientComputedContentSHA256: declaredHash,
            S3ComputedContentSHA256: values.get('sha256')?.toString('hex') ?? '',
          },
        });
      if (algorithm !== undefined) {
        const expected = checksum?.value ?? decodeTrailer(algorithm, trailerValue);
        if (!matches(algorithm, expected))
          throw new S3Error('BadDigest', {
            message: `The ${CHECKSUM_ALGORITHMS[algorithm].label} you specified did not match the calculated checksum.`,
          });
      }
      if (declaration.md5 !== undefined && !matches('md5', declaration.md5)) throw new S3Error('BadDigest');
    },
  };
}

function decodeTrailer(algorithm: ChecksumAlgorithm, text: string | undefined): Buffer {
  const { header, size } = CHECKSUM_ALGORITHMS[algorithm];
  const value = text === undefined ? undefined : decodeDigest(text, size);
  if (value === undefined)
    throw new S3Error('InvalidRequest', { message: `Value for ${header} trailing header is invalid.` });
  return value;
}
