/** HTTP/1.1 by hand: writes the bytes it is told to, and reads answers one after the other. */
import { connect, type Socket } from 'node:net';

export interface RawResponse {
  readonly status: number;
  /** By lower-case name; the last one of several. */
  readonly headers: Readonly<Record<string, string>>;
  /** latin1 characters, one for each byte. */
  readonly body: string;
  /** Status codes of the 1xx answers before it. */
  readonly interim: readonly number[];
}

export interface RawConnection {
  readonly socket: Socket;
  /** Writes, and resolves when the bytes are with the system. */
  write(data: Buffer | string): Promise<void>;
  /** The next answer. Rejects when the connection ends before it is complete. */
  response(options?: { readonly head?: boolean }): Promise<RawResponse>;
  /** Waits for an interim answer (`100 Continue`) alone. */
  interim(): Promise<number>;
  /** Resolves when this many bytes have come. */
  bytes(count: number): Promise<void>;
  /** Resolves to what was not read by `response` once the gateway closed the connection, by reset or end. */
  closed: Promise<string>;
  /** Resets: the gateway sees ECONNRESET. */
  reset(): void;
}

/** @param options.from the client's address, of 127.0.0.0/8. */
export async function openConnection(
  port: number,
  { from }: { readonly from?: string } = {},
): Promise<RawConnection> {
  const socket = connect({ port, host: '127.0.0.1', ...(from !== undefined && { localAddress: from }) });
  return rawConnection(socket, 'connect');
}

/** @param ready the event after which the socket can be written to. */
export async function rawConnection(
  socket: Socket,
  ready: 'connect' | 'secureConnect',
): Promise<RawConnection> {
  let buffer = '';
  let total = 0;
  let ended = false;
  let wake: (() => void) | undefined;
  const notify = (): void => {
    wake?.();
  };
  socket.on('data', (chunk) => {
    buffer += chunk.toString('latin1');
    total += chunk.length;
    notify();
  });
  // A reset is one of the ways in which the gateway refuses.
  socket.on('error', () => undefined);
  const closed = new Promise<string>((resolve) => {
    socket.on('close', () => {
      ended = true;
      notify();
      resolve(buffer);
    });
  });
  await new Promise<void>((resolve, reject) => {
    socket.once(ready, () => {
      resolve();
    });
    socket.once('error', reject);
  });

  const until = async <T>(read: () => T | undefined): Promise<T> => {
    for (;;) {
      const result = read();
      if (result !== undefined) return result;
      if (ended) throw new Error(`the connection ended; unread: ${JSON.stringify(buffer.slice(0, 300))}`);
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  const takeHead = (): { readonly status: number; readonly head: string } | undefined => {
    const end = buffer.indexOf('\r\n\r\n');
    if (end === -1) return undefined;
    const head = buffer.slice(0, end);
    buffer = buffer.slice(end + 4);
    return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]), head };
  };

  return {
    socket,
    closed,
    write: (data) =>
      new Promise((resolve) => {
        socket.write(data, () => {
          resolve();
        });
      }),
    async response({ head: bodyless = false } = {}) {
      const interim: number[] = [];
      let { status, head } = await until(takeHead);
      while (status >= 100 && status < 200) {
        interim.push(status);
        ({ status, head } = await until(takeHead));
      }
      const headers = Object.fromEntries(
        head
          .split('\r\n')
          .slice(1)
          .map((line) => {
            const colon = line.indexOf(':');
            return [
              line.slice(0, colon).toLowerCase(),
              line.slice(colon + 1).replaceAll(/^[ \t]+|[ \t]+$/g, ''),
            ];
          }),
      );
      const none = bodyless || status === 204 || status === 304;
      const body = none
        ? ''
        : headers['transfer-encoding'] === 'chunked'
          ? await until(() => takeChunked())
          : await until(() => takeBytes(Number(headers['content-length'] ?? 0)));
      return { status, headers, body, interim };
    },
    interim: async () => (await until(takeHead)).status,
    bytes: async (count) => {
      await until(() => (total >= count ? true : undefined));
    },
    reset() {
      socket.resetAndDestroy();
    },
  };

  function takeBytes(count: number): string | undefined {
    if (buffer.length < count) return undefined;
    const bytes = buffer.slice(0, count);
    buffer = buffer.slice(count);
    return bytes;
  }

  function takeChunked(): string | undefined {
    let at = 0;
    let body = '';
    for (;;) {
      const end = buffer.indexOf('\r\n', at);
      if (end === -1) return undefined;
      const size = Number.parseInt(buffer.slice(at, end), 16);
      if (buffer.length < end + 2 + size + 2) return undefined;
      body += buffer.slice(end + 2, end + 2 + size);
      at = end + 2 + size + 2;
      if (size !== 0) continue;
      buffer = buffer.slice(at);
      return body;
    }
  }
}
