/** What an upstream says in its own names: nothing of them reaches a client that has others. */
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { gatewayOver } from './gateway-over.ts';

const SETTINGS = `
buckets:
  - { name: team-a, target: shared-data/teams/a/, upstream: default }
  - { name: renamed, target: other-name, upstream: default }
`;
const OWN_NAMES = ['shared-data', 'teams/a', 'other-name'];

function errorOf(code: string, more: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code>${more}</Error>`;
}

function over(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  return gatewayOver(answer, { BUCKETWARDEN_UPSTREAM_BUCKETS: 'plain' }, SETTINGS);
}

function expectSilence(answer: { readonly body: string; readonly headers: object }): void {
  for (const name of OWN_NAMES) {
    expect(answer.body).not.toContain(name);
    expect(JSON.stringify(answer.headers)).not.toContain(name);
  }
}

const MISSING = errorOf(
  'NoSuchKey',
  '<Message>no key teams/a/source</Message><Key>teams/a/source</Key><BucketName>shared-data</BucketName>',
);

describe('errors of a copy out of a mapped bucket', () => {
  test.each(['/plain/x', '/team-a/x', '/renamed/x'])('into %s', async (path) => {
    const gateway = await over((_, response) => response.writeHead(404).end(MISSING));
    const answer = await gateway.call({
      method: 'PUT',
      path,
      headers: { 'x-amz-copy-source': '/team-a/source' },
    });
    expect(answer.status).toBe(404);
    expect(answer.body).toContain('<Code>NoSuchKey</Code>');
    expectSilence(answer);
  });

  test.each(['/plain/x', '/team-a/x', '/renamed/x'])('into %s, after a 200', async (path) => {
    const gateway = await over((_, response) => response.writeHead(200).end(MISSING));
    const answer = await gateway.call({
      method: 'PUT',
      path,
      headers: { 'x-amz-copy-source': '/team-a/source' },
    });
    expect(answer.status).toBe(200);
    expect(answer.body).toContain('<Code>NoSuchKey</Code>');
    expectSilence(answer);
  });
});

test('an error that names the shared bucket alone', async () => {
  const gateway = await over((_, response) =>
    response
      .writeHead(400)
      .end(errorOf('InvalidArgument', '<Message>bad</Message><ArgumentValue>shared-data</ArgumentValue>')),
  );
  const answer = await gateway.call({ method: 'GET', path: '/team-a/x' });
  expect(answer.status).toBe(400);
  expectSilence(answer);
});

test('an upload that fails while it is completed', async () => {
  const gateway = await over((_, response) => response.writeHead(200).end(MISSING));
  const body =
    '<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>"abc"</ETag></Part></CompleteMultipartUpload>';
  const answer = await gateway.call(
    {
      method: 'POST',
      path: '/team-a/x',
      query: [['uploadId', 'u']],
      headers: { 'content-length': String(body.length) },
      payloadHash: 'UNSIGNED-PAYLOAD',
    },
    { body },
  );
  expect(answer.status).toBe(200);
  expect(answer.body).toContain('<Code>NoSuchKey</Code>');
  expectSilence(answer);
});

test.each(['/team-a', '/renamed'])('an entry of DeleteObjects in %s that fails', async (path) => {
  const key = path === '/team-a' ? 'teams/a/x' : 'x';
  const gateway = await over((_, response) =>
    response
      .writeHead(200)
      .end(
        `<DeleteResult><Error><Key>${key}</Key><Code>InternalError</Code><Message>cannot delete in shared-data or other-name</Message></Error></DeleteResult>`,
      ),
  );
  const body = '<Delete><Object><Key>x</Key></Object></Delete>';
  const answer = await gateway.call(
    {
      method: 'POST',
      path,
      query: [['delete', '']],
      headers: {
        'content-length': String(body.length),
        'content-md5': createHash('md5').update(body).digest('base64'),
      },
    },
    { body },
  );
  expect(answer.status).toBe(200);
  expect(answer.body).toContain('<Code>InternalError</Code>');
  const name = path === '/team-a' ? 'shared-data' : 'other-name';
  expect(answer.body).not.toContain(name);
});

test('the rules of the shared bucket', async () => {
  const gateway = await over((_, response) =>
    response
      .writeHead(200, {
        'x-amz-expiration': 'expiry-date="Fri, 21 Dec 2012 00:00:00 GMT", rule-id="teams/a of shared-data"',
        'x-amz-abort-rule-id': 'teams/a of shared-data',
      })
      .end('<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>'),
  );
  const read = await gateway.call({ method: 'GET', path: '/team-a/x' });
  expect(read.status).toBe(200);
  expect(read.headers).not.toHaveProperty('x-amz-expiration');
  const upload = await gateway.call({ method: 'POST', path: '/team-a/x', query: [['uploads', '']] });
  expect(upload.status).toBe(200);
  expectSilence(upload);
});
