/** A gateway under attack, and what must hold after every refusal. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import { openConnection, type RawConnection, type RawResponse } from '../support/raw-client.ts';
import {
  presign,
  render,
  signHeader,
  type RawRequest,
  type SignedRequest,
  type SignOptions,
} from '../support/raw-signer.ts';
import {
  runGateway,
  type GatewayOptions,
  type LogLine,
  type RunningGateway,
} from '../support/running-gateway.ts';

export const BUCKET = 'arena';

/** What a client and the audit record must be told. */
export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly message?: string | RegExp;
  /** Further elements of the error document. */
  readonly elements?: Readonly<Record<string, string | RegExp>>;
  /** Fields of the audit record. */
  readonly record?: Readonly<Record<string, unknown>>;
}

type Sign = Partial<SignOptions> & Pick<SignOptions, 'target'>;

export interface Arena {
  readonly gateway: RunningGateway;
  /** `127.0.0.1:PORT` */
  readonly host: string;
  /** As the administrator unless told otherwise. */
  sign(options: Sign): SignedRequest;
  presign(options: Sign & Pick<Parameters<typeof presign>[0], 'expires' | 'parameters'>): SignedRequest;
  connect(): Promise<RawConnection>;
  /** Sends on a connection of its own, and closes it after the answer. */
  send(request: RawRequest | Buffer): Promise<RawResponse>;
  /** Sends, and checks that it is refused so, with one record, and that no byte of it reached the upstream. */
  refuses(request: RawRequest | Buffer, refusal: Refusal): Promise<RawResponse>;
  /** As `refuses`, for a body that may have been on its way upstream: `key` does not exist afterwards. */
  storesNothing(key: string, request: RawRequest | Buffer, refusal: Refusal): Promise<RawResponse>;
  /** Checks one answer and its record. */
  checkRefusal(response: RawResponse, refusal: Refusal, options?: { readonly head?: boolean }): Promise<void>;
  /** Checks that `key` does not exist, and that the store keeps nothing but `objects` files. */
  checkAbsent(key: string): Promise<void>;
  /** Stores an object as the administrator. */
  put(key: string, body: string | Buffer): Promise<void>;
  /** The object's body as the administrator reads it. */
  get(key: string): Promise<RawResponse>;
  accessRecords(): readonly LogLine[];
  inFlight(): Promise<number>;
  /** Stops; fails when a record is missing or superfluous, when a request still counts as running, or on a bug. */
  finish(): Promise<void>;
}

/** @param options.bucket `configured` when the configuration names the bucket; else it is made. */
export async function openArena(
  options: GatewayOptions & { readonly bucket?: 'configured' } = {},
): Promise<Arena> {
  const gateway = await runGateway(options);
  const host = `127.0.0.1:${gateway.port}`;
  const unhandled: unknown[] = [];
  const onUnhandled = (error: unknown): void => {
    unhandled.push(error);
  };
  process.on('unhandledRejection', onUnhandled);
  const connections: RawConnection[] = [];
  const requestIds = new Set<string>();

  const accessRecords = (): readonly LogLine[] => gateway.lines.filter((line) => line['msg'] === 'access');
  const storedFiles = async (): Promise<readonly string[]> => {
    const found = await readdir(join(gateway.dataDir, 'upstream'), { recursive: true, withFileTypes: true });
    return found
      .filter((entry) => entry.isFile() && !entry.name.startsWith('index.sqlite'))
      .map((entry) => entry.name);
  };
  const connectRaw = async (): Promise<RawConnection> => {
    const connection = await openConnection(gateway.port);
    connections.push(connection);
    return connection;
  };
  const arena: Arena = {
    gateway,
    host,
    accessRecords,
    sign: (request) => signHeader({ credentials: gateway.root, host, ...request }),
    presign: (request) => presign({ credentials: gateway.root, host, ...request }),
    connect: connectRaw,
    async send(request) {
      const connection = await connectRaw();
      const bytes = Buffer.isBuffer(request) ? request : render(request);
      void connection.write(bytes);
      const response = await connection.response({ head: bytes.subarray(0, 5).toString() === 'HEAD ' });
      connection.socket.end();
      await connection.closed;
      requestIds.add(response.headers['x-amz-request-id'] ?? '');
      return response;
    },
    async checkRefusal(response, refusal, { head = false } = {}) {
      const requestId = response.headers['x-amz-request-id'] ?? '';
      expect(requestId).toMatch(/^[0-9A-F]{16}$/);
      expect(response.headers['x-amz-id-2']).toBeTruthy();
      if (!head) {
        const elements = errorElements(response.body);
        expect({ status: response.status, code: elements['Code'] }).toEqual({
          status: refusal.status,
          code: refusal.code,
        });
        expect(response.headers['content-type']).toBe('application/xml');
        expect(elements['RequestId']).toBe(requestId);
        expect(elements['HostId']).toBe(response.headers['x-amz-id-2']);
        expect(elements['Resource']).toBeDefined();
        for (const [name, value] of Object.entries({
          ...(refusal.message !== undefined && { Message: refusal.message }),
          ...refusal.elements,
        }))
          if (typeof value === 'string') expect(elements[name]).toBe(value);
          else expect(elements[name]).toMatch(value);
      }
      const record = await gateway.record(requestId);
      expect(record).toMatchObject({
        status: refusal.status,
        errorCode: refusal.code,
        ...refusal.record,
      });
      expect(accessRecords().filter((line) => line['requestId'] === requestId)).toHaveLength(1);
    },
    async refuses(request, refusal) {
      gateway.upstream.clear();
      const before = accessRecords().length;
      const response = await arena.send(request);
      const head = (Buffer.isBuffer(request) ? request.subarray(0, 4).toString() : request.method) === 'HEAD';
      await arena.checkRefusal(response, refusal, { head });
      expect(gateway.upstream.sent.join('')).toBe('');
      expect(accessRecords()).toHaveLength(before + 1);
      return response;
    },
    async storesNothing(key, request, refusal) {
      const response = await arena.send(request);
      await arena.checkRefusal(response, refusal);
      await arena.checkAbsent(key);
      return response;
    },
    async checkAbsent(key) {
      const got = await arena.get(key);
      expect({ key, status: got.status }).toEqual({ key, status: 404 });
      const listing = await arena.send(arena.sign({ target: `/${BUCKET}?uploads` }));
      expect(listing.status).toBe(200);
      const keys = await arena.send(arena.sign({ target: `/${BUCKET}?list-type=2` }));
      const objects = [...keys.body.matchAll(/<Key>/g)].length;
      await vi.waitFor(async () => {
        expect(await storedFiles()).toHaveLength(objects);
      });
    },
    async put(key, body) {
      const response = await arena.send(arena.sign({ method: 'PUT', target: `/${BUCKET}/${key}`, body }));
      expect(response.status).toBe(200);
    },
    get: (key) => arena.send(arena.sign({ target: `/${BUCKET}/${key}` })),
    async inFlight() {
      const response = await fetch(`http://127.0.0.1:${gateway.adminPort}/metrics`);
      const text = await response.text();
      return Number(/^bucketwarden_requests_in_flight (\S+)$/m.exec(text)?.[1]);
    },
    async finish() {
      process.off('unhandledRejection', onUnhandled);
      for (const { socket } of connections) socket.destroy();
      try {
        await vi.waitFor(async () => {
          expect(await arena.inFlight()).toBe(0);
        });
        const ids = accessRecords().map((line) => line['requestId'] as string);
        expect(new Set(ids).size).toBe(ids.length);
        expect([...requestIds].filter((id) => !ids.includes(id))).toEqual([]);
        expect(unhandled).toEqual([]);
        expect(gateway.lines.filter((line) => line['msg'] === 'internal error')).toEqual([]);
      } finally {
        await gateway.stop();
      }
    },
  };
  if (options.bucket === 'configured') return arena;
  const made = await arena.send(arena.sign({ method: 'PUT', target: `/${BUCKET}` }));
  expect(made.status).toBe(200);
  return arena;
}

/** The leaves of an error document, unescaped. */
export function errorElements(xml: string): Readonly<Record<string, string>> {
  expect(xml).toMatch(/^<\?xml version="1\.0" encoding="UTF-8"\?>\n<Error>/);
  const elements: Record<string, string> = {};
  for (const [, name, text] of xml.matchAll(/<([\w-]+)>([^<]*)<\/\1>/g))
    elements[name as string] = (text as string)
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')
      .replaceAll('&quot;', '"')
      .replaceAll('&amp;', '&');
  return elements;
}

/** A raw request out of lines; a `\r\n` is put after each, and an empty one at the end. */
export function lines(...text: readonly string[]): Buffer {
  return Buffer.from(`${text.join('\r\n')}\r\n\r\n`, 'latin1');
}
