/**
 * A whole gateway for end-to-end tests: real sockets, the embedded store behind a tap, temporary folders, and every
 * audit record in reach.
 */
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { startGateway } from '../../src/app.ts';
import { runKeysCommand } from '../../src/cli/index.ts';
import { loadConfig } from '../../src/config/index.ts';
import { createDevStore } from '../../src/devstore/index.ts';
import { Secret } from '../../src/sigv4/index.ts';
import { createLogger } from '../../src/telemetry/index.ts';
import { openTap, type Tap } from './tap.ts';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** One line of the gateway's log. */
export type LogLine = Readonly<Record<string, unknown>>;

export interface RunningGateway {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly port: number;
  readonly adminPort: number;
  readonly dataDir: string;
  readonly root: Credentials;
  /** What went to the upstream, request by request. */
  readonly upstream: Tap;
  /** A client of the AWS SDK, as the administrator unless told otherwise. Not to be closed. */
  client(credentials?: Credentials, options?: Partial<S3ClientConfig>): S3Client;
  /** A client of the store, behind the gateway's back and past the tap. */
  upstreamClient(): S3Client;
  /** `bucketwarden keys …` on this gateway's data; resolves to what it printed. Rejects when it fails. */
  keys(args: readonly string[], stdin?: string): Promise<string>;
  /** A new key of user `name` with one identity policy. */
  keyWithPolicy(name: string, policy: object): Promise<Credentials>;
  /** The audit record of a request; waits for it. */
  record(requestId: string): Promise<LogLine>;
  /** All lines logged so far. */
  readonly lines: readonly LogLine[];
  /** Waits for a line that matches. */
  line(matches: (line: LogLine) => boolean): Promise<LogLine>;
  /** What SIGHUP does. */
  reload(): Promise<void>;
  /** Stops the gateway alone, gracefully; clients and the upstream stay. To be followed by `stop`. */
  close(): Promise<void>;
  /** @param options.keepData the data folder stays, for a gateway that starts on it again. */
  stop(options?: { readonly keepData?: boolean }): Promise<void>;
}

export interface GatewayOptions {
  /** `BUCKETWARDEN_` variables, without the prefix; undefined takes one of the harness away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Path of a settings file. */
  readonly file?: string;
  /** The folder of an earlier gateway, to start on its data; a new one without. */
  readonly dataDir?: string;
  /** The administrator's credentials; new ones without. */
  readonly root?: Credentials;
}

/** Refusals are what is tested: the SDK is not to warn of them. */
const SILENT = { debug: ignore, info: ignore, warn: ignore, error: ignore };

function ignore(): void {
  // Nothing is of interest.
}

/** Made at run time: the gateway's credentials at the store. */
const UPSTREAM_SECRET = randomBytes(20).toString('hex');

export async function runGateway(options: GatewayOptions = {}): Promise<RunningGateway> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'bucketwarden-')));
  const store = createDevStore({
    directory: join(dataDir, 'upstream'),
    credentials: { accessKeyId: 'UPSTREAMKEY', secretAccessKey: new Secret(UPSTREAM_SECRET) },
    region: 'us-east-1',
    now: Date.now,
  });
  const { endpoint } = await store.listen();
  const tap = await openTap(endpoint);
  const root = options.root ?? {
    accessKeyId: 'AKIAROOTOFTHETESTS',
    secretAccessKey: randomBytes(20).toString('hex'),
  };
  const env: Record<string, string> = {
    BUCKETWARDEN_LISTEN: '127.0.0.1:0',
    BUCKETWARDEN_ADMIN_LISTEN: '127.0.0.1:0',
    BUCKETWARDEN_DATA_DIR: dataDir,
    BUCKETWARDEN_ROOT_ACCESS_KEY_ID: root.accessKeyId,
    BUCKETWARDEN_ROOT_SECRET_ACCESS_KEY: root.secretAccessKey,
    BUCKETWARDEN_UPSTREAM_ENDPOINT: tap.endpoint,
    BUCKETWARDEN_UPSTREAM_ACCESS_KEY_ID: 'UPSTREAMKEY',
    BUCKETWARDEN_UPSTREAM_SECRET_ACCESS_KEY: UPSTREAM_SECRET,
    // What a spool would take is to be refused, unless a settings file says what is wanted.
    ...(options.file === undefined && { BUCKETWARDEN_SPOOL_ENABLED: 'false' }),
  };
  for (const [name, value] of Object.entries(options.env ?? {}))
    if (value === undefined) delete env[`BUCKETWARDEN_${name}`];
    else env[`BUCKETWARDEN_${name}`] = value;
  const log = new LogLines();
  const { log: logger } = createLogger({ level: 'info', destination: log });
  const config = loadConfig({ env, ...(options.file !== undefined && { file: options.file }) });
  const gateway = await startGateway(config, logger);
  const url = gateway.url.replace('0.0.0.0', '127.0.0.1');
  const clients: S3Client[] = [];
  const connect = (to: string, credentials: Credentials, more: Partial<S3ClientConfig> = {}): S3Client => {
    const client = new S3Client({
      endpoint: to,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials,
      maxAttempts: 1,
      logger: SILENT,
      ...more,
    });
    clients.push(client);
    return client;
  };

  const keys = async (args: readonly string[], stdin = ''): Promise<string> => {
    let out = '';
    let errors = '';
    const exitCode = await runKeysCommand(args, {
      stdout: { write: (text) => (out += text) },
      stderr: { write: (text) => (errors += text) },
      stdin: Readable.from([Buffer.from(stdin)]),
      env,
      now: Date.now,
      randomBytes,
    });
    if (exitCode !== 0) throw new Error(`keys ${args.join(' ')} failed: ${errors}`);
    return out;
  };

  return {
    url,
    port: Number(new URL(url).port),
    adminPort: gateway.adminPort,
    dataDir,
    root,
    upstream: tap,
    lines: log.lines,
    client: (credentials = root, clientOptions = {}) => connect(url, credentials, clientOptions),
    upstreamClient: () => connect(endpoint, { accessKeyId: 'UPSTREAMKEY', secretAccessKey: UPSTREAM_SECRET }),
    keys,
    async keyWithPolicy(name, policy) {
      const file = join(dataDir, `${name}-${randomBytes(4).toString('hex')}.json`);
      await writeFile(file, JSON.stringify(policy));
      const issued = await keys(['issue', '--user', name, '--policy-file', file, '--output', 'json']);
      const { AccessKeyId, SecretAccessKey } = JSON.parse(issued) as Record<string, string>;
      if (AccessKeyId === undefined || SecretAccessKey === undefined) throw new Error('no key was issued');
      return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey };
    },
    record: (requestId) => log.find((line) => line['msg'] === 'access' && line['requestId'] === requestId),
    line: (matches) => log.find(matches),
    reload: () => gateway.reload(),
    close: () => gateway.close(),
    async stop({ keepData = false } = {}) {
      for (const client of clients) client.destroy();
      await gateway.close();
      await tap.close();
      await store.close();
      if (!keepData) await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** The log as it is written, and who waits for a line of it. */
class LogLines {
  readonly lines: LogLine[] = [];
  readonly #waiting = new Set<(line: LogLine) => void>();

  write(text: string): void {
    const line = JSON.parse(text) as LogLine;
    this.lines.push(line);
    for (const tell of this.#waiting) tell(line);
  }

  find(matches: (line: LogLine) => boolean): Promise<LogLine> {
    const known = this.lines.find(matches);
    if (known !== undefined) return Promise.resolve(known);
    return new Promise((resolve) => {
      const tell = (line: LogLine): void => {
        if (!matches(line)) return;
        this.#waiting.delete(tell);
        resolve(line);
      };
      this.#waiting.add(tell);
    });
  }
}
