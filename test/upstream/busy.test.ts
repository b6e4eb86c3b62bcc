import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Secret } from '../../src/sigv4/index.ts';
import { createUpstream, type Upstream } from '../../src/upstream/index.ts';

const answers: ServerResponse[] = [];
const server = createServer((_, response) => {
  answers.push(response);
  server.emit('answering');
});
let upstream: Upstream;

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  upstream = createUpstream({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'us-east-1',
    credentials: {
      accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
      secretAccessKey: new Secret('wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'),
      secretVersion: '1',
    },
    connections: 2,
    connectTimeout: 300,
    headersTimeout: 20_000,
    bodyTimeout: 20_000,
    integrity: 'trailer',
    keepAliveTimeout: 4_000,
    now: Date.now,
  });
});

afterAll(async () => {
  await upstream.close();
  server.closeAllConnections();
  server.close();
});

function send() {
  return upstream.send({
    method: 'GET',
    bucket: 'bucket',
    key: 'key',
    query: [],
    headers: [],
    payload: { kind: 'none' },
    signal: new AbortController().signal,
  });
}

test('who finds every connection busy for too long gets SlowDown, and the next one passes when one is free', async () => {
  const held = [send(), send()];
  while (answers.length < 2) await once(server, 'answering');
  await expect(send()).rejects.toMatchObject({ code: 'SlowDown', status: 503 });
  for (const answer of answers) answer.end('done');
  for (const response of await Promise.all(held)) expect(String(await response.body.read(10))).toBe('done');
  const next = send();
  await once(server, 'answering');
  // The request that was given up never went out.
  expect(answers).toHaveLength(3);
  answers[2]?.end('free');
  expect(String(await (await next).body.read(10))).toBe('free');
});
