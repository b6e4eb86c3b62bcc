/** A store that lists what it deleted whether or not that is wanted. */
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { gatewayOver } from './gateway-over.ts';

const ANSWER =
  '<DeleteResult><Deleted><Key>a</Key></Deleted><Error><Key>b</Key><Code>InternalError</Code><Message>no</Message></Error></DeleteResult>';

test.each([
  ['true', []],
  ['false', ['a']],
])('with Quiet %s, %j is listed as deleted', async (quiet, expected) => {
  const gateway = await gatewayOver((_, response) => {
    response.writeHead(200, { 'content-type': 'application/xml' }).end(ANSWER);
  });
  const body = `<Delete><Quiet>${quiet}</Quiet><Object><Key>a</Key></Object><Object><Key>b</Key></Object></Delete>`;
  const headers = {
    'content-length': String(body.length),
    'content-md5': createHash('md5').update(body).digest('base64'),
  };
  const request = { method: 'POST', path: '/bucket', query: [['delete', '']] as const, headers };
  const answer = await gateway.call(request, { body });
  const listed = [...answer.body.matchAll(/<Deleted><Key>(\w)/g)].map(([, key]) => key);
  expect([answer.status, listed]).toEqual([200, expected]);
  expect(answer.body).toContain('<Error><Key>b</Key><Code>InternalError</Code>');
});
