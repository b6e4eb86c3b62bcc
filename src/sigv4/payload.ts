/** The payload line: what `x-amz-content-sha256` may say. */
import { S3Error } from '../s3/index.ts';
import { ALGORITHM, ECDSA_ALGORITHM, type SigningAlgorithm } from './canonical.ts';

export const UNSIGNED_PAYLOAD = 'UNSIGNED-PAYLOAD';
const UNSIGNED_LITERALS = [UNSIGNED_PAYLOAD, 'STREAMING-UNSIGNED-PAYLOAD-TRAILER'];
/** Their chunks are signed as the request is, so that each goes with its own algorithm only. */
const SIGNED_LITERALS: Readonly<Record<SigningAlgorithm, readonly string[]>> = {
  [ALGORITHM]: ['STREAMING-AWS4-HMAC-SHA256-PAYLOAD', 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER'],
  [ECDSA_ALGORITHM]: [
    'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD',
    'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER',
  ],
};
const ALL_SIGNED_LITERALS = Object.values(SIGNED_LITERALS).flat();

/**
 * @param algorithm of the request's own signature; undefined without one.
 * @throws S3Error `InvalidArgument` for a value that is neither a sha256 in hex nor one of S3's literals for requests
 * so signed.
 */
export function parsePayloadHash(value: string, algorithm: SigningAlgorithm | undefined): string {
  const literal =
    UNSIGNED_LITERALS.includes(value) ||
    (algorithm !== undefined && SIGNED_LITERALS[algorithm].includes(value));
  if (literal || /^[0-9a-f]{64}$/.test(value)) return value;
  throw new S3Error('InvalidArgument', {
    message: `x-amz-content-sha256 must be ${[...UNSIGNED_LITERALS, ...ALL_SIGNED_LITERALS].join(', ')} or a valid sha256 value.`,
    details: { ArgumentName: 'x-amz-content-sha256', ArgumentValue: value },
  });
}

/** The forms in which each chunk carries a signature that starts from the request's own. */
export function isSignedStreamingPayload(value: string): boolean {
  return ALL_SIGNED_LITERALS.includes(value);
}

export function isStreamingPayload(payloadHash: string): boolean {
  return payloadHash.startsWith('STREAMING-');
}
