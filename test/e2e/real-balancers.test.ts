/**
 * The configurations of docs/load-balancers.md, run by the nginx and HAProxy of this machine. Without them there is nothing
 * to run here; what the gateway does behind them is tested in test/attacks/proxies.test.ts.
 */
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  UploadPartCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { runGateway, type RunningGateway } from '../support/running-gateway.ts';
import { makeCertificate } from './support/certificate.ts';

const Bucket = 'behind';
/** Not the balancer's own, so that the two can be told apart. */
const CLIENT = '127.0.0.9';
const PAGE = readFileSync(new URL('../../docs/load-balancers.md', import.meta.url), 'utf8');
const [NGINX = ''] = blocks('nginx');
const [OVER_TCP = '', OVER_HTTP = ''] = blocks('haproxy');

interface Balancer {
  readonly program: 'nginx' | 'haproxy';
  /** As on the page. */
  readonly configuration: string;
  readonly proxyProtocol: boolean;
  /** TLS ends at the gateway, not at the balancer. */
  readonly tlsAtGateway: boolean;
}

const BALANCERS: readonly (readonly [string, Balancer])[] = [
  ['nginx', { program: 'nginx', configuration: NGINX, proxyProtocol: false, tlsAtGateway: false }],
  [
    'HAProxy over TCP',
    { program: 'haproxy', configuration: OVER_TCP, proxyProtocol: true, tlsAtGateway: true },
  ],
  [
    'HAProxy over HTTP',
    { program: 'haproxy', configuration: OVER_HTTP, proxyProtocol: false, tlsAtGateway: false },
  ],
];

function blocks(language: string): readonly string[] {
  return [...PAGE.matchAll(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 'gs'))].map(
    (match) => match[1] ?? '',
  );
}

function installed(program: Balancer['program']): boolean {
  return spawnSync(program, ['-v']).error === undefined;
}

test('the page has three configurations', () => {
  expect([NGINX, OVER_TCP, OVER_HTTP].every((text) => text.includes('127.0.0.1:9000'))).toBe(true);
});

describe.each(BALANCERS)('%s', (_, { program, configuration, proxyProtocol, tlsAtGateway }) => {
  describe.runIf(installed(program))('as the page configures it', () => {
    let gateway: RunningGateway;
    let process: ChildProcess;
    let folder: string;
    let port: number;
    let s3: S3Client;

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'bucketwarden-'));
      const { cert, key } = makeCertificate();
      const files = {
        crt: join(folder, 'tls.crt'),
        key: join(folder, 'tls.key'),
        pem: join(folder, 'tls.pem'),
      };
      await writeFile(files.crt, cert);
      await writeFile(files.key, key);
      await writeFile(files.pem, cert + key);
      const settings = join(folder, 'bucketwarden.json');
      port = await freePort();
      const edge = {
        trustedProxies: ['127.0.0.1'],
        proxyProtocol,
        publicUrls: [`https://localhost:${port}`],
      };
      const tls = tlsAtGateway ? { tls: { cert: files.crt, key: files.key } } : {};
      await writeFile(settings, JSON.stringify({ ...edge, ...tls }));
      gateway = await runGateway({ file: settings });
      const text = configuration
        .replace('127.0.0.1:9000', `127.0.0.1:${gateway.port}`)
        .replace('listen 443', `listen 127.0.0.1:${port}`)
        .replace('bind :443', `bind 127.0.0.1:${port}`)
        .replaceAll(/\/etc\/\w+\/tls\.(\w+)/g, (__, end: keyof typeof files) => files[end]);
      process = await run(text);
      s3 = gateway.client(gateway.root, {
        endpoint: `https://localhost:${port}`,
        requestHandler: { httpsAgent: agent(cert) },
      });
      await s3.send(new CreateBucketCommand({ Bucket }));
    });

    afterAll(async () => {
      process.kill();
      await once(process, 'exit');
      await gateway.stop();
      await rm(folder, { recursive: true, force: true });
    });

    async function run(text: string): Promise<ChildProcess> {
      const file = join(folder, `${program}.conf`);
      const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
        .map((name) => `${name}_temp_path ${folder}/${name};`)
        .join(' ');
      const whole =
        program === 'nginx'
          ? `daemon off; pid ${folder}/pid; error_log stderr; events {} http { access_log off; ${temporary}\n${text} }`
          : text;
      await writeFile(file, whole);
      const args = program === 'nginx' ? ['-p', folder, '-c', file, '-e', 'stderr'] : ['-db', '-f', file];
      const child = spawn(program, args, { stdio: 'ignore' });
      await vi.waitFor(() => reachable(port), { timeout: 10_000 });
      return child;
    }

    test.each(['plain', 'a b+c/\u00e9%2F?&=', 'a//b/../c/.', '//', '~*()!\u{1f600}'])(
      'an object goes through: %j',
      async (Key) => {
        const Metadata = { a_b: 'under', 'c.d': 'dot' };
        await s3.send(new PutObjectCommand({ Bucket, Key, Body: Key, Metadata }));
        const got = await s3.send(new GetObjectCommand({ Bucket, Key }));
        expect(await got.Body?.transformToString()).toBe(Key);
        expect(got.Metadata).toEqual(Metadata);
      },
    );

    test('large uploads and listings go through, and Location is the public URL', async () => {
      const Body = Buffer.alloc(6 * 1024 * 1024, 'x');
      const upload = { Bucket, Key: 'large' };
      const { UploadId } = await s3.send(new CreateMultipartUploadCommand(upload));
      const part = { ...upload, UploadId, PartNumber: 1 };
      const { ETag } = await s3.send(new UploadPartCommand({ ...part, Body }));
      const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
      const done = await s3.send(
        new CompleteMultipartUploadCommand({ ...upload, UploadId, MultipartUpload }),
      );
      expect(done.Location).toBe(`https://localhost:${port}/${Bucket}/large`);
      const listed = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'large' }));
      expect(listed.Contents?.[0]?.Size).toBe(Body.length);
    });

    test('the client is known by its address, and to have come over TLS', async () => {
      const statement = { Effect: 'Allow', Action: 's3:PutObject', Resource: '*' };
      const writer = (condition: object): Promise<S3Client> =>
        gateway
          .keyWithPolicy('writer', {
            Version: '2012-10-17',
            Statement: [{ ...statement, Condition: condition }],
          })
          .then((credentials) =>
            gateway.client(credentials, {
              endpoint: `https://localhost:${port}`,
              requestHandler: { httpsAgent: agent(readFileSync(join(folder, 'tls.crt'))) },
            }),
          );
      const put = new PutObjectCommand({ Bucket, Key: 'k', Body: '' });
      const allowed = await writer({
        IpAddress: { 'aws:SourceIp': CLIENT },
        Bool: { 'aws:SecureTransport': 'true' },
      });
      const { $metadata } = await allowed.send(put);
      expect(await gateway.record($metadata.requestId ?? '')).toMatchObject({
        remoteAddress: CLIENT,
        peerAddress: '127.0.0.1',
      });
      const denied = await writer({ IpAddress: { 'aws:SourceIp': '127.0.0.1' } });
      await expect(denied.send(put)).rejects.toMatchObject({ name: 'AccessDenied' });
    });
  });
});

/** As an object: with options alone, the SDK makes another agent for uploads that wait for `100 Continue`. */
function agent(ca: string | Buffer): Agent {
  return new Agent({ ca, localAddress: CLIENT, keepAlive: true });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function reachable(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
  } finally {
    socket.destroy();
  }
}
