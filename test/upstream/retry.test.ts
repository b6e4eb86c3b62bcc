/** What is sent again, and what is not. */
import { createServer as createTlsServer } from 'node:tls';
import type { AddressInfo } from 'node:net';
import { onTestFinished, expect, test } from 'vitest';
import type { UpstreamEvent } from '../../src/upstream/index.ts';
import { makeCertificate } from '../e2e/support/certificate.ts';
import { closedOrigin, serve, upload, upstreamAt, upstreamRequest } from './origin.ts';

function counter() {
  const events: UpstreamEvent[] = [];
  return {
    onEvent: (event: UpstreamEvent) => {
      events.push(event);
    },
    retries: () => events.filter(({ kind }) => kind === 'retry').length,
  };
}

test.each([0, 1, 3])('a refused connection is tried again %i times, also for an upload', async (retries) => {
  const { onEvent, retries: seen } = counter();
  const upstream = await upstreamAt(await closedOrigin(), { retries, onEvent });
  let touched = false;
  const chunks = {
    [Symbol.asyncIterator]() {
      touched = true;
      return (async function* () {
        yield Buffer.from('123');
      })();
    },
  };
  await expect(upstream.send(upstreamRequest(upload(chunks, 3)))).rejects.toThrow('ECONNREFUSED');
  expect(seen()).toBe(retries);
  expect(touched).toBe(false);
});

test('500 and 503 are answers, and are not asked for twice', async () => {
  let requests = 0;
  const url = await serve((_, response) => {
    requests += 1;
    response.writeHead(requests === 1 ? 500 : 503).end();
  });
  const upstream = await upstreamAt(url, { retries: 3 });
  for (const status of [500, 503]) expect((await upstream.send(upstreamRequest())).status).toBe(status);
  expect(requests).toBe(2);
});

test('a certificate of an unknown authority is final', async () => {
  const server = createTlsServer(makeCertificate());
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    server.close();
  });
  const { onEvent, retries } = counter();
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const upstream = await upstreamAt(url, { retries: 3, onEvent });
  await expect(upstream.send(upstreamRequest())).rejects.toThrow('DEPTH_ZERO_SELF_SIGNED_CERT');
  expect(retries()).toBe(0);
});

test('a wait to try again ends with the request', async () => {
  const aborting = new AbortController();
  const upstream = await upstreamAt(await closedOrigin(), {
    retries: 1,
    random: () => 1e6,
    onEvent: () => {
      aborting.abort(new Error('the client has gone'));
    },
  });
  await expect(upstream.send(upstreamRequest({ signal: aborting.signal }))).rejects.toThrow(
    'the client has gone',
  );
});

test('a request of which the HTTP client thinks ill is not sent, and says nothing about the upstream', async () => {
  let requests = 0;
  const url = await serve((_, response) => {
    requests += 1;
    response.end();
  });
  const upstream = await upstreamAt(url, { retries: 3, breaker: { failures: 1, cooldownMs: 60_000 } });
  const request = upstreamRequest({ headers: [['x-amz-meta-a', 'a\nb']] });
  await expect(upstream.send(request)).rejects.toThrow('no answer');
  expect(upstream.health().breaker).toBe('closed');
  expect(requests).toBe(0);
});
