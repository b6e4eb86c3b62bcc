/** The three servers that are compared, each in a process of its own, and requests that are signed for them. */
import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createSigningKeys, Secret, signRequest } from '../src/sigv4/index.ts';
import type { Credentials } from '../test/contract/credentials.ts';
import { REGION, startGateway } from '../test/contract/gateway.ts';
import { freePort, type Server, startServer } from '../test/contract/process.ts';
import { BODY_BLOCK, type Load } from './load-client.ts';

export const SERVERS = ['direct', 'http-proxy', 'Bucketwarden'] as const;

export type ServerName = (typeof SERVERS)[number];

export interface RequestOptions {
  readonly method?: 'GET' | 'PUT';
  /** Bytes of the object. */
  readonly size: number;
  /** With `UNSIGNED-PAYLOAD`; otherwise the sha256 of the body is declared. */
  readonly unsigned?: boolean;
  /** `forger` has a wrong secret, `stranger` a key without a right to the bucket. */
  readonly as?: 'user' | 'forger' | 'stranger';
}

export interface Subject {
  readonly pid: number;
  /** Signed now and good for 15 minutes, so that the load generator has nothing to sign. */
  request(options: RequestOptions): Pick<Load, 'port' | 'head' | 'bodySize'>;
}

export interface Bench {
  readonly subjects: Readonly<Record<ServerName, Subject>>;
  close(): Promise<void>;
}

const BUCKET = 'bench';
const signingKeys = createSigningKeys({ max: 8 });

/** @param settings of the gateway's upstream, as in the settings file. */
export async function startBench(
  folder: string,
  settings: Readonly<Record<string, unknown>> = {},
): Promise<Bench> {
  const [upstreamPort, proxyPort] = [await freePort(), await freePort()];
  const upstream = await startScript(
    'fixed-upstream.ts',
    [upstreamPort],
    join(folder, 'upstream'),
    upstreamPort,
  );
  const servers: Server[] = [upstream];
  const close = async (): Promise<void> => {
    for (const server of servers.toReversed()) await server.close();
  };
  try {
    const proxy = await startScript(
      'pass-through.ts',
      [proxyPort, upstreamPort],
      join(folder, 'proxy'),
      proxyPort,
    );
    servers.push(proxy);
    const gateway = await startGateway({
      folder: join(folder, 'gateway'),
      upstream: {
        settings,
        endpoint: `http://127.0.0.1:${upstreamPort}`,
        credentials: {
          accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
          secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
        },
      },
      env: { BUCKETWARDEN_UPSTREAM_BUCKETS: BUCKET },
    });
    servers.push(gateway);
    const user = await gateway.issueKey('--user', 'bench', '--bucket', BUCKET, '--read-write');
    const keys = {
      user,
      forger: { ...user, secretAccessKey: user.secretAccessKey.toLowerCase() },
      stranger: await gateway.issueKey('--user', 'stranger', '--bucket', 'elsewhere', '--read-only'),
    };
    return {
      subjects: {
        direct: subject(upstream.pid, upstreamPort, keys),
        'http-proxy': subject(proxy.pid, proxyPort, keys),
        Bucketwarden: subject(gateway.pid, Number(new URL(gateway.endpoint).port), keys),
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function startScript(
  script: string,
  args: readonly number[],
  folder: string,
  port: number,
): Promise<Server> {
  await mkdir(folder, { recursive: true });
  const path = join(import.meta.dirname, script);
  return startServer(
    { file: process.execPath, args: [path, ...args.map(String)], folder },
    `http://127.0.0.1:${port}/${BUCKET}/bytes-1`,
  );
}

function subject(
  pid: number,
  port: number,
  keys: Readonly<Record<'user' | 'forger' | 'stranger', Credentials>>,
): Subject {
  return {
    pid,
    request({ method = 'GET', size, unsigned = false, as = 'user' }) {
      const bodySize = method === 'PUT' ? size : 0;
      const path = `/${BUCKET}/bytes-${size}`;
      const { accessKeyId, secretAccessKey } = keys[as];
      const headers = signRequest(
        {
          method,
          path,
          query: [],
          headers: [['host', `127.0.0.1:${port}`]],
          payloadHash: unsigned ? 'UNSIGNED-PAYLOAD' : bodyHash(bodySize),
        },
        {
          credentials: { accessKeyId, secretAccessKey: new Secret(secretAccessKey), secretVersion: as },
          region: REGION,
          signingKeys,
        },
        Date.now(),
      );
      if (method === 'PUT') headers.push('content-length', `${bodySize}`);
      const lines = headers.flatMap((name, index) =>
        index % 2 === 0 ? [`${name}: ${headers[index + 1]}`] : [],
      );
      return { port, bodySize, head: [`${method} ${path} HTTP/1.1`, ...lines, '', ''].join('\r\n') };
    },
  };
}

function bodyHash(size: number): string {
  const hash = createHash('sha256');
  for (let left = size; left > 0; left -= BODY_BLOCK.length) hash.update(BODY_BLOCK.subarray(0, left));
  return hash.digest('hex');
}
