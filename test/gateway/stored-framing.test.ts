/** Upstreams that keep `aws-chunked` as an object's encoding, as versitygw does: nobody could decode it. */
import { expect, test } from 'vitest';
import { gatewayOver } from './gateway-over.ts';

test.each([
  ['aws-chunked', undefined],
  ['gzip,aws-chunked', 'gzip'],
  ['aws-chunked, gzip', 'gzip'],
  ['gzip', 'gzip'],
])('a stored Content-Encoding of `%s` is answered as `%s`', async (stored, answered) => {
  const gateway = await gatewayOver((_request, response) => {
    response.writeHead(200, { 'content-encoding': stored, 'content-length': '2' }).end('ok');
  });
  const answer = await gateway.call({ method: 'GET', path: '/bucket/key' });
  expect(answer).toMatchObject({ status: 200, body: 'ok' });
  expect(answer.headers['content-encoding']).toBe(answered);
});
