/** Regression: undici parses one answer while the reader of another one says that it has drained. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Writable } from 'node:stream';
import { Pool } from 'undici';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { exchange } from '../../src/upstream/exchange.ts';

const BODY = Buffer.alloc(4 * 1024 * 1024, 'x');
const server = createServer((_, response) => response.end(BODY));
let pool: Pool;

beforeAll(async () => {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  pool = new Pool(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, { connections: 2 });
});

afterAll(async () => {
  await pool.close();
  server.close();
});

test('two answers of which each write drains the other arrive whole', async () => {
  const request = {
    method: 'GET',
    path: '/',
    headers: [],
    body: undefined,
    signal: new AbortController().signal,
  };
  const answers = await Promise.all([exchange(pool, request), exchange(pool, request)]);
  const sinks: readonly [DrainedByOther, DrainedByOther] = [new DrainedByOther(), new DrainedByOther()];
  sinks[0].other = sinks[1];
  sinks[1].other = sinks[0];
  const piped = await Promise.all(answers.map(({ body }, i) => body.pipe(sinks[i as 0 | 1])));
  expect(piped).toEqual([BODY.length, BODY.length]);
});

/** Always full, until the other one is written to, or nothing else happens. */
class DrainedByOther extends Writable {
  other: DrainedByOther | undefined;

  override write(): boolean {
    this.other?.emit('drain');
    setImmediate(() => this.emit('drain'));
    return false;
  }
}
