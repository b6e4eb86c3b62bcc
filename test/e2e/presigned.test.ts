/** Presigned URLs, made by the AWS SDK's presigner, used by a plain HTTP client. */
import {
  CreateBucketCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runGateway, type RunningGateway } from '../support/running-gateway.ts';
import { exchange, type RawAnswer } from './support/signed-request.ts';

const Bucket = 'docs';
let gateway: RunningGateway;
let s3: S3Client;

beforeAll(async () => {
  gateway = await runGateway();
  s3 = gateway.client();
  await s3.send(new CreateBucketCommand({ Bucket }));
  await s3.send(new PutObjectCommand({ Bucket, Key: 'a b/ü.txt', Body: 'hello', ContentType: 'text/plain' }));
});

afterAll(async () => {
  await gateway.stop();
});

function use(
  url: string,
  request: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<RawAnswer> {
  const { host, pathname, search } = new URL(url);
  const { headers, body = '', method = 'GET' } = request;
  const length = method === 'PUT' ? { 'content-length': String(Buffer.byteLength(body)) } : {};
  return exchange(gateway.port, {
    method,
    target: pathname + search,
    headers: { host, ...length, ...headers },
    body,
  });
}

const get = new GetObjectCommand({ Bucket, Key: 'a b/ü.txt' });

test('a GET', async () => {
  const answer = await use(await getSignedUrl(s3, get, { expiresIn: 60 }));
  expect(answer).toMatchObject({ status: 200, body: 'hello', headers: { 'content-type': 'text/plain' } });
  const record = await gateway.record(String(answer.headers['x-amz-request-id']));
  expect(record).toMatchObject({ authType: 'QueryString', signatureVersion: 'SigV4', status: 200 });
});

test('a range of it, and HEAD by a URL of its own', async () => {
  const url = await getSignedUrl(s3, get);
  expect(await use(url, { headers: { range: 'bytes=1-3' } })).toMatchObject({ status: 206, body: 'ell' });
  // The method is part of what was signed.
  expect(await use(url, { method: 'HEAD' })).toMatchObject({ status: 403 });
  const head = await getSignedUrl(s3, new HeadObjectCommand({ Bucket, Key: 'a b/ü.txt' }));
  expect(await use(head, { method: 'HEAD' })).toMatchObject({
    status: 200,
    headers: { 'content-length': '5' },
  });
});

test('response overrides are part of the signature', async () => {
  const url = await getSignedUrl(
    s3,
    new GetObjectCommand({
      Bucket,
      Key: 'a b/ü.txt',
      ResponseContentDisposition: 'attachment; filename="x y.txt"',
      ResponseContentType: 'application/octet-stream',
    }),
  );
  expect(await use(url)).toMatchObject({
    status: 200,
    headers: {
      'content-disposition': 'attachment; filename="x y.txt"',
      'content-type': 'application/octet-stream',
    },
  });
  const changed = url.replace('octet-stream', 'html');
  expect(await use(changed)).toMatchObject({ status: 403, code: 'SignatureDoesNotMatch' });
});

test('a PUT stores, with the headers that the presigner moved into the query', async () => {
  const put = new PutObjectCommand({ Bucket, Key: 'uploaded', Metadata: { color: 'blue' }, Tagging: 'a=1' });
  const url = await getSignedUrl(s3, put);
  expect(url).toContain('x-amz-meta-color=blue');
  expect(url).toContain('x-amz-tagging=');
  // By default the SDK adds this, which is the checksum of no body.
  expect(url).toContain('x-amz-checksum-crc32=AAAAAA%3D%3D');
  const answer = await use(url, { method: 'PUT', body: 'up', headers: { 'content-type': 'text/x-up' } });
  expect(answer).toMatchObject({ status: 200 });
  const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'uploaded' }));
  expect(got).toMatchObject({ Metadata: { color: 'blue' }, TagCount: 1, ContentType: 'text/x-up' });
  expect(await got.Body?.transformToString()).toBe('up');
});

test('a moved header must not come again with another value', async () => {
  const put = new PutObjectCommand({ Bucket, Key: 'uploaded', Metadata: { color: 'blue' } });
  const url = await getSignedUrl(s3, put);
  gateway.upstream.clear();
  const answer = await use(url, { method: 'PUT', body: 'up', headers: { 'x-amz-meta-color': 'red' } });
  expect(answer.status).toBeGreaterThanOrEqual(400);
  const added = await use(url, { method: 'PUT', body: 'up', headers: { 'x-amz-tagging': 'a=1' } });
  expect(added).toMatchObject({ status: 403, code: 'AccessDenied' });
  expect(added.body).toContain('<HeadersNotSigned>x-amz-tagging</HeadersNotSigned>');
  expect(gateway.upstream.requestLines()).toEqual([]);
});

test('a checksum that was signed into the URL holds for the upload', async () => {
  const put = new PutObjectCommand({ Bucket, Key: 'pinned', ChecksumCRC32: 'NhCmhg==' });
  const url = await getSignedUrl(s3, put);
  expect(await use(url, { method: 'PUT', body: 'other' })).toMatchObject({ status: 400, code: 'BadDigest' });
  expect(await use(url, { method: 'PUT', body: 'hello' })).toMatchObject({ status: 200 });
});

test('an upload with a signed Content-Type takes that one only', async () => {
  const put = new PutObjectCommand({ Bucket, Key: 'typed', ContentType: 'image/png' });
  const url = await getSignedUrl(s3, put, { signableHeaders: new Set(['content-type']) });
  const headers = { 'content-type': 'text/html' };
  expect(await use(url, { method: 'PUT', body: 'x', headers })).toMatchObject({
    code: 'SignatureDoesNotMatch',
  });
  const right = { 'content-type': 'image/png' };
  expect(await use(url, { method: 'PUT', body: 'x', headers: right })).toMatchObject({ status: 200 });
});

test('expired', async () => {
  const past = new Date(Date.now() - 120_000);
  const answer = await use(await getSignedUrl(s3, get, { expiresIn: 60, signingDate: past }));
  expect(answer).toMatchObject({ status: 403, code: 'AccessDenied', message: 'Request has expired' });
  expect(answer.body).toContain('<X-Amz-Expires>60</X-Amz-Expires>');
});

test('not valid yet', async () => {
  const future = new Date(Date.now() + 20 * 60_000);
  const answer = await use(await getSignedUrl(s3, get, { signingDate: future }));
  expect(answer).toMatchObject({ status: 403, code: 'AccessDenied', message: 'Request is not valid yet.' });
});

test('a week is the longest', async () => {
  const week = await getSignedUrl(s3, get, { expiresIn: 604_800 });
  expect(await use(week)).toMatchObject({ status: 200 });
  const longer = week.replace('X-Amz-Expires=604800', 'X-Amz-Expires=604801');
  expect(await use(longer)).toMatchObject({ status: 400, code: 'AuthorizationQueryParametersError' });
});

test('another key, another signature', async () => {
  const url = await getSignedUrl(s3, get);
  expect(await use(url.replace('.txt', '.tx'))).toMatchObject({ code: 'SignatureDoesNotMatch' });
  const forged = url.replace(/X-Amz-Signature=[0-9a-f]{4}/, 'X-Amz-Signature=0000');
  expect(await use(forged)).toMatchObject({ status: 403, code: 'SignatureDoesNotMatch' });
});

test('beside an Authorization header of AWS it is refused, beside another it holds', async () => {
  const url = await getSignedUrl(s3, get);
  const both = await use(url, { headers: { authorization: 'AWS4-HMAC-SHA256 Credential=x' } });
  expect(both).toMatchObject({ status: 400, code: 'InvalidArgument' });
  expect(both.message).toMatch(/^Only one auth mechanism allowed/);
  expect(await use(url, { headers: { authorization: 'Bearer abc' } })).toMatchObject({ status: 200 });
});

test('a session token is of no key here, in the query and in the header', async () => {
  const temporary = gateway.client({ ...gateway.root, sessionToken: 'made-up-token' } as typeof gateway.root);
  const answer = await use(await getSignedUrl(temporary, get));
  expect(answer).toMatchObject({ status: 400, code: 'InvalidToken' });
  await expect(temporary.send(get)).rejects.toMatchObject({ name: 'InvalidToken' });
});

test('a key without the right can sign, and gets nowhere', async () => {
  const key = await gateway.keyWithPolicy('nobody', {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: 's3:PutObject', Resource: `arn:aws:s3:::${Bucket}/mine/*` }],
  });
  const answer = await use(await getSignedUrl(gateway.client(key), get));
  expect(answer).toMatchObject({ status: 403, code: 'AccessDenied' });
});
