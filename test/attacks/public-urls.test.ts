/** Signatures made for a public URL, in whatever form a balancer passes them on, and what must not be made of them. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RawResponse } from '../support/raw-client.ts';
import type { SignedRequest } from '../support/raw-signer.ts';
import { BUCKET, openArena, type Arena } from './arena.ts';

let arena: Arena;

beforeAll(async () => {
  arena = await openArena({
    env: {
      BASE_DOMAINS: 's3.test',
      PUBLIC_URLS: 'https://www.test/storage,https://s3.test:8443,http://edge.test',
    },
  });
  await arena.send(arena.sign({ method: 'PUT', target: '/storage' }));
  await arena.put('key', 'of the arena');
  await arena.send(
    arena.sign({ method: 'PUT', target: '/storage/key', body: 'of the bucket named storage' }),
  );
  await arena.send(arena.sign({ method: 'PUT', target: `/storage/${BUCKET}/key`, body: 'deeper' }));
});

afterAll(async () => {
  await arena.finish();
});

/** Signed for one host and target, sent with another. */
async function passedOn(
  signed: { readonly host: string; readonly target: string; readonly method?: string },
  sent: { readonly host?: string; readonly target: string },
  options: { readonly presigned?: boolean } = {},
): Promise<RawResponse> {
  const request: SignedRequest = options.presigned === true ? arena.presign(signed) : arena.sign(signed);
  const query = options.presigned === true ? request.target.slice(signed.target.length) : '';
  const headers = request.headers.map(([name, value]) =>
    name === 'Host' ? (['Host', sent.host ?? arena.host] as const) : ([name, value] as const),
  );
  return arena.send({ ...request, headers, target: sent.target + query });
}

describe.each([{ presigned: false }, { presigned: true }])('a signature for a public URL (%o)', (options) => {
  const KEY = `/${BUCKET}/key`;
  const read = 'of the arena';

  test.each<[string, string, string, string, string | undefined, string]>([
    ['as it was signed', 'www.test', `/storage${KEY}`, `/storage${KEY}`, 'www.test', read],
    ['without its prefix', 'www.test', `/storage${KEY}`, KEY, 'www.test', read],
    ['without its prefix and with another host', 'www.test', `/storage${KEY}`, KEY, undefined, read],
    ['with another host', 'edge.test', KEY, KEY, undefined, read],
    ['without its port', 's3.test:8443', KEY, KEY, 's3.test', read],
    ['virtual-hosted', `${BUCKET}.s3.test:8443`, '/key', '/key', `${BUCKET}.s3.test:8443`, read],
    ['virtual-hosted, without its port', `${BUCKET}.s3.test:8443`, '/key', '/key', `${BUCKET}.s3.test`, read],
    ['virtual-hosted, made path style', `${BUCKET}.s3.test:8443`, '/key', KEY, undefined, read],
    [
      'of a bucket named like the prefix',
      'www.test',
      '/storage/storage/key',
      '/storage/storage/key',
      'www.test',
      'of the bucket named storage',
    ],
    [
      'of that one with another host',
      'www.test',
      '/storage/storage/key',
      '/storage/key',
      undefined,
      'of the bucket named storage',
    ],
  ])('is taken %s', async (_, signedHost, signedTarget, target, host, body) => {
    const response = await passedOn(
      { host: signedHost, target: signedTarget },
      { target, ...(host !== undefined && { host }) },
      options,
    );
    expect({ status: response.status, body: response.body }).toEqual({ status: 200, body });
  });

  test.each<[string, string, string, string, string | undefined]>([
    ['a host that is none of the gateway', 'evil.test', KEY, KEY, undefined],
    ['a host that has another port', 'www.test:8080', `/storage${KEY}`, KEY, undefined],
    ['a public host without its prefix', 'www.test', KEY, KEY, undefined],
    ['another prefix', 'www.test', `/other${KEY}`, KEY, undefined],
    ['a prefix in other letters', 'www.test', `/Storage${KEY}`, KEY, undefined],
    ['another key', 'www.test', `/storage/${BUCKET}/other`, KEY, undefined],
    ['a host below one that is no base domain', `${BUCKET}.edge.test`, '/key', KEY, undefined],
    ['another bucket before a base domain', 'other.s3.test:8443', '/key', '/key', `${BUCKET}.s3.test`],
    // It was signed for the bucket of the arena; here, it would be the bucket named `storage`.
    ['the prefix as a bucket', 'www.test', `/storage${KEY}`, `/storage${KEY}`, undefined],
    // Signed for the bucket `storage`; with the prefix taken away once more, it would be the bucket `key`.
    ['a bucket as the prefix', 'www.test', '/storage/storage/key', '/storage/key', 'www.test'],
    ['the prefix twice', 'www.test', `/storage/storage${KEY}`, `/storage${KEY}`, 'www.test'],
  ])('is refused for %s', async (_, signedHost, signedTarget, target, host) => {
    const response = await passedOn(
      { host: signedHost, target: signedTarget },
      { target, ...(host !== undefined && { host }) },
      options,
    );
    await arena.checkRefusal(response, { status: 403, code: 'SignatureDoesNotMatch' });
  });
});

test('the service itself is below a prefix, with and without a slash', async () => {
  for (const signed of ['/storage', '/storage/'])
    for (const sent of [
      { target: signed, host: 'www.test' },
      { target: '/' },
      { target: '/', host: 'www.test' },
    ]) {
      const response = await passedOn({ host: 'www.test', target: signed }, sent);
      expect(response.body).toContain('<ListAllMyBucketsResult');
    }
});

test('the words of a refusal are about the request as it was received', async () => {
  const response = await passedOn(
    { host: 'evil.test', target: `/${BUCKET}/key` },
    { target: `/${BUCKET}/key`, host: 'edge.test' },
  );
  await arena.checkRefusal(response, {
    status: 403,
    code: 'SignatureDoesNotMatch',
    elements: { CanonicalRequest: new RegExp(`^GET\n/${BUCKET}/key\n\nhost:edge\\.test\n`) },
  });
});

test('two Hosts stay refused, and an empty one is none of the public ones', async () => {
  const signed = arena.sign({ host: 'edge.test', target: `/${BUCKET}/key` });
  await arena.refuses(
    { ...signed, headers: [...signed.headers, ['Host', 'edge.test']] },
    { status: 400, code: 'InvalidRequest' },
  );
  const empty = signed.headers.map(([name, value]) =>
    name === 'Host' ? (['Host', ''] as const) : ([name, value] as const),
  );
  expect((await arena.send({ ...signed, headers: empty })).status).toBe(200);
  const unsigned = arena.sign({ host: '', target: `/${BUCKET}/key` });
  const named = unsigned.headers.map(([name, value]) =>
    name === 'Host' ? (['Host', 'edge.test'] as const) : ([name, value] as const),
  );
  await arena.refuses({ ...unsigned, headers: named }, { status: 403, code: 'SignatureDoesNotMatch' });
});
