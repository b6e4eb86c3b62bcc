/**
 * A store that knows no `?retention` takes the PUT of one for that of the object. What its GET meets before it shows as
 * much is no proof that it knows.
 */
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { gatewayOver } from './gateway-over.ts';

const BODY =
  '<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>2030-01-01T00:00:00Z</RetainUntilDate></Retention>';
const RETAIN = {
  method: 'PUT',
  path: '/bucket/key',
  headers: {
    'content-length': String(BODY.length),
    'content-md5': createHash('md5').update(BODY).digest('base64'),
  },
};

async function retain(code: string, status: number) {
  const methods: (string | undefined)[] = [];
  const gateway = await gatewayOver((request, response) => {
    methods.push(request.method);
    if (request.method === 'PUT') response.writeHead(200).end();
    else response.writeHead(status).end(`<Error><Code>${code}</Code><Message>no</Message></Error>`);
  });
  const query = [
    ['retention', ''],
    ['versionId', 'v'],
  ] as const;
  const answer = await gateway.call({ ...RETAIN, query }, { body: BODY });
  return { status: answer.status, methods };
}

test.each([
  ['InvalidArgument', 400],
  ['InvalidRequest', 400],
  ['NoSuchVersion', 404],
  ['NoSuchKey', 404],
  ['NotFound', 404],
  ['PreconditionFailed', 412],
  ['InvalidObjectState', 403],
  ['MethodNotAllowed', 405],
])('the PUT is not sent after %s', async (code, status) => {
  expect(await retain(code, status)).toEqual({ status, methods: ['GET'] });
});

test('the PUT is sent after an answer about the setting', async () => {
  expect(await retain('NoSuchObjectLockConfiguration', 404)).toEqual({
    status: 200,
    methods: ['GET', 'PUT'],
  });
});
