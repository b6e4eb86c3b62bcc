import { describe, expect, test } from 'vitest';
import { parseSignatureClaim } from '../../src/sigv4/index.ts';
import { ACCESS_KEY_ID, NOW, parse, presign, REGION, verify } from './independent-signer.ts';
import { AUTHORIZATION, claimRefusal, SIGNATURE, SIGNED_HEADERS, withHeaders } from './wrong-requests.ts';

const MALFORMED = 'The authorization header is malformed; ';
const THREE = `${MALFORMED}the authorization header requires three components: Credential, SignedHeaders, and Signature.`;
const CREDENTIAL = `${MALFORMED}the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".`;
const SIGV2 = 'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.';
const TWO =
  'Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified';

describe('an Authorization header', () => {
  const space = "Authorization header is invalid -- one and only one ' ' (space) required.";
  const type = 'Unsupported Authorization Type';
  test.each([
    ['', space],
    ['AWS4-HMAC-SHA256', space],
    ['AWS4-HMAC-SHA256 ', space],
    ['AWS4-HMAC-SHA256  Credential=x', space],
    ['Basic dXNlcjpwYXNz', type],
    ['Bearer abc', type],
    [AUTHORIZATION.replace('AWS4', 'aws4'), type],
    [AUTHORIZATION.replace('HMAC-SHA256', 'ECDSA-P384-SHA384'), type],
  ])('of the form `%s` is InvalidArgument', (authorization, message) => {
    expect(claimRefusal(withHeaders({ authorization }))).toEqual({
      status: 400,
      code: 'InvalidArgument',
      message,
      details: { ArgumentName: 'Authorization', ArgumentValue: authorization },
    });
  });

  test.each([
    ['without Signature', AUTHORIZATION.replace(/, Signature=.*/, ''), THREE],
    ['without SignedHeaders', AUTHORIZATION.replace(`SignedHeaders=${SIGNED_HEADERS}, `, ''), THREE],
    ['without Credential', AUTHORIZATION.replace(/Credential=[^,]*, /, ''), THREE],
    ['with a fourth component', `${AUTHORIZATION}, Extra=1`, THREE],
    ['with a repeated component', `${AUTHORIZATION}, Signature=${SIGNATURE}`, THREE],
    ['with a component that has no value', AUTHORIZATION.replace('Signature=', 'Signature'), THREE],
    ['with a no-break space between components', AUTHORIZATION.replace(', ', ',\u00a0'), THREE],
    ['with an empty list of headers', AUTHORIZATION.replace(SIGNED_HEADERS, ''), THREE],
    ['with a header listed twice', AUTHORIZATION.replace(SIGNED_HEADERS, 'host;host'), THREE],
    ['with a header in upper case', AUTHORIZATION.replace('host', 'Host'), THREE],
    ['with four parts in the credential', AUTHORIZATION.replace('/aws4_request', ''), CREDENTIAL],
    ['with six parts in the credential', AUTHORIZATION.replace(ACCESS_KEY_ID, 'A/B'), CREDENTIAL],
    ['with an empty key id', AUTHORIZATION.replace(ACCESS_KEY_ID, ''), CREDENTIAL],
    [
      'with another service',
      AUTHORIZATION.replace('/s3/', '/ec2/'),
      `${MALFORMED}incorrect service "ec2". This endpoint belongs to "s3".`,
    ],
    [
      'with another terminal',
      AUTHORIZATION.replace('aws4_request', 'aws5_request'),
      `${MALFORMED}incorrect terminal "aws5_request". This endpoint uses "aws4_request".`,
    ],
    [
      'with another form of date',
      AUTHORIZATION.replace('20260228', '2026-02-28'),
      `${MALFORMED}incorrect date format "2026-02-28". This date in the credential must be in the format "yyyyMMdd".`,
    ],
    [
      'with another date than X-Amz-Date',
      AUTHORIZATION.replace('20260228', '20260227'),
      `${MALFORMED}Invalid credential date. Date is not the same as X-Amz-Date.`,
    ],
  ])('%s is AuthorizationHeaderMalformed', (_, authorization, message) => {
    expect(claimRefusal(withHeaders({ authorization }))).toEqual({
      status: 400,
      code: 'AuthorizationHeaderMalformed',
      message,
      details: {},
    });
  });

  test('for another region says which one is right', () => {
    const authorization = AUTHORIZATION.replace(REGION, 'us-west-2');
    expect(claimRefusal(withHeaders({ authorization }))).toEqual({
      status: 400,
      code: 'AuthorizationHeaderMalformed',
      message: `${MALFORMED}the region "us-west-2" is wrong; expecting "${REGION}"`,
      details: { Region: REGION },
    });
  });

  test('may have no spaces between its components', () => {
    const authorization = AUTHORIZATION.replaceAll(', ', ',');
    const request = parse(withHeaders({ authorization }));
    expect(parseSignatureClaim(request, { region: REGION, now: NOW })).toMatchObject({
      form: 'header',
      accessKeyId: ACCESS_KEY_ID,
      signature: SIGNATURE,
      signedHeaders: SIGNED_HEADERS.split(';'),
    });
  });
});

describe('another mechanism', () => {
  const none = { authorization: undefined };
  const signedUrl =
    '/b/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=x&X-Amz-Date=x&X-Amz-Expires=1&X-Amz-SignedHeaders=host&X-Amz-Signature=x';

  test.each([
    ['header', withHeaders({ authorization: `AWS ${ACCESS_KEY_ID}:frJIUN8DYpKDtOLCwo//yllqDzg=` })],
    ['query', withHeaders(none, `/b/k?AWSAccessKeyId=${ACCESS_KEY_ID}&Expires=1&Signature=x`)],
    ['half a query', withHeaders(none, '/b/k?Signature=x')],
    [
      'query beside a Bearer token',
      withHeaders({ authorization: 'Bearer x' }, `/b/k?AWSAccessKeyId=${ACCESS_KEY_ID}&Signature=x`),
    ],
  ])('of signature version 2, in a %s, is refused', (_, request) => {
    expect(claimRefusal(request)).toEqual({
      status: 400,
      code: 'InvalidRequest',
      message: SIGV2,
      details: {},
    });
  });

  test.each([
    ['a presigned URL and an Authorization header', withHeaders({}, signedUrl)],
    ['a presigned URL and a SigV2 header', withHeaders({ authorization: 'AWS a:b' }, signedUrl)],
    ['a presigned URL and a SigV2 signature', withHeaders(none, `${signedUrl}&Signature=x`)],
    ['a SigV2 URL and an Authorization header', withHeaders({}, '/b/k?AWSAccessKeyId=x&Signature=y')],
  ])('beside the first is refused: %s', (_, request) => {
    expect(claimRefusal(request)).toEqual({
      status: 400,
      code: 'InvalidArgument',
      message: TWO,
      details: { ArgumentName: 'Authorization' },
    });
  });

  test.each(['Bearer token', 'Basic dXNlcjpwYXNz'])(
    '`%s` beside a presigned URL is not looked at',
    async (value) => {
      const signed = await presign({ method: 'GET', path: '/b/k' }, { expiresIn: 60 });
      const headers = [...signed.headers, ['authorization', value]] as const;
      expect(verify({ ...signed, headers })).toMatchObject({ form: 'presigned' });
    },
  );

  test('is none at all for an anonymous request', () => {
    const request = parse(withHeaders({ authorization: undefined }));
    expect(parseSignatureClaim(request, { region: REGION, now: NOW })).toBeUndefined();
  });
});

describe('the date of a header-signed request', () => {
  const needed = {
    status: 403,
    code: 'AccessDenied',
    message: 'AWS authentication requires a valid Date or x-amz-date header.',
    details: {},
  };
  test.each([
    ['missing', undefined],
    ['empty', ''],
    ['in extended form', '2026-02-28T23:59:59Z'],
    ['without the Z', '20260228T235959'],
    ['not a day', '20260229T000000Z'],
    ['not a month', '20261301T000000Z'],
    ['hour 24', '20260228T240000Z'],
    ['second 60', '20260228T235960Z'],
    ['given twice', '20260228T235959Z,20260228T235959Z'],
  ])('is refused when it is %s', (_, date) => {
    expect(claimRefusal(withHeaders({ 'x-amz-date': date }))).toEqual(needed);
  });

  test.each([
    ['not a day', 'Sun, 29 Feb 2026 00:00:00 GMT'],
    ['hour 24', 'Sat, 28 Feb 2026 24:00:00 GMT'],
    ['the wrong weekday', 'Mon, 28 Feb 2026 23:59:59 GMT'],
    ['another zone', 'Sat, 28 Feb 2026 23:59:59 +0000'],
    ['an obsolete form', 'Saturday, 28-Feb-26 23:59:59 GMT'],
  ])('is refused when Date is %s', (_, date) => {
    expect(claimRefusal(withHeaders({ 'x-amz-date': undefined, date }))).toEqual(needed);
  });

  test.each([
    ['x-amz-date beats date', { 'x-amz-date': '20260228T235959Z', date: 'Thu, 01 Jan 1970 00:00:00 GMT' }],
    ['an HTTP date will do', { 'x-amz-date': undefined, date: 'Sat, 28 Feb 2026 23:59:59 GMT' }],
    ['so will the basic form in Date', { 'x-amz-date': undefined, date: '20260228T235959Z' }],
  ])('is understood: %s', (_, headers) => {
    const request = parse(withHeaders(headers));
    expect(parseSignatureClaim(request, { region: REGION, now: NOW })).toMatchObject({
      timestamp: '20260228T235959Z',
      signedAt: NOW,
    });
  });

  test('may be 29 February in a leap year only', () => {
    const leap = Date.UTC(2028, 1, 29, 12);
    const authorization = AUTHORIZATION.replace('20260228', '20280229');
    const request = parse(withHeaders({ 'x-amz-date': '20280229T120000Z', authorization }));
    expect(parseSignatureClaim(request, { region: REGION, now: leap })?.signedAt).toBe(leap);
  });

  test('may differ by 15 minutes either way, and not by a second more', () => {
    const request = withHeaders({});
    const claimAt = (now: number) => parseSignatureClaim(parse(request), { region: REGION, now });
    expect(claimAt(NOW + 900_000)).toBeDefined();
    expect(claimAt(NOW - 900_000)).toBeDefined();
    const skewed = {
      status: 403,
      code: 'RequestTimeTooSkewed',
      message: 'The difference between the request time and the current time is too large.',
    };
    expect(claimRefusal(request, NOW + 901_000)).toEqual({
      ...skewed,
      details: {
        RequestTime: '20260228T235959Z',
        ServerTime: '2026-03-01T00:15:00Z',
        MaxAllowedSkewMilliseconds: '900000',
      },
    });
    expect(claimRefusal(request, NOW - 901_000)).toMatchObject(skewed);
  });
});
