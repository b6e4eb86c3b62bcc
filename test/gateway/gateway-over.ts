/** A gateway in front of an upstream whose every answer the test writes by hand. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished, vi } from 'vitest';
import { startGateway } from '../../src/app.ts';
import { loadConfig } from '../../src/config/index.ts';
import { createLogger } from '../../src/telemetry/index.ts';
import {
  ACCESS_KEY_ID,
  REGION,
  SECRET_ACCESS_KEY,
  signByHeader,
  type Signable,
} from '../sigv4/independent-signer.ts';
import { serve } from '../upstream/origin.ts';

interface Answered {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

interface GatewayOver {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** Signs as the administrator, sends, and reads the answer; rejects when it breaks off. */
  call(request: Signable, options?: CallOptions): Promise<Answered>;
  /** The audit record of a request; waits for it. */
  record(requestId: string | undefined): Promise<Readonly<Record<string, unknown>>>;
}

interface CallOptions {
  readonly body?: string;
  /** Called at the first byte of the answer's body. */
  readonly onFirstByte?: () => void;
}

/**
 * Runs until the test ends. Every bucket exists, unless `env` says otherwise.
 * @param settings YAML.
 */
export async function gatewayOver(
  upstream: (request: IncomingMessage, response: ServerResponse) => void,
  env: Readonly<Record<string, string>> = {},
  settings = '',
): Promise<GatewayOver> {
  const dataDir = await mkdtemp(join(tmpdir(), 'bucketwarden-gateway-'));
  const file = join(dataDir, 'settings.yaml');
  await writeFile(file, settings);
  const records: Readonly<Record<string, unknown>>[] = [];
  const { log } = createLogger({
    level: 'info',
    destination: {
      write: (line) => {
        records.push(JSON.parse(line) as Readonly<Record<string, unknown>>);
      },
    },
  });
  const config = loadConfig({
    file,
    env: {
      BUCKETWARDEN_LISTEN: '127.0.0.1:0',
      BUCKETWARDEN_ADMIN_LISTEN: '127.0.0.1:0',
      BUCKETWARDEN_DATA_DIR: dataDir,
      BUCKETWARDEN_REGION: REGION,
      BUCKETWARDEN_ROOT_ACCESS_KEY_ID: ACCESS_KEY_ID,
      BUCKETWARDEN_ROOT_SECRET_ACCESS_KEY: SECRET_ACCESS_KEY,
      BUCKETWARDEN_UPSTREAM_ENDPOINT: await serve(upstream),
      BUCKETWARDEN_UPSTREAM_ACCESS_KEY_ID: 'UPSTREAMKEY',
      BUCKETWARDEN_UPSTREAM_SECRET_ACCESS_KEY: randomBytes(20).toString('hex'),
      BUCKETWARDEN_UPSTREAM_BUCKETS: '*',
      ...env,
    },
  });
  const gateway = await startGateway(config, log);
  onTestFinished(async () => {
    await gateway.close();
    await rm(dataDir, { recursive: true, force: true });
  });
  return {
    url: gateway.url,
    async call(request, { body, onFirstByte } = {}) {
      const signed = await signByHeader({ ...request, at: Date.now() });
      const outgoing = httpRequest(gateway.url, {
        method: signed.method,
        path: signed.target,
        headers: Object.fromEntries(signed.headers),
        agent: false,
      });
      outgoing.end(body);
      const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
      const chunks: Buffer[] = [];
      for await (const chunk of response as AsyncIterable<Buffer>) {
        if (chunks.length === 0) onFirstByte?.();
        chunks.push(chunk);
      }
      const { statusCode = 0, headers } = response;
      return { status: statusCode, headers, body: Buffer.concat(chunks).toString() };
    },
    record: (requestId) =>
      vi.waitUntil(() => records.find((line) => line['msg'] === 'access' && line['requestId'] === requestId)),
  };
}
