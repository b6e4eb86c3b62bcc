import { createServer, type Socket } from 'node:net';
import { connect } from 'node:net';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createAdminServer, type AdminServer, type Readiness } from '../../src/admin/index.ts';
import { createLogger } from '../../src/telemetry/index.ts';

let logged: { level: string; msg: string; checks?: unknown }[];
let readiness: () => Promise<Readiness>;
let server: AdminServer;
let port: number;
let origin: string;

beforeEach(async () => {
  logged = [];
  readiness = () => Promise.resolve({ ready: true, checks: { store: 'ok', upstream: 'ok' } });
  const { log } = createLogger({
    level: 'info',
    destination: { write: (line) => void logged.push(JSON.parse(line) as (typeof logged)[number]) },
  });
  server = createAdminServer({
    readiness: () => readiness(),
    metrics: { render: () => 'up 1\n' },
    log,
  });
  port = await server.listen({ host: '127.0.0.1', port: 0 });
  origin = `http://127.0.0.1:${port}`;
});
afterEach(async () => {
  await server.close();
});

describe('the admin port', () => {
  test('/healthz says ok', async () => {
    const response = await fetch(`${origin}/healthz`);
    expect(response.status).toBe(200);
    expect(await response.text()).toBe('ok\n');
  });

  test('/metrics is in the Prometheus text format', async () => {
    const response = await fetch(`${origin}/metrics`);
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(await response.text()).toBe('up 1\n');
  });

  test('/readyz says what was checked', async () => {
    const response = await fetch(`${origin}/readyz`);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ ready: true, checks: { store: 'ok', upstream: 'ok' } });
  });

  test('/readyz is 503 while something is wrong; a change is logged once', async () => {
    readiness = () => Promise.resolve({ ready: false, checks: { store: 'disk is full' } });
    for (let i = 0; i < 3; i++) {
      const response = await fetch(`${origin}/readyz`);
      expect(response.status).toBe(503);
      expect(await response.json()).toEqual({ ready: false, checks: { store: 'disk is full' } });
    }
    readiness = () => Promise.resolve({ ready: true, checks: {} });
    expect((await fetch(`${origin}/readyz`)).status).toBe(200);
    expect(logged.map(({ level, msg }) => `${level} ${msg}`)).toEqual(['warn not ready', 'info ready again']);
  });

  test('a check that fails itself is 503, without its error', async () => {
    readiness = () => Promise.reject(new Error('hunter2'));
    const response = await fetch(`${origin}/readyz`);
    expect(response.status).toBe(503);
    expect(await response.text()).not.toContain('hunter2');
    expect(logged[0]).toMatchObject({ level: 'error', err: { message: 'hunter2' } });
  });

  test('HEAD is answered without a body, a query is ignored', async () => {
    const response = await fetch(`${origin}/healthz?x=1`, { method: 'HEAD' });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-length')).toBe('3');
    expect(await response.text()).toBe('');
  });

  test.each(['/', '/healthz/', '/metrics/../readyz%2F', '/admin', '//healthz'])(
    '`%s` is not found',
    async (path) => {
      expect(await rawStatus(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)).toBe(404);
    },
  );

  test('any other method is refused, and its body is not read', async () => {
    const response = await fetch(`${origin}/healthz`, { method: 'POST', body: 'x' });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('GET, HEAD');
    expect(response.headers.get('connection')).toBe('close');
  });

  test('an address in use rejects', async () => {
    const other = createServer();
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port: taken } = other.address() as { port: number };
    const second = createAdminServer({
      readiness,
      metrics: { render: () => '' },
      log: createLogger({ level: 'silent', destination: { write: () => undefined } }).log,
    });
    await expect(second.listen({ host: '127.0.0.1', port: taken })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
    other.close();
  });

  test('closing frees the port though a client keeps its connection', async () => {
    const socket: Socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    await server.close();
    await expect(fetch(`${origin}/healthz`)).rejects.toThrow('fetch failed');
    socket.destroy();
    await server.listen({ host: '127.0.0.1', port: 0 });
  });
});

async function rawStatus(request: string): Promise<number> {
  const socket = connect(port, '127.0.0.1');
  socket.end(request);
  let text = '';
  for await (const chunk of socket.setEncoding('latin1')) text += String(chunk);
  return Number(/^HTTP\/1\.1 (?<status>\d{3}) /.exec(text)?.groups?.['status']);
}
