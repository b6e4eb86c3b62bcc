/** Upstreams that answer an upload before they have it. */
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { UNSIGNED } from '../sigv4/independent-signer.ts';
import { gatewayOver } from './gateway-over.ts';

const body = 'a'.repeat(8 * 1024 * 1024);

test.each([
  ['of a declared hash', createHash('sha256').update(body).digest('hex')],
  ['unsigned', UNSIGNED],
])('a success before the end of an upload, %s, is none', async (_, payloadHash) => {
  const gateway = await gatewayOver((_request, response) => {
    response.writeHead(200, { etag: '"claimed"' }).end();
  });
  const headers = { 'content-length': String(body.length), connection: 'keep-alive' };
  const answer = await gateway.call({ method: 'PUT', path: '/bucket/key', headers, payloadHash }, { body });
  expect(answer.status).toBe(503);
  expect(answer.body).toContain('<Code>ServiceUnavailable</Code>');
  expect(answer.headers.etag).toBeUndefined();
  const record = await gateway.record(answer.headers['x-amz-request-id'] as string);
  expect(record).toMatchObject({
    upstream: { status: 200, cause: 'the upstream answered an upload before it had all of it' },
  });
});
