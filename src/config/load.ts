/** File and environment to `Config`: the environment beats the file, and every problem is reported at once. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Config, UpstreamConfig, UpstreamCredentials } from './config.ts';
import { ConfigError } from './config-error.ts';
import { errorCode } from './error-code.ts';
import { UNSIGNED_HEADERS, type Settings } from './schema.ts';
import { parseSettingsFile, type SettingsFile } from './settings-file.ts';
import { SettingsMerger } from './settings-merger.ts';

/** The name of the upstream that is configured alone. */
const DEFAULT_UPSTREAM = 'default';

export interface ConfigSource {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Path of the YAML file; relative ones, like those inside it, count from the working directory. */
  readonly file?: string;
}

/** @throws ConfigError with all problems: unreadable or broken file, unknown names, wrong values, missing companions. */
export function loadConfig({ env, file }: ConfigSource): Config {
  const merger = new SettingsMerger(file === undefined ? undefined : readSettingsFile(file));
  merger.overlay(env);
  merger.readSecretFiles();
  merger.requireCompanions();
  return toConfig(merger.validate());
}

function readSettingsFile(file: string): SettingsFile {
  try {
    return parseSettingsFile(file, readFileSync(file, 'utf8'));
  } catch (error) {
    const found = `none (${errorCode(error)})`;
    throw new ConfigError([{ source: file, path: undefined, expected: 'a readable file', found }]);
  }
}

function toConfig(settings: Settings): Config {
  const { tls, root, region, accountId } = settings;
  const dataDir = resolve(settings.dataDir);
  const upstreams = toUpstreams(settings);
  const defaultUpstream = upstreams.find(({ isDefault }) => isDefault)?.name;
  const accepted: ReadonlySet<string> = new Set(settings.unsignedHeaders);
  return {
    listen: settings.listen,
    adminListen: settings.adminListen,
    region,
    accountId,
    baseDomains: settings.baseDomains,
    tls: tls && { certFile: resolve(tls.cert), keyFile: resolve(tls.key) },
    dataDir,
    store: { kind: 'sqlite', path: resolve(settings.store ?? join(dataDir, 'bucketwarden.db')) },
    policiesDir: resolve(settings.policiesDir ?? join(dataDir, 'policies')),
    candidatePoliciesDir: settings.candidatePoliciesDir && resolve(settings.candidatePoliciesDir),
    publicAccessBlock: settings.publicAccessBlock,
    root: root && { accessKeyId: root.accessKeyId, secretAccessKey: root.secretAccessKey },
    masterKey: settings.masterKey,
    publicUrls: settings.publicUrls,
    trustedProxies: settings.trustedProxies,
    proxyProtocol: settings.proxyProtocol,
    spool: settings.spool.enabled
      ? {
          directory: resolve(settings.spool.directory ?? join(dataDir, 'spool')),
          maxBodyBytes: settings.spool.maxBodySize,
          maxTotalBytes: settings.spool.maxTotalSize,
        }
      : undefined,
    signatureDoctor: settings.signatureDoctor,
    upstreams,
    buckets: settings.buckets.map((rule) => ({
      pattern: rule.name,
      bodies: rule.bodies,
      owner: rule.owner ?? accountId,
      readOnly: rule.readOnly,
      maxObjectBytes: rule.maxObjectSize,
      filterListings: rule.filterListings,
      operations: new Set(rule.operations),
      target: rule.target && { ...rule.target, upstream: rule.upstream ?? defaultUpstream ?? '' },
    })),
    headersToSign: new Set(UNSIGNED_HEADERS.filter((name) => !accepted.has(name))),
    accessLog: settings.accessLog && resolve(settings.accessLog),
    logLevel: settings.logLevel,
    limits: {
      headerBytes: settings.limits.headerBytes,
      userMetadataBytes: settings.limits.userMetadataBytes,
      connections: settings.limits.connections,
      headersTimeoutMs: settings.limits.headersTimeout,
      idleTimeoutMs: settings.limits.idleTimeout,
      keepAliveTimeoutMs: settings.limits.keepAliveTimeout,
      shutdownTimeoutMs: settings.limits.shutdownTimeout,
    },
  };
}

/** The one of `upstream` is named `default`; an only one is the default. */
function toUpstreams({ upstream, upstreams, region }: Settings): readonly UpstreamConfig[] {
  const all = upstream === undefined ? upstreams : [{ name: DEFAULT_UPSTREAM, ...upstream }];
  return all.map((one) => ({
    name: one.name,
    endpoint: one.endpoint,
    region: one.region ?? region,
    accountId: one.accountId,
    style: one.style,
    credentials: toCredentials(one),
    tls: one.tls && {
      caFile: one.tls.ca && resolve(one.tls.ca),
      certFile: one.tls.cert && resolve(one.tls.cert),
      keyFile: one.tls.key && resolve(one.tls.key),
    },
    proxy: one.proxy === undefined ? undefined : { url: one.proxy, credentials: one.proxyCredentials },
    buckets: one.buckets,
    isDefault: one.default ?? all.length === 1,
    connections: one.connections,
    connectTimeoutMs: one.connectTimeout,
    headersTimeoutMs: one.headersTimeout,
    idleTimeoutMs: one.idleTimeout,
    keepAliveTimeoutMs: one.keepAliveTimeout,
    integrity: one.integrity,
    retries: one.retries,
    breaker: { failures: one.breakerFailures, cooldownMs: one.breakerCooldown },
    redirects: one.redirects,
  }));
}

/** The merger has seen to it that a static source has both, and that no other has any. */
function toCredentials(one: Settings['upstreams'][number]): UpstreamCredentials {
  const { credentials = 'static', accessKeyId, secretAccessKey, profile } = one;
  if (credentials !== 'static') return { kind: 'provider', provider: credentials, profile };
  if (accessKeyId === undefined || secretAccessKey === undefined)
    throw new Error(`upstream ${one.name} has neither credentials nor a source of them`);
  return { kind: 'static', accessKeyId, secretAccessKey };
}
