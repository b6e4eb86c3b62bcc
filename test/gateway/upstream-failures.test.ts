/** What a client and the record are told of an upstream that fails. */
import { describe, expect, test } from 'vitest';
import { REGION } from '../sigv4/independent-signer.ts';
import { gatewayOver } from './gateway-over.ts';

const REFUSED = { errorCode: 'ServiceUnavailable', status: 503 };

describe('an upstream that redirects elsewhere', () => {
  test.each([
    ['a Location', 307, { location: 'https://evil.example/b/k' }, 'to `https://evil.example/b/k`'],
    ['an Endpoint alone', 301, {}, 'the upstream redirects (301), which is none'],
  ])('by %s: 503, and the record says where to', async (_, status, headers, cause) => {
    const gateway = await gatewayOver((_request, response) => {
      response
        .writeHead(status, headers)
        .end('<Error><Code>PermanentRedirect</Code><Endpoint>evil.example</Endpoint></Error>');
    });
    const answer = await gateway.call({ method: 'GET', path: '/bucket/key' });
    expect(answer.status).toBe(503);
    expect(answer.body).toContain('<Code>ServiceUnavailable</Code>');
    expect(JSON.stringify(answer)).not.toContain('evil');
    const record = await gateway.record(String(answer.headers['x-amz-request-id']));
    expect(record).toMatchObject(REFUSED);
    expect(JSON.stringify(record)).toContain(cause);
  });
});

test('an upload to a bucket in another region is told to come back, and is then stored there', async () => {
  const regions: (string | undefined)[] = [];
  const gateway = await gatewayOver((request, response) => {
    const region = /\/\d{8}\/([^/]+)\/s3\//.exec(request.headers.authorization ?? '')?.[1];
    regions.push(region);
    request.resume().on('end', () => {
      if (region === 'there-1') response.end();
      else
        response
          .writeHead(400)
          .end('<Error><Code>AuthorizationHeaderMalformed</Code><Region>there-1</Region></Error>');
    });
  });
  const put = () =>
    gateway.call(
      {
        method: 'PUT',
        path: '/bucket/key',
        headers: { 'content-length': '7' },
        payloadHash: 'UNSIGNED-PAYLOAD',
      },
      { body: 'content' },
    );
  const first = await put();
  expect(first.status).toBe(503);
  expect(first.body).toContain('<Code>SlowDown</Code>');
  expect((await put()).status).toBe(200);
  expect(regions).toEqual([REGION, 'there-1']);
});

test('an upstream that is down: SlowDown with Retry-After once it is left alone', async () => {
  const file = { BUCKETWARDEN_UPSTREAM_ENDPOINT: 'http://127.0.0.1:9' };
  const gateway = await gatewayOver(() => undefined, file);
  const codes: (string | undefined)[] = [];
  let last;
  for (let i = 0; i < 6; i++) {
    last = await gateway.call({ method: 'GET', path: '/bucket/key' });
    codes.push(/<Code>(\w+)/.exec(last.body)?.[1]);
  }
  expect(codes[0]).toBe('ServiceUnavailable');
  expect(codes.at(-1)).toBe('SlowDown');
  expect(last?.status).toBe(503);
  expect(Number(last?.headers['retry-after'])).toBeGreaterThan(0);
  expect(last?.body).not.toContain('ECONNREFUSED');
  const record = await gateway.record(String(last?.headers['x-amz-request-id']));
  expect(record['errorReason']).toContain('ECONNREFUSED');
});
