/** A copy takes the tags of its source along: who may not read or write tags copies no object that has some. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { runGateway, type Credentials, type RunningGateway } from '../support/running-gateway.ts';
import { sendRaw, type RawAnswer } from './support/signed-request.ts';

const TAGS = '<Tagging><TagSet><Tag><Key>class</Key><Value>secret</Value></Tag></TagSet></Tagging>';
const NO_TAGS = '<Tagging><TagSet/></Tagging>';

interface Tagging {
  readonly status: number;
  readonly body: string;
}

const error = (status: number, code: string): Tagging => ({
  status,
  body: `<Error><Code>${code}</Code></Error>`,
});

/** What the store answers when it is asked for the tags of an object. */
let tagging: Tagging;
let asked: string[] = [];
let gateway: RunningGateway;
let plain: Credentials;
let tagger: Credentials;

const store = createServer((request, response) => {
  asked.push(`${request.method} ${request.url}`);
  const isTagging = request.url?.includes('?tagging') === true;
  response.writeHead(isTagging ? tagging.status : 200, { 'content-type': 'application/xml' });
  response.end(isTagging ? tagging.body : '<CopyObjectResult><ETag>"e"</ETag></CopyObjectResult>');
});

beforeAll(async () => {
  await new Promise<void>((resolve) => {
    store.listen(0, '127.0.0.1', resolve);
  });
  const endpoint = `http://127.0.0.1:${(store.address() as AddressInfo).port}`;
  gateway = await runGateway({ env: { UPSTREAM_ENDPOINT: endpoint, UPSTREAM_BUCKETS: 'docs' } });
  const actions = ['s3:GetObject', 's3:GetObjectVersion', 's3:PutObject'];
  plain = await keyFor(actions);
  tagger = await keyFor([
    ...actions,
    's3:GetObjectTagging',
    's3:GetObjectVersionTagging',
    's3:PutObjectTagging',
  ]);
});

afterAll(async () => {
  await gateway.stop();
  store.closeAllConnections();
  store.close();
});

beforeEach(() => {
  asked = [];
});

const keyFor = (Action: readonly string[]): Promise<Credentials> =>
  gateway.keyWithPolicy('copier', {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action, Resource: 'arn:aws:s3:::docs/*' }],
  });

function copy(
  credentials: Credentials,
  {
    version = '',
    headers = {},
  }: { readonly version?: string; readonly headers?: Record<string, string> } = {},
): Promise<RawAnswer> {
  return sendRaw(gateway, {
    method: 'PUT',
    path: '/docs/new',
    headers: { 'x-amz-copy-source': `docs/source${version}`, ...headers },
    credentials,
  });
}

describe('a source with tags', () => {
  beforeEach(() => {
    tagging = { status: 200, body: TAGS };
  });

  test.each([
    ['', 'GET /docs/source?tagging=', 's3:GetObjectTagging'],
    ['?versionId=v1', 'GET /docs/source?tagging=&versionId=v1', 's3:GetObjectVersionTagging'],
  ])('is not copied without the right to them: `%s`', async (version, lookUp, action) => {
    const answer = await copy(plain, { version });
    expect(answer).toMatchObject({ status: 403, code: 'AccessDenied' });
    expect(asked).toEqual([lookUp]);
    expect(await gateway.record(String(answer.headers['x-amz-request-id']))).toMatchObject({
      decision: { effect: 'Deny', action, resource: 'arn:aws:s3:::docs/source' },
    });
  });

  test('is copied by who may read and write tags, and nobody asks for them', async () => {
    for (const version of ['', '?versionId=v1']) expect((await copy(tagger, { version })).status).toBe(200);
    expect(asked).toEqual(['PUT /docs/new', 'PUT /docs/new']);
  });

  test('is copied without them by who says so', async () => {
    expect((await copy(plain, { headers: { 'x-amz-tagging-directive': 'REPLACE' } })).status).toBe(200);
    expect(asked).toEqual(['PUT /docs/new']);
  });

  test.each(['COPY', 'replace', ''])('is refused for the directive `%s`', async (directive) => {
    expect((await copy(plain, { headers: { 'x-amz-tagging-directive': directive } })).status).toBe(403);
    expect(asked).toEqual(['GET /docs/source?tagging=']);
  });
});

test.each([
  ['has none', { status: 200, body: NO_TAGS }],
  ['is not there', error(404, 'NoSuchKey')],
  ['is in a store that knows no tags', error(501, 'NotImplemented')],
])('a source that %s is copied by who may read and write objects', async (_, answer) => {
  tagging = answer;
  expect((await copy(plain)).status).toBe(200);
  expect(asked).toEqual(['GET /docs/source?tagging=', 'PUT /docs/new']);
});

test.each([
  ['refuses to', error(403, 'AccessDenied')],
  ['answers something else', { status: 200, body: 'the object' }],
])('when the store %s tell the tags, nothing is copied', async (_, answer) => {
  tagging = answer;
  expect(await copy(plain)).toMatchObject({ status: 503, code: 'ServiceUnavailable' });
  expect(asked).toEqual(['GET /docs/source?tagging=']);
});
