/** What the operation table does not offer is NotImplemented, and nothing of it reaches the upstream. */
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { isAvailable, OPERATION_LIST } from '../../src/s3/index.ts';
import { runGateway, type RunningGateway } from '../support/running-gateway.ts';
import { exchange, sendRaw } from './support/signed-request.ts';

let gateway: RunningGateway;

beforeAll(async () => {
  gateway = await runGateway();
  await gateway.client().send(new CreateBucketCommand({ Bucket: 'docs' }));
});

afterAll(async () => {
  await gateway.stop();
});

beforeEach(() => {
  gateway.upstream.clear();
});

const PATHS = { service: '/', bucket: '/docs', object: '/docs/key' };
const unavailable = OPERATION_LIST.filter((operation) => !isAvailable(operation));
const switchedOff = OPERATION_LIST.filter((operation) => operation.needs !== undefined);

test('the table has operations that are refused, and some that nobody has switched on', () => {
  expect(unavailable.length).toBeGreaterThan(5);
  expect(switchedOff.length).toBeGreaterThan(35);
});

/** Read before the decision, to which its fields belong. */
const INVENTORY = `<InventoryConfiguration><Id>i</Id><IsEnabled>true</IsEnabled><Destination><S3BucketDestination>
  <Format>CSV</Format><Bucket>arn:aws:s3:::other</Bucket></S3BucketDestination></Destination><Schedule>
  <Frequency>Daily</Frequency></Schedule><IncludedObjectVersions>All</IncludedObjectVersions></InventoryConfiguration>`;

describe('operations that the operator has not switched on for the bucket', () => {
  test.each(switchedOff.map((operation) => [operation.name, operation] as const))(
    '%s',
    async (_, operation) => {
      const { query = [], headers = [] } = operation.match;
      const answer = await sendRaw(gateway, {
        method: operation.method,
        path: PATHS[operation.level],
        query: Object.fromEntries(query.map((name) => [name, ''])),
        headers: Object.fromEntries(headers.map((name) => [name, 'docs/source'])),
        ...(operation.body !== 'none' && { body: INVENTORY }),
        credentials: gateway.root,
      });
      expect(answer).toMatchObject({
        status: 501,
        code: 'NotImplemented',
        message: `The operation \`${operation.name}\` is not implemented for this bucket.`,
      });
      expect(gateway.upstream.requestLines()).toEqual([]);
      const record = await gateway.record(answer.headers['x-amz-request-id'] as string);
      expect(record).toMatchObject({
        errorReason: `the operation \`${operation.name}\` needs \`${operation.needs ?? ''}\` in the setting \`operations\` of the bucket \`docs\``,
      });
    },
  );
});

describe('operations', () => {
  test.each(unavailable.map((operation) => [operation.name, operation] as const))(
    '%s',
    async (_, operation) => {
      const { query = [], queryEquals = {}, headers = [] } = operation.match;
      const answer = await sendRaw(gateway, {
        method: operation.method,
        path: PATHS[operation.level],
        query: { ...Object.fromEntries(query.map((name) => [name, ''])), ...queryEquals },
        headers: Object.fromEntries(headers.map((name) => [name, 'docs/source'])),
        credentials: gateway.root,
      });
      expect(answer).toMatchObject(
        operation.method === 'HEAD' ? { status: 501 } : { status: 501, code: 'NotImplemented' },
      );
      expect(gateway.upstream.requestLines()).toEqual([]);
    },
  );
});

describe('sub-resources and parameters', () => {
  test.each([
    ['GET', '/docs', { versionz: '' }],
    ['GET', '/docs/key', { foo: 'bar' }],
    ['PUT', '/docs/key', { append: '' }],
    ['DELETE', '/docs/key', { uploadid: 'x' }],
    ['GET', '/docs', { tagging: '', acl: '' }],
    ['GET', '/docs', { 'list-type': '3' }],
    ['POST', '/docs/key', { compose: '' }],
    ['POST', '/docs/key', {}],
    ['PUT', '/docs', { policy: '', versionId: 'x' }],
    ['GET', '/', { Action: 'ListUsers' }],
  ])('%s %s %j', async (method, path, query) => {
    const answer = await sendRaw(gateway, {
      method,
      path,
      query,
      credentials: gateway.root,
    });
    expect(answer).toMatchObject({ status: 501, code: 'NotImplemented' });
    expect(gateway.upstream.requestLines()).toEqual([]);
  });
});

describe('headers', () => {
  test.each([
    ['PUT', 'x-amz-website-redirect-location', 'https://www.example.com/'],
    ['PUT', 'x-amz-request-payer', 'requester'],
    ['PUT', 'x-amz-server-side-encryption', 'aws:kms'],
    ['PUT', 'x-amz-server-side-encryption-aws-kms-key-id', 'arn:aws:kms:us-east-1:123456789012:key/k'],
    ['PUT', 'x-amz-something-new', '1'],
    ['PUT', 'x-amz-rename-source', 'docs/other'],
    ['GET', 'x-amz-copy-source', 'docs/other'],
    ['DELETE', 'x-amz-mfa', '123 456'],
    ['PUT', 'content-range', 'bytes 0-1/2'],
    ['PUT', 'if-modified-since', 'Wed, 21 Oct 2015 07:28:00 GMT'],
  ])('%s with %s', async (method, name, value) => {
    const answer = await sendRaw(gateway, {
      method,
      path: '/docs/key',
      headers: { [name]: value },
      ...(method === 'PUT' && { body: 'x' }),
      credentials: gateway.root,
    });
    expect(answer).toMatchObject({ status: 501, code: 'NotImplemented' });
    expect(gateway.upstream.requestLines()).toEqual([]);
  });
});

test.each(['PATCH', 'PROPFIND', 'TRACE'])('the method %s is MethodNotAllowed', async (method) => {
  const answer = await exchange(gateway.port, { method, target: '/docs/key', headers: { host: 'x' } });
  expect(answer).toMatchObject({ status: 405, code: 'MethodNotAllowed' });
  expect(gateway.upstream.requestLines()).toEqual([]);
});

test('SOAP is refused in S3’s words', async () => {
  const answer = await exchange(gateway.port, {
    method: 'POST',
    target: '/soap',
    headers: { host: 'x', 'content-type': 'text/xml', soapaction: '""' },
    body: '<Envelope/>',
  });
  expect(answer).toMatchObject({ status: 501, code: 'NotImplemented' });
  expect(answer.message).toMatch(/^SOAP APIs for Amazon S3 are not available/);
});

test.each([
  ['in the header', '/docs/key', { authorization: 'AWS AKIAIOSFODNN7EXAMPLE:bWq2s1WEIj+Ydj0vQ697zp+IXMU=' }],
  ['in the query', '/docs/key?AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Expires=1893456000&Signature=x', {}],
])('SigV2 %s is refused in S3’s words', async (_, target, headers) => {
  const answer = await exchange(gateway.port, { target, headers: { host: 'x', ...headers } });
  expect(answer).toMatchObject({
    status: 400,
    code: 'InvalidRequest',
    message: 'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.',
  });
  expect(gateway.upstream.requestLines()).toEqual([]);
});
