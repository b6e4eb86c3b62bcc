/** DeleteObjects over stores that answer in ways of their own. */
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

test('what was decided for each key is recorded, also where the upstream refuses the whole', async () => {
  const gateway = await gatewayOver((_, response) => {
    response.writeHead(501).end('<Error><Code>NotImplemented</Code><Message>no</Message></Error>');
  });
  const body = '<Delete><Object><Key>a</Key></Object><Object><Key>b</Key></Object></Delete>';
  const headers = {
    'content-length': String(body.length),
    'content-md5': createHash('md5').update(body).digest('base64'),
  };
  const request = { method: 'POST', path: '/bucket', query: [['delete', '']] as const, headers };
  const answer = await gateway.call(request, { body });
  const id = answer.headers['x-amz-request-id'];
  const record = await gateway.record(typeof id === 'string' ? id : undefined);
  expect(answer.status).toBe(501);
  expect(record['entries']).toMatchObject([
    { key: 'a', status: 500, errorCode: 'NotImplemented', decision: { effect: 'Allow' } },
    { key: 'b', status: 500, errorCode: 'NotImplemented', decision: { effect: 'Allow' } },
  ]);
});
