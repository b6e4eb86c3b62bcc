import { describe, expect, test } from 'vitest';
import { parseSignatureClaim } from '../../src/sigv4/index.ts';
import { ACCESS_KEY_ID, NOW, parse, presign, REGION, verify } from './independent-signer.ts';
import { claimRefusal, presigned, refusal, SCOPE } from './wrong-requests.ts';

const parameters = (message: string, details = {}) => ({
  status: 400,
  code: 'AuthorizationQueryParametersError',
  message,
  details,
});

describe('a presigned URL', () => {
  test.each([
    'X-Amz-Algorithm',
    'X-Amz-Credential',
    'X-Amz-Signature',
    'X-Amz-Date',
    'X-Amz-SignedHeaders',
    'X-Amz-Expires',
  ])('needs %s', (name) => {
    expect(claimRefusal(presigned({ [name]: undefined }))).toEqual(
      parameters(
        'Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.',
      ),
    );
  });

  test.each(['X-Amz-Security-Token', 'X-Amz-Content-Sha256'])(
    'is never anonymous for having only %s',
    (name) => {
      const request = { method: 'GET', target: `/b/k?${name}=x`, headers: [] };
      expect(claimRefusal(request)).toMatchObject({ code: 'AuthorizationQueryParametersError' });
    },
  );

  test.each([
    'X-Amz-Algorithm',
    'X-Amz-Credential',
    'X-Amz-Signature',
    'X-Amz-Date',
    'X-Amz-SignedHeaders',
    'X-Amz-Expires',
    'X-Amz-Security-Token',
    'X-Amz-Content-Sha256',
  ])('must not repeat %s', (name) => {
    expect(claimRefusal(presigned({}, `&${name}=x&${name}=x`))).toEqual(
      parameters(`${name} must be given only once`),
    );
  });

  test.each([
    ['soon', 'X-Amz-Expires should be a number'],
    ['1.5', 'X-Amz-Expires should be a number'],
    ['0x10', 'X-Amz-Expires should be a number'],
    ['', 'X-Amz-Expires should be a number'],
    ['-1', 'X-Amz-Expires must be non-negative'],
    [
      '604801',
      'X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds',
    ],
  ])('must not expire after `%s` seconds', (value, message) => {
    expect(claimRefusal(presigned({ 'X-Amz-Expires': value }))).toEqual(parameters(message));
  });

  test.each([
    [
      'Algorithm',
      'AWS4-HMAC-SHA1',
      'X-Amz-Algorithm only supports "AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256"',
    ],
    [
      'Credential',
      ACCESS_KEY_ID,
      'Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".',
    ],
    ['Date', '20260229T000000Z', "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\""],
    ['Date', '20260227T235959Z', 'Invalid credential date. Date is not the same as X-Amz-Date.'],
    ['SignedHeaders', '', 'X-Amz-SignedHeaders must be a list of lower-case header names'],
  ])('must not have the %s `%s`', (name, value, message) => {
    expect(claimRefusal(presigned({ [`X-Amz-${name}`]: value }))).toEqual(parameters(message));
  });

  test('for another region says which one is right', () => {
    const credential = `${ACCESS_KEY_ID}/${SCOPE.replace(REGION, 'us-west-2')}`;
    expect(claimRefusal(presigned({ 'X-Amz-Credential': credential }))).toEqual(
      parameters(
        `Error parsing the X-Amz-Credential parameter; the region "us-west-2" is wrong; expecting "${REGION}"`,
        { Region: REGION },
      ),
    );
  });

  test.each([1, 3600, 604_800])('holds for %d seconds, and not at their end', async (expiresIn) => {
    const signed = await presign({ method: 'GET', path: '/b/k' }, { expiresIn });
    const end = NOW + expiresIn * 1000;
    expect(verify(signed, { now: end - 1 })).toMatchObject({ form: 'presigned' });
    expect(refusal(() => verify(signed, { now: end }))).toEqual({
      status: 403,
      code: 'AccessDenied',
      message: 'Request has expired',
      details: {
        'X-Amz-Expires': String(expiresIn),
        Expires: new Date(end).toISOString().replace('.000', ''),
        ServerTime: new Date(end).toISOString().replace('.000', ''),
      },
    });
  });

  test('may be dated 15 minutes ahead, and no more', async () => {
    const signed = await presign({ method: 'GET', path: '/b/k' }, { expiresIn: 60 });
    expect(verify(signed, { now: NOW - 900_000 })).toMatchObject({ signedAt: NOW });
    expect(refusal(() => verify(signed, { now: NOW - 900_001 }))).toEqual({
      status: 403,
      code: 'AccessDenied',
      message: 'Request is not valid yet.',
      details: {},
    });
  });

  test('carries its session token in the query, or as a signed header', async () => {
    const request = { method: 'GET', path: '/b/k', sessionToken: 'FwoGZXIvYXdzEXAMPLE' };
    const signed = await presign(request, { expiresIn: 60 });
    expect(verify(signed).sessionToken).toBe('FwoGZXIvYXdzEXAMPLE');
    const byHeader = presigned({});
    const headers = [...byHeader.headers, ['x-amz-security-token', 'FwoGZXIvYXdzEXAMPLE']] as const;
    const claim = parseSignatureClaim(parse({ ...byHeader, headers }), { region: REGION, now: NOW });
    expect(claim?.sessionToken).toBe('FwoGZXIvYXdzEXAMPLE');
  });
});
