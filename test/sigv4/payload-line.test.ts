import { describe, expect, test } from 'vitest';
import { anonymousPayloadHash, parseSignatureClaim } from '../../src/sigv4/index.ts';
import { NOW, parse, presign, REGION, UNSIGNED, verify } from './independent-signer.ts';
import { claimRefusal, presignedTarget, refusal, withHeaders } from './wrong-requests.ts';

describe('the payload line', () => {
  const values =
    'UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD, STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER';

  test('is required of a header-signed request', () => {
    expect(claimRefusal(withHeaders({ 'x-amz-content-sha256': undefined }))).toEqual({
      status: 400,
      code: 'InvalidRequest',
      message: 'Missing required header for this request: x-amz-content-sha256',
      details: {},
    });
  });

  test.each([
    '',
    'unsigned-payload',
    'a'.repeat(63),
    'g'.repeat(64),
    'STREAMING-AWS4-HMAC-SHA256-EVENTS',
    // Of asymmetric signatures only.
    'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD',
    `${UNSIGNED},${UNSIGNED}`,
  ])('must not be `%s`', (value) => {
    expect(claimRefusal(withHeaders({ 'x-amz-content-sha256': value }))).toEqual({
      status: 400,
      code: 'InvalidArgument',
      message: `x-amz-content-sha256 must be ${values} or a valid sha256 value.`,
      details: { ArgumentName: 'x-amz-content-sha256', ArgumentValue: value },
    });
  });

  test('of a presigned URL is a signed header, a query parameter, or else UNSIGNED-PAYLOAD', async () => {
    const hash = 'a'.repeat(64);
    const byQuery = await presign({ method: 'PUT', path: '/b/k', payloadHash: hash }, { expiresIn: 60 });
    expect(verify(byQuery).payloadHash).toBe(hash);
    const none = withHeaders(
      { authorization: undefined, 'x-amz-content-sha256': undefined },
      presignedTarget(),
    );
    expect(parseSignatureClaim(parse(none), { region: REGION, now: NOW })?.payloadHash).toBe(UNSIGNED);
    const byHeader = withHeaders(
      { authorization: undefined, 'x-amz-content-sha256': hash },
      presignedTarget(),
    );
    expect(parseSignatureClaim(parse(byHeader), { region: REGION, now: NOW })?.payloadHash).toBe(hash);
    expect(refusal(() => verify(byHeader))).toMatchObject({
      code: 'AccessDenied',
      details: { HeadersNotSigned: 'x-amz-date, x-amz-content-sha256' },
    });
  });

  test.each([
    'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
    'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
    'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD',
    'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER',
  ])('of an anonymous request must not be `%s`', (value) => {
    expect(
      refusal(() => anonymousPayloadHash(parse(withHeaders({ 'x-amz-content-sha256': value })))),
    ).toEqual({
      status: 400,
      code: 'InvalidRequest',
      message:
        "Anonymous requests don't support this x-amz-content-sha256 value. Please use UNSIGNED-PAYLOAD or STREAMING-UNSIGNED-PAYLOAD-TRAILER.",
      details: {},
    });
  });

  test.each([
    [undefined, UNSIGNED],
    [UNSIGNED, UNSIGNED],
    ['STREAMING-UNSIGNED-PAYLOAD-TRAILER', 'STREAMING-UNSIGNED-PAYLOAD-TRAILER'],
    ['a'.repeat(64), 'a'.repeat(64)],
  ])('of an anonymous request may be `%s`', (value, effective) => {
    expect(anonymousPayloadHash(parse(withHeaders({ 'x-amz-content-sha256': value })))).toBe(effective);
  });
});
