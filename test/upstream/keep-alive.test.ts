/** An idle connection is used again for as long as the upstream keeps it, and not a moment longer. */
import { expect, test } from 'vitest';
import { serveSockets, upstreamAt, upstreamRequest } from './origin.ts';

test.each([
  ['without a word about it', '', [1, 1]],
  ['kept for long', 'Keep-Alive: timeout=60\r\n', [1, 1]],
  ['kept so shortly that the next request could meet its end', 'Keep-Alive: timeout=2\r\n', [1, 2]],
])('a connection that is %s', async (_, header, expected) => {
  const connections: number[] = [];
  const url = await serveSockets((socket, number) => {
    socket.on('data', () => {
      connections.push(number);
      socket.write(`HTTP/1.1 200 OK\r\n${header}Content-Length: 2\r\n\r\nok`);
    });
  });
  const upstream = await upstreamAt(url, { connections: 1 });
  for (let i = 0; i < 2; i++) await (await upstream.send(upstreamRequest())).body.read(2);
  expect(connections).toEqual(expected);
});
