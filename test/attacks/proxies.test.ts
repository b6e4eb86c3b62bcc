/** Who the client is, behind proxies that are trusted and in spite of everybody else. 127.0.0.1 is the proxy here. */
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { hash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { makeCertificate } from '../e2e/support/certificate.ts';
import { proxyV2, sslTlv } from '../support/proxy-header.ts';
import {
  openConnection,
  rawConnection,
  type RawConnection,
  type RawResponse,
} from '../support/raw-client.ts';
import { render, type Header, type SignedRequest } from '../support/raw-signer.ts';
import type { Credentials } from '../support/running-gateway.ts';
import { BUCKET, openArena, type Arena } from './arena.ts';

const PROXY = '127.0.0.1';
/** Not among the trusted ones. */
const STRANGER = '127.0.0.2';
/** From where policies let objects be read. */
const OFFICE = '203.0.113.7';
const ELSEWHERE = '198.51.100.9';
const TARGET = `/${BUCKET}/report`;

let arena: Arena;
let folder: string;
let connections: RawConnection[];
/** May read from the office's network alone. */
let office: Credentials;
/** May read over TLS alone. */
let overTls: Credentials;

beforeEach(() => {
  connections = [];
});

afterEach(async () => {
  for (const { socket, closed } of connections) {
    socket.destroy();
    await closed;
  }
});

async function open(settings: Readonly<Record<string, unknown>>): Promise<void> {
  folder = await mkdtemp(join(tmpdir(), 'bucketwarden-'));
  const file = join(folder, 'bucketwarden.json');
  await writeFile(file, JSON.stringify({ trustedProxies: [`${PROXY}/32`, '10.0.0.0/8'], ...settings }));
  arena = await openArena({ file, bucket: 'configured', env: { UPSTREAM_BUCKETS: BUCKET } });
  await arena.gateway.upstreamClient().send(new CreateBucketCommand({ Bucket: BUCKET }));
  office = await reader({ IpAddress: { 'aws:SourceIp': '203.0.113.0/24' } });
  overTls = await reader({ Bool: { 'aws:SecureTransport': 'true' } });
}

async function close(): Promise<void> {
  await arena.finish();
  await rm(folder, { recursive: true, force: true });
}

function reader(condition: object): Promise<Credentials> {
  const allow = { Effect: 'Allow', Action: 's3:ListBucket', Resource: '*' };
  const statement = { Effect: 'Allow', Action: 's3:GetObject', Resource: '*', Condition: condition };
  return arena.gateway.keyWithPolicy('reader', { Version: '2012-10-17', Statement: [allow, statement] });
}

/** A GET of something that is not there: 404 for who may read it, else 403. */
function read(credentials: Credentials, ...headers: readonly Header[]): SignedRequest {
  return arena.sign({ target: TARGET, credentials, unsigned: headers });
}

async function from(
  address: string,
  ...bytes: readonly (Buffer | string | SignedRequest)[]
): Promise<RawResponse> {
  const connection = await openConnection(arena.gateway.port, { from: address });
  connections.push(connection);
  for (const part of bytes)
    void connection.write(typeof part === 'string' || Buffer.isBuffer(part) ? part : render(part));
  return connection.response();
}

async function recordOf(response: RawResponse): Promise<Readonly<Record<string, unknown>>> {
  return arena.gateway.record(response.headers['x-amz-request-id'] ?? '');
}

async function overTlsFrom(address: string, header: Buffer): Promise<RawConnection> {
  const socket = connect({ port: arena.gateway.port, host: '127.0.0.1', localAddress: address });
  await vi.waitUntil(() => !socket.connecting);
  socket.write(header);
  const connection = await rawConnection(connectTls({ socket, rejectUnauthorized: false }), 'secureConnect');
  connections.push(connection);
  return connection;
}

function headerWithFlags(flags: number): Buffer {
  return proxyV2({ source: OFFICE, target: '198.51.100.2', tlvs: [sslTlv(flags)] });
}

/** Reads what may be read over TLS alone. */
function overProxy(...protocols: readonly string[]): Promise<RawResponse> {
  return from(PROXY, read(overTls, ...protocols.map((value) => ['X-Forwarded-Proto', value] as const)));
}

function forwarded(...values: readonly string[]): readonly Header[] {
  return values.map((value) => ['X-Forwarded-For', value] as const);
}

describe('X-Forwarded-For and X-Forwarded-Proto', () => {
  beforeAll(() => open({}));
  afterAll(() => close());

  test('of a trusted proxy decide aws:SourceIp and the logged address', async () => {
    const response = await from(PROXY, read(office, ...forwarded(OFFICE)));
    expect(response.status).toBe(404);
    expect(await recordOf(response)).toMatchObject({ remoteAddress: OFFICE, peerAddress: PROXY });
  });

  test('of anyone else mean nothing', async () => {
    const response = await from(STRANGER, read(office, ...forwarded(OFFICE), ['X-Forwarded-Proto', 'https']));
    expect(response.status).toBe(403);
    expect(await recordOf(response)).toMatchObject({ remoteAddress: STRANGER, peerAddress: STRANGER });
    expect((await from(STRANGER, read(overTls, ['X-Forwarded-Proto', 'https']))).status).toBe(403);
  });

  test.each<[string, readonly string[]]>([
    ['what the client wrote to the left of its address', [`${OFFICE}, ${ELSEWHERE}`]],
    ['a field of the client before that of the proxy', [OFFICE, ELSEWHERE]],
    ['an address of a trusted network that the client wrote', [`${OFFICE}, 10.0.0.1, ${ELSEWHERE}`]],
    ['a list as long as the headers may be', [`${`${OFFICE}, `.repeat(400)}${ELSEWHERE}`]],
    [
      'a list of proxies as long as the headers may be',
      [`${OFFICE}, ${ELSEWHERE}, ${'10.0.0.1,'.repeat(500)}`],
    ],
    ['white space and empty elements', [`${OFFICE},`, ` ,\t${ELSEWHERE} ,, `]],
  ])('cannot be bent by %s', async (_, values) => {
    const response = await from(PROXY, read(office, ...forwarded(...values)));
    expect(response.status).toBe(403);
    expect(await recordOf(response)).toMatchObject({ remoteAddress: ELSEWHERE });
  });

  test.each([
    'unknown',
    `"${OFFICE}"`,
    `${OFFICE};`,
    '0x7f.1',
    `for=${OFFICE}`,
    'fe80::1%lo',
    `\u00a0${OFFICE}`,
  ])('that say %j are refused before anything is looked up', async (value) => {
    const response = await from(PROXY, read(arena.gateway.root, ...forwarded(`${OFFICE}, ${value}`)));
    expect(response).toMatchObject({ status: 400 });
    expect(response.body).toContain('<Code>InvalidRequest</Code>');
    expect(await recordOf(response)).toMatchObject({ remoteAddress: PROXY, errorCode: 'InvalidRequest' });
  });

  test('a Deny of an address holds, however the client disguises it', async () => {
    const banned = await arena.gateway.keyWithPolicy('banned', {
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Action: 's3:*', Resource: '*' },
        {
          Effect: 'Deny',
          Action: 's3:*',
          Resource: '*',
          Condition: { IpAddress: { 'aws:SourceIp': ELSEWHERE } },
        },
      ],
    });
    for (const disguise of [ELSEWHERE, `::ffff:${ELSEWHERE}`, `[::ffff:${ELSEWHERE}]:443`, `${ELSEWHERE}:1`])
      for (const before of ['', `${OFFICE}, `, 'garbage, ']) {
        const response = await from(PROXY, read(banned, ...forwarded(before + disguise)));
        expect({ disguise, status: response.status }).toEqual({ disguise, status: 403 });
      }
    expect((await from(PROXY, read(banned, ...forwarded(OFFICE)))).status).toBe(404);
  });

  test('TLS is what the proxy said last', async () => {
    expect((await overProxy('https')).status).toBe(404);
    expect((await overProxy('http')).status).toBe(403);
    expect((await overProxy()).status).toBe(403);
    expect((await overProxy('https', 'http')).status).toBe(403);
    expect((await overProxy('https, http')).status).toBe(403);
    expect((await overProxy('https\u00a0')).status).toBe(403);
  });

  test("a client's key comes over TLS, or from this machine: a proxy on it does not make a client local", async () => {
    const key = randomBytes(32);
    const customerKey: readonly Header[] = [
      ['x-amz-server-side-encryption-customer-algorithm', 'AES256'],
      ['x-amz-server-side-encryption-customer-key', key.toString('base64')],
      ['x-amz-server-side-encryption-customer-key-md5', hash('md5', key, 'base64')],
    ];
    const send = (address: string, ...headers: readonly Header[]): Promise<RawResponse> =>
      from(address, arena.sign({ target: TARGET, headers: customerKey, unsigned: headers }));
    const refused = 'must be made over a secure connection';
    expect((await send(PROXY, ...forwarded(OFFICE))).body).toContain(refused);
    expect((await send(PROXY, ...forwarded(OFFICE), ['X-Forwarded-Proto', 'http'])).body).toContain(refused);
    expect((await send(PROXY, ...forwarded(OFFICE), ['X-Forwarded-Proto', 'https'])).body).not.toContain(
      refused,
    );
    expect((await send(PROXY)).body).not.toContain(refused);
    expect((await send(STRANGER)).body).not.toContain(refused);
  });

  test('an injected line ends at the HTTP parser', async () => {
    const injected = render(read(overTls, ['X-Forwarded-For', `${OFFICE}\rX-Forwarded-Proto: https`]));
    const response = await from(PROXY, injected);
    expect(response.status).toBe(400);
    const folded = render(read(overTls, ['X-Forwarded-For', `${OFFICE}\r\n X-Forwarded-Proto: https`]));
    expect((await from(PROXY, folded)).status).toBe(400);
  });

  test('what is no HTTP is recorded with the address of the connection', async () => {
    const response = await from(
      STRANGER,
      'PROXY TCP4 203.0.113.7 198.51.100.2 1 2\r\nGET / HTTP/1.1\r\n\r\n',
    );
    expect(response.status).toBe(400);
    expect(await recordOf(response)).toMatchObject({
      outcome: 'malformed',
      remoteAddress: STRANGER,
      peerAddress: STRANGER,
    });
  });
});

describe('the PROXY protocol', () => {
  beforeAll(() => open({ proxyProtocol: true }));
  afterAll(() => close());

  const V1 = `PROXY TCP4 ${OFFICE} 198.51.100.2 56324 443\r\n`;
  const V2 = proxyV2({ source: OFFICE, target: '198.51.100.2', checksum: true });

  test.each<[string, Buffer | string]>([
    ['version 1', V1],
    ['version 2', V2],
    ['version 2 over IPv6', proxyV2({ source: `::ffff:${OFFICE}`, target: '::1' })],
  ])('%s decides aws:SourceIp and the logged address', async (_, header) => {
    const response = await from(PROXY, Buffer.concat([Buffer.from(header as string), render(read(office))]));
    expect(response.status).toBe(404);
    expect(await recordOf(response)).toMatchObject({ remoteAddress: OFFICE, peerAddress: PROXY });
  });

  test('of version 2 may say that the client spoke TLS with the proxy', async () => {
    expect((await from(PROXY, headerWithFlags(1), read(overTls))).status).toBe(404);
    expect((await from(PROXY, headerWithFlags(0), read(overTls))).status).toBe(403);
  });

  test('names the client, whose headers mean nothing', async () => {
    const header = proxyV2({ source: ELSEWHERE, target: '198.51.100.2' });
    const spoofed = [...forwarded(OFFICE), ['X-Forwarded-Proto', 'https'] as const];
    const response = await from(PROXY, header, read(office, ...spoofed));
    expect(response.status).toBe(403);
    expect(await recordOf(response)).toMatchObject({ remoteAddress: ELSEWHERE });
    expect((await from(PROXY, header, read(overTls, ...spoofed))).status).toBe(403);
  });

  test('of a second trusted proxy counts with its headers', async () => {
    const header = proxyV2({ source: '10.1.2.3', target: '198.51.100.2' });
    expect((await from(PROXY, header, read(office, ...forwarded(OFFICE)))).status).toBe(404);
  });

  test.each<[string, Buffer | string]>([
    ['LOCAL', proxyV2({ source: OFFICE, target: '198.51.100.2', command: 0 })],
    ['UNKNOWN', `PROXY UNKNOWN ${OFFICE} 198.51.100.2 1 2\r\n`],
    ['an unspecified family', proxyV2({ family: 0 })],
  ])('with %s is the proxy itself, and no header of it counts', async (_, header) => {
    const response = await from(PROXY, header, read(office, ...forwarded(OFFICE)));
    expect(response.status).toBe(403);
    expect(await recordOf(response)).toMatchObject({ remoteAddress: PROXY });
  });

  test.each<[string, Buffer | string]>([
    ['nothing of it', ''],
    ['a line that never ends', `PROXY TCP4 ${'1'.repeat(200)}`],
    ['a malformed line', 'PROXY TCP4 203.0.113.7\r\n'],
    ['a header longer than it says', proxyV2({ source: OFFICE, target: '198.51.100.2', size: 11 })],
    [
      'a header that says that it is enormous',
      proxyV2({ source: OFFICE, target: '198.51.100.2', size: 65_535 }),
    ],
    [
      'a TLV that lies',
      proxyV2({ source: OFFICE, target: '198.51.100.2', tlvs: [Buffer.from([4, 255, 255])] }),
    ],
    ['TLS in its place', Buffer.from('1603010200010001fc0303', 'hex')],
  ])('a connection of a trusted proxy with %s is ended without an answer', async (_, header) => {
    const connection = await openConnection(arena.gateway.port, { from: PROXY });
    connections.push(connection);
    const before = arena.accessRecords().length;
    void connection.write(Buffer.concat([Buffer.from(header as string), render(read(arena.gateway.root))]));
    expect(await connection.closed).toBe('');
    expect(arena.accessRecords()).toHaveLength(before);
    await arena.gateway.line((line) => line['msg'] === 'connection of a trusted proxy refused');
  });

  test.each<[string, Buffer | string]>([
    ['version 1', V1],
    ['version 2', V2],
  ])('a header of %s from anyone else is a bad request, and no header', async (_, header) => {
    const response = await from(STRANGER, header, read(office));
    expect(response.status).toBe(400);
    expect(await recordOf(response)).toMatchObject({ outcome: 'malformed', remoteAddress: STRANGER });
  });

  test('from anyone else, a connection without it is served, as theirs', async () => {
    const response = await from(STRANGER, read(arena.gateway.root, ...forwarded(OFFICE)));
    expect(response.status).toBe(404);
    expect(await recordOf(response)).toMatchObject({ remoteAddress: STRANGER });
  });

  test('a second header is a bad request', async () => {
    expect((await from(PROXY, V1, V1, read(office))).status).toBe(400);
  });

  test('a header may come byte by byte, and requests follow on the connection', async () => {
    const connection = await openConnection(arena.gateway.port, { from: PROXY });
    connections.push(connection);
    for (const byte of V2) await connection.write(Buffer.from([byte]));
    for (let i = 0; i < 3; i++) {
      void connection.write(render(read(office)));
      const response = await connection.response();
      expect(response.status).toBe(404);
      expect(await recordOf(response)).toMatchObject({ remoteAddress: OFFICE });
    }
    // And pipelined ones.
    void connection.write(Buffer.concat([render(read(office)), render(read(office))]));
    expect((await connection.response()).status).toBe(404);
    expect((await connection.response()).status).toBe(404);
  });

  test('a header, a request and its body may come at once', async () => {
    const body = Buffer.alloc(300_000, 'x');
    const put = arena.sign({ method: 'PUT', target: `/${BUCKET}/large`, body });
    const response = await from(PROXY, Buffer.concat([V2, render(put)]));
    expect(response.status).toBe(200);
    const got = await from(PROXY, V2, arena.sign({ target: `/${BUCKET}/large` }));
    expect(got.body).toBe(body.toString());
  });
});

describe('time-outs and stops with the PROXY protocol', () => {
  test('a connection whose header does not come in time is ended', async () => {
    await open({ proxyProtocol: true, limits: { headersTimeout: '100ms' } });
    const connection = await openConnection(arena.gateway.port, { from: PROXY });
    await connection.write('PROXY TCP4 ');
    expect(await connection.closed).toBe('');
    await close();
  });

  test('a request that is slow after its header is ended by the same time-out as any other', async () => {
    await open({ proxyProtocol: true, limits: { headersTimeout: '100ms' } });
    const connection = await openConnection(arena.gateway.port, { from: PROXY });
    await connection.write('PROXY UNKNOWN\r\nGET / HTTP/1.1\r\n');
    expect((await connection.response()).body).toContain('RequestTimeout');
    await connection.closed;
    await close();
  });

  test('a stop ends connections that wait for their header, and idle ones', async () => {
    await open({ proxyProtocol: true });
    const waiting = await openConnection(arena.gateway.port, { from: PROXY });
    await waiting.write('PROXY ');
    const idle = await openConnection(arena.gateway.port, { from: PROXY });
    void idle.write(Buffer.concat([Buffer.from('PROXY UNKNOWN\r\n'), render(read(office))]));
    expect((await idle.response()).status).toBe(403);
    await arena.gateway.close();
    expect(await waiting.closed).toBe('');
    expect(await idle.closed).toBe('');
    await rm(folder, { recursive: true, force: true });
    await arena.gateway.stop();
  });
});

describe('the PROXY protocol ahead of TLS', () => {
  beforeAll(async () => {
    const certificates = await mkdtemp(join(tmpdir(), 'bucketwarden-'));
    const { cert, key } = makeCertificate();
    await writeFile(join(certificates, 'tls.crt'), cert);
    await writeFile(join(certificates, 'tls.key'), key);
    const tls = { cert: join(certificates, 'tls.crt'), key: join(certificates, 'tls.key') };
    await open({ proxyProtocol: true, tls });
  });
  afterAll(() => close());

  test('decides aws:SourceIp; the session here is TLS', async () => {
    const header = proxyV2({ source: OFFICE, target: '198.51.100.2' });
    const connection = await overTlsFrom(PROXY, header);
    for (const credentials of [office, overTls, office]) {
      void connection.write(render(read(credentials)));
      const response = await connection.response();
      expect(response.status).toBe(404);
      expect(await recordOf(response)).toMatchObject({
        remoteAddress: OFFICE,
        peerAddress: PROXY,
        tls: { protocol: 'TLSv1.3' },
      });
    }
  });

  test('the header and the first record of TLS may come at once, or cut anywhere', async () => {
    const header = proxyV2({ source: ELSEWHERE, target: '198.51.100.2' });
    const socket = connect({ port: arena.gateway.port, host: '127.0.0.1', localAddress: PROXY });
    await vi.waitUntil(() => !socket.connecting);
    socket.cork();
    socket.write(header);
    const secure = connectTls({ socket, rejectUnauthorized: false });
    setImmediate(() => {
      socket.uncork();
    });
    const connection = await rawConnection(secure, 'secureConnect');
    connections.push(connection);
    void connection.write(render(read(office)));
    const response = await connection.response();
    expect(response.status).toBe(403);
    expect(await recordOf(response)).toMatchObject({ remoteAddress: ELSEWHERE });
  });

  test('two connections are not mixed up', async () => {
    const many = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const source = `203.0.113.${index + 1}`;
        return { source, connection: await overTlsFrom(PROXY, proxyV2({ source, target: '198.51.100.2' })) };
      }),
    );
    for (const { source, connection } of many) {
      void connection.write(render(read(office)));
      expect(await recordOf(await connection.response())).toMatchObject({ remoteAddress: source });
    }
  });

  test('from anyone else TLS begins at once, and a header ends the connection', async () => {
    const direct = await overTlsFrom(STRANGER, Buffer.alloc(0));
    void direct.write(render(read(arena.gateway.root)));
    expect(await recordOf(await direct.response())).toMatchObject({ remoteAddress: STRANGER });
    await expect(overTlsFrom(STRANGER, proxyV2({ source: OFFICE, target: '198.51.100.2' }))).rejects.toThrow(
      /ECONNRESET|EPIPE|disconnected|wrong version|alert/i,
    );
  });

  test('TLS without a header from a trusted proxy is ended', async () => {
    await expect(overTlsFrom(PROXY, Buffer.alloc(0))).rejects.toThrow(
      /ECONNRESET|EPIPE|disconnected|wrong version|alert/i,
    );
  });
});
