import { EventEmitter, once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { serve, upstreamAt, upstreamRequest } from './origin.ts';

test('who finds every connection busy for too long gets SlowDown, and the next one passes when one is free', async () => {
  const answers: ServerResponse[] = [];
  const server = new EventEmitter();
  const url = await serve((_, response) => {
    answers.push(response);
    server.emit('answering');
  });
  const upstream = await upstreamAt(url, { connectTimeoutMs: 300 });
  const send = () => upstream.send(upstreamRequest());
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
