/** Starts the servers under test, each in its own process with its own folder and its own keys. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Certificate } from './certificates.ts';
import { type Credentials, newCredentials } from './credentials.ts';
import { freePort, runOrThrow, type Server, startServer } from './process.ts';

export interface Gateway extends Server {
  readonly endpoint: string;
  readonly adminEndpoint: string;
  readonly root: Credentials;
  /** Runs `bucketwarden keys issue` with these arguments on the running gateway's data. */
  issueKey(...args: readonly string[]): Promise<Credentials>;
}

export interface GatewayOptions {
  readonly folder: string;
  /** Absent: the embedded store. */
  readonly upstream?: UpstreamAccess;
  /** Absent: plain http. */
  readonly certificate?: Certificate;
  /** More settings, as in the settings file. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** More settings, as variables. */
  readonly env?: Readonly<Record<string, string>>;
}

/** What the gateway is told of its upstream. */
export interface UpstreamAccess {
  readonly endpoint: string;
  readonly credentials: Credentials;
  /** More of its settings, as in the settings file. */
  readonly settings?: Readonly<Record<string, unknown>>;
}

export const REGION = 'us-east-1';

const MAIN = join(import.meta.dirname, '../../src/main.ts');

export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { folder, upstream, certificate, settings: inFile, env: more } = options;
  await mkdir(folder, { recursive: true });
  const settings = join(folder, 'settings.yaml');
  // JSON is YAML.
  await writeFile(
    settings,
    JSON.stringify({ ...inFile, ...(upstream?.settings && { upstream: upstream.settings }) }),
  );
  const [port, adminPort] = [await freePort(), await freePort()];
  const root = newCredentials();
  const env = {
    BUCKETWARDEN_LISTEN: `127.0.0.1:${port}`,
    BUCKETWARDEN_ADMIN_LISTEN: `127.0.0.1:${adminPort}`,
    BUCKETWARDEN_DATA_DIR: join(folder, 'data'),
    BUCKETWARDEN_REGION: REGION,
    BUCKETWARDEN_ROOT_ACCESS_KEY_ID: root.accessKeyId,
    BUCKETWARDEN_ROOT_SECRET_ACCESS_KEY: root.secretAccessKey,
    ...(certificate && {
      BUCKETWARDEN_TLS_CERT: certificate.cert,
      BUCKETWARDEN_TLS_KEY: certificate.key,
    }),
    ...(upstream && {
      BUCKETWARDEN_UPSTREAM_ENDPOINT: upstream.endpoint,
      BUCKETWARDEN_UPSTREAM_REGION: REGION,
      BUCKETWARDEN_UPSTREAM_ACCESS_KEY_ID: upstream.credentials.accessKeyId,
      BUCKETWARDEN_UPSTREAM_SECRET_ACCESS_KEY: upstream.credentials.secretAccessKey,
    }),
    ...more,
  };
  const node = (...args: readonly string[]) => ({
    file: process.execPath,
    args: [MAIN, ...args],
    env,
    folder,
  });
  const adminEndpoint = `http://127.0.0.1:${adminPort}`;
  const server = await startServer(node('serve', '-c', settings), `${adminEndpoint}/readyz`);
  return {
    ...server,
    endpoint: `${certificate ? 'https' : 'http'}://127.0.0.1:${port}`,
    adminEndpoint,
    root,
    async issueKey(...args) {
      const output = await runOrThrow(node('keys', 'issue', ...args, '--output', 'json'));
      return readCredentials(output.toString());
    },
  };
}

function readCredentials(json: string): Credentials {
  const { AccessKeyId, SecretAccessKey } = JSON.parse(json) as Readonly<Record<string, unknown>>;
  if (typeof AccessKeyId !== 'string' || typeof SecretAccessKey !== 'string')
    throw new Error('`keys issue` printed no AccessKeyId or no SecretAccessKey');
  return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey };
}
