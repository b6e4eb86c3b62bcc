/** Requests with something wrong about their signature, and the answers to them. */
import { S3Error } from '../../src/s3/index.ts';
import { parseSignatureClaim } from '../../src/sigv4/index.ts';
import { ACCESS_KEY_ID, NOW, parse, REGION, UNSIGNED, type WireParts } from './independent-signer.ts';

export const SIGNED_HEADERS = 'host;x-amz-content-sha256;x-amz-date';
export const SIGNATURE = '0'.repeat(64);
export const SCOPE = `20260228/${REGION}/s3/aws4_request`;
export const AUTHORIZATION = `AWS4-HMAC-SHA256 Credential=${ACCESS_KEY_ID}/${SCOPE}, SignedHeaders=${SIGNED_HEADERS}, Signature=${SIGNATURE}`;

interface Answer {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly details: Readonly<Record<string, string>>;
}

export function refusal(call: () => unknown): Answer {
  try {
    call();
  } catch (error) {
    if (!(error instanceof S3Error)) throw error;
    const { status, code, message, details } = error;
    return { status, code, message, details };
  }
  throw new Error('nothing was refused');
}

export function claimRefusal(parts: WireParts, now = NOW): Answer {
  return refusal(() => parseSignatureClaim(parse(parts), { region: REGION, now }));
}

/** A request with well-formed signature headers, and `changes`; undefined leaves a header out. */
export function withHeaders(
  changes: Readonly<Record<string, string | undefined>>,
  target = '/b/k',
): WireParts {
  const headers: Record<string, string | undefined> = {
    host: 'gateway.example',
    'x-amz-date': '20260228T235959Z',
    'x-amz-content-sha256': UNSIGNED,
    authorization: AUTHORIZATION,
    ...changes,
  };
  return {
    method: 'GET',
    target,
    headers: Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value] as const],
    ),
  };
}

/** Well-formed, with a wrong signature; `changes` of undefined leave a parameter out. */
export function presignedTarget(changes: Readonly<Record<string, string | undefined>> = {}): string {
  const parameters: Record<string, string | undefined> = {
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': `${ACCESS_KEY_ID}/${SCOPE}`,
    'X-Amz-Date': '20260228T235959Z',
    'X-Amz-Expires': '60',
    'X-Amz-SignedHeaders': 'host',
    'X-Amz-Signature': SIGNATURE,
    ...changes,
  };
  const pairs = Object.entries(parameters).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`],
  );
  return `/b/k?${pairs.join('&')}`;
}

export function presigned(changes: Readonly<Record<string, string | undefined>>, extra = ''): WireParts {
  return { method: 'GET', target: presignedTarget(changes) + extra, headers: [['host', 'gateway.example']] };
}
