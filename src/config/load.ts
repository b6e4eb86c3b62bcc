/** File and environment to `Config`: the environment beats the file, and every problem is reported at once. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Config } from './config.ts';
import { ConfigError } from './config-error.ts';
import { errorCode } from './error-code.ts';
import { UNSIGNED_HEADERS, type Settings } from './schema.ts';
import { parseSettingsFile, type SettingsFile } from './settings-file.ts';
import { SettingsMerger } from './settings-merger.ts';

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
  const { tls, root, upstream, region, accountId } = settings;
  const dataDir = resolve(settings.dataDir);
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
    root: root && { accessKeyId: root.accessKeyId, secretAccessKey: root.secretAccessKey },
    masterKey: settings.masterKey,
    upstream: upstream && {
      endpoint: upstream.endpoint,
      region: upstream.region ?? region,
      accessKeyId: upstream.accessKeyId,
      secretAccessKey: upstream.secretAccessKey,
      buckets: upstream.buckets,
      connections: upstream.connections,
      connectTimeoutMs: upstream.connectTimeout,
      headersTimeoutMs: upstream.headersTimeout,
      idleTimeoutMs: upstream.idleTimeout,
      keepAliveTimeoutMs: upstream.keepAliveTimeout,
      trailers: upstream.trailers,
    },
    buckets: settings.buckets.map(({ name, bodies, owner }) => ({
      pattern: name,
      bodies,
      owner: owner ?? accountId,
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
