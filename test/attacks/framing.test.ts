/** Requests that two HTTP parsers could read differently. Sources: RFC 9112, sections 2.2, 3.2, 6.1 and 6.3. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { render, type Header } from '../support/raw-signer.ts';
import { BUCKET, errorElements, lines, openArena, type Arena, type Refusal } from './arena.ts';

let arena: Arena;

beforeAll(async () => {
  arena = await openArena();
  await arena.put('victim', 'kept');
});

afterAll(async () => {
  await arena.finish();
});

const INVALID: Refusal = { status: 400, code: 'InvalidRequest' };
const UNPARSABLE: Refusal = {
  status: 400,
  code: 'BadRequest',
  message: 'An error occurred when parsing the HTTP request.',
  record: { outcome: 'malformed' },
};
/** What an attacker wants to get past the gateway. */
const HIDDEN = `DELETE /${BUCKET}/victim HTTP/1.1\r\nHost: x\r\n\r\n`;

describe('a body whose end is in doubt', () => {
  const CHUNKED_HELLO = '5\r\nhello\r\n0\r\n\r\n';
  test.each<[string, readonly Header[], string, Refusal]>([
    [
      'Content-Length and Transfer-Encoding',
      [
        ['Content-Length', '5'],
        ['Transfer-Encoding', 'chunked'],
      ],
      CHUNKED_HELLO,
      UNPARSABLE,
    ],
    [
      'Transfer-Encoding and Content-Length',
      [
        ['Transfer-Encoding', 'chunked'],
        ['Content-Length', '5'],
      ],
      CHUNKED_HELLO,
      UNPARSABLE,
    ],
    [
      'two Content-Length that differ',
      [
        ['Content-Length', '5'],
        ['Content-Length', '6'],
      ],
      'hello',
      UNPARSABLE,
    ],
    [
      'two Content-Length that agree',
      [
        ['Content-Length', '5'],
        ['Content-Length', '5'],
      ],
      'hello',
      UNPARSABLE,
    ],
    ['a list in Content-Length', [['Content-Length', '5, 5']], 'hello', UNPARSABLE],
    ['a sign in Content-Length', [['Content-Length', '+5']], 'hello', UNPARSABLE],
    ['a negative Content-Length', [['Content-Length', '-5']], 'hello', UNPARSABLE],
    ['a hexadecimal Content-Length', [['Content-Length', '0x5']], 'hello', UNPARSABLE],
    ['an endless Content-Length', [['Content-Length', '9'.repeat(40)]], 'hello', UNPARSABLE],
    ['white space before the colon', [['Content-Length ', '5']], 'hello', UNPARSABLE],
    ['TE: identity', [['Transfer-Encoding', 'identity']], 'hello', INVALID],
    ['TE: gzip, chunked', [['Transfer-Encoding', 'gzip, chunked']], CHUNKED_HELLO, INVALID],
    ['TE: chunked, gzip', [['Transfer-Encoding', 'chunked, gzip']], CHUNKED_HELLO, UNPARSABLE],
    ['TE: chunked, chunked', [['Transfer-Encoding', 'chunked, chunked']], CHUNKED_HELLO, UNPARSABLE],
    [
      'TE twice',
      [
        ['Transfer-Encoding', 'chunked'],
        ['Transfer-Encoding', 'chunked'],
      ],
      CHUNKED_HELLO,
      UNPARSABLE,
    ],
    [
      'TE: chunked after TE: identity',
      [
        ['Transfer-Encoding', 'identity'],
        ['Transfer-Encoding', 'chunked'],
      ],
      CHUNKED_HELLO,
      INVALID,
    ],
    ['TE: xchunked', [['Transfer-Encoding', 'xchunked']], CHUNKED_HELLO, INVALID],
    ['TE with a vertical tab', [['Transfer-Encoding', '\u000bchunked']], CHUNKED_HELLO, UNPARSABLE],
    ['TE: "chunked" in quotes', [['Transfer-Encoding', '"chunked"']], CHUNKED_HELLO, INVALID],
    ['TE folded', [['Transfer-Encoding', '\r\n chunked']], CHUNKED_HELLO, UNPARSABLE],
  ])('%s is refused, and the connection closed', async (_, unsigned, body, refusal) => {
    const request = arena.sign({
      method: 'PUT',
      target: `/${BUCKET}/doubt`,
      payloadHash: 'UNSIGNED-PAYLOAD',
      unsigned,
    });
    const response = await arena.refuses({ ...request, body: Buffer.from(body + HIDDEN) }, refusal);
    expect(response.headers['connection']).toBe('close');
    await arena.checkAbsent('doubt');
    expect((await arena.get('victim')).status).toBe(200);
  });

  test('HTTP/1.0 with Transfer-Encoding is refused', async () => {
    const request = arena.sign({
      method: 'PUT',
      target: `/${BUCKET}/doubt`,
      payloadHash: 'UNSIGNED-PAYLOAD',
      unsigned: [['Transfer-Encoding', 'chunked']],
    });
    const text = render(request).toString('latin1').replace('HTTP/1.1', 'HTTP/1.0');
    await arena.refuses(Buffer.from(`${text}5\r\nhello\r\n0\r\n\r\n`, 'latin1'), INVALID);
  });

  test('a header behind two thousand others is seen like any other', async () => {
    const filler = Array.from({ length: 2100 }, (): Header => ['a', '']);
    const request = arena.sign({
      target: `/${BUCKET}/victim`,
      unsigned: [...filler, ['Host', 'elsewhere']],
    });
    const compact = render(request).toString('latin1').replaceAll('a: \r\n', 'a:\r\n');
    await arena.refuses(Buffer.from(compact, 'latin1'), INVALID);
  });
});

describe('what is no line of HTTP', () => {
  test.each<[string, (text: string) => string, Refusal]>([
    ['obs-fold', (text) => text.replace('\r\n\r\n', '\r\nx-amz-meta-a: b\r\n c\r\n\r\n'), UNPARSABLE],
    ['bare LF', (text) => text.replaceAll('\r\n', '\n'), UNPARSABLE],
    ['a bare CR in a value', (text) => text.replace('\r\n\r\n', '\r\nX-A: b\rc\r\n\r\n'), UNPARSABLE],
    ['NUL in a value', (text) => text.replace('\r\n\r\n', '\r\nX-A: b\0c\r\n\r\n'), UNPARSABLE],
    ['a header without a colon', (text) => text.replace('\r\n\r\n', '\r\nnonsense\r\n\r\n'), UNPARSABLE],
    ['an empty header name', (text) => text.replace('\r\n\r\n', '\r\n: x\r\n\r\n'), UNPARSABLE],
    ['a space in a header name', (text) => text.replace('\r\n\r\n', '\r\nX A: x\r\n\r\n'), UNPARSABLE],
    ['a space in the target', (text) => text.replace('/victim', '/vic tim'), UNPARSABLE],
    ['HTTP/2.0', (text) => text.replace('HTTP/1.1', 'HTTP/2.0'), INVALID],
    ['the preface of HTTP/2', () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', UNPARSABLE],
    ['no version', (text) => text.replace(' HTTP/1.1', ''), INVALID],
    ['a method that is none', (text) => text.replace('GET', 'G@T'), UNPARSABLE],
    ['TLS on the plain port', () => '\u0016\u0003\u0001\u0002\0\u0001\0\u0001\u00fc\u0003\u0003', UNPARSABLE],
  ])('%s is refused', async (_, change, refusal) => {
    await arena.refuses(
      Buffer.from(change(render(arena.sign({ target: `/${BUCKET}/victim` })).toString('latin1')), 'latin1'),
      refusal,
    );
  });
});

describe('whose request it is', () => {
  test('no Host is refused', async () => {
    await arena.refuses(lines(`GET /${BUCKET}/victim HTTP/1.1`), INVALID);
  });

  test('two Host headers are refused, in either order', async () => {
    const request = arena.sign({ target: `/${BUCKET}/victim` });
    const second = ['Host', 'other.example.com'] as const;
    await arena.refuses({ ...request, headers: [...request.headers, second] }, INVALID);
    await arena.refuses({ ...request, headers: [second, ...request.headers] }, INVALID);
  });

  test.each([
    ['absolute form', (target: string, host: string) => `http://${host}${target}`],
    ['absolute form of another host', (target: string) => `http://elsewhere.example.com${target}`],
    ['asterisk form', () => '*'],
    ['a fragment', (target: string) => `${target}#x`],
    ['a fragment in the query', (target: string) => `${target}?versionId=1#x`],
    ['no slash', (target: string) => target.slice(1)],
  ])('%s is no target', async (_, change) => {
    const request = arena.sign({ target: `/${BUCKET}/victim` });
    const target = change(request.target, arena.host);
    const response = await arena.send({ ...request, target });
    expect(['InvalidURI', 'BadRequest']).toContain(errorElements(response.body)['Code']);
    await arena.refuses(
      { ...request, target },
      {
        status: 400,
        code: errorElements(response.body)['Code'] as string,
      },
    );
  });

  test('CONNECT opens no tunnel', async () => {
    const refusal = { status: 405, code: 'MethodNotAllowed' };
    const response = await arena.refuses(
      lines(`CONNECT ${arena.gateway.upstream.endpoint.slice(7)} HTTP/1.1`, `Host: ${arena.host}`),
      refusal,
    );
    expect(response.headers['connection']).toBe('close');
  });

  test('Upgrade is refused', async () => {
    const request = arena.sign({
      target: `/${BUCKET}/victim`,
      unsigned: [
        ['Connection', 'Upgrade'],
        ['Upgrade', 'websocket'],
      ],
    });
    await arena.refuses(request, INVALID);
  });

  test('an offer of HTTP/2 is ignored, and the body behind it is the body', async () => {
    const body = 'GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n';
    const request = arena.sign({
      method: 'PUT',
      target: `/${BUCKET}/h2c`,
      body,
      unsigned: [
        ['Connection', 'Upgrade, HTTP2-Settings'],
        ['Upgrade', 'h2c'],
        ['HTTP2-Settings', 'AAMAAABkAAQAAP__'],
      ],
    });
    const response = await arena.send(request);
    expect(response.status).toBe(200);
    const stored = await arena.send(arena.sign({ target: `/${BUCKET}/h2c` }));
    expect(stored.body).toBe(body);
  });

  test.each(['TRACE', 'PATCH', 'LINK', 'PROPFIND'])('%s is no method of S3', async (method) => {
    const response = await arena.send(arena.sign({ method, target: `/${BUCKET}/victim` }));
    await arena.checkRefusal(response, { status: 405, code: 'MethodNotAllowed' });
  });
});

describe('a body on an operation that takes none', () => {
  const REFUSED: Refusal = { status: 400, code: 'InvalidRequest', message: /takes no request body/ };
  const targets = [
    ['DELETE', '/victim'],
    ['GET', '/victim'],
    ['HEAD', '/victim'],
    ['GET', '?list-type=2'],
    ['DELETE', ''],
    ['DELETE', '/victim?tagging'],
    ['POST', '/victim?uploads'],
  ] as const;

  test.each(targets)(
    'chunked on %s %s: refused, and the request inside never answered',
    async (method, rest) => {
      const request = arena.sign({
        method,
        target: `/${BUCKET}${rest}`,
        unsigned: [['Transfer-Encoding', 'chunked']],
      });
      const chunk = `${HIDDEN.length.toString(16)}\r\n${HIDDEN}\r\n0\r\n\r\n`;
      const records = arena.accessRecords().length;
      const connection = await arena.connect();
      arena.gateway.upstream.clear();
      void connection.write(Buffer.concat([render(request), Buffer.from(chunk)]));
      const response = await connection.response({ head: method === 'HEAD' });
      await arena.checkRefusal(response, REFUSED, { head: method === 'HEAD' });
      connection.socket.end();
      expect(await connection.closed).toBe('');
      expect(arena.gateway.upstream.sent.join('')).toBe('');
      expect(arena.accessRecords()).toHaveLength(records + 1);
    },
  );

  test.each(targets)('Content-Length on %s %s: the same', async (method, rest) => {
    const request = arena.sign({
      method,
      target: `/${BUCKET}${rest}`,
      payloadHash: 'UNSIGNED-PAYLOAD',
      body: HIDDEN,
    });
    await arena.refuses(request, REFUSED);
  });

  test('a body that says it is empty, and is not, is another request', async () => {
    const request = arena.sign({
      method: 'GET',
      target: `/${BUCKET}/victim`,
      unsigned: [['Content-Length', '0']],
    });
    const connection = await arena.connect();
    void connection.write(Buffer.concat([render(request), Buffer.from(HIDDEN)]));
    expect((await connection.response()).body).toBe('kept');
    const second = await connection.response();
    await arena.checkRefusal(second, { status: 403, code: 'AccessDenied' });
    connection.socket.end();
    await connection.closed;
  });

  test('the object is still there', async () => {
    expect((await arena.get('victim')).body).toBe('kept');
  });
});

describe('one connection, several requests', () => {
  test('answers come in order, each with its own decision and record', async () => {
    const good = arena.sign({ target: `/${BUCKET}/victim` });
    const bad = arena.sign({
      target: `/${BUCKET}/victim`,
      credentials: { accessKeyId: arena.gateway.root.accessKeyId, secretAccessKey: 'wrong' },
    });
    const connection = await arena.connect();
    void connection.write(Buffer.concat([bad, good, bad, good].map(render)));
    const statuses: number[] = [];
    for (let i = 0; i < 4; i++) {
      const response = await connection.response();
      statuses.push(response.status);
      const record = await arena.gateway.record(response.headers['x-amz-request-id'] ?? '');
      expect(record['status']).toBe(response.status);
    }
    expect(statuses).toEqual([403, 200, 403, 200]);
    connection.socket.end();
    await connection.closed;
  });

  test('what is no HTTP behind a request is answered after it', async () => {
    const request = arena.sign({ target: `/${BUCKET}/victim` });
    const connection = await arena.connect();
    const records = arena.accessRecords().length;
    void connection.write(Buffer.concat([render(request), Buffer.from('nonsense\r\n\r\n')]));
    const first = await connection.response();
    expect({ status: first.status, body: first.body }).toEqual({ status: 200, body: 'kept' });
    await arena.checkRefusal(await connection.response(), UNPARSABLE);
    expect(await connection.closed).toBe('');
    expect(arena.accessRecords()).toHaveLength(records + 2);
  });

  test('a refused upload leaves the connection in step, or closed', async () => {
    const body = Buffer.alloc(300_000, 'x');
    const refused = arena.sign({
      method: 'PUT',
      target: `/${BUCKET}/step`,
      body,
      credentials: { accessKeyId: 'AKIANOBODY', secretAccessKey: 'x' },
    });
    const connection = await arena.connect();
    void connection.write(render(refused));
    void connection.write(render(arena.sign({ target: `/${BUCKET}/victim` })));
    await arena.checkRefusal(await connection.response(), { status: 403, code: 'InvalidAccessKeyId' });
    expect((await connection.response()).body).toBe('kept');
    connection.socket.end();
    await connection.closed;
  });
});
