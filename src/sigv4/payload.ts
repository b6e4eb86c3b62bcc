/** The payload line: what `x-amz-content-sha256` may say. */
import { S3Error } from '../s3/index.ts';

export const UNSIGNED_PAYLOAD = 'UNSIGNED-PAYLOAD';
const LITERALS = [
  UNSIGNED_PAYLOAD,
  'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
];
/** Valid with SigV4A signatures only. */
const ECDSA_LITERALS = [
  'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD',
  'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER',
];

/** @throws S3Error `InvalidArgument` for a value that is neither a sha256 in hex nor one of S3's literals. */
export function parsePayloadHash(value: string): string {
  if (/^[0-9a-f]{64}$/.test(value) || LITERALS.includes(value)) return value;
  throw new S3Error('InvalidArgument', {
    message: `x-amz-content-sha256 must be ${[...LITERALS, ...ECDSA_LITERALS].join(', ')} or a valid sha256 value.`,
    details: { ArgumentName: 'x-amz-content-sha256', ArgumentValue: value },
  });
}

/** The forms in which each chunk carries a signature that starts from the request's own. */
export function isSignedStreamingPayload(value: string): boolean {
  return ECDSA_LITERALS.includes(value) || (LITERALS.includes(value) && value.startsWith('STREAMING-AWS4-'));
}

export function isStreamingPayload(payloadHash: string): boolean {
  return payloadHash.startsWith('STREAMING-');
}
