/** The upstream refuses the gateway itself: that is no business of a client. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BUCKET, openArena, type Arena } from './arena.ts';

let arena: Arena;
/** A gateway that signs with a wrong secret; the store is told nothing of it. */
let misconfigured: Arena;

beforeAll(async () => {
  arena = await openArena();
});

afterAll(async () => {
  await arena.finish();
});

describe('a gateway whose upstream secret is wrong', () => {
  beforeAll(async () => {
    misconfigured = await openArena({
      env: { UPSTREAM_SECRET_ACCESS_KEY: 'not-the-secret', UPSTREAM_BUCKETS: BUCKET },
      bucket: 'configured',
    });
  });

  afterAll(async () => {
    await misconfigured.finish();
  });

  test.each([
    ['GET', '/key'],
    ['PUT', '/key'],
    ['DELETE', '/key'],
    ['GET', '?list-type=2'],
    ['POST', '/key?uploads'],
    ['GET', '/key?tagging'],
  ])('answers %s %s with 503, and keeps the reason to itself', async (method, rest) => {
    const request = misconfigured.sign({
      method,
      target: `/${BUCKET}${rest}`,
      ...(method === 'PUT' && { body: 'x' }),
    });
    const response = await misconfigured.send(request);
    await misconfigured.checkRefusal(response, {
      status: 503,
      code: 'ServiceUnavailable',
      message: 'Service is unable to handle request.',
      record: { upstream: { status: 403, errorCode: 'SignatureDoesNotMatch' } },
    });
    const answer = JSON.stringify(response);
    for (const secret of [
      'UPSTREAMKEY',
      'SignatureDoesNotMatch',
      'not-the-secret',
      'StringToSign',
      'CanonicalRequest',
    ])
      expect(answer).not.toContain(secret);
    expect(answer).not.toContain(misconfigured.gateway.upstream.endpoint.slice(7));
  });

  test('answers HEAD without saying why', async () => {
    const response = await misconfigured.send(
      misconfigured.sign({ method: 'HEAD', target: `/${BUCKET}/key` }),
    );
    expect([403, 503]).toContain(response.status);
    expect(JSON.stringify(response)).not.toContain('UPSTREAMKEY');
  });

  test('never has the secret, nor a signature, in its records', () => {
    const everything = JSON.stringify(misconfigured.gateway.lines);
    expect(everything).not.toContain('not-the-secret');
    expect(everything).not.toMatch(/Signature=[0-9a-f]{64}/);
  });
});

test('an upstream that is gone is 503, and its address stays inside', async () => {
  const { host } = new URL(arena.gateway.upstream.endpoint);
  await arena.gateway.upstream.close();
  const response = await arena.send(arena.sign({ target: `/${BUCKET}/key` }));
  await arena.checkRefusal(response, { status: 503, code: 'ServiceUnavailable' });
  expect(JSON.stringify(response)).not.toContain(host.split(':')[1]);
  const upload = arena.sign({ method: 'PUT', target: `/${BUCKET}/key`, body: 'x' });
  await arena.checkRefusal(await arena.send(upload), { status: 503, code: 'ServiceUnavailable' });
});
