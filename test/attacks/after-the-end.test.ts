/** What a client has sent behind the point where the gateway gave its connection up. */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect as connectPlain, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { CreateBucketCommand, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeCertificate } from '../e2e/support/certificate.ts';
import { render, signHeader } from '../support/raw-signer.ts';
import { runGateway, type RunningGateway } from '../support/running-gateway.ts';

/** What the gateway reads of a refused upload; then it destroys the connection. */
const DRAINED_BYTES = 16 * 1024 * 1024;
const bucket = { Bucket: 'arena' };

function chunk(size: number): Buffer {
  return Buffer.concat([Buffer.from(`${size.toString(16)}\r\n`), Buffer.alloc(size), Buffer.from('\r\n')]);
}

describe.each(['http', 'https'])('over %s', (scheme) => {
  let gateway: RunningGateway;
  let folder: string;
  const unhandled: unknown[] = [];
  const onUnhandled = (error: unknown): void => {
    unhandled.push(error);
  };

  beforeAll(async () => {
    process.on('unhandledRejection', onUnhandled);
    folder = await mkdtemp(join(tmpdir(), 'bucketwarden-tls-'));
    const files = { TLS_CERT: join(folder, 'tls.crt'), TLS_KEY: join(folder, 'tls.key') };
    const { cert, key } = makeCertificate();
    await writeFile(files.TLS_CERT, cert);
    await writeFile(files.TLS_KEY, key);
    gateway = await runGateway({ env: scheme === 'https' ? files : {} });
    const s3 = gateway.upstreamClient();
    await s3.send(new CreateBucketCommand(bucket));
    await s3.send(new PutObjectCommand({ ...bucket, Key: 'kept', Body: 'x' }));
  });

  afterAll(async () => {
    await gateway.stop();
    await rm(folder, { recursive: true });
    process.off('unhandledRejection', onUnhandled);
  });

  async function open(): Promise<Socket> {
    const address = { port: gateway.port, host: '127.0.0.1' };
    const socket =
      scheme === 'https' ? connectTls({ ...address, rejectUnauthorized: false }) : connectPlain(address);
    socket.on('error', () => undefined);
    await once(socket, scheme === 'https' ? 'secureConnect' : 'connect');
    return socket;
  }

  test('a request is not served, and nobody else is harmed', async () => {
    const host = `127.0.0.1:${gateway.port}`;
    const behind = signHeader({
      credentials: gateway.root,
      host,
      method: 'DELETE',
      target: '/arena/kept',
    });
    const socket = await open();
    const closed = once(socket, 'close');
    socket.write('PUT /arena/k HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString('latin1')).toMatch(/^HTTP\/1\.1 4/);
    for (let left = DRAINED_BYTES - 4000; left > 0; left -= 60_000)
      if (!socket.write(chunk(Math.min(left, 60_000)))) await once(socket, 'drain');
    // One record of TLS, so that the gateway parses it at once: past the limit, to the end, and on.
    socket.write(Buffer.concat([chunk(5000), Buffer.from('0\r\n\r\n'), render(behind)]));
    await closed;

    const next = await open();
    next.write(render(signHeader({ credentials: gateway.root, host, target: '/' })));
    const [listed] = (await once(next, 'data')) as [Buffer];
    next.destroy();
    expect(listed.toString('latin1')).toMatch(/^HTTP\/1\.1 200/);
    await gateway.upstreamClient().send(new HeadObjectCommand({ ...bucket, Key: 'kept' }));
    const methods = gateway.lines.filter(({ msg }) => msg === 'access').map(({ method }) => method);
    expect(methods).not.toContain('DELETE');
    expect(unhandled).toEqual([]);
  });
});
