/** Starts the servers under test, each in its own process with its own folder and its own keys. */
import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, runOrThrow, type Server, startServer } from './process.ts';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface Upstream extends Server {
  readonly endpoint: string;
  readonly credentials: Credentials;
}

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
  readonly upstream?: Upstream;
  readonly tls?: { readonly cert: string; readonly key: string };
  /** More settings. */
  readonly env?: Readonly<Record<string, string>>;
}

export const REGION = 'us-east-1';

const MAIN = join(import.meta.dirname, '../../src/main.ts');

export async function startGateway({ folder, upstream, tls, env: more }: GatewayOptions): Promise<Gateway> {
  await mkdir(folder, { recursive: true });
  const [port, adminPort] = [await freePort(), await freePort()];
  const root = newCredentials();
  const env = {
    BUCKETWARDEN_LISTEN: `127.0.0.1:${port}`,
    BUCKETWARDEN_ADMIN_LISTEN: `127.0.0.1:${adminPort}`,
    BUCKETWARDEN_DATA_DIR: join(folder, 'data'),
    BUCKETWARDEN_REGION: REGION,
    BUCKETWARDEN_ROOT_ACCESS_KEY_ID: root.accessKeyId,
    BUCKETWARDEN_ROOT_SECRET_ACCESS_KEY: root.secretAccessKey,
    ...(tls && { BUCKETWARDEN_TLS_CERT: tls.cert, BUCKETWARDEN_TLS_KEY: tls.key }),
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
  const server = await startServer(node('serve'), `${adminEndpoint}/readyz`);
  return {
    ...server,
    endpoint: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    adminEndpoint,
    root,
    async issueKey(...args) {
      const output = await runOrThrow(node('keys', 'issue', ...args, '--output', 'json'));
      return readCredentials(output.toString());
    },
  };
}

/** A versitygw over its POSIX backend. */
export async function startVersitygw(program: string, folder: string): Promise<Upstream> {
  const [objects, metadata] = [join(folder, 'objects'), join(folder, 'metadata')];
  await Promise.all([mkdir(objects, { recursive: true }), mkdir(metadata, { recursive: true })]);
  const port = await freePort();
  const credentials = newCredentials();
  const server = await startServer(
    {
      file: program,
      args: [
        ...`--port 127.0.0.1:${port} --region ${REGION} --keep-alive --quiet --health /health`.split(' '),
        'posix',
        '--sidecar',
        metadata,
        objects,
      ],
      env: {
        ROOT_ACCESS_KEY_ID: credentials.accessKeyId,
        ROOT_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      },
      folder,
    },
    `http://127.0.0.1:${port}/health`,
  );
  return { ...server, endpoint: `http://127.0.0.1:${port}`, credentials };
}

/** A secret in base64, so that it may hold the `/` and `+` that trip configuration files up. */
function newCredentials(): Credentials {
  return {
    accessKeyId: `AKIA${randomBytes(8).toString('hex').toUpperCase()}`,
    secretAccessKey: randomBytes(30).toString('base64'),
  };
}

function readCredentials(json: string): Credentials {
  const { AccessKeyId, SecretAccessKey } = JSON.parse(json) as Readonly<Record<string, unknown>>;
  if (typeof AccessKeyId !== 'string' || typeof SecretAccessKey !== 'string')
    throw new Error('`keys issue` printed no AccessKeyId or no SecretAccessKey');
  return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey };
}
