/** The circuit breaker over real connections. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished, describe, expect, test } from 'vitest';
import type { Upstream, UpstreamEvent } from '../../src/upstream/index.ts';
import { closedOrigin, serve, serveSockets, upload, upstreamAt, upstreamRequest } from './origin.ts';

/** A server at one address that can be switched off and on. */
async function switchable() {
  const requests: string[] = [];
  let port = 0;
  let server: Server | undefined;
  const off = async (): Promise<void> => {
    const running = server;
    server = undefined;
    if (running === undefined) return;
    running.close();
    running.closeAllConnections();
    await once(running, 'close');
  };
  const on = async (): Promise<void> => {
    server = createServer((request, response) => {
      requests.push(`${request.method} ${request.url}`);
      response.end();
    });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
  };
  await on();
  onTestFinished(off);
  return { url: `http://127.0.0.1:${port}`, requests, on, off };
}

const QUICK = { retries: 0, breaker: { failures: 2, cooldownMs: 30 }, now: Date.now };

function collector() {
  const events: UpstreamEvent[] = [];
  return {
    onEvent: (event: UpstreamEvent) => {
      events.push(event);
    },
    states: () =>
      events.filter(({ kind }) => kind === 'breaker').map((event) => 'state' in event && event.state),
  };
}

async function get(upstream: Upstream): Promise<number> {
  const response = await upstream.send(upstreamRequest());
  await response.body.read(10);
  return response.status;
}

describe('an upstream that does not answer', () => {
  test('is left alone: SlowDown with Retry-After at once, without a connection', async () => {
    const { onEvent, states } = collector();
    const upstream = await upstreamAt(await closedOrigin(), {
      retries: 0,
      breaker: { failures: 2, cooldownMs: 20_000 },
      now: Date.now,
      onEvent,
    });
    await expect(get(upstream)).rejects.toMatchObject({ name: 'UpstreamUnreachable' });
    expect(upstream.health()).toMatchObject({ breaker: 'closed', cause: undefined });
    await expect(get(upstream)).rejects.toMatchObject({ name: 'UpstreamUnreachable' });
    await expect(get(upstream)).rejects.toMatchObject({
      code: 'SlowDown',
      status: 503,
      headers: { 'retry-after': '20' },
      reason: expect.stringContaining('ECONNREFUSED') as string,
    });
    expect(states()).toEqual(['open']);
    expect(upstream.health()).toMatchObject({
      breaker: 'open',
      cause: 'the upstream gave no answer: ECONNREFUSED',
    });
  });

  test('is probed, tried by one request, and used again', async () => {
    const { url, requests, on, off } = await switchable();
    const { onEvent, states } = collector();
    const upstream = await upstreamAt(url, { ...QUICK, onEvent });
    expect(await get(upstream)).toBe(200);
    await off();
    for (let i = 0; i < 2; i++) await expect(get(upstream)).rejects.toThrow('no answer');
    await expect(get(upstream)).rejects.toMatchObject({ code: 'SlowDown' });
    await on();
    await expect.poll(() => upstream.health().breaker).toBe('half-open');
    expect(requests).toEqual(['GET /b/k', 'HEAD /']);
    expect(await get(upstream)).toBe(200);
    expect(upstream.health().breaker).toBe('closed');
    expect(states()).toEqual(['open', 'half-open', 'closed']);
  });

  test('lets one request alone be the trial', async () => {
    let answer: (() => void) | undefined;
    let hold = false;
    const gate = await serve((request, response) => {
      if (request.method === 'HEAD') response.end();
      else if (hold) answer = () => response.end();
      else request.socket.destroy();
    });
    const upstream = await upstreamAt(gate, QUICK);
    for (let i = 0; i < 2; i++) await expect(get(upstream)).rejects.toThrow('no answer');
    await expect.poll(() => upstream.health().breaker).toBe('half-open');
    hold = true;
    const trial = get(upstream);
    await expect.poll(() => answer).toBeDefined();
    await expect(get(upstream)).rejects.toMatchObject({ code: 'SlowDown', headers: { 'retry-after': '1' } });
    answer?.();
    expect(await trial).toBe(200);
    hold = false;
    expect(upstream.health().breaker).toBe('closed');
  });

  test('is used again though the first to come is an upload whose client sends no more', async () => {
    let down = true;
    const url = await serve((request, response) => {
      if (request.method === 'PUT') return;
      if (down && request.method === 'GET') request.socket.destroy();
      else response.end();
    });
    const upstream = await upstreamAt(url, QUICK);
    for (let i = 0; i < 2; i++) await expect(get(upstream)).rejects.toThrow('no answer');
    await expect.poll(() => upstream.health().breaker).toBe('half-open');
    down = false;
    const client = new AbortController();
    const asked = Promise.withResolvers<undefined>();
    const chunks = (async function* () {
      yield Buffer.from('1');
      asked.resolve(undefined);
      await new Promise(() => undefined);
    })();
    const slow = upstream.send(upstreamRequest({ ...upload(chunks, 4), signal: client.signal }));
    await asked.promise;
    expect(await get(upstream)).toBe(200);
    expect(upstream.health().breaker).toBe('closed');
    client.abort(new Error('the client went away'));
    await expect(slow).rejects.toThrow('the client went away');
  });

  test('stays left alone when the trial fails, and when the probe does', async () => {
    let probes = 0;
    const url = await serveSockets((socket) => {
      socket.on('data', (data) => {
        if (!data.toString('latin1').startsWith('HEAD ')) {
          socket.destroy();
          return;
        }
        probes += 1;
        // The first probe goes without an answer.
        if (probes === 1) socket.destroy();
        else socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n');
      });
    });
    const { onEvent, states } = collector();
    const upstream = await upstreamAt(url, { ...QUICK, onEvent });
    for (let i = 0; i < 2; i++) await expect(get(upstream)).rejects.toThrow('no answer');
    await expect.poll(() => upstream.health().breaker).toBe('half-open');
    expect(probes).toBe(2);
    await expect(get(upstream)).rejects.toThrow('no answer');
    expect(states()).toEqual(['open', 'half-open', 'open']);
  });
});

describe('the breaker does not open', () => {
  test('for a bucket whose host has no address: who asks for it must not shut others out', async () => {
    const url = await serve((_, response) => response.end());
    const upstream = await upstreamAt(url.replace('127.0.0.1', 'localhost'), {
      ...QUICK,
      style: 'virtual-hosted',
    });
    // Where names below `localhost` do have an address, there is an answer.
    for (let i = 0; i < 3; i++)
      await upstream.send(upstreamRequest({ bucket: 'no-such-bucket' })).catch(() => undefined);
    expect(upstream.health().breaker).toBe('closed');
  });

  test('for failures with an answer between them, whichever', async () => {
    let count = 0;
    const url = await serve((request, response) => {
      count += 1;
      if (count % 2 === 1) request.socket.destroy();
      else response.writeHead(500).end();
    });
    const upstream = await upstreamAt(url, { ...QUICK, connections: 1 });
    for (let i = 0; i < 3; i++) {
      await expect(get(upstream)).rejects.toThrow('no answer');
      expect(await get(upstream)).toBe(500);
    }
    expect(upstream.health().breaker).toBe('closed');
  });

  test.each([
    [
      'uploads that are broken off',
      () => {
        const chunks = (async function* () {
          yield Buffer.from('12');
          await new Promise(() => undefined);
        })();
        return upload(chunks, 4);
      },
      '',
    ],
    ['answers that cannot be read', () => ({}), 'HTTP/1.1 200 OK\r\nx-amz-meta-a: \x01\x00\r\n\r\n'],
  ])('for %s: who causes them must not shut others out', async (_, changes, answer) => {
    const url = await serveSockets((socket) => {
      socket.on('data', () => {
        if (answer === '') socket.destroy();
        else socket.end(answer, 'latin1');
      });
    });
    const upstream = await upstreamAt(url, QUICK);
    for (let i = 0; i < 4; i++)
      await expect(upstream.send(upstreamRequest(changes()))).rejects.toThrow('no answer');
    expect(upstream.health().breaker).toBe('closed');
  });
});
