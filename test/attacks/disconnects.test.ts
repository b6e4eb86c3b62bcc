/** Clients that vanish, stall, or wait to be asked: at every stage, and what is left of them. */
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { RawConnection } from '../support/raw-client.ts';
import { render, renderHead, type SignedRequest } from '../support/raw-signer.ts';
import type { LogLine } from '../support/running-gateway.ts';
import { BUCKET, lines, openArena, type Arena } from './arena.ts';

let arena: Arena;

/** Larger than what sockets and streams between store and client can hold. */
const LARGE = Buffer.alloc(24 * 1024 * 1024, 'abcdefghijk');

beforeAll(async () => {
  arena = await openArena();
  await arena.put('download', LARGE);
});

afterAll(async () => {
  await arena.finish();
});

/** The record of the request with this target. */
function recordOf(target: string): Promise<LogLine> {
  return arena.gateway.line((line) => line['msg'] === 'access' && line['requestUri'] === target);
}

function expecting(key: string, options: Partial<Parameters<Arena['sign']>[0]> = {}): SignedRequest {
  return arena.sign({
    method: 'PUT',
    target: `/${BUCKET}/${key}`,
    body: 'hello',
    headers: [['Expect', '100-continue']],
    ...options,
  });
}

async function checkSettled(): Promise<void> {
  await vi.waitFor(async () => {
    expect(await arena.inFlight()).toBe(0);
  });
}

const ENDINGS: readonly (readonly [string, (connection: RawConnection) => void])[] = [
  ['resets', (connection) => connection.reset()],
  ['ends', (connection) => void connection.socket.end()],
];

describe.each(ENDINGS)('a client that %s', (ending, leave) => {
  const put = (key: string, body: Buffer): SignedRequest =>
    arena.sign({ method: 'PUT', target: `/${BUCKET}/${ending}-${key}`, body });

  test('before its headers end leaves nothing', async () => {
    const head = renderHead(arena.sign({ target: `/${BUCKET}/download` }));
    for (const length of [1, 10, head.length - 2]) {
      arena.gateway.upstream.clear();
      const connection = await arena.connect();
      await connection.write(head.subarray(0, length));
      leave(connection);
      await connection.closed;
      expect(arena.gateway.upstream.sent.join('')).toBe('');
    }
    await checkSettled();
  });

  test.each([
    ['after the headers', 0],
    ['in the middle', LARGE.length / 2],
    ['one byte short', LARGE.length - 1],
  ])('%s of an upload stores nothing', async (stage, length) => {
    const key = `upload-${length}`;
    const request = put(key, LARGE);
    const connection = await arena.connect();
    await connection.write(Buffer.concat([renderHead(request), request.body.subarray(0, length)]));
    leave(connection);
    await connection.closed;
    const record = await recordOf(request.target);
    expect({ stage, outcome: record['outcome'], errorCode: record['errorCode'] }).toEqual(
      ending === 'resets'
        ? { stage, outcome: 'aborted-by-client', errorCode: undefined }
        : { stage, outcome: 'completed', errorCode: 'IncompleteBody' },
    );
    await checkSettled();
    await arena.checkAbsent(`${ending}-${key}`);
  });

  test('one byte short of a small upload leaves the upstream alone', async () => {
    const request = put('small', Buffer.from('hello'));
    arena.gateway.upstream.clear();
    const connection = await arena.connect();
    await connection.write(render(request).subarray(0, -1));
    leave(connection);
    await connection.closed;
    await recordOf(request.target);
    expect(arena.gateway.upstream.sent.join('')).toBe('');
    await checkSettled();
  });

  test('in the middle of a download ends the download upstream', async () => {
    const request = arena.sign({ target: `/${BUCKET}/download?response-expires=${ending}` });
    const connection = await arena.connect();
    await connection.write(render(request));
    await connection.bytes(100_000);
    connection.socket.pause();
    if (ending === 'ends') connection.socket.destroy();
    else leave(connection);
    await connection.closed;
    const record = await recordOf(request.target);
    expect(record).toMatchObject({ outcome: 'aborted-by-client', status: 200 });
    expect(record['errorCode']).toBeUndefined();
    // What left the gateway left it: a reader who breaks off has read.
    expect(record['bytesSent']).toBeGreaterThanOrEqual(100_000 - 2000);
    expect(record['bytesSent']).toBeLessThan(LARGE.length);
    await checkSettled();
    await vi.waitFor(() => {
      expect(arena.gateway.upstream.openConnections).toBeLessThanOrEqual(1);
    });
  });
});

test('pipelined requests that nobody waits for are recorded each', async () => {
  const requests = [0, 1, 2].map((n) => arena.sign({ target: `/${BUCKET}/download?response-expires=p${n}` }));
  const connection = await arena.connect();
  await connection.write(Buffer.concat(requests.map(render)));
  await connection.bytes(1000);
  connection.reset();
  for (const { target } of requests)
    expect(await recordOf(target)).toMatchObject({ outcome: 'aborted-by-client' });
  await checkSettled();
});

test('pipelined downloads that a slow client reads arrive whole, one after the other', async () => {
  const request = arena.sign({ target: `/${BUCKET}/download` });
  const connection = await arena.connect();
  await connection.write(Buffer.concat([request, request, request].map(render)));
  for (let i = 0; i < 3; i++) {
    const { status, body } = await connection.response();
    expect({ status, whole: body.length === LARGE.length }).toEqual({ status: 200, whole: true });
  }
  connection.socket.end();
  await connection.closed;
});

describe('a client that stalls', () => {
  let slow: Arena;

  beforeAll(async () => {
    const file = join(tmpdir(), `bucketwarden-limits-${process.pid}.yaml`);
    await writeFile(file, 'limits:\n  headersTimeout: 200ms\n  idleTimeout: 1s\n');
    slow = await openArena({ file });
    await rm(file);
    await slow.put('download', LARGE);
  });

  afterAll(async () => {
    await slow.finish();
  });

  test('in its headers is refused in S3 words, once', async () => {
    const records = slow.accessRecords().length;
    slow.gateway.upstream.clear();
    const connection = await slow.connect();
    await connection.write(`GET /${BUCKET}/download HTTP/1.1\r\nHost: ${slow.host}\r\nX-Slow: `);
    await slow.checkRefusal(await connection.response(), {
      status: 400,
      code: 'RequestTimeout',
      record: { outcome: 'malformed' },
    });
    await connection.closed;
    expect(slow.accessRecords()).toHaveLength(records + 1);
    expect(slow.gateway.upstream.sent.join('')).toBe('');
  });

  test('in its body loses the connection, and nothing is stored', async () => {
    const request = slow.sign({ method: 'PUT', target: `/${BUCKET}/stalled`, body: LARGE });
    const connection = await slow.connect();
    await connection.write(Buffer.concat([renderHead(request), LARGE.subarray(0, 1_000_000)]));
    await connection.closed;
    const record = await slow.gateway.line((line) => line['requestUri'] === request.target);
    expect(record).toMatchObject({ outcome: 'aborted-by-client' });
    await slow.checkAbsent('stalled');
  });

  test('in reading the answer loses the connection, and the upstream is let go', async () => {
    const connection = await slow.connect();
    const request = slow.sign({ target: `/${BUCKET}/download?response-expires=stall` });
    connection.socket.pause();
    await connection.write(render(request));
    const record = await slow.gateway.line((line) => line['requestUri'] === request.target);
    expect(record).toMatchObject({ outcome: 'aborted-by-client', status: 200 });
    connection.reset();
    await connection.closed;
    await vi.waitFor(() => {
      expect(slow.gateway.upstream.openConnections).toBeLessThanOrEqual(1);
    });
  });

  test('but moves on is served for longer than any limit', async () => {
    const request = slow.sign({ target: `/${BUCKET}?location` });
    const connection = await slow.connect();
    for (let i = 0; i < 3; i++) {
      await connection.write(render(request));
      expect((await connection.response()).status).toBe(200);
    }
    connection.socket.end();
    await connection.closed;
  });
});

describe('Expect: 100-continue', () => {
  test('an accepted upload is asked for, once', async () => {
    const request = expecting('asked');
    const connection = await arena.connect();
    await connection.write(renderHead(request));
    expect(await connection.interim()).toBe(100);
    await connection.write(request.body);
    const response = await connection.response();
    expect({ status: response.status, interim: response.interim }).toEqual({ status: 200, interim: [] });
    connection.socket.end();
    await connection.closed;
  });

  test.each([
    [
      'a wrong secret',
      () => expecting('no', { credentials: { ...arena.gateway.root, secretAccessKey: 'wrong' } }),
      { status: 403, code: 'SignatureDoesNotMatch' },
    ],
    [
      'an unknown bucket',
      () => expecting('no', { target: '/no-such-bucket/k' }),
      { status: 404, code: 'NoSuchBucket' },
    ],
    [
      'an impossible length',
      () =>
        expecting('no', {
          headers: [
            ['Expect', '100-continue'],
            ['Content-Length', String(2 ** 43)],
          ],
        }),
      { status: 400, code: 'EntityTooLarge' },
    ],
    [
      'an undecodable MD5',
      () =>
        expecting('no', {
          headers: [
            ['Expect', '100-continue'],
            ['Content-MD5', '?'],
          ],
        }),
      { status: 400, code: 'InvalidDigest' },
    ],
    [
      'a body where none is taken',
      () => expecting('no', { method: 'DELETE' }),
      { status: 400, code: 'InvalidRequest' },
    ],
  ] as const)('%s is refused without asking for the body', async (_, make, refusal) => {
    arena.gateway.upstream.clear();
    const connection = await arena.connect();
    await connection.write(renderHead(make()));
    const response = await connection.response();
    expect(response.interim).toEqual([]);
    expect(response.headers['connection']).toBe('close');
    await arena.checkRefusal(response, refusal);
    expect(await connection.closed).toBe('');
    expect(arena.gateway.upstream.sent.join('')).toBe('');
  });

  test('a body that comes unasked behind a refusal is no request', async () => {
    const request = expecting('no', {
      credentials: { ...arena.gateway.root, secretAccessKey: 'wrong' },
      body: lines(`GET /${BUCKET}/download HTTP/1.1`, `Host: ${arena.host}`),
    });
    const records = arena.accessRecords().length;
    const connection = await arena.connect();
    await connection.write(render(request));
    const response = await connection.response();
    await arena.checkRefusal(response, { status: 403, code: 'SignatureDoesNotMatch' });
    expect(await connection.closed).toBe('');
    expect(arena.accessRecords()).toHaveLength(records + 1);
  });
});
