/** Buckets that are removed and made again: what was meant for the one of that name does not reach the other. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { gatewayOver } from '../gateway/gateway-over.ts';
import { renderHead } from '../support/raw-signer.ts';
import { REGION } from '../sigv4/independent-signer.ts';
import { openArena, type Arena } from './arena.ts';

const policyOf = (bucket: string): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: '*', Action: 's3:*', Resource: `arn:aws:s3:::${bucket}/*` }],
  });
const CORS =
  '<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule></CORSConfiguration>';
const BLOCK =
  '<PublicAccessBlockConfiguration><BlockPublicPolicy>false</BlockPublicPolicy></PublicAccessBlockConfiguration>';

describe('a body whose end comes when the bucket is another one', () => {
  let arena: Arena;

  beforeAll(async () => {
    arena = await openArena();
  });

  afterAll(async () => {
    await arena.finish();
  });

  test.each([
    ['policy', policyOf('taken-policy')],
    ['cors', CORS],
    ['publicAccessBlock', BLOCK],
  ])('sets nothing there: %s', async (parameter, text) => {
    const bucket = `taken-${parameter.toLowerCase()}`;
    const call = (method: string, target: string) => arena.send(arena.sign({ method, target: `/${target}` }));
    expect((await call('PUT', bucket)).status).toBe(200);
    const body = Buffer.from(text);
    const target = `/${bucket}?${parameter}`;
    const { method, headers } = arena.sign({ method: 'PUT', target, body });
    const slow = await arena.connect();
    await slow.write(renderHead({ method, target, headers }));
    await slow.write(body.subarray(0, 20));
    expect((await call('DELETE', bucket)).status).toBe(204);
    expect((await call('PUT', bucket)).status).toBe(200);
    await slow.write(body.subarray(20));
    const answer = await slow.response();
    const kept = await call('GET', `${bucket}?${parameter}`);
    expect([answer.status, kept.status]).toEqual([404, 404]);
  });
});

test('a bucket that is made a second time at once keeps what it was given meanwhile', async () => {
  const held: (() => void)[] = [];
  const first = Promise.withResolvers<void>();
  const gateway = await gatewayOver(
    (request, response) => {
      if (request.method === 'HEAD') response.writeHead(404).end();
      else if (held.length > 0) response.writeHead(200).end();
      else {
        held.push(() => response.writeHead(200).end());
        first.resolve();
      }
    },
    { UPSTREAM_BUCKETS: 'nothing' },
  );
  const put = (query: readonly (readonly [string, string])[], body: string) =>
    gateway.call(
      {
        method: 'PUT',
        path: '/reports',
        query,
        headers: { 'content-length': String(body.length) },
        payloadHash: 'UNSIGNED-PAYLOAD',
      },
      { body },
    );
  const make = () =>
    put(
      [],
      `<CreateBucketConfiguration><LocationConstraint>${REGION}</LocationConstraint></CreateBucketConfiguration>`,
    );
  const slow = make();
  await first.promise;
  expect((await make()).status).toBe(200);
  const query = [['policy', '']] as const;
  expect((await put(query, policyOf('reports'))).status).toBe(204);
  held[0]?.();
  expect((await slow).status).toBe(409);
  const kept = await gateway.call({ method: 'GET', path: '/reports', query });
  expect(kept.body).toBe(policyOf('reports'));
});
