/** The settings as they are written, in the file or in a variable, and what each may be. */
import { isIPv4, isIPv6 } from 'node:net';
import { z } from 'zod';
import { OPERATION_SWITCHES, type OperationSwitch } from '../s3/index.ts';
import { Secret } from '../sigv4/index.ts';
import type { ListenAddress, PublicUrl, Target } from './config.ts';

/**
 * The unsigned headers that change what a request does. All others are transport (`connection`, `user-agent`,
 * `accept-encoding` …): no operation reads them, so that it does not matter whether they were signed.
 */
export const UNSIGNED_HEADERS = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-type',
  'expires',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-unmodified-since',
  'range',
] as const;

/** Where upstream credentials come from; all but `static` are the AWS SDK's own providers. */
const CREDENTIAL_SOURCES = [
  'static',
  'default',
  'environment',
  'profile',
  'process',
  'sso',
  'web-identity',
  'container',
  'instance',
] as const;
const STYLES = ['path', 'virtual-hosted'] as const;
const INTEGRITY_MODES = ['trailer', 'hash', 'signed-chunks', 'unsigned'] as const;

const SWITCHES = Object.keys(OPERATION_SWITCHES) as [OperationSwitch, ...OperationSwitch[]];
const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
const BODIES = ['signed', 'checksummed', 'any'] as const;

const listenAddress = parsed('an address such as `127.0.0.1:9000`, `[::1]:9000` or `:9000`', parseListen);
const region = matching('a region such as `us-east-1`', /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/);
const accountId = matching('12 digits in quotes', /^\d{12}$/);
const filePath = matching('a path', /^[^\0]+$/);
const bucketPattern = matching(
  'a bucket name of lower-case letters, digits, `.`, `-` and `_`, in which `*` stands for any characters',
  /^[a-z0-9*][a-z0-9._*-]{0,62}$/,
);
const hostName = parsed('a host name without port', (text) =>
  /^(?!-)[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})*$/i.test(text) ? text.toLowerCase() : undefined,
);
const accessKeyId = matching(
  'an access key id: printable characters without white space, `/`, `,` and `=`',
  /^[!-+\-.0-<>-~]{3,128}$/,
);
const endpoint = parsed('an http or https origin such as `https://s3.example.com:9000`', parseOrigin);
const store = parsed(
  '`sqlite:` and a path',
  (text) => /^sqlite:(?<path>[^\0]+)$/.exec(text)?.groups?.['path'],
);
const masterKey = parsed('32 bytes as 64 hex digits or in base64', (text) =>
  /^[0-9a-fA-F]{64}$/.test(text) || /^[A-Za-z0-9+/]{43}=?$/.test(text) ? new Secret(text) : undefined,
);

const upstreamName = matching('a name of letters, digits, `-` and `_`', /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/);
const publicUrl = parsed(
  'an http or https URL of host, port and path prefix, such as `https://example.com/storage`',
  parsePublicUrl,
);
const network = parsed('an address or network such as `10.0.0.0/8` or `2001:db8::/32`', parseNetwork);
const target = parsed(
  'a bucket upstream, or a prefix in one that ends with a slash, such as `shared-data/teams/a/`',
  parseTarget,
);

const upstreamSettings = {
  endpoint,
  region: region.optional(),
  accountId: accountId.optional(),
  style: choice(STYLES).default('path'),
  credentials: choice(CREDENTIAL_SOURCES).optional(),
  profile: matching('the name of a profile', /^[^\0\r\n]+$/).optional(),
  accessKeyId: accessKeyId.optional(),
  accessKeyIdFile: filePath.optional(),
  secretAccessKey: secret('printable characters without white space', /^[!-~]+$/).optional(),
  secretAccessKeyFile: filePath.optional(),
  tls: map({ ca: filePath.optional(), cert: filePath.optional(), key: filePath.optional() }).optional(),
  proxy: endpoint.optional(),
  proxyCredentials: secret('`user:password` without white space', /^[!-9;-~]+:[!-~]*$/).optional(),
  proxyCredentialsFile: filePath.optional(),
  buckets: list(bucketPattern, 'bucket names or patterns').default([]),
  default: z.boolean({ error: '`true` or `false`' }).optional(),
  connections: wholeNumber(1, 65_535).default(1024),
  connectTimeout: duration().prefault('5s'),
  headersTimeout: duration().prefault('5m'),
  idleTimeout: duration().prefault('60s'),
  keepAliveTimeout: duration().prefault('15s'),
  integrity: choice(INTEGRITY_MODES).default('trailer'),
  retries: wholeNumber(0, 5).default(1),
  breakerFailures: wholeNumber(1, 1000).default(5),
  breakerCooldown: duration().prefault('5s'),
  redirects: list(endpoint, 'http or https origins').default([]),
};

export const SETTINGS = z.strictObject({
  listen: listenAddress.prefault('127.0.0.1:9000'),
  adminListen: listenAddress.prefault('127.0.0.1:9001'),
  region: region.default('us-east-1'),
  accountId: accountId.default('000000000000'),
  baseDomains: list(hostName, 'host names').default([]),
  tls: map({ cert: filePath, key: filePath }).optional(),
  dataDir: filePath.default('./data'),
  store: store.optional(),
  policiesDir: filePath.optional(),
  candidatePoliciesDir: filePath.optional(),
  publicAccessBlock: map({
    blockPublicPolicy: flag().prefault(false),
    restrictPublicBuckets: flag().prefault(false),
  }).prefault({}),
  root: map({
    accessKeyId,
    accessKeyIdFile: filePath.optional(),
    secretAccessKey: secret('8 printable characters or more, without white space', /^[!-~]{8,}$/),
    secretAccessKeyFile: filePath.optional(),
  }).optional(),
  masterKey: masterKey.optional(),
  masterKeyFile: filePath.optional(),
  upstream: map(upstreamSettings).optional(),
  upstreams: list(
    map({ name: upstreamName, ...upstreamSettings }),
    'maps with `name` and the settings of an upstream',
  ).default([]),
  buckets: list(
    map({
      name: bucketPattern,
      bodies: choice(BODIES).default('any'),
      owner: accountId.optional(),
      upstream: upstreamName.optional(),
      target: target.optional(),
      readOnly: z.boolean({ error: '`true` or `false`' }).default(false),
      maxObjectSize: byteSize().optional(),
      filterListings: z.boolean({ error: '`true` or `false`' }).default(false),
      operations: list(choice(SWITCHES), 'operations to switch on').default([]),
    }),
    'maps with `name` and the settings of a bucket',
  ).default([]),
  // A wrong signature is tried for each.
  publicUrls: list(publicUrl, 'URLs').max(16, { error: 'at most 16 URLs' }).default([]),
  trustedProxies: list(network, 'addresses and networks').default([]),
  proxyProtocol: z.boolean({ error: '`true` or `false`' }).default(false),
  spool: map({
    enabled: flag().prefault(true),
    directory: filePath.optional(),
    maxBodySize: byteSize().prefault('1GiB'),
    maxTotalSize: byteSize().prefault('4GiB'),
  }).prefault({}),
  signatureDoctor: map({ perMinute: wholeNumber(0, 60_000).default(60) }).prefault({}),
  unsignedHeaders: list(choice(UNSIGNED_HEADERS), 'header names').default([...UNSIGNED_HEADERS]),
  accessLog: filePath.optional(),
  logLevel: choice(LOG_LEVELS).default('info'),
  limits: map({
    headerBytes: wholeNumber(1024, 65_536).default(8192),
    userMetadataBytes: wholeNumber(0, 65_536).default(2048),
    connections: wholeNumber(1, 1_000_000).default(10_000),
    headersTimeout: duration().prefault('30s'),
    idleTimeout: duration().prefault('60s'),
    keepAliveTimeout: duration().prefault('65s'),
    shutdownTimeout: duration().prefault('30s'),
  }).prefault({}),
});

export type Settings = z.output<typeof SETTINGS>;

/** The names that a map of settings may have, for suggestions. */
export function settingNames(path: readonly PropertyKey[]): readonly string[] {
  let schema: unknown = SETTINGS;
  for (const step of path)
    schema = typeof step === 'number' ? element(schema) : shapeOf(schema)?.[String(step)];
  return Object.keys(shapeOf(schema) ?? {});
}

/** The shape of an object schema beneath its `optional` and `prefault` wrappers. */
function shapeOf(schema: unknown): Readonly<Record<string, unknown>> | undefined {
  return unwrap(schema)?.shape;
}

function element(schema: unknown): unknown {
  return unwrap(schema)?.element;
}

interface SchemaLike {
  readonly shape?: Readonly<Record<string, unknown>>;
  readonly element?: unknown;
  readonly def?: { readonly innerType?: unknown };
}

function unwrap(schema: unknown): SchemaLike | undefined {
  const like = schema as SchemaLike | undefined;
  return like?.def?.innerType === undefined ? like : unwrap(like.def.innerType);
}

/** A setting read from text; every message of the schema is the phrase that follows "expected". */
function parsed<T>(expected: string, parse: (text: string) => T | undefined) {
  return z.string({ error: expected }).transform((text, context): T => {
    const value = parse(text);
    if (value !== undefined) return value;
    context.addIssue({ code: 'custom', message: expected });
    return z.NEVER;
  });
}

function matching(expected: string, form: RegExp) {
  return z.string({ error: expected }).regex(form, { error: expected });
}

function secret(expected: string, form: RegExp) {
  return parsed(expected, (text) => (form.test(text) ? new Secret(text) : undefined));
}

function choice<const T extends readonly [string, ...string[]]>(names: T) {
  return z.enum(names, { error: `one of ${names.map((name) => `\`${name}\``).join(', ')}` });
}

function wholeNumber(least: number, most: number) {
  const error = `a whole number from ${least} to ${most}`;
  return z.int({ error }).min(least, { error }).max(most, { error });
}

function list<T extends z.ZodType>(entry: T, of: string) {
  return z.array(entry, { error: `a list of ${of}` });
}

function map<T extends z.core.$ZodLooseShape>(shape: T) {
  return z.strictObject(shape, { error: `a map of ${Object.keys(shape).join(', ')}` });
}

/** Also as a variable has it. */
function flag() {
  const error = '`true` or `false`';
  return z
    .union([z.boolean(), z.enum(['true', 'false'])], { error })
    .transform((value) => value === true || value === 'true');
}

/** To milliseconds. The longest is what a Node timer can hold. */
function duration() {
  return parsed('a duration such as `500ms`, `30s` or `5m`', (text) => {
    const match = /^(?<count>\d{1,9})(?<unit>ms|s|m|h)$/.exec(text);
    if (match?.groups === undefined) return undefined;
    const unit = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[match.groups['unit'] as 'ms' | 's' | 'm' | 'h'];
    const milliseconds = Number(match.groups['count']) * unit;
    return milliseconds >= 1 && milliseconds < 2 ** 31 ? milliseconds : undefined;
  });
}

/** To bytes. */
function byteSize() {
  return parsed('a size such as `512KiB`, `64MiB` or `5GiB`', (text) => {
    const match = /^(?<count>\d{1,9})(?<unit>B|KiB|MiB|GiB|TiB)$/.exec(text);
    if (match?.groups === undefined) return undefined;
    const power = ['B', 'KiB', 'MiB', 'GiB', 'TiB'].indexOf(match.groups['unit'] as string);
    const bytes = Number(match.groups['count']) * 1024 ** power;
    return Number.isSafeInteger(bytes) ? bytes : undefined;
  });
}

function parsePublicUrl(text: string): PublicUrl | undefined {
  const form =
    /^https?:\/\/(?:[A-Za-z0-9._-]+|\[[0-9a-fA-F:.]+\])(?::\d{1,5})?(?<path>(?:\/[A-Za-z0-9._~-]+)*)\/?$/;
  const prefix = form.exec(text)?.groups?.['path'];
  if (prefix === undefined || !URL.canParse(text)) return undefined;
  if (/\/\.{1,2}(?:\/|$)/.test(prefix)) return undefined;
  const { protocol, host } = new URL(text);
  return { secure: protocol === 'https:', host, prefix };
}

function parseNetwork(text: string): string | undefined {
  const match = /^(?<address>[0-9a-fA-F:.]+)(?:\/(?<bits>\d{1,3}))?$/.exec(text);
  const address = match?.groups?.['address'] ?? '';
  const most = isIPv4(address) ? 32 : isIPv6(address) ? 128 : undefined;
  if (most === undefined) return undefined;
  const bits = match?.groups?.['bits'] === undefined ? most : Number(match.groups['bits']);
  return bits <= most ? `${address}/${bits}` : undefined;
}

function parseTarget(text: string): Target | undefined {
  const match = /^(?<bucket>[a-z0-9][a-z0-9._-]{1,61}[a-z0-9])(?:\/(?<prefix>[^\0]*\/))?$/.exec(text);
  if (match?.groups === undefined) return undefined;
  const prefix = match.groups['prefix'] ?? '';
  // Upstreams that keep objects as files would take such a prefix for another one.
  if (
    prefix !== '' &&
    prefix
      .slice(0, -1)
      .split('/')
      .some((part) => part === '' || part === '.' || part === '..')
  )
    return undefined;
  return Buffer.byteLength(prefix) <= 512 ? { bucket: match.groups['bucket'] as string, prefix } : undefined;
}

function parseListen(text: string): ListenAddress | undefined {
  const match = /^(?:\[(?<v6>[0-9a-fA-F:.]+(?:%\w+)?)\]|(?<host>[A-Za-z0-9._-]*)):(?<port>\d{1,5})$/.exec(
    text,
  );
  const port = Number(match?.groups?.['port']);
  if (match?.groups === undefined || port > 65_535) return undefined;
  return { host: match.groups['v6'] ?? (match.groups['host'] || undefined), port };
}

function parseOrigin(text: string): string | undefined {
  const form = /^https?:\/\/(?:[A-Za-z0-9._-]+|\[[0-9a-fA-F:.]+\])(?::\d{1,5})?\/?$/;
  return form.test(text) && URL.canParse(text) ? new URL(text).origin : undefined;
}
