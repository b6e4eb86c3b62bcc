/** What the story is told to: the gateway over one of its upstreams, or the upstream alone. */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Credentials,
  type GatewayOptions,
  startGateway,
  startVersitygw,
  type Upstream,
} from './gateway.ts';
import { runOrThrow } from './process.ts';
import type { StepName } from './story.ts';
import { findTool, type ToolName } from './tools.ts';

export type { Credentials } from './gateway.ts';

export interface Target {
  readonly endpoint: string;
  /** The certificate to trust, for an `https` endpoint. */
  readonly caFile?: string;
  readonly admin: Credentials;
  /** A new key that may only read this bucket. */
  issueReader(bucket: string): Promise<Credentials>;
  /** Everything that the gateway printed or logged. */
  logs(): Promise<string>;
  close(): Promise<void>;
}

interface TargetKind {
  readonly title: string;
  readonly tools: readonly ToolName[];
  /** The steps that cannot be told to it, with the reason. */
  readonly unable?: Readonly<Partial<Record<StepName, string>>>;
  readonly open: (folder: string) => Promise<Target>;
}

export type TargetName = 'embedded' | 'tls' | 'versitygw' | 'direct';

/** `direct` tells whose a failure is: the gateway's, or the upstream's or client's. */
export const TARGETS: Readonly<Record<TargetName, TargetKind>> = {
  embedded: {
    title: 'the gateway over the embedded store, http',
    tools: [],
    open: (folder) => openGateway({ folder }),
  },
  tls: {
    title: 'the gateway over the embedded store, https',
    tools: ['openssl'],
    open: async (folder) => {
      const tls = await makeCertificate(folder);
      return { ...(await openGateway({ folder, tls })), caFile: tls.cert };
    },
  },
  versitygw: {
    title: 'the gateway over versitygw, http',
    tools: ['versitygw'],
    open: async (folder) => {
      const upstream = await startVersitygw(programOf('versitygw'), join(folder, 'upstream'));
      try {
        const target = await openGateway({ folder, upstream });
        return { ...target, close: () => closeBoth(target, upstream) };
      } catch (error) {
        await upstream.close();
        throw error;
      }
    },
  },
  direct: {
    title: 'versitygw without the gateway, http',
    tools: ['versitygw'],
    unable: { denial: 'versitygw alone has no scoped keys' },
    open: async (folder) => {
      const upstream = await startVersitygw(programOf('versitygw'), folder);
      return {
        endpoint: upstream.endpoint,
        admin: upstream.credentials,
        issueReader: () => Promise.reject(new Error('this target has no scoped keys')),
        logs: () => Promise.resolve(''),
        close: () => upstream.close(),
      };
    },
  },
};

async function openGateway(options: GatewayOptions): Promise<Target> {
  const accessLog = join(options.folder, 'access.log');
  const gateway = await startGateway({ ...options, env: { BUCKETWARDEN_ACCESS_LOG: accessLog } });
  return {
    endpoint: gateway.endpoint,
    admin: gateway.root,
    issueReader: (bucket) =>
      gateway.issueKey('--user', `${bucket}-reader`, '--bucket', bucket, '--read-only'),
    logs: async () => gateway.output() + (await readFile(accessLog, 'utf8')),
    close: () => gateway.close(),
  };
}

async function closeBoth(target: Target, upstream: Upstream): Promise<void> {
  try {
    await target.close();
  } finally {
    await upstream.close();
  }
}

function programOf(tool: ToolName): string {
  const program = findTool(tool);
  if (program === undefined) throw new Error(`\`${tool}\` is not installed`);
  return program;
}

async function makeCertificate(folder: string): Promise<{ cert: string; key: string }> {
  await mkdir(folder, { recursive: true });
  const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  await runOrThrow({
    file: programOf('openssl'),
    args: [
      ...'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2'.split(' '),
      ...'-subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1'.split(' '),
      '-keyout',
      files.key,
      '-out',
      files.cert,
    ],
    folder,
  });
  return files;
}
