/** A wire tap between gateway and upstream: passes every byte on and keeps what the gateway sent. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface Tap {
  /** `http://127.0.0.1:PORT` */
  readonly endpoint: string;
  /** Bytes from the gateway, one string of latin1 characters for each connection. */
  readonly sent: readonly string[];
  /** Request lines that the gateway sent, in the order in which they came. */
  requestLines(): readonly string[];
  /** Connections that the gateway keeps open. */
  readonly openConnections: number;
  /** Forgets what was sent so far; open connections stay open. */
  clear(): void;
  close(): Promise<void>;
}

const REQUEST_LINE = /(?:^|\r\n|\n|\})((?:GET|HEAD|PUT|POST|DELETE) \/\S* HTTP\/1\.1)\r\n/g;

export async function openTap(target: string): Promise<Tap> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let streams: string[] = [];
  const indexes = new Map<Socket, number>();
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => {
        client.destroy();
        upstream.destroy();
      });
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on('data', (chunk) => {
      const index = indexes.get(client) ?? streams.push('') - 1;
      indexes.set(client, index);
      streams[index] += chunk.toString('latin1');
    });
    client.pipe(upstream);
    upstream.pipe(client);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get openConnections() {
      return Math.ceil(sockets.size / 2);
    },
    get sent() {
      return streams;
    },
    requestLines: () =>
      streams.flatMap((stream) => [...stream.matchAll(REQUEST_LINE)].map((match) => match[1] ?? '')),
    clear() {
      streams = [];
      indexes.clear();
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}
