/** The composition root: the only file that wires the modules together. */
import { randomBytes, randomUUID } from 'node:crypto';
import { unwatchFile, watchFile } from 'node:fs';
import { join } from 'node:path';
import { createAdminServer } from './admin/index.ts';
import { createJsonSink, createS3AccessLogSink, type S3AccessLogSink } from './audit/index.ts';
import { bucketSettings, configWarnings, type Config, type UpstreamConfig } from './config/index.ts';
import { createDevStore } from './devstore/index.ts';
import {
  canonicalUserId,
  createBuckets,
  createGatewayServer,
  createHandler,
  createListingTokens,
  createRecorder,
  createRoutes,
  createSignatureDoctor,
  openPolicyFolder,
  openShadow,
  type Shadow,
} from './gateway/index.ts';
import {
  createBucketDirectory,
  createKeyDirectory,
  ensureRootKey,
  openIdentity,
  type IdentityProblem,
  type RootKeyOutcome,
} from './identity/index.ts';
import { createSigningKeys, Secret } from './sigv4/index.ts';
import { createMetrics, type Logger, type Metrics } from './telemetry/index.ts';
import { openSpool } from './spool/index.ts';
import { createUpstream, type Upstream } from './upstream/index.ts';

export interface Gateway {
  /** `http://127.0.0.1:9000` */
  readonly url: string;
  readonly adminPort: number;
  /** What became of the administrator's key; holds its secret when this start made it. */
  readonly rootKey: RootKeyOutcome;
  /** After log rotation, or when certificates were renewed. */
  reload(): Promise<void>;
  /** Stops accepting, finishes what runs, writes what is to be written. */
  close(): Promise<void>;
}

/** Within this time a change by another process, or in the policy folder, takes effect. */
const POLL_MS = 250;
const CERTIFICATE_POLL_MS = 2_000;
const CACHED_KEYS = 10_000;
const CACHED_BUCKETS = 10_000;
const CACHED_SIGNING_KEYS = 10_000;

/** Starts a gateway. Rejects, with nothing left running, when a part of it cannot start. */
export async function startGateway(config: Config, log: Logger): Promise<Gateway> {
  const closing: (() => void | Promise<void>)[] = [];
  const closeAll = async (): Promise<void> => {
    const failures: unknown[] = [];
    for (const close of closing.splice(0).toReversed())
      try {
        await close();
      } catch (error) {
        failures.push(error);
      }
    if (failures.length > 0) throw new AggregateError(failures, 'parts of the gateway did not close');
  };
  try {
    return await start(config, log, closing, closeAll);
  } catch (error) {
    await closeAll();
    throw error;
  }
}

async function start(
  config: Config,
  log: Logger,
  closing: (() => void | Promise<void>)[],
  closeAll: () => Promise<void>,
): Promise<Gateway> {
  const now = Date.now;
  for (const warning of configWarnings(config)) log.warn({ warning }, 'configuration');
  const metrics = createMetrics();
  closing.push(metrics.close);
  const { store, masterKey, warnings } = await openIdentity(config, { now, randomBytes });
  closing.push(() => store.close());
  for (const warning of warnings) log.warn({ warning }, 'master key');
  const rootKey = await ensureRootKey({
    store,
    masterKey,
    configured: config.root,
    accountId: config.accountId,
    now,
    randomBytes,
  });
  const onProblem = ({ kind, subject, policy, error }: IdentityProblem): void => {
    log.error({ kind, subject, policy, err: error }, 'stored data cannot be used');
  };
  const directories = { store, now, onProblem, pollInterval: POLL_MS };
  const keys = createKeyDirectory({ ...directories, masterKey, cacheSize: CACHED_KEYS });
  const directory = createBucketDirectory({ ...directories, cacheSize: CACHED_BUCKETS });
  const folder = await openPolicyFolder({ directory: config.policiesDir, log, pollInterval: POLL_MS });
  closing.push(() => {
    keys.close();
    directory.close();
    folder.close();
  });

  const targets =
    config.upstreams.length > 0 ? config.upstreams : [await startDevStore(config, log, closing)];
  const routed: (UpstreamConfig & { readonly upstream: Upstream })[] = [];
  for (const target of targets) {
    const upstream = await openUpstream(target, { log, metrics });
    closing.push(() => upstream.close());
    routed.push({ ...target, upstream });
  }
  const routes = createRoutes(routed, config.buckets);

  const accessLog = await openAccessLog(config, log, metrics.accessLogDropped);
  if (accessLog !== undefined) closing.push(accessLog.close);
  const hostId = Buffer.from(randomUUID()).toString('base64');
  const signatureDoctor = createSignatureDoctor({
    perMinute: config.signatureDoctor.perMinute,
    names: config,
    region: config.region,
    now,
    onBug: (error) => {
      log.error({ err: error }, 'signature doctor');
    },
  });
  // After the server, whose last requests it may still have, and before the sinks.
  closing.push(() => {
    signatureDoctor.close();
  });
  const shadow = await openCandidates(config, { metrics, log });
  if (shadow !== undefined) closing.push(shadow.close);
  const recorder = createRecorder({
    // Records are written whatever the log level is.
    sinks: [
      createJsonSink(log.child({}, { level: 'info' })),
      ...(accessLog === undefined ? [] : [accessLog]),
    ],
    metrics,
    log,
    now,
    hostId,
    signatureDoctor,
    shadow,
  });
  const handler = createHandler({
    limits: config.limits,
    baseDomains: config.baseDomains,
    publicUrls: config.publicUrls,
    headersToSign: config.headersToSign,
    region: config.region,
    accountId: config.accountId,
    keys,
    signingKeys: createSigningKeys({ max: CACHED_SIGNING_KEYS }),
    buckets: createBuckets({
      directory,
      folder,
      routes,
      settings: (name) => bucketSettings(config, name),
      publicAccessBlock: config.publicAccessBlock,
    }),
    directory,
    store,
    routes,
    listingTokens: createListingTokens({ masterKey: masterKey.bytes, random: randomBytes }),
    spool:
      config.spool && (await openSpool({ ...config.spool, newName: randomUUID, held: metrics.spoolBytes })),
    recorder,
    hostId,
    newRequestId,
    now,
  });
  const server = createGatewayServer({
    ...config.listen,
    tls: config.tls,
    limits: config.limits,
    trustedProxies: config.trustedProxies,
    proxyProtocol: config.proxyProtocol,
    handler,
    onMalformed: (request) => {
      recorder.malformed(request);
    },
    hostId,
    newRequestId,
    log,
  });
  const admin = createAdminServer({
    metrics,
    log,
    readiness: async () => {
      const storeReady = await store.changeToken().then(
        () => true,
        () => false,
      );
      // An upstream that is down is told, and takes no gateway out of service: the other gateways reach it no better.
      const upstreams = routed.map(({ name, upstream }): [string, string] => {
        const { breaker } = upstream.health();
        return [`upstream ${name}`, breaker === 'closed' ? 'ok' : `does not answer (circuit ${breaker})`];
      });
      return {
        ready: storeReady,
        checks: { store: storeReady ? 'ok' : 'cannot be read', ...Object.fromEntries(upstreams) },
      };
    },
  });
  const adminPort = await admin.listen(config.adminListen);
  closing.push(() => admin.close());
  const url = await server.listen();
  closing.push(() => server.close());
  closing.push(
    watchCertificate(config, () => {
      server.reloadCertificate();
    }),
  );
  const upstreams = routed.map(({ name, endpoint }) => ({ name, endpoint }));
  log.info({ url, adminPort, upstreams, region: config.region }, 'listening');
  return {
    url,
    adminPort,
    rootKey,
    async reload() {
      server.reloadCertificate();
      await accessLog?.reopen();
    },
    close: closeAll,
  };
}

/** 16 hex digits, 64 random bits, as S3 writes its own. */
function newRequestId(): string {
  const uuid = randomUUID();
  // The digits that say version and variant are elsewhere.
  return (uuid.slice(0, 4) + uuid.slice(24)).toUpperCase();
}

async function openCandidates(
  { candidatePoliciesDir: directory }: Config,
  { metrics, log }: { readonly metrics: Metrics; readonly log: Logger },
): Promise<Shadow | undefined> {
  return directory === undefined ? undefined : openShadow({ directory, metrics, log, pollInterval: POLL_MS });
}

function openUpstream(
  target: UpstreamConfig,
  { log, metrics }: { readonly log: Logger; readonly metrics: Metrics },
): Promise<Upstream> {
  const { name } = target;
  metrics.upstreamBreaker.with(name).set(BREAKER_LEVELS.closed);
  return createUpstream({
    ...target,
    now: Date.now,
    random: Math.random,
    onEvent(event) {
      switch (event.kind) {
        case 'breaker':
          metrics.upstreamBreaker.with(name).set(BREAKER_LEVELS[event.state]);
          if (event.state === 'open') log.error({ upstream: name, cause: event.cause }, 'upstream down');
          else log.info({ upstream: name, breaker: event.state }, 'upstream answers');
          return;
        case 'retry':
          metrics.upstreamRetries.with(name).add();
          return;
        case 'redirect':
          metrics.upstreamRedirects.with(name).add();
          log.info({ upstream: name, ...event }, 'upstream redirects');
          return;
        case 'credentials':
          if (event.expiresAt === undefined) return;
          metrics.upstreamCredentialsExpiry.with(name).set(event.expiresAt / 1000);
          log.info({ upstream: name, expiresAt: isoTime(event.expiresAt) }, 'upstream credentials');
          return;
        case 'credentials-failed':
          metrics.upstreamCredentialsFailures.with(name).add();
          log.error(
            { upstream: name, reason: event.reason, expiresAt: isoTime(event.expiresAt) },
            'upstream credentials cannot be renewed',
          );
          return;
        case 'certificates':
          if (event.problem === undefined) log.info({ upstream: name }, 'upstream certificates reloaded');
          else log.error({ upstream: name, problem: event.problem }, 'upstream certificates cannot be used');
      }
    },
  });
}

/** As a metric. */
const BREAKER_LEVELS = { closed: 0, 'half-open': 1, open: 2 } as const;

function isoTime(epochMs: number | undefined): string | undefined {
  return epochMs === undefined ? undefined : new Date(epochMs).toISOString();
}

/** The embedded store, with credentials that live as long as this process. */
async function startDevStore(
  config: Config,
  log: Logger,
  closing: (() => void | Promise<void>)[],
): Promise<UpstreamConfig> {
  const accessKeyId = `EMBEDDED${randomBytes(6).toString('hex').toUpperCase()}`;
  const secretAccessKey = new Secret(randomBytes(30).toString('base64'));
  const { region } = config;
  const store = createDevStore({
    directory: join(config.dataDir, 'store'),
    credentials: { accessKeyId, secretAccessKey },
    region,
    now: Date.now,
    log,
  });
  closing.push(() => store.close());
  const { endpoint } = await store.listen();
  return {
    name: 'embedded',
    endpoint,
    region,
    accountId: undefined,
    style: 'path',
    credentials: { kind: 'static', accessKeyId, secretAccessKey },
    tls: undefined,
    proxy: undefined,
    buckets: [],
    isDefault: true,
    connections: 1024,
    connectTimeoutMs: 5_000,
    headersTimeoutMs: 300_000,
    idleTimeoutMs: 60_000,
    keepAliveTimeoutMs: 60_000,
    integrity: 'trailer',
    retries: 1,
    breaker: { failures: 5, cooldownMs: 1_000 },
    redirects: [],
  };
}

async function openAccessLog(
  config: Config,
  log: Logger,
  dropped: { add(amount: number): void },
): Promise<S3AccessLogSink | undefined> {
  if (config.accessLog === undefined) return undefined;
  return createS3AccessLogSink({
    path: config.accessLog,
    canonicalUserId,
    onDrop: (lines) => {
      dropped.add(lines);
    },
    onError: (error) => {
      log.error({ err: error, file: config.accessLog }, 'access log cannot be written');
    },
  });
}

/** Polled, since mounted secrets are replaced by links that file events do not follow. */
function watchCertificate({ tls }: Config, reload: () => void): () => void {
  if (tls === undefined) return () => undefined;
  const files = [tls.certFile, tls.keyFile];
  for (const file of files) watchFile(file, { interval: CERTIFICATE_POLL_MS, persistent: false }, reload);
  return () => {
    for (const file of files) unwatchFile(file, reload);
  };
}
