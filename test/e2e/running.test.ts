/** The gateway as a service: limits, time-outs, clients and upstreams that break off, health, metrics, stopping. */
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { createServer, get, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runGateway, type RunningGateway } from '../support/running-gateway.ts';
import { sendRaw, type RawAnswer } from './support/signed-request.ts';

const Bucket = 'docs';
const IDLE_MS = 400;

describe('limits', () => {
  let gateway: RunningGateway;

  beforeAll(async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'bucketwarden-'));
    const file = join(dataDir, 'settings.yaml');
    await writeFile(file, `limits: { idleTimeout: ${IDLE_MS}ms, headersTimeout: 500ms, connections: 20 }\n`);
    gateway = await runGateway({ file, dataDir });
    await gateway.client().send(new CreateBucketCommand({ Bucket }));
  });

  afterAll(async () => {
    await gateway.stop();
  });

  test('headers above 8 KB are RequestHeaderSectionTooLarge', async () => {
    const headers = { 'x-padding': 'x'.repeat(8192) };
    const answer = await sendRaw(gateway, { path: `/${Bucket}/k`, headers, credentials: gateway.root });
    expect(answer).toMatchObject({ status: 400, code: 'RequestHeaderSectionTooLarge' });
    expect(answer.body).toContain('<MaxSizeAllowed>8192</MaxSizeAllowed>');
    const huge = { 'x-padding': 'x'.repeat(60_000) };
    expect(await sendRaw(gateway, { path: `/${Bucket}/k`, headers: huge })).toMatchObject({
      status: 400,
      code: 'RequestHeaderSectionTooLarge',
    });
  });

  test('user metadata may have 2 KB, names included', async () => {
    expect(await putMetadata(gateway, 2048)).toMatchObject({ status: 200 });
    const tooLarge = await putMetadata(gateway, 2049);
    expect(tooLarge).toMatchObject({ status: 400, code: 'MetadataTooLarge' });
    expect(tooLarge.body).toContain('<Size>2049</Size><MaxSizeAllowed>2048</MaxSizeAllowed>');
  });

  test('a stalled upload is cut', async () => {
    const socket = await startUpload(gateway, 'stalled', 1000);
    socket.write('x'.repeat(10));
    const started = Date.now();
    await closed(socket);
    expect(Date.now() - started).toBeGreaterThanOrEqual(IDLE_MS - 50);
    const record = await gateway.line(({ msg, key }) => msg === 'access' && key === 'stalled');
    expect(record).toMatchObject({ outcome: 'aborted-by-client', bytesReceived: 10 });
  });

  test('a slow upload that keeps moving is not, however long it takes', async () => {
    const pieces = 12;
    const socket = await startUpload(gateway, 'slow', pieces);
    const answer = new Promise<string>((resolve) => {
      socket.once('data', (chunk) => {
        resolve(chunk.toString('latin1'));
      });
    });
    let left = pieces;
    const drip = setInterval(() => {
      socket.write('x');
      if (--left === 0) clearInterval(drip);
    }, IDLE_MS / 4);
    expect(await answer).toMatch(/^HTTP\/1\.1 200 /);
    socket.destroy();
    const record = await gateway.line(({ msg, key }) => msg === 'access' && key === 'slow');
    expect(record['totalTimeMs']).toBeGreaterThan(2 * IDLE_MS);
  });

  test('headers that do not come to an end are RequestTimeout', async () => {
    const socket = connect(gateway.port, '127.0.0.1');
    let answer = '';
    socket.on('data', (chunk) => (answer += chunk.toString('latin1')));
    const trickle = setInterval(() => socket.write('x'), 100);
    socket.write('GET /docs/k HTTP/1.1\r\nHost: x\r\nx-slow: ');
    await closed(socket);
    clearInterval(trickle);
    expect(answer).toMatch(/^HTTP\/1\.1 400 [^]*<Code>RequestTimeout<\/Code>/);
  });
});

describe('a vanished client or upstream', () => {
  let gateway: RunningGateway;
  let upstream: FakeUpstream;

  beforeAll(async () => {
    upstream = await openFakeUpstream();
    gateway = await runGateway({ env: { UPSTREAM_ENDPOINT: upstream.endpoint, UPSTREAM_BUCKETS: '*' } });
  });

  afterAll(async () => {
    await gateway.stop();
    await upstream.close();
  });

  test('a client that leaves in the middle of a download ends the upstream’s', async () => {
    const url = new URL(await presignedGet(gateway, 'endless'));
    const asked = upstream.next();
    const client = get({
      host: '127.0.0.1',
      port: gateway.port,
      path: url.pathname + url.search,
      headers: { host: url.host },
    });
    client.on('error', () => undefined);
    const { response } = await asked;
    response.writeHead(200, { 'content-length': '1000000' });
    response.write('first bytes');
    const answer = await new Promise<IncomingMessage>((resolve) => client.on('response', resolve));
    await new Promise((resolve) => answer.once('data', resolve));
    const ended = new Promise((resolve) => response.on('close', resolve));
    answer.destroy();
    await ended;
    const record = await gateway.line(({ msg, key }) => msg === 'access' && key === 'endless');
    expect(record).toMatchObject({ outcome: 'aborted-by-client', status: 200, bytesSent: 11 });
  });

  test('a client that leaves in the middle of an upload ends the upstream’s, with bytes outstanding', async () => {
    const asked = upstream.next();
    const socket = await startUpload(gateway, 'half', 200_000);
    socket.write('x'.repeat(150_000));
    const { request } = await asked;
    expect(request.headers['x-amz-decoded-content-length']).toBe('200000');
    const ended = new Promise((resolve) => request.on('close', resolve));
    request.on('error', () => undefined);
    request.resume();
    socket.resetAndDestroy();
    await ended;
    expect(request.complete).toBe(false);
    expect(await gateway.line(({ msg, key }) => msg === 'access' && key === 'half')).toMatchObject({
      outcome: 'aborted-by-client',
    });
  });

  test('an upstream that breaks off in the middle cuts the client’s download: it is never taken for whole', async () => {
    const asked = upstream.next();
    const got = gateway.client().send(new GetObjectCommand({ Bucket, Key: 'cut' }));
    const { response } = await asked;
    response.writeHead(200, { 'content-length': '1000' });
    response.write('half');
    const { Body } = await got;
    const content = Body?.transformToString();
    response.destroy();
    await expect(content).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  test('an upstream that cannot be reached is 503, without a word about it', async () => {
    const asked = upstream.next();
    const listed = gateway.client().send(new ListObjectsV2Command({ Bucket }));
    (await asked).response.destroy();
    // Reading again is safe, so that a connection which ended counts as a stale one, once.
    (await upstream.next()).response.destroy();
    const refused = await listed.catch((error: unknown) => error);
    expect(refused).toMatchObject({ name: 'ServiceUnavailable', $metadata: { httpStatusCode: 503 } });
    expect(String(refused)).not.toContain('127.0.0.1');
  });

  test('a graceful stop finishes a running download, and takes no new connection', async () => {
    const asked = upstream.next();
    const got = gateway.client().send(new GetObjectCommand({ Bucket, Key: 'last' }));
    const { response } = await asked;
    response.writeHead(200, { 'content-length': '12' });
    response.write('hello ');
    const { Body } = await got;
    const stopped = gateway.close();
    await expect(connected(gateway.port)).resolves.toBe(false);
    response.end('world!');
    expect(await Body?.transformToString()).toBe('hello world!');
    await stopped;
    expect(await gateway.line(({ msg, key }) => msg === 'access' && key === 'last')).toMatchObject({
      outcome: 'completed',
      bytesSent: 12,
    });
  });
});

describe('the admin port', () => {
  let gateway: RunningGateway;

  beforeAll(async () => {
    gateway = await runGateway();
    const s3 = gateway.client();
    await s3.send(new CreateBucketCommand({ Bucket }));
    await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x' }));
    await s3.send(new GetObjectCommand({ Bucket, Key: 'none' })).catch(() => undefined);
    await sendRaw(gateway, { path: `/${Bucket}/k` });
  });

  afterAll(async () => {
    await gateway.stop();
  });

  const page = async (path: string): Promise<{ status: number; text: string }> => {
    const answer = await fetch(`http://127.0.0.1:${gateway.adminPort}${path}`);
    return { status: answer.status, text: await answer.text() };
  };

  test('/healthz and /readyz', async () => {
    expect(await page('/healthz')).toMatchObject({ status: 200 });
    const ready = await page('/readyz');
    expect(ready.status).toBe(200);
    expect(JSON.parse(ready.text)).toMatchObject({ ready: true });
  });

  test('/metrics counts requests, decisions and refusals', async () => {
    const { status, text } = await page('/metrics');
    expect(status).toBe(200);
    expect(text).toMatch(/^# TYPE \w+ counter$/m);
    expect(text).toMatch(/^\w+requests_total\{[^}]*operation="PutObject"[^}]*\} 1$/m);
    expect(text).toMatch(/^\w+refusals_total\{[^}]*code="AccessDenied"[^}]*\} 1$/m);
    for (const line of text.trimEnd().split('\n'))
      expect(line).toMatch(
        /^(?:# (?:HELP|TYPE) \w+ .+|\w+(?:\{[^}]*\})? [\d.e+-]+|\w+_bucket\{[^}]*le="\+Inf"\} \d+)$/,
      );
  });

  test('are not on the S3 port, nor S3 on theirs', async () => {
    expect(await sendRaw(gateway, { path: '/metrics' })).toMatchObject({ status: 403 });
    expect((await page(`/${Bucket}/k`)).status).toBe(404);
  });
});

interface FakeUpstream {
  readonly endpoint: string;
  /** The next request that comes. */
  next(): Promise<{ readonly request: IncomingMessage; readonly response: ServerResponse }>;
  close(): Promise<void>;
}

/** An upstream of which every byte is in the hands of the test. */
async function openFakeUpstream(): Promise<FakeUpstream> {
  const waiting: ((exchange: { request: IncomingMessage; response: ServerResponse }) => void)[] = [];
  const come: { request: IncomingMessage; response: ServerResponse }[] = [];
  const server: Server = createServer((request, response) => {
    const taker = waiting.shift();
    if (taker === undefined) come.push({ request, response });
    else taker({ request, response });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    next: () =>
      new Promise((resolve) => {
        const first = come.shift();
        if (first === undefined) waiting.push(resolve);
        else resolve(first);
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

/** @param bytes of the name and the value together. */
function putMetadata(gateway: RunningGateway, bytes: number): Promise<RawAnswer> {
  return sendRaw(gateway, {
    method: 'PUT',
    path: `/${Bucket}/meta`,
    headers: { 'content-length': '0', 'x-amz-meta-name': 'v'.repeat(bytes - 'name'.length) },
    credentials: gateway.root,
  });
}

function presignedGet(gateway: RunningGateway, Key: string): Promise<string> {
  return getSignedUrl(gateway.client(), new GetObjectCommand({ Bucket, Key }));
}

/** Sends the head of an upload; its body is up to the test. */
async function startUpload(gateway: RunningGateway, Key: string, length: number): Promise<Socket> {
  const url = new URL(await getSignedUrl(gateway.client(), new PutObjectCommand({ Bucket, Key })));
  const socket = connect(gateway.port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(
    `PUT ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\nContent-Length: ${length}\r\n\r\n`,
  );
  return socket;
}

function closed(socket: Socket): Promise<unknown> {
  socket.resume();
  return new Promise((resolve) => socket.once('close', resolve));
}

function connected(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      resolve(true);
      socket.destroy();
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
}
