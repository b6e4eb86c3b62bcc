/**
 * The load generator. It writes prepared bytes to bare sockets and reads of the answers only what it needs, status and
 * Content-Length, so that it takes little of the machine it shares with the servers.
 */
import { connect, type Socket } from 'node:net';
import { BODY_BLOCK, type Load, type Measured } from './load-client.ts';

process.on('message', (load: Load) => {
  runLoad(load).then(
    (measured) => process.send?.(measured),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});

async function runLoad(load: Load): Promise<Measured> {
  const start = performance.now();
  const state = { load, end: start + load.milliseconds, left: load.requests, requests: 0, bytes: 0 };
  await Promise.all(Array.from({ length: load.connections }, () => runConnection(state)));
  return { requests: state.requests, bytes: state.bytes, seconds: (performance.now() - start) / 1000 };
}

interface State {
  readonly load: Load;
  readonly end: number;
  left: number;
  requests: number;
  bytes: number;
}

/** Sends one request after another; opens a new socket when the server closes after an answer. */
async function runConnection(state: State): Promise<void> {
  while (state.left > 0 && performance.now() < state.end) await runSocket(state);
}

function runSocket(state: State): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: state.load.port, noDelay: true });
    /** Bytes of the answer's body still to come; undefined while its head is awaited. */
    let missing: number | undefined;
    let head = '';
    let waiting = false;

    const next = (): void => {
      if (state.left <= 0 || performance.now() >= state.end) {
        waiting = false;
        socket.end();
        return;
      }
      state.left -= 1;
      waiting = true;
      head = '';
      missing = undefined;
      sendRequest(socket, state.load);
    };
    const finish = (): void => {
      state.requests += 1;
      state.bytes += state.load.bodySize;
      if (/^connection: *close/im.test(head)) {
        waiting = false;
        socket.end();
      } else next();
    };

    socket.on('connect', next);
    socket.on('data', (chunk: Buffer) => {
      let bodyBytes = chunk.length;
      if (missing === undefined) {
        head += chunk.toString('latin1');
        const end = head.indexOf('\r\n\r\n');
        if (end < 0) return;
        bodyBytes = head.length - end - 4;
        head = head.slice(0, end);
        try {
          missing = readHead(head, state.load);
        } catch (error) {
          socket.destroy(error as Error);
          return;
        }
      }
      missing -= bodyBytes;
      state.bytes += bodyBytes;
      if (missing <= 0) finish();
    });
    socket.on('error', reject);
    socket.on('close', () => {
      if (waiting) reject(new Error(`the connection was closed before the answer: ${head.slice(0, 200)}`));
      else resolve();
    });
  });
}

function sendRequest(socket: Socket, { head, bodySize }: Load): void {
  socket.write(head, 'latin1');
  sendBody(socket, bodySize);
}

function sendBody(socket: Socket, left: number): void {
  while (left > 0) {
    const block = BODY_BLOCK.subarray(0, left);
    left -= block.length;
    if (!socket.write(block) && left > 0) {
      socket.once('drain', () => sendBody(socket, left));
      return;
    }
  }
}

/** The answer's Content-Length. Throws when the status is another than expected. */
function readHead(head: string, load: Load): number {
  const status = Number(head.slice(9, 12));
  const length = /^content-length: *(?<length>\d+)/im.exec(head)?.groups?.['length'];
  if (status === load.expectStatus && length !== undefined) return Number(length);
  throw new Error(`expected ${load.expectStatus} with Content-Length, found: ${head}`);
}
