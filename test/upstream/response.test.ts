/** What comes back from the upstream. */
import { once } from 'node:events';
import { Writable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { UpstreamUnreachable, type UpstreamResponse } from '../../src/upstream/index.ts';
import { closedOrigin, serve, serveSockets, upstreamAt, upstreamRequest } from './origin.ts';

const LIMIT = 1024;

/** Takes everything at once. */
function collector(): Writable & { readonly data: () => Buffer } {
  const chunks: Buffer[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _, done) {
      chunks.push(chunk);
      done();
    },
  });
  return Object.assign(sink, { data: () => Buffer.concat(chunks) });
}

function header({ headers }: UpstreamResponse, name: string): string | undefined {
  const at = headers.findIndex((value, i) => i % 2 === 0 && value === name);
  return at === -1 ? undefined : headers[at + 1];
}

describe('a response', () => {
  test('has its status, and its headers in order, in lower case and byte for byte', async () => {
    const url = await serveSockets((socket) => {
      socket.once('data', () => {
        socket.end(
          Buffer.from(
            'HTTP/1.1 206 Partial Content\r\nContent-Length: 2\r\nX-Amz-Meta-A: \xc3\xa9\xff\r\nETag: "x"\r\nX-Amz-Meta-A: two\r\n\r\nok',
            'latin1',
          ),
        );
      });
    });
    const response = await (await upstreamAt(url)).send(upstreamRequest());
    expect(response.status).toBe(206);
    expect(response.headers).toEqual([
      'content-length',
      '2',
      'x-amz-meta-a',
      '\xc3\xa9\xff',
      'etag',
      '"x"',
      'x-amz-meta-a',
      'two',
    ]);
    expect(await response.body.read(LIMIT)).toEqual(Buffer.from('ok'));
  });

  test('is the final one: those before it are passed over', async () => {
    const url = await serve((_, response) => {
      response.writeProcessing();
      response.writeEarlyHints({ link: '</a>; rel=preload' });
      response.end('done');
    });
    const response = await (await upstreamAt(url)).send(upstreamRequest());
    expect(response.status).toBe(200);
    expect(header(response, 'link')).toBeUndefined();
    expect(await response.body.read(LIMIT)).toEqual(Buffer.from('done'));
  });

  test('to a HEAD has a length and no body, and leaves the connection open', async () => {
    let connections = 0;
    const url = await serveSockets((socket) => {
      connections += 1;
      socket.on('data', () => {
        socket.write('HTTP/1.1 404 Not Found\r\nContent-Length: 1048576\r\n\r\n');
      });
    });
    const upstream = await upstreamAt(url, { connections: 1 });
    const first = await upstream.send(upstreamRequest({ method: 'HEAD' }));
    expect(first.status).toBe(404);
    expect(header(first, 'content-length')).toBe('1048576');
    expect(await first.body.read(0)).toHaveLength(0);
    const second = await upstream.send(upstreamRequest({ method: 'HEAD' }));
    second.body.discard();
    const third = await upstream.send(upstreamRequest({ method: 'HEAD' }));
    third.body.discard();
    expect(connections).toBe(1);
  });

  test.each([204, 304])('of status %d has no body', async (status) => {
    const url = await serve((_, response) => {
      response.writeHead(status, { etag: '"x"' }).end();
    });
    const response = await (await upstreamAt(url)).send(upstreamRequest());
    expect(response.status).toBe(status);
    expect(await response.body.read(0)).toHaveLength(0);
  });
});

describe('the body of a response', () => {
  test('that nobody has asked for yet is kept, however late that is', async () => {
    let sent: Promise<unknown> | undefined;
    const url = await serve((_, response) => {
      sent = once(response, 'finish');
      response.write('one ');
      response.end('two');
    });
    const response = await (await upstreamAt(url)).send(upstreamRequest());
    await sent;
    expect(await response.body.read(LIMIT)).toEqual(Buffer.from('one two'));
  });

  test('is read up to the limit, and not a byte more', async () => {
    const url = await serve((_, response) => response.end('x'.repeat(LIMIT)));
    const upstream = await upstreamAt(url);
    const fits = await upstream.send(upstreamRequest());
    expect(await fits.body.read(LIMIT)).toHaveLength(LIMIT);
    const tooLong = await upstream.send(upstreamRequest());
    await expect(tooLong.body.read(LIMIT - 1)).rejects.toThrow(
      `the upstream's answer is longer than ${LIMIT - 1} bytes`,
    );
  });

  test('that never ends is given up at the limit', async () => {
    const url = await serve((_, response) => {
      const more = (): void => {
        while (response.write('x'.repeat(65_536)));
      };
      response.on('drain', more);
      more();
    });
    const response = await (await upstreamAt(url)).send(upstreamRequest());
    await expect(response.body.read(100_000)).rejects.toThrow('longer than 100000 bytes');
  });

  test('is streamed into a sink, which is ended', async () => {
    const url = await serve((_, response) => response.end('x'.repeat(200_000)));
    const response = await (await upstreamAt(url)).send(upstreamRequest());
    const sink = collector();
    const finished = once(sink, 'finish');
    expect(await response.body.pipe(sink)).toBe(200_000);
    await finished;
    expect(sink.data()).toHaveLength(200_000);
  });

  test('waits for a slow sink', async () => {
    const total = 32 * 1024 * 1024;
    const url = await serve((_, response) => response.end(Buffer.alloc(total)));
    const response = await (await upstreamAt(url)).send(upstreamRequest());
    let waiting = 0;
    const sink = new Writable({
      highWaterMark: 65_536,
      write(_chunk, _encoding, done) {
        waiting = Math.max(waiting, sink.writableLength);
        setImmediate(done);
      },
    });
    expect(await response.body.pipe(sink)).toBe(total);
    // What was there when the sink was full, and one read of the socket.
    expect(waiting).toBeLessThanOrEqual(2 * 65_536 + 65_536);
  });

  test('breaks off when the upstream does, and the sink stays open', async () => {
    const url = await serve((_, response) => {
      response.writeHead(200, { 'content-length': '10' });
      response.write('12345', () => response.destroy());
    });
    const response = await (await upstreamAt(url)).send(upstreamRequest());
    const sink = collector();
    await expect(response.body.pipe(sink)).rejects.toMatchObject({ code: 'UND_ERR_SOCKET' });
    expect(sink.data().toString()).toBe('12345');
    expect(sink.writableEnded).toBe(false);
  });

  test('is broken off when the upstream falls silent', async () => {
    const url = await serve((_, response) => {
      response.writeHead(200, { 'content-length': '10' });
      response.write('12345');
    });
    const response = await (await upstreamAt(url, { idleTimeoutMs: 50 })).send(upstreamRequest());
    await expect(response.body.read(LIMIT)).rejects.toMatchObject({ code: 'UND_ERR_BODY_TIMEOUT' });
  });

  test('is given up, with its connection, when nobody wants it', async () => {
    let closed: Promise<unknown> | undefined;
    const url = await serve((_, response) => {
      closed = once(response, 'close');
      response.writeHead(200, { 'content-length': '10' });
      response.write('12345');
    });
    const response = await (await upstreamAt(url)).send(upstreamRequest());
    response.body.discard();
    await expect(closed).resolves.toBeDefined();
  });

  test('is cut when its request is aborted', async () => {
    const aborting = new AbortController();
    let closed: Promise<unknown> | undefined;
    const url = await serve((_, response) => {
      closed = once(response, 'close');
      response.write('12345');
    });
    const response = await (await upstreamAt(url)).send(upstreamRequest({ signal: aborting.signal }));
    const sink = collector();
    const piped = response.body.pipe(sink);
    const reason = new Error('the client went away');
    aborting.abort(reason);
    await expect(piped).rejects.toBe(reason);
    await closed;
    expect(sink.writableEnded).toBe(false);
  });
});

describe('an upstream without an answer', () => {
  test('that refuses the connection is unreachable', async () => {
    const sent = (await upstreamAt(await closedOrigin())).send(upstreamRequest());
    await expect(sent).rejects.toBeInstanceOf(UpstreamUnreachable);
    await expect(sent).rejects.toMatchObject({
      message: 'the upstream gave no answer: ECONNREFUSED',
      cause: { code: 'ECONNREFUSED' },
    });
  });

  test('that takes too long is unreachable', async () => {
    const url = await serve(() => undefined);
    const sent = (await upstreamAt(url, { headersTimeoutMs: 50 })).send(upstreamRequest());
    await expect(sent).rejects.toMatchObject({
      name: 'UpstreamUnreachable',
      message: 'the upstream gave no answer: UND_ERR_HEADERS_TIMEOUT',
    });
  });

  test('that speaks no HTTP is unreachable', async () => {
    const url = await serveSockets((socket) => {
      socket.once('data', () => socket.end('220 mail ready\r\n'));
    });
    await expect((await upstreamAt(url)).send(upstreamRequest())).rejects.toBeInstanceOf(UpstreamUnreachable);
  });
});
