/** What a client gets to see of an upstream's refusal. */
import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { readRefusal, type UpstreamRefusal } from '../../src/gateway/upstream-error.ts';
import { serve, upstreamAt, upstreamRequest } from '../upstream/origin.ts';

const UNAVAILABLE = {
  status: 503,
  code: 'ServiceUnavailable',
  message: 'Service is unable to handle request.',
  details: {},
};

async function refusalAfter(
  answer: (response: ServerResponse) => void,
  {
    method = 'GET',
    about = 'object',
  }: { readonly method?: string; readonly about?: 'bucket' | 'object' } = {},
): Promise<UpstreamRefusal> {
  const url = await serve((_, response) => {
    response.setHeader('x-amz-request-id', 'UPSTREAMID');
    response.setHeader('x-amz-id-2', 'UPSTREAMHOST');
    answer(response);
  });
  return readRefusal(await (await upstreamAt(url)).send(upstreamRequest({ method })), { method, about });
}

function refused(
  status: number,
  body: string,
  options: Parameters<typeof refusalAfter>[1] = {},
): Promise<UpstreamRefusal> {
  return refusalAfter((response) => response.writeHead(status).end(body), options);
}

function document(code: string, more = ''): string {
  return `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>upstream text</Message>${more}<RequestId>UPSTREAMID</RequestId><HostId>UPSTREAMHOST</HostId></Error>`;
}

describe("an upstream's refusal", () => {
  test.each([
    [404, 'NoSuchKey'],
    [404, 'NoSuchUpload'],
    [400, 'InvalidPart'],
    [400, 'EntityTooSmall'],
    [409, 'BucketNotEmpty'],
    [412, 'PreconditionFailed'],
    [416, 'InvalidRange'],
    [500, 'InternalError'],
    [503, 'SlowDown'],
  ])('of status %d and code %s is passed on, with its text', async (status, code) => {
    const refusal = await refused(status, document(code));
    expect(refusal).toMatchObject({ status, code, message: 'upstream text', details: {} });
    expect(refusal.upstream).toEqual({
      status,
      requestId: 'UPSTREAMID',
      id2: 'UPSTREAMHOST',
      errorCode: code,
      cause: undefined,
    });
  });

  test.each([
    [400, 'AuthorizationHeaderMalformed', '<Region>eu-north-1</Region>'],
    [400, 'AuthorizationQueryParametersError', ''],
    [400, 'ExpiredToken', '<Token-0>secret</Token-0>'],
    [400, 'InvalidToken', '<Token-0>secret</Token-0>'],
    [400, 'TokenRefreshRequired', ''],
    [400, 'XAmzContentSHA256Mismatch', ''],
    [403, 'AccountProblem', ''],
    [403, 'AllAccessDisabled', ''],
    [403, 'InvalidAccessKeyId', '<AWSAccessKeyId>UPSTREAMKEY</AWSAccessKeyId>'],
    [403, 'InvalidClientTokenId', ''],
    [403, 'InvalidSecurity', ''],
    [403, 'NotSignedUp', ''],
    [403, 'RequestExpired', ''],
    [403, 'RequestTimeTooSkewed', '<ServerTime>2026-03-01T12:00:00Z</ServerTime>'],
    [403, 'SignatureDoesNotMatch', '<StringToSign>AWS4-HMAC-SHA256</StringToSign>'],
  ])('of status %d and code %s is about the gateway itself, and hidden', async (status, code, more) => {
    const refusal = await refused(status, document(code, more));
    expect(refusal).toMatchObject(UNAVAILABLE);
    expect(refusal.upstream).toMatchObject({
      status,
      errorCode: code,
      cause: `the upstream refuses the gateway's own request: ${code}${more.includes('Region') ? ': it wants region `eu-north-1`' : ''}`,
    });
  });

  test.each([401, 403])('AccessDenied of status %d stays that, without its text', async (status) => {
    const text = document('AccessDenied', '<Resource>arn:aws:iam::1:user/gateway</Resource>');
    const refusal = await refused(status, text);
    expect(refusal).toMatchObject({
      status: 403,
      code: 'AccessDenied',
      message: 'Access Denied',
      details: {},
    });
    expect(refusal.upstream).toMatchObject({
      errorCode: 'AccessDenied',
      cause: "the upstream's own credentials lack this right",
    });
  });

  test('keeps the elements that speak of the request, and no others', async () => {
    const kept = {
      ArgumentName: 'partNumber',
      ArgumentValue: '0 & <1>',
      Key: 'k',
      UploadId: 'u',
      RangeRequested: 'bytes=9-',
      ActualObjectSize: '5',
    };
    const elements = Object.entries(kept).map(
      ([name, value]) => `<${name}>${value.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</${name}>`,
    );
    const secrets =
      '<AWSAccessKeyId>UPSTREAMKEY</AWSAccessKeyId><Endpoint>s3.internal</Endpoint><CanonicalRequest>GET</CanonicalRequest><Resource>/up</Resource>';
    const refusal = await refused(400, document('InvalidArgument', elements.join('') + secrets));
    expect(refusal.details).toEqual(kept);
  });
});

describe('an upstream that does not answer as S3 does', () => {
  test.each([301, 302, 307, 308])(
    'redirects (%d): its endpoint is wrong, and is not shown',
    async (status) => {
      const refusal = await refusalAfter((response) => {
        response.writeHead(status, { location: 'http://s3.internal/' });
        response.end(document('PermanentRedirect', '<Endpoint>s3.internal</Endpoint>'));
      });
      expect(refusal).toMatchObject(UNAVAILABLE);
      expect(refusal.upstream).toMatchObject({
        status,
        cause: `the upstream redirects (${status}) to \`http://s3.internal/\`, which is none of its configured endpoints: check its endpoint, region and redirects`,
      });
    },
  );

  test.each([
    ['an empty body', 404, ''],
    ['HTML', 502, '<html><body>Bad Gateway</body></html>'],
    ['text', 500, 'oops'],
    ['another root', 400, '<ErrorResponse><Error><Code>Throttling</Code></Error></ErrorResponse>'],
    ['broken XML', 404, '<Error><Code>NoSuchKey</Code>'],
    ['two codes', 404, '<Error><Code>NoSuchKey</Code><Code>AccessDenied</Code></Error>'],
    ['no code', 404, '<Error><Message>gone</Message></Error>'],
    ['a code that is none', 404, '<Error><Code>No such key!</Code></Error>'],
    ['an entity', 404, '<!DOCTYPE e [<!ENTITY x "y">]><Error><Code>&x;</Code></Error>'],
    [
      'a body without end',
      500,
      `<Error><Code>InternalError</Code><Message>${'x'.repeat(70_000)}</Message></Error>`,
    ],
  ])('has %s', async (_, status, body) => {
    const refusal = await refused(status, body);
    expect(refusal).toMatchObject(UNAVAILABLE);
    expect(refusal.upstream.status).toBe(status);
    expect(refusal.upstream.cause).toBeDefined();
  });

  test('breaks off in the middle of its error', async () => {
    const refusal = await refusalAfter((response) => {
      response.writeHead(404, { 'content-length': '100' });
      response.write('<Error>', () => response.destroy());
    });
    expect(refusal).toMatchObject(UNAVAILABLE);
  });
});

describe("an upstream's refusal of a HEAD", () => {
  test.each([
    [400, 'BadRequest'],
    [403, 'AccessDenied'],
    [404, 'NoSuchKey'],
    [405, 'MethodNotAllowed'],
    [409, 'OperationAborted'],
    [412, 'PreconditionFailed'],
    [416, 'InvalidRange'],
  ])('of status %d is known by that alone', async (status, code) => {
    expect(await refused(status, '', { method: 'HEAD' })).toMatchObject({ status, code });
  });

  test('of status 404 on a bucket means the bucket', async () => {
    const refusal = await refused(404, '', { method: 'HEAD', about: 'bucket' });
    expect(refusal).toMatchObject({ status: 404, code: 'NoSuchBucket' });
  });

  test.each([301, 401, 500, 503])('of status %d is no answer', async (status) => {
    expect(await refused(status, '', { method: 'HEAD' })).toMatchObject(UNAVAILABLE);
  });
});
