/** The access log: one record of every request, in JSON and in S3's format, and no secret in either. */
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rename } from 'node:fs/promises';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runGateway, type LogLine, type RunningGateway } from '../support/running-gateway.ts';
import { exchange, sendRaw } from './support/signed-request.ts';

const Bucket = 'docs';
let gateway: RunningGateway;
let s3: S3Client;
let accessLog: string;

beforeAll(async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'bucketwarden-'));
  accessLog = join(dataDir, 'access.log');
  gateway = await runGateway({ dataDir, env: { ACCESS_LOG: accessLog } });
  s3 = gateway.client();
  await s3.send(new CreateBucketCommand({ Bucket }));
  await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'hello' }));
});

afterAll(async () => {
  await gateway.stop();
});

/** As the S3 User Guide gives it for Athena ("Querying access logs"), with its fields named. */
const S3_LINE =
  /^(?<owner>[^ ]*) (?<bucket>[^ ]*) \[(?<time>.*?)\] (?<remoteip>[^ ]*) (?<requester>[^ ]*) (?<requestid>[^ ]*) (?<operation>[^ ]*) (?<key>[^ ]*) (?<uri>"[^"]*"|-) (?<status>-|[0-9]*) (?<error>[^ ]*) (?<bytes>[^ ]*) (?<size>[^ ]*) (?<total>[^ ]*) (?<turnaround>[^ ]*) (?<referer>"[^"]*"|-) (?<agent>"[^"]*"|-) (?<version>[^ ]*) (?<hostid>[^ ]*) (?<sigv>[^ ]*) (?<cipher>[^ ]*) (?<auth>[^ ]*) (?<host>[^ ]*) (?<tls>[^ ]*) (?<arn>[^ ]*) (?<acl>[^ ]*) (?<region>[^ ]*)$/;

/** The lines of a request; waits until so many are written. */
async function linesOf(requestId: string, count = 1): Promise<readonly Record<string, string | undefined>[]> {
  for (;;) {
    const text = await readFile(accessLog, 'utf8');
    const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
    const found = lines.filter((line) => line.includes(requestId));
    if (found.length >= count) return found.map((line) => S3_LINE.exec(line)?.groups ?? {});
  }
}

test('an allowed request', async () => {
  const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'k', Range: 'bytes=0-1' }));
  await got.Body?.transformToString();
  const requestId = got.$metadata.requestId ?? '';
  const record = await gateway.record(requestId);
  expect(record).toMatchObject({
    requestTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string,
    requestId,
    hostId: got.$metadata.extendedRequestId,
    remoteAddress: '127.0.0.1',
    method: 'GET',
    requestUri: `/${Bucket}/k?x-id=GetObject`,
    httpVersion: '1.1',
    userAgent: expect.stringContaining('aws-sdk-js') as string,
    operation: 'GetObject',
    bucket: Bucket,
    bucketOwner: '000000000000',
    key: 'k',
    principal: 'arn:aws:iam::000000000000:root',
    accessKeyId: gateway.root.accessKeyId,
    authType: 'AuthHeader',
    signatureVersion: 'SigV4',
    decision: { effect: 'Allow', action: 's3:GetObject', resource: `arn:aws:s3:::${Bucket}/k` },
    status: 206,
    bytesReceived: 0,
    bytesSent: 2,
    objectSize: 5,
    totalTimeMs: expect.any(Number) as number,
    outcome: 'completed',
    upstream: { status: 206, requestId: expect.stringMatching(/^[0-9A-F]{16}$/) as string },
  });
  const [line] = await linesOf(requestId);
  expect(line).toMatchObject({
    owner: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    bucket: Bucket,
    time: expect.stringMatching(/^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/) as string,
    remoteip: '127.0.0.1',
    requester: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    requestid: requestId,
    operation: 'REST.GET.OBJECT',
    key: 'k',
    uri: `"GET /${Bucket}/k?x-id=GetObject HTTP/1.1"`,
    status: '206',
    error: '-',
    bytes: '2',
    size: '5',
    hostid: got.$metadata.extendedRequestId,
    sigv: 'SigV4',
    auth: 'AuthHeader',
    tls: '-',
  });
});

test('an upload tells of the bytes received', async () => {
  const put = await s3.send(new PutObjectCommand({ Bucket, Key: 'up', Body: Buffer.alloc(100_000) }));
  expect(await gateway.record(put.$metadata.requestId ?? '')).toMatchObject({
    operation: 'PutObject',
    bytesReceived: 100_000,
    bytesSent: 0,
    objectSize: 100_000,
  });
});

test('a refused request names who, what and why', async () => {
  const reader = await gateway.keyWithPolicy('reader', {
    Version: '2012-10-17',
    Statement: [
      { Sid: 'Read', Effect: 'Allow', Action: 's3:GetObject', Resource: '*' },
      { Sid: 'NoDelete', Effect: 'Deny', Action: 's3:DeleteObject', Resource: '*' },
    ],
  });
  const remove = await sendRaw(gateway, { method: 'DELETE', path: `/${Bucket}/k`, credentials: reader });
  const id = String(remove.headers['x-amz-request-id']);
  expect(await gateway.record(id)).toMatchObject({
    operation: 'DeleteObject',
    principal: 'arn:aws:iam::000000000000:user/reader',
    accessKeyId: reader.accessKeyId,
    decision: { effect: 'Deny', action: 's3:DeleteObject', by: { sid: 'NoDelete', index: 1 } },
    status: 403,
    errorCode: 'AccessDenied',
    outcome: 'completed',
  });
  const [line] = await linesOf(id);
  expect(line).toMatchObject({
    status: '403',
    error: 'AccessDenied',
    requester: 'arn:aws:iam::000000000000:user/reader',
  });
  const put = await sendRaw(gateway, { method: 'PUT', path: `/${Bucket}/k`, body: 'x', credentials: reader });
  expect(await gateway.record(String(put.headers['x-amz-request-id']))).toMatchObject({
    decision: { effect: 'Deny', action: 's3:PutObject', reason: 'no identity policy allows it' },
  });
});

test('a wrong secret, and an unknown key', async () => {
  const wrong = { ...gateway.root, secretAccessKey: 'wrong' };
  const answer = await sendRaw(gateway, { path: `/${Bucket}/k`, credentials: wrong });
  const record = await gateway.record(String(answer.headers['x-amz-request-id']));
  expect(record).toMatchObject({
    errorCode: 'SignatureDoesNotMatch',
    accessKeyId: wrong.accessKeyId,
    status: 403,
  });
  expect(record).not.toHaveProperty('principal');
  const unknown = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'x' };
  const refused = await sendRaw(gateway, { path: `/${Bucket}/k`, credentials: unknown });
  expect(await gateway.record(String(refused.headers['x-amz-request-id']))).toMatchObject({
    errorCode: 'InvalidAccessKeyId',
    accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  });
});

test('what is no HTTP', async () => {
  const text = await new Promise<string>((resolve, reject) => {
    const socket = connect(gateway.port, '127.0.0.1');
    let answer = '';
    socket.on('data', (chunk) => (answer += chunk.toString('latin1')));
    socket.on('error', reject);
    socket.on('close', () => {
      resolve(answer);
    });
    socket.end('GET /docs/k HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n');
  });
  expect(text).toMatch(/^HTTP\/1\.1 400 /);
  const requestId = /x-amz-request-id: (\S+)/.exec(text)?.[1] ?? '';
  expect(await gateway.record(requestId)).toMatchObject({
    outcome: 'malformed',
    status: 400,
    errorCode: 'BadRequest',
  });
  const [line] = await linesOf(requestId);
  expect(line).toMatchObject({ requestid: requestId, status: '400', operation: '-', uri: '-' });
});

test('a client that went away in the middle of its upload', async () => {
  const url = new URL(await getSignedUrl(s3, new PutObjectCommand({ Bucket, Key: 'broken-off' })));
  const outgoing = request({
    host: '127.0.0.1',
    port: gateway.port,
    method: 'PUT',
    path: url.pathname + url.search,
    headers: { host: url.host, 'content-length': '1000000' },
  });
  outgoing.on('error', () => undefined);
  outgoing.write(Buffer.alloc(1000), () => outgoing.socket?.resetAndDestroy());
  const record = await gateway.line(({ msg, key }) => msg === 'access' && key === 'broken-off');
  expect(record).toMatchObject({ operation: 'PutObject', outcome: 'aborted-by-client', bytesReceived: 1000 });
  await expect(s3.send(new GetObjectCommand({ Bucket, Key: 'broken-off' }))).rejects.toMatchObject({
    name: 'NoSuchKey',
  });
});

test('a copy has a second line for what was read, and DeleteObjects one for each key', async () => {
  const copy = await s3.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource: `${Bucket}/k` }));
  const copied = await linesOf(copy.$metadata.requestId ?? '', 2);
  expect(
    copied.map(({ operation, key, owner }) => [operation, key, /^[0-9a-f]{64}$/.test(owner ?? '')]),
  ).toEqual([
    ['REST.COPY.OBJECT', 'copy', true],
    ['REST.COPY.OBJECT_GET', 'k', true],
  ]);
  const Objects = [{ Key: 'copy' }, { Key: 'a b' }];
  const removed = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
  const lines = await linesOf(removed.$metadata.requestId ?? '', 3);
  expect(lines.map(({ operation, key, status }) => [operation, key, status])).toEqual([
    ['REST.POST.MULTI_OBJECT_DELETE', '-', '200'],
    ['BATCH.DELETE.OBJECT', 'copy', '204'],
    ['BATCH.DELETE.OBJECT', 'a%20b', '204'],
  ]);
});

test('odd keys, agents and referers stay one line with all fields', async () => {
  const headers = { 'user-agent': 'a "quoted" \t agent', referer: 'http://x/ "y" z' };
  const answer = await sendRaw(gateway, {
    path: `/${Bucket}/a%0Ab%20%22c%22%5D`,
    headers,
    credentials: gateway.root,
  });
  const [line] = await linesOf(String(answer.headers['x-amz-request-id']));
  expect(line).toMatchObject({
    operation: 'REST.GET.OBJECT',
    status: '404',
    error: 'NoSuchKey',
    region: '-',
  });
});

test('no secret, signature, token or SSE-C key is in any of it', async () => {
  const customerKey = randomBytes(32);
  const sse = {
    SSECustomerAlgorithm: 'AES256',
    SSECustomerKey: customerKey.toString('base64'),
    SSECustomerKeyMD5: createHash('md5').update(customerKey).digest('base64'),
  };
  // The store behind has no SSE-C: how it answers is of no interest here.
  await s3.send(new PutObjectCommand({ Bucket, Key: 'sse', Body: 'x', ...sse })).catch(() => undefined);
  const secrets = [
    gateway.root.secretAccessKey,
    customerKey.toString('base64'),
    encodeURIComponent(customerKey.toString('base64')),
    'MADEUPTOKEN',
  ];
  const urls = [
    await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: 'k' })),
    await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: 'k', ...sse })),
    await getSignedUrl(
      gateway.client({ ...gateway.root, sessionToken: 'MADEUPTOKEN' } as typeof gateway.root),
      new GetObjectCommand({ Bucket, Key: 'k' }),
    ),
  ];
  for (const url of urls) {
    const { pathname, search, searchParams, host } = new URL(url);
    secrets.push(searchParams.get('X-Amz-Signature') ?? '');
    const headers = { host, referer: url };
    const answer = await exchange(gateway.port, { target: pathname + search, headers });
    await linesOf(String(answer.headers['x-amz-request-id']));
  }
  const written = [await readFile(accessLog, 'utf8'), JSON.stringify(gateway.lines)];
  for (const secret of secrets) {
    expect(secret.length).toBeGreaterThan(10);
    for (const text of written) expect(text.includes(secret)).toBe(false);
  }
  // Signatures of the header form, too: nothing that looks like one.
  for (const text of written) expect(text).not.toMatch(/Signature=[0-9a-f]{64}|AWS4-HMAC-SHA256 Credential/);
});

test('after rotation the file is opened anew', async () => {
  await rename(accessLog, `${accessLog}.1`);
  await gateway.reload();
  const got = await sendRaw(gateway, { path: `/${Bucket}/k`, credentials: gateway.root });
  const [line] = await linesOf(String(got.headers['x-amz-request-id']));
  expect(line).toMatchObject({ operation: 'REST.GET.OBJECT' });
});

test('every request has one record', async () => {
  const ids = gateway.lines.filter(({ msg }: LogLine) => msg === 'access').map(({ requestId }) => requestId);
  expect(new Set(ids).size).toBe(ids.length);
  const file = await readFile(`${accessLog}.1`, 'utf8');
  for (const line of file.trimEnd().split('\n')) expect(line).toMatch(S3_LINE);
});
