import { describe, expect, test } from 'vitest';
import { ACCESS_KEY_ID, presign, signByHeader, UNSIGNED, verify } from './independent-signer.ts';
import { AUTHORIZATION, refusal, SCOPE, SIGNATURE, SIGNED_HEADERS, withHeaders } from './wrong-requests.ts';

const unsigned = (names: string) => ({
  status: 403,
  code: 'AccessDenied',
  message: 'There were headers present in the request which were not signed',
  details: { HeadersNotSigned: names },
});

describe('headers that must be signed', () => {
  test.each([
    'x-amz-copy-source',
    'x-amz-acl',
    'x-amz-tagging',
    'x-amz-meta-a',
    'X-Amz-Security-Token',
    'Content-MD5',
  ])('%s may not be added to a signed request', async (name) => {
    const requests = [
      await signByHeader({ method: 'PUT', path: '/b/k' }),
      await presign({ method: 'PUT', path: '/b/k' }, { expiresIn: 60 }),
    ];
    for (const signed of requests)
      expect(refusal(() => verify({ ...signed, headers: [...signed.headers, [name, 'x']] }))).toEqual(
        unsigned(name.toLowerCase()),
      );
  });

  test('all of them are named', () => {
    const authorization = AUTHORIZATION.replace(SIGNED_HEADERS, 'x-amz-content-sha256');
    const request = withHeaders({ authorization, 'content-md5': 'x', 'user-agent': 'x' });
    expect(refusal(() => verify(request))).toEqual(unsigned('host, x-amz-date, content-md5'));
  });
});

describe('a signature that does not match', () => {
  test('is answered with what was signed here, and never with the right signature', async () => {
    const signed = await signByHeader({ method: 'GET', path: '/b/a b', headers: { 'x-amz-meta-a': 'é' } });
    const right = /Signature=(\w{64})/.exec(signed.headers.flat().join(' '))?.[1] ?? '';
    const headers = signed.headers.map(([name, value]) => [name, value.replace(right, SIGNATURE)] as const);
    const answer = refusal(() => verify({ ...signed, headers }));
    const canonical = [
      'GET',
      '/b/a%20b',
      '',
      'host:gateway.example:9000',
      `x-amz-content-sha256:${UNSIGNED}`,
      'x-amz-date:20260228T235959Z',
      // Two bytes of UTF-8, each as one character.
      'x-amz-meta-a:Ã©',
      '',
      'host;x-amz-content-sha256;x-amz-date;x-amz-meta-a',
      UNSIGNED,
    ].join('\n');
    expect(answer).toMatchObject({
      status: 403,
      code: 'SignatureDoesNotMatch',
      message:
        'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
      details: { AWSAccessKeyId: ACCESS_KEY_ID, SignatureProvided: SIGNATURE, CanonicalRequest: canonical },
    });
    expect(Object.keys(answer.details)).toEqual([
      'AWSAccessKeyId',
      'StringToSign',
      'SignatureProvided',
      'StringToSignBytes',
      'CanonicalRequest',
      'CanonicalRequestBytes',
    ]);
    const { StringToSign = '', StringToSignBytes = '', CanonicalRequestBytes = '' } = answer.details;
    expect(StringToSign).toMatch(new RegExp(`^AWS4-HMAC-SHA256\n20260228T235959Z\n${SCOPE}\n[0-9a-f]{64}$`));
    expect(bytesOf(StringToSignBytes).toString('latin1')).toBe(StringToSign);
    expect(bytesOf(CanonicalRequestBytes).toString('latin1')).toBe(canonical);
    expect(JSON.stringify(answer)).not.toContain(right);
  });

  test.each(['', 'x', '0'.repeat(63), '0'.repeat(65), 'é'.repeat(32)])('is refused as `%s`', (signature) => {
    const request = withHeaders({ authorization: AUTHORIZATION.replace(SIGNATURE, signature) });
    expect(refusal(() => verify(request))).toMatchObject({ code: 'SignatureDoesNotMatch' });
  });
});

function bytesOf(spacedHex: string): Buffer {
  expect(spacedHex).toMatch(/^[0-9a-f]{2}(?: [0-9a-f]{2})*$/);
  return Buffer.from(spacedHex.replaceAll(' ', ''), 'hex');
}
