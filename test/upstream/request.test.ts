/** What goes to the upstream. */
import { getEventListeners, once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import * as fc from 'fast-check';
import { crc32 } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { parseWireRequest, S3Error } from '../../src/s3/index.ts';
import {
  createSigningKeys,
  parseSignatureClaim,
  requireSignedHeaders,
  s3CanonicalParts,
  sha256Hex,
  verifySignature,
} from '../../src/sigv4/index.ts';
import { UpstreamUnreachable, type UpstreamOptions, type UpstreamRequest } from '../../src/upstream/index.ts';
import { CREDENTIALS, NOW, serve, serveSockets, upload, upstreamAt, upstreamRequest } from './origin.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

async function* stream(...parts: readonly string[]): AsyncGenerator<Buffer> {
  for (const part of parts) yield Buffer.from(part);
}

/** One part, and then nothing, not even an end. */
async function* endless(): AsyncGenerator<Buffer> {
  yield Buffer.from('123');
  await new Promise(() => undefined);
}

/** An upstream that remembers each request and its body. */
async function recorder(options: Partial<UpstreamOptions> = {}) {
  const received: { readonly request: IncomingMessage; readonly body: Buffer }[] = [];
  const url = await serve((request, response) => {
    void (async () => {
      const body = Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>));
      received.push({ request, body });
      response.end();
    })();
  });
  const upstream = await upstreamAt(url, options);
  return {
    url,
    send: async (changes: Partial<UpstreamRequest>) => {
      const response = await upstream.send(upstreamRequest(changes));
      await response.body.read(0);
      const last = received.at(-1);
      if (last === undefined) throw new Error('nothing came');
      return last;
    },
  };
}

describe('a request', () => {
  test('is signed over everything that it says, for the host that it goes to', async () => {
    const { send, url } = await recorder();
    const { request } = await send({
      method: 'PUT',
      key: 'a//b/../c d+é',
      query: [
        { name: 'partNumber', value: '1' },
        { name: 'uploadId', value: 'a/b=' },
      ],
      headers: [['x-amz-meta-a', '\xc3\xa9  \xff']],
      payload: { kind: 'buffer', data: Buffer.from('data') },
    });
    const wire = parseWireRequest(request.method ?? '', request.url ?? '', request.rawHeaders);
    expect(wire.target).toBe('/b/a//b/../c%20d%2B%C3%A9?partNumber=1&uploadId=a%2Fb%3D');
    expect(wire.headers.get('host')).toBe(new URL(url).host);
    expect(wire.headers.get('x-amz-meta-a')).toBe('\xc3\xa9  \xff');
    expect(wire.headers.get('accept-encoding')).toBe('identity');
    const claim = parseSignatureClaim(wire, { region: 'us-east-1', now: NOW });
    if (claim === undefined) throw new Error('not signed');
    expect(claim).toMatchObject({ accessKeyId: CREDENTIALS.accessKeyId, payloadHash: sha256Hex('data') });
    requireSignedHeaders(wire, claim, new Set());
    const key = createSigningKeys({ max: 1 }).verificationKey(
      { ...CREDENTIALS, secretVersion: '1' },
      claim.scope,
    );
    expect(() => {
      verifySignature(s3CanonicalParts(wire, claim), claim, key);
    }).not.toThrow();
  });

  test('carries any key as it is', async () => {
    const { send } = await recorder();
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', minLength: 1, maxLength: 30 }), async (key) => {
        const { request } = await send({ key });
        expect(parseWireRequest('GET', request.url ?? '', request.rawHeaders).path).toBe(`/b/${key}`);
      }),
      { numRuns: 50 },
    );
  });

  test.each([
    [{ bucket: undefined, key: undefined }, '/'],
    [{ key: undefined }, '/b'],
    [{ key: '.' }, '/b/.'],
    [{ key: '/' }, '/b//'],
  ])('of %o has the target %s', async (address, target) => {
    const { send } = await recorder();
    const { request } = await send(address);
    expect(request.url).toBe(target);
  });

  test.each([
    ['GET', undefined],
    ['HEAD', undefined],
    ['DELETE', undefined],
    ['PUT', '0'],
    ['POST', '0'],
  ])('%s without a body is framed as one without', async (method, length) => {
    const { send } = await recorder();
    const { request, body } = await send({ method });
    expect(request.headers['content-length']).toBe(length);
    expect(request.headers['transfer-encoding']).toBeUndefined();
    expect(request.headers['x-amz-content-sha256']).toBe(sha256Hex(''));
    expect(body).toHaveLength(0);
  });
});

describe('the expected owner', () => {
  const OWNER = 'x-amz-expected-bucket-owner';
  const SOURCE = 'x-amz-source-expected-bucket-owner';
  const COPY = ['x-amz-copy-source', 'a/b'] as const;

  test.each([
    ['of an object', {}, '111122223333', undefined],
    ['of a copy', { method: 'PUT', headers: [COPY] }, '111122223333', '111122223333'],
    ['of a bucket', { key: undefined }, '111122223333', undefined],
    ['of no bucket', { bucket: undefined, key: undefined }, undefined, undefined],
    ['of a bucket that is made', { method: 'PUT', key: undefined }, undefined, undefined],
  ] as const)('%s is the configured account', async (_, changes, owner, source) => {
    const { send } = await recorder({ accountId: '111122223333' });
    const { request } = await send(changes);
    expect([request.headers[OWNER], request.headers[SOURCE]]).toEqual([owner, source]);
  });

  test('is never what the client expects of the gateway', async () => {
    const headers = [
      [OWNER, '444455556666'],
      [SOURCE, '444455556666'],
      ['x-amz-meta-a', 'b'],
    ] as const;
    for (const accountId of [undefined, '111122223333']) {
      const { send } = await recorder({ accountId });
      const { request } = await send({ headers });
      expect(request.headers).toMatchObject({ 'x-amz-meta-a': 'b' });
      expect([request.headers[OWNER], request.headers[SOURCE]]).toEqual([accountId, undefined]);
    }
  });
});

describe('a body', () => {
  test.each([
    ['with its declared hash', sha256Hex('hello'), sha256Hex('hello')],
    ['unsigned without one', undefined, 'UNSIGNED-PAYLOAD'],
  ])('is sent with its exact length, %s', async (_, sha256, hash) => {
    const { send } = await recorder();
    const { request, body } = await send({
      method: 'PUT',
      payload: { kind: 'stream', chunks: stream('he', 'llo'), length: 5, sha256 },
    });
    expect(body.toString()).toBe('hello');
    expect(request.headers['content-length']).toBe('5');
    expect(request.headers['transfer-encoding']).toBeUndefined();
    expect(request.headers['x-amz-content-sha256']).toBe(hash);
  });

  test('of no bytes is signed as such', async () => {
    const { send } = await recorder();
    const { request, body } = await send(upload(stream(), 0));
    expect(body).toHaveLength(0);
    expect(request.headers['content-length']).toBe('0');
    expect(request.headers['x-amz-content-sha256']).toBe(sha256Hex(''));
  });

  test('is framed again for an upstream that stores trailing checksums', async () => {
    const { send } = await recorder();
    const checksum = Buffer.alloc(4);
    checksum.writeUInt32BE(crc32('hello'));
    const value = checksum.toString('base64');
    const { request, body } = await send({
      method: 'PUT',
      payload: {
        kind: 'framed',
        chunks: stream('hel', 'lo'),
        length: 5,
        trailer: { name: 'x-amz-checksum-crc32', value: () => value, valueLength: 8 },
      },
    });
    expect(body.toString()).toBe(`5\r\nhello\r\n0\r\nx-amz-checksum-crc32:${value}\r\n\r\n`);
    expect(request.headers).toMatchObject({
      'content-length': String(body.length),
      'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
      'x-amz-decoded-content-length': '5',
      'x-amz-trailer': 'x-amz-checksum-crc32',
    });
  });

  test('waits for an upstream that reads slowly', async () => {
    const total = 48 * 1024 * 1024;
    const chunk = Buffer.alloc(65_536);
    let produced = 0;
    let received = 0;
    let ahead = 0;
    const url = await serve((request, response) => {
      void (async () => {
        for await (const part of request as AsyncIterable<Buffer>) {
          received += part.length;
          await new Promise(setImmediate);
        }
        response.end();
      })();
    });
    const chunks = async function* (): AsyncGenerator<Buffer> {
      while (produced < total) {
        produced += chunk.length;
        ahead = Math.max(ahead, produced - received);
        yield chunk;
      }
    };
    const response = await (await upstreamAt(url)).send(upstreamRequest(upload(chunks(), total)));
    expect(response.status).toBe(200);
    expect(received).toBe(total);
    // The rest is what the sockets of both sides hold.
    expect(ahead).toBeLessThan(total / 2);
  });

  test('that fails to verify destroys the connection with bytes outstanding, and its error comes back', async () => {
    let cut: Promise<unknown> | undefined;
    let complete: boolean | undefined;
    const url = await serve((request) => {
      cut = once(request, 'close').then(() => (complete = request.complete));
      request.on('error', () => undefined).resume();
    });
    const error = new S3Error('XAmzContentSHA256Mismatch');
    const firstByteIsThere = Promise.withResolvers<undefined>();
    const chunks = async function* (): AsyncGenerator<Buffer> {
      yield Buffer.from('123');
      firstByteIsThere.resolve(undefined);
      await new Promise(setImmediate);
      throw error;
    };
    const sent = (await upstreamAt(url)).send(upstreamRequest(upload(chunks(), 5)));
    await expect(sent).rejects.toBe(error);
    await firstByteIsThere.promise;
    await cut;
    expect(complete ?? false).toBe(false);
  });

  test('that is shorter or longer than its length never completes a request', async () => {
    let completed = 0;
    const url = await serve((request, response) => {
      request
        .on('error', () => undefined)
        .on('end', () => {
          completed += 1;
          response.end();
        })
        .resume();
    });
    const upstream = await upstreamAt(url);
    for (const length of [2, 4])
      await expect(upstream.send(upstreamRequest(upload(stream('123'), length)))).rejects.toMatchObject({
        cause: { code: 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH' },
      });
    expect(completed).toBe(0);
  });

  test('is not read to its end when the upstream refuses early', async () => {
    const url = await serve((request, response) => {
      request.on('error', () => undefined);
      request.once('data', () => {
        request.pause();
        response.writeHead(403, { 'content-length': '6' }).end('denied');
      });
    });
    let ended = false;
    const chunks = async function* (): AsyncGenerator<Buffer> {
      try {
        for (;;) yield Buffer.alloc(65_536);
      } finally {
        ended = true;
      }
    };
    const total = 1024 ** 4;
    const response = await (await upstreamAt(url)).send(upstreamRequest(upload(chunks(), total)));
    expect(response.status).toBe(403);
    expect((await response.body.read(100)).toString()).toBe('denied');
    await expect.poll(() => ended).toBe(true);
  });
});

describe('an aborted request', () => {
  const reason = new Error('the client went away');

  test('is not sent when it was aborted before', async () => {
    let connections = 0;
    const url = await serveSockets(() => (connections += 1));
    const sent = (await upstreamAt(url)).send(upstreamRequest({ signal: AbortSignal.abort(reason) }));
    await expect(sent).rejects.toBe(reason);
    expect(connections).toBe(0);
  });

  test('is cut with Content-Length outstanding', async () => {
    const aborting = new AbortController();
    const closed = Promise.withResolvers<boolean>();
    const url = await serve((request) => {
      request.on('error', () => undefined);
      request.once('data', () => {
        aborting.abort(reason);
      });
      request.once('close', () => {
        closed.resolve(request.complete);
      });
    });
    const request = upstreamRequest({ ...upload(endless(), 5), signal: aborting.signal });
    await expect((await upstreamAt(url)).send(request)).rejects.toBe(reason);
    expect(await closed.promise).toBe(false);
  });

  test('that waits for a connection leaves the queue', async () => {
    const arrived = Promise.withResolvers<undefined>();
    const targets: string[] = [];
    let finish: (() => void) | undefined;
    const url = await serve((request, response) => {
      targets.push(request.url ?? '');
      finish = () => response.end();
      if (targets.length === 1) arrived.resolve(undefined);
      else response.end();
    });
    const upstream = await upstreamAt(url, { connections: 1 });
    const first = upstream.send(upstreamRequest({ key: 'first' }));
    await arrived.promise;
    const aborting = new AbortController();
    const second = upstream.send(upstreamRequest({ key: 'second', signal: aborting.signal }));
    aborting.abort(reason);
    await expect(second).rejects.toBe(reason);
    finish?.();
    await (await first).body.read(0);
    const third = await upstream.send(upstreamRequest({ key: 'third' }));
    await third.body.read(0);
    expect(targets).toEqual(['/b/first', '/b/third']);
  });

  test('leaves nothing behind at its signal, nor does one that ends well', async () => {
    const { signal } = new AbortController();
    const url = await serve((_, response) => response.end());
    const upstream = await upstreamAt(url);
    for (let i = 0; i < 3; i++) await (await upstream.send(upstreamRequest({ signal }))).body.read(0);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });
});

/** Answers the first request of each connection; the second one on the first connection is cut without an answer. */
async function staleOnce() {
  const requests: string[] = [];
  const url = await serveSockets((socket, number) => {
    let count = 0;
    socket.on('data', (data) => {
      const line = data.toString('latin1').split(' HTTP/1.1')[0] ?? '';
      if (!/^[A-Z]+ \//.test(line)) return;
      requests.push(`${number}: ${line}`);
      count += 1;
      if (number === 1 && count === 2) socket.destroy();
      else socket.write(OK);
    });
  });
  const upstream = await upstreamAt(url, { connections: 1 });
  await (await upstream.send(upstreamRequest())).body.read(2);
  return { upstream, requests };
}

describe('a connection that the upstream closed while it was idle', () => {
  test('is replaced, once, for a GET', async () => {
    const { upstream, requests } = await staleOnce();
    const response = await upstream.send(upstreamRequest());
    expect((await response.body.read(2)).toString()).toBe('ok');
    expect(requests).toEqual(['1: GET /b/k', '1: GET /b/k', '2: GET /b/k']);
  });

  test.each([
    ['PUT with a body', { method: 'PUT', payload: { kind: 'buffer', data: Buffer.from('x') } }],
    ['PUT without one', { method: 'PUT' }],
    ['POST', { method: 'POST' }],
    ['DELETE', { method: 'DELETE' }],
  ] as const)('is not replaced for a %s', async (_, changes) => {
    const { upstream, requests } = await staleOnce();
    await expect(upstream.send(upstreamRequest(changes))).rejects.toBeInstanceOf(UpstreamUnreachable);
    expect(requests).toHaveLength(2);
  });

  test('is not replaced a second time', async () => {
    let requests = 0;
    const url = await serveSockets((socket) => {
      socket.on('data', () => {
        requests += 1;
        socket.destroy();
      });
    });
    await expect((await upstreamAt(url)).send(upstreamRequest())).rejects.toMatchObject({
      name: 'UpstreamUnreachable',
      message: 'the upstream gave no answer: UND_ERR_SOCKET',
    });
    expect(requests).toBe(2);
  });

  test('is not replaced once the answer has begun', async () => {
    let requests = 0;
    const url = await serveSockets((socket) => {
      socket.on('data', () => {
        requests += 1;
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n12', () => socket.destroy());
      });
    });
    const response = await (await upstreamAt(url)).send(upstreamRequest());
    await expect(response.body.read(5)).rejects.toMatchObject({ code: 'UND_ERR_SOCKET' });
    expect(requests).toBe(1);
  });
});
