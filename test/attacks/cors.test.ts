/** Preflights by hand: what they may learn, what they may put into an answer, what they may cost. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RawResponse } from '../support/raw-client.ts';
import { render, renderHead, type Header } from '../support/raw-signer.ts';
import { BUCKET, openArena, type Arena } from './arena.ts';

const ORIGIN = 'https://app.example.com';
const TARGET = `/${BUCKET}/secret`;
const RULES = `<CORSConfiguration>
  <CORSRule><AllowedOrigin>https://*.example.com</AllowedOrigin><AllowedMethod>GET</AllowedMethod><AllowedMethod>PUT</AllowedMethod><AllowedHeader>x-amz-*</AllowedHeader><MaxAgeSeconds>60</MaxAgeSeconds></CORSRule>
  <CORSRule><AllowedOrigin>null</AllowedOrigin><AllowedMethod>HEAD</AllowedMethod></CORSRule>
</CORSConfiguration>`;

let arena: Arena;

beforeAll(async () => {
  arena = await openArena({ env: { BASE_DOMAINS: 'storage.test' } });
  await arena.put('secret', 'of the bucket');
  await arena.send(arena.sign({ method: 'PUT', target: `/${BUCKET}?cors`, body: RULES }));
  await arena.send(arena.sign({ method: 'PUT', target: '/without-cors' }));
});

afterAll(async () => {
  await arena.finish();
});

function request(headers: readonly Header[], target = TARGET, method = 'OPTIONS', host = arena.host): Buffer {
  return renderHead({ method, target, headers: [['Host', host], ...headers] });
}

function asking(origin: string, method = 'GET', ...more: readonly Header[]): readonly Header[] {
  return [['Origin', origin], ['Access-Control-Request-Method', method], ...more];
}

function asked(value: string): Header {
  return ['Access-Control-Request-Headers', value];
}

function names(count: number): string {
  return Array.from({ length: count }, (_, index) => `x-amz-${index}`).join();
}

function corsOf({ headers }: RawResponse): readonly string[] {
  return Object.keys(headers).filter((name) => name.startsWith('access-control-') || name === 'vary');
}

const NOT_ALLOWED = {
  status: 403,
  code: 'AccessForbidden',
  message:
    "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.",
} as const;

describe('a preflight', () => {
  test('is answered without a signature, whatever signature it carries, and never forwarded', async () => {
    arena.gateway.upstream.clear();
    for (const target of [TARGET, `${TARGET}?X-Amz-Signature=0&X-Amz-Algorithm=x&uploads&versionId=`]) {
      const response = await arena.send(
        request([...asking(ORIGIN), ['Authorization', 'AWS4-nonsense']], target),
      );
      expect([response.status, response.body, response.headers['access-control-allow-origin']]).toEqual([
        200,
        '',
        ORIGIN,
      ]);
      const record = await arena.gateway.record(response.headers['x-amz-request-id'] ?? '');
      expect(record).toMatchObject({
        operation: 'OptionsObject',
        bucket: BUCKET,
        key: 'secret',
        status: 200,
      });
    }
    expect(arena.gateway.upstream.sent.join('')).toBe('');
  });

  test('of a key that does not exist says the same as of one that does', async () => {
    const answers = await Promise.all(
      [TARGET, `/${BUCKET}/missing`, `/${BUCKET}/a/../b`].map((target) =>
        arena.send(request(asking(ORIGIN), target)),
      ),
    );
    expect(
      new Set(answers.map(({ status, headers }) => `${status} ${headers['access-control-allow-methods']}`)),
    ).toEqual(new Set(['200 GET, PUT']));
  });

  test('reaches the bucket by its host name', async () => {
    const host = `${BUCKET}.storage.test`;
    for (const target of ['/', '/key']) {
      const response = await arena.send(request(asking(ORIGIN), target, 'OPTIONS', host));
      expect([response.status, response.headers['access-control-allow-origin']]).toEqual([200, ORIGIN]);
    }
  });

  test('without an origin, or with a method that is none', async () => {
    const noOrigin = {
      status: 400,
      code: 'BadRequest',
      message: 'Insufficient information. Origin request header needed.',
    };
    await arena.refuses(request([]), noOrigin);
    await arena.refuses(request([['Access-Control-Request-Method', 'GET']]), noOrigin);
    await arena.refuses(request([], '/no-such-bucket/k'), noOrigin);
    await arena.refuses(request([], '/'), noOrigin);
    for (const method of ['get', 'PATCH', 'OPTIONS', 'GET, PUT', '*'])
      await arena.refuses(request(asking(ORIGIN, method)), {
        status: 400,
        code: 'BadRequest',
        message: `Invalid Access-Control-Request-Method: ${method}`,
      });
    await arena.refuses(request([['Origin', ORIGIN]]), {
      status: 400,
      code: 'BadRequest',
      message: 'Invalid Access-Control-Request-Method: null',
    });
  });

  // S3 has other words for a bucket that is not there. Here a name is not to be tried out by who may read nothing.
  test.each(['/no-such-bucket/key', '/', '/without-cors/key'])(
    'of %s is refused in the same words, with no word of CORS in its headers',
    async (target) => {
      const message = 'CORSResponse: CORS is not enabled for this bucket.';
      const refusal = { status: 403, code: 'AccessForbidden', message };
      const got = await arena.refuses(request(asking(ORIGIN, 'PUT'), target), {
        ...refusal,
        elements: { Method: 'PUT', ResourceType: 'BUCKET' },
      });
      expect(corsOf(got)).toEqual([]);
      const without = request([['Origin', ORIGIN]], target);
      await arena.refuses(without, { ...refusal, elements: { Method: 'OPTIONS', ResourceType: 'BUCKET' } });
    },
  );

  test.each([
    'https://example.com',
    'https://app.example.com.evil.test',
    'https://app.example.com:8443',
    'http://app.example.com',
    'HTTPS://app.example.com',
    'https://app.EXAMPLE.com',
    'https://evil.test/?.example.com/',
    'null',
    '',
    '*',
    'https://app.example.com\u00e9',
    'https://a b.example.com',
    `https://${'a'.repeat(7000)}.example.org`,
  ])('from the origin %j is refused', async (origin) => {
    const got = await arena.refuses(request(asking(origin)), {
      ...NOT_ALLOWED,
      elements: { Method: 'GET', ResourceType: 'OBJECT' },
    });
    expect(corsOf(got)).toEqual([]);
    await arena.refuses(request(asking(origin), `/${BUCKET}`), {
      ...NOT_ALLOWED,
      elements: { Method: 'GET', ResourceType: 'BUCKET' },
    });
  });

  test('from two origins is from none', async () => {
    await arena.refuses(request([...asking(ORIGIN), ['Origin', ORIGIN]]), NOT_ALLOWED);
  });

  test('from an opaque origin is allowed where a rule says so, and there alone', async () => {
    expect((await arena.send(request(asking('null', 'HEAD')))).headers['access-control-allow-origin']).toBe(
      'null',
    );
    await arena.refuses(request(asking('null', 'GET')), NOT_ALLOWED);
  });

  test('with a body is refused', async () => {
    const refusal = { status: 400, code: 'InvalidRequest', message: 'A preflight takes no request body.' };
    const body = Buffer.concat([request([...asking(ORIGIN), ['Content-Length', '3']]), Buffer.from('abc')]);
    await arena.refuses(body, refusal);
    const chunked = Buffer.concat([
      request([...asking(ORIGIN), ['Transfer-Encoding', 'chunked']]),
      Buffer.from('0\r\n\r\n'),
    ]);
    await arena.refuses(chunked, refusal);
    const empty = await arena.send(request([...asking(ORIGIN), ['Content-Length', '0']]));
    expect(empty.status).toBe(200);
  });

  test('of a name that is none is refused as any request', async () => {
    await arena.refuses(request(asking(ORIGIN), '/Not_A_Bucket!/key'), {
      status: 400,
      code: 'InvalidBucketName',
    });
    await arena.refuses(request(asking(ORIGIN), `/${BUCKET}/${'k'.repeat(1025)}`), {
      status: 400,
      code: 'KeyTooLongError',
    });
  });
});

describe('what comes back in an answer', () => {
  test('cannot be given a line of its own', async () => {
    for (const origin of [
      `${ORIGIN}\rSet-Cookie: a=b`,
      `${ORIGIN}\r\n Set-Cookie: a=b`,
      `https://\u0000.example.com`,
    ]) {
      const response = await arena.send(request(asking(origin)));
      expect(response.status).toBe(400);
      expect(Object.keys(response.headers)).not.toContain('set-cookie');
      expect(corsOf(response)).toEqual([]);
    }
    // A line feed ends the field: what follows is a header of the request, and goes nowhere.
    const split = await arena.send(request(asking(`${ORIGIN}\r\nX-Injected: a`)));
    expect([split.status, split.headers['x-injected']]).toEqual([200, undefined]);
  });

  test('names only headers that were asked for, in lower case, and only where all are allowed', async () => {
    const response = await arena.send(
      request(asking(ORIGIN, 'PUT', asked('X-Amz-Date,x-amz-ACL , ,x-amz-date'))),
    );
    expect(response.headers['access-control-allow-headers']).toBe('x-amz-date, x-amz-acl');
    for (const value of [
      'x-amz-date,authorization',
      '*',
      'x-amz-a b',
      'x-amz-\u00e9',
      'x-amz-a;b',
      'x-amz-"a"',
    ])
      await arena.refuses(request(asking(ORIGIN, 'PUT', asked(value))), NOT_ALLOWED);
  });

  test('is bounded, however many headers are asked for', async () => {
    expect((await arena.send(request(asking(ORIGIN, 'PUT', asked(names(100)))))).status).toBe(200);
    await arena.refuses(request(asking(ORIGIN, 'PUT', asked(names(101)))), NOT_ALLOWED);
    await arena.refuses(request(asking(ORIGIN, 'PUT', asked('x-amz-a,'.repeat(1100)))), {
      status: 400,
      code: 'RequestHeaderSectionTooLarge',
    });
  });
});

describe('a request from another origin', () => {
  test('is decided as without an origin: CORS grants nothing', async () => {
    const denied = await arena.refuses(request([['Origin', ORIGIN]], TARGET, 'GET'), {
      status: 403,
      code: 'AccessDenied',
    });
    expect(denied.body).not.toContain('of the bucket');
    expect(denied.headers['access-control-allow-origin']).toBe(ORIGIN);
  });

  test('gets what it may get though no rule allows its origin, with no CORS header', async () => {
    const signed = arena.sign({ target: TARGET, unsigned: [['Origin', 'https://evil.test']] });
    const response = await arena.send(signed);
    expect([response.status, response.body, corsOf(response)]).toEqual([200, 'of the bucket', []]);
  });

  test('to no bucket, or one that is not there, gets none either', async () => {
    for (const target of ['/', '/no-such-bucket/k', '/Not_A_Bucket!/k', '//k', '/without-cors/k']) {
      const signed = arena.sign({ target, unsigned: [['Origin', ORIGIN]] });
      expect({ target, cors: corsOf(await arena.send(render(signed))) }).toEqual({ target, cors: [] });
    }
  });
});
