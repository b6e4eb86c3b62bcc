/** Through a proxy, over TLS, with certificates: and what stays the same. */
import { renameSync, writeFileSync } from 'node:fs';
import { describe, expect, test, onTestFinished, vi } from 'vitest';
import { S3Error } from '../../src/s3/index.ts';
import { Secret } from '../../src/sigv4/index.ts';
import type { UpstreamEvent } from '../../src/upstream/index.ts';
import { makeCertificate } from '../e2e/support/certificate.ts';
import { certificateFiles, serveTls, serveTunnels } from './egress.ts';
import { serve, upload, upstreamAt, upstreamRequest } from './origin.ts';

const HOST = 's3.storage.example';
const NO_FILES = { caFile: undefined, certFile: undefined, keyFile: undefined };

async function viaProxy(options: {
  readonly names?: readonly string[];
  readonly target?: string;
  readonly handler?: Parameters<typeof serveTls>[1];
}) {
  const { names = [HOST], target = `${HOST}:443` } = options;
  const hosts: (string | undefined)[] = [];
  const { port, caFile } = await serveTls(names, (request, response) => {
    hosts.push(`${request.headers.host} ${request.url}`);
    if (options.handler) options.handler(request, response);
    else response.end('ok');
  });
  const proxy = await serveTunnels(new Map([[target, port]]));
  return { proxy, hosts, tls: { ...NO_FILES, caFile } };
}

describe('a proxy', () => {
  test('is asked for a tunnel with its credentials, and TLS goes to the upstream', async () => {
    const { proxy, hosts, tls } = await viaProxy({});
    const upstream = await upstreamAt(`https://${HOST}`, {
      tls,
      proxy: { url: proxy.url, credentials: new Secret('user:pass:word') },
      connections: 1,
    });
    for (let i = 0; i < 2; i++) {
      const response = await upstream.send(upstreamRequest());
      expect((await response.body.read(2)).toString()).toBe('ok');
    }
    expect(hosts).toEqual([`${HOST} /b/k`, `${HOST} /b/k`]);
    // One tunnel carries both. Basic credentials: RFC 7617.
    expect(proxy.asked).toEqual([{ target: `${HOST}:443`, authorization: 'Basic dXNlcjpwYXNzOndvcmQ=' }]);
  });

  test('tunnels plain HTTP too', async () => {
    const origin = await serve((request, response) => response.end(request.url));
    const { port } = new URL(origin);
    const proxy = await serveTunnels(new Map([[`${HOST}:80`, Number(port)]]));
    const upstream = await upstreamAt(`http://${HOST}`, {
      proxy: { url: proxy.url, credentials: undefined },
    });
    const response = await upstream.send(upstreamRequest());
    expect((await response.body.read(10)).toString()).toBe('/b/k');
    expect(proxy.asked).toEqual([{ target: `${HOST}:80`, authorization: undefined }]);
  });

  test.each([
    [407, 'the proxy refuses its credentials (407)'],
    [403, 'the proxy opens no tunnel (403)'],
  ])('that answers %i is named as the cause', async (refuseWith, cause) => {
    const proxy = await serveTunnels(new Map(), { refuseWith });
    const upstream = await upstreamAt(`https://${HOST}`, {
      proxy: { url: proxy.url, credentials: undefined },
      retries: 0,
    });
    await expect(upstream.send(upstreamRequest())).rejects.toMatchObject({
      name: 'UpstreamUnreachable',
      message: `the upstream gave no answer: ${cause}`,
    });
    expect(proxy.asked).toHaveLength(1);
  });

  test('carries the end of an upload that does not verify: cut, with bytes outstanding', async () => {
    const completed = Promise.withResolvers<boolean>();
    const { proxy, tls } = await viaProxy({
      handler: (request) => {
        request.on('error', () => undefined).resume();
        request.once('close', () => {
          completed.resolve(request.complete);
        });
      },
    });
    const upstream = await upstreamAt(`https://${HOST}`, {
      tls,
      proxy: { url: proxy.url, credentials: undefined },
    });
    const error = new S3Error('XAmzContentSHA256Mismatch');
    const chunks = (async function* () {
      yield Buffer.alloc(100_000);
      throw error;
    })();
    await expect(upstream.send(upstreamRequest(upload(chunks, 100_001)))).rejects.toBe(error);
    expect(await completed.promise).toBe(false);
    await expect.poll(() => proxy.open.size).toBe(0);
  });
});

describe('virtual-hosted style', () => {
  test('puts the bucket into the host that is signed, connected to and certified', async () => {
    const { proxy, hosts, tls } = await viaProxy({
      names: [HOST, `*.${HOST}`],
      target: `team-a.${HOST}:443`,
    });
    const upstream = await upstreamAt(`https://${HOST}`, {
      style: 'virtual-hosted',
      tls,
      proxy: { url: proxy.url, credentials: undefined },
    });
    for (const changes of [{}, { key: undefined }])
      expect((await upstream.send(upstreamRequest({ bucket: 'team-a', ...changes }))).status).toBe(200);
    expect(hosts).toEqual([`team-a.${HOST} /k`, `team-a.${HOST} /`]);
  });

  test.each(['dotted.name', 'under_score'])(
    'uses the path for `%s`, which no wildcard certificate covers',
    async (bucket) => {
      const { proxy, hosts, tls } = await viaProxy({});
      const upstream = await upstreamAt(`https://${HOST}`, {
        style: 'virtual-hosted',
        tls,
        proxy: { url: proxy.url, credentials: undefined },
      });
      expect((await upstream.send(upstreamRequest({ bucket }))).status).toBe(200);
      expect(hosts).toEqual([`${HOST} /${bucket}/k`]);
    },
  );

  test('uses the host for a dotted name where there is no certificate', async () => {
    const origin = await serve((request, response) => response.end(request.headers.host));
    const proxy = await serveTunnels(new Map([[`dotted.name.${HOST}:80`, Number(new URL(origin).port)]]));
    const upstream = await upstreamAt(`http://${HOST}`, {
      style: 'virtual-hosted',
      proxy: { url: proxy.url, credentials: undefined },
    });
    const response = await upstream.send(upstreamRequest({ bucket: 'dotted.name' }));
    expect((await response.body.read(100)).toString()).toBe(`dotted.name.${HOST}`);
  });

  test('is refused where the endpoint is an address', async () => {
    await expect(upstreamAt('https://127.0.0.1:9000', { style: 'virtual-hosted' })).rejects.toThrow(
      'The upstream `test` cannot be used: no bucket can stand before the address in `https://127.0.0.1:9000`. Use a host name, or path style.',
    );
  });
});

describe('certificates', () => {
  test('of an unknown authority, or for another name, are refused', async () => {
    const { proxy, tls } = await viaProxy({ names: ['other.example'] });
    const through = { proxy: { url: proxy.url, credentials: undefined }, retries: 0 };
    const stranger = await upstreamAt(`https://${HOST}`, through);
    await expect(stranger.send(upstreamRequest())).rejects.toThrow('DEPTH_ZERO_SELF_SIGNED_CERT');
    const misnamed = await upstreamAt(`https://${HOST}`, { ...through, tls });
    await expect(misnamed.send(upstreamRequest())).rejects.toThrow('ERR_TLS_CERT_ALTNAME_INVALID');
  });

  test('are checked whatever the environment says', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    const { port } = await serveTls(['localhost'], (_, response) => {
      response.end();
    });
    const upstream = await upstreamAt(`https://127.0.0.1:${port}`, { retries: 0 });
    await expect(upstream.send(upstreamRequest())).rejects.toThrow('DEPTH_ZERO_SELF_SIGNED_CERT');
  });

  test('of the gateway are shown, and reloaded when the files are replaced', async () => {
    const first = makeCertificate(['first']);
    const second = makeCertificate(['second']);
    const shown: unknown[] = [];
    const { port, caFile } = await serveTls(
      ['localhost'],
      (request, response) => {
        const { socket } = request as unknown as {
          socket: { getPeerCertificate(): { subjectaltname?: string } };
        };
        shown.push(socket.getPeerCertificate().subjectaltname);
        response.end();
      },
      { requestCert: true, rejectUnauthorized: true, ca: [first.cert, second.cert] },
    );
    const url = `https://127.0.0.1:${port}`;
    const nobody = await upstreamAt(url, { tls: { ...NO_FILES, caFile }, retries: 0 });
    await expect(nobody.send(upstreamRequest())).rejects.toMatchObject({ name: 'UpstreamUnreachable' });

    const files = certificateFiles(first);
    const events: UpstreamEvent[] = [];
    const upstream = await upstreamAt(url, {
      tls: { caFile, ...files },
      onEvent: (event) => {
        if (event.kind === 'certificates') events.push(event);
      },
    });
    await (await upstream.send(upstreamRequest())).body.read(0);
    // Broken files leave the former ones in use.
    writeFileSync(files.keyFile, 'no key');
    await expect
      .poll(() => events, { timeout: 10_000 })
      .toContainEqual({
        kind: 'certificates',
        problem: expect.stringContaining('are no certificate and its key') as string,
      });
    await (await upstream.send(upstreamRequest())).body.read(0);
    const next = certificateFiles(second);
    renameSync(next.certFile, files.certFile);
    renameSync(next.keyFile, files.keyFile);
    await expect
      .poll(() => events.at(-1), { timeout: 10_000 })
      .toEqual({
        kind: 'certificates',
        problem: undefined,
      });
    await (await upstream.send(upstreamRequest())).body.read(0);
    expect(shown).toEqual(['first', 'first', 'second'].map((name) => `DNS:${name}, IP Address:127.0.0.1`));
  });

  test.each([
    ['missing', () => '/nonexistent/ca.pem', '`/nonexistent/ca.pem` cannot be read'],
    ['no PEM', () => certificateFiles({ cert: 'text', key: '' }).certFile, 'holds no usable certificate'],
  ])('that are %s stop the start', async (_, caFile, problem) => {
    const starting = upstreamAt('https://localhost', { tls: { ...NO_FILES, caFile: caFile() } });
    await expect(starting).rejects.toMatchObject({ name: 'UpstreamUnusable' });
    await expect(starting).rejects.toThrow(problem);
  });
});
