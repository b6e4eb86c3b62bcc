/** Sends bytes that may be no request at all, and sees what comes back. */
import { connect } from 'node:net';

/** In milliseconds: long enough for any answer; a gateway that waits for more is left alone then. */
const PATIENCE = 5000;

export interface Answer {
  /** Undefined when the connection ended without one. */
  readonly status: number | undefined;
  /** The error code in its body, if any. */
  readonly code: string | undefined;
}

const NONE: Answer = { status: undefined, code: undefined };

/** Sends all of it and resolves to the first answer that is not interim. */
export function send(port: number, bytes: Buffer): Promise<Answer> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    const timer = setTimeout(() => socket.destroy(), PATIENCE);
    socket.on('connect', () => socket.write(bytes));
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (readAnswer(text) !== undefined) socket.destroy();
    });
    // A reset is one of the ways in which the gateway refuses.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(readAnswer(text) ?? NONE);
    });
  });
}

/** Sends it, waits until the gateway may have acted on it, and breaks off in one of two ways. */
export function sendAndCut(port: number, bytes: Buffer, how: 'end' | 'reset'): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let timer = setTimeout(() => socket.destroy(), PATIENCE);
    socket.on('connect', () => {
      socket.write(bytes, () => {
        clearTimeout(timer);
        timer = setTimeout(() => {
          if (how === 'reset') socket.resetAndDestroy();
          else socket.end();
          timer = setTimeout(() => socket.destroy(), PATIENCE);
        }, 50);
      });
    });
    socket.resume();
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** Undefined until the answer is complete. */
function readAnswer(text: string): Answer | undefined {
  let rest = text;
  for (;;) {
    const end = rest.indexOf('\r\n\r\n');
    if (end === -1) return undefined;
    const head = rest.slice(0, end);
    rest = rest.slice(end + 4);
    const status = Number(/^HTTP\/1\.[01] (?<status>\d{3})/.exec(head)?.groups?.['status']);
    if (status >= 100 && status < 200) continue;
    const length = Number(/^content-length: *(?<length>\d+)/im.exec(head)?.groups?.['length'] ?? 0);
    if (rest.length < length) return undefined;
    return { status, code: /<Code>(?<code>\w+)<\/Code>/.exec(rest)?.groups?.['code'] };
  }
}
