/** What the story is told to: the gateway over one of its upstreams, or the upstream alone. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Certificate, makeCertificate } from './certificates.ts';
import type { Credentials } from './credentials.ts';
import { type GatewayOptions, startGateway, type UpstreamAccess } from './gateway.ts';
import type { StepName } from './story.ts';
import type { ToolName } from './tools.ts';
import { minio } from './upstreams/minio.ts';
import { radosgw } from './upstreams/radosgw.ts';
import { programOf, type Upstream, type UpstreamKind } from './upstreams/upstream.ts';
import { versitygw } from './upstreams/versitygw.ts';

export type { Credentials } from './credentials.ts';

export interface Target {
  readonly endpoint: string;
  /** The certificate to trust, for an `https` endpoint. */
  readonly caFile?: string;
  readonly admin: Credentials;
  /** A new key that may only read this bucket. */
  issueReader(bucket: string): Promise<Credentials>;
  /** A new key of a user who may do nothing but what policies of buckets say. */
  issueGuest(user: string): Promise<Credentials>;
  /** Everything that the gateway printed or logged. */
  logs(): Promise<string>;
  close(): Promise<void>;
}

/** Stores that are servers of their own. */
export const STORES = ['versitygw', 'minio', 'radosgw'] as const;
export type StoreName = (typeof STORES)[number];
export const KINDS: Readonly<Record<StoreName, UpstreamKind>> = { versitygw, minio, radosgw };

/** `embedded` is the gateway's own. */
export const UPSTREAMS = ['embedded', ...STORES] as const;
export type UpstreamName = (typeof UPSTREAMS)[number];

export const SCHEMES = ['http', 'https'] as const;

/** `https`: from the client to the gateway, and from there to the upstream. */
export type Scheme = (typeof SCHEMES)[number];

export interface TargetName {
  readonly upstream: UpstreamName;
  readonly scheme: Scheme;
}

export interface TargetKind {
  readonly title: string;
  readonly tools: readonly ToolName[];
  /** The steps that cannot be told to it, with the reason. */
  readonly unable?: Readonly<Partial<Record<StepName, string>>>;
  readonly open: (folder: string) => Promise<Target>;
}

/** The gateway over an upstream. */
export function targetKind({ upstream, scheme }: TargetName): TargetKind {
  const kind = upstream === 'embedded' ? undefined : KINDS[upstream];
  return {
    title: `the gateway over ${kind?.title ?? 'the embedded store'}, ${scheme}`,
    tools: [...(kind?.tools ?? []), ...certificateTools(scheme)],
    async open(folder) {
      const certificate = await certificateFor(scheme, folder);
      return kind === undefined
        ? openGateway({ folder, ...(certificate && { certificate }) })
        : openBoth(kind, folder, certificate);
    },
  };
}

/** The upstream alone, which tells whose a failure is: the gateway's, or the upstream's or client's. */
export function directKind({ upstream: name, scheme }: TargetName): TargetKind {
  if (name === 'embedded') throw new Error('the embedded store is reached through the gateway only');
  const kind = KINDS[name];
  return {
    title: `${kind.title} without the gateway, ${scheme}`,
    tools: [...kind.tools, ...certificateTools(scheme)],
    unable: { denial: 'there are no scoped keys without the gateway' },
    async open(folder) {
      const certificate = await certificateFor(scheme, folder);
      const upstream = await kind.start({
        folder,
        ...(certificate && { certificate }),
      });
      return {
        endpoint: upstream.endpoint,
        ...(certificate && { caFile: certificate.ca }),
        admin: upstream.credentials,
        issueReader: () => Promise.reject(new Error('this target has no scoped keys')),
        issueGuest: () => Promise.reject(new Error('this target has no users')),
        logs: () => Promise.resolve(''),
        close: () => upstream.close(),
      };
    },
  };
}

/** What the gateway is told of an upstream that runs. */
export function accessTo(kind: UpstreamKind, upstream: Upstream): UpstreamAccess {
  const { endpoint, credentials, caFile } = upstream;
  const tls = caFile === undefined ? {} : { tls: { ca: caFile } };
  return { endpoint, credentials, settings: { integrity: kind.integrity, ...tls } };
}

/** Undefined for the embedded store, whose version is the gateway's. Rejects when the upstream is not installed. */
export function upstreamVersion(name: UpstreamName): Promise<string | undefined> {
  return name === 'embedded' ? Promise.resolve(undefined) : KINDS[name].version();
}

async function openBoth(
  kind: UpstreamKind,
  folder: string,
  certificate: Certificate | undefined,
): Promise<Target> {
  const secure = certificate && { certificate };
  const upstream = await kind.start({ folder: join(folder, 'upstream'), ...secure });
  try {
    const target = await openGateway({ folder, upstream: accessTo(kind, upstream), ...secure });
    return { ...target, close: () => closeBoth(target, upstream) };
  } catch (error) {
    await upstream.close();
    throw error;
  }
}

async function openGateway(options: GatewayOptions): Promise<Target> {
  const accessLog = join(options.folder, 'access.log');
  const gateway = await startGateway({ ...options, env: { BUCKETWARDEN_ACCESS_LOG: accessLog } });
  return {
    endpoint: gateway.endpoint,
    ...(options.certificate && { caFile: options.certificate.ca }),
    admin: gateway.root,
    issueReader: (bucket) =>
      gateway.issueKey('--user', `${bucket}-reader`, '--bucket', bucket, '--read-only'),
    issueGuest: (user) => gateway.issueKey('--user', user, '--no-policy'),
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

function certificateTools(scheme: Scheme): readonly ToolName[] {
  return scheme === 'https' ? ['openssl'] : [];
}

async function certificateFor(scheme: Scheme, folder: string): Promise<Certificate | undefined> {
  return scheme === 'https' ? makeCertificate(programOf('openssl'), join(folder, 'certificates')) : undefined;
}
