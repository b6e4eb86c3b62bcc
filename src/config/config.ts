/** What a running gateway is configured to do. Made by `loadConfig`; paths are absolute, durations in milliseconds. */
import type { Secret } from '../sigv4/index.ts';

export interface Config {
  /** Where S3 clients connect. */
  readonly listen: ListenAddress;
  /** Health, metrics and administration. */
  readonly adminListen: ListenAddress;
  /** The region that clients sign for. */
  readonly region: string;
  /** The account that owns whatever names no other: 12 digits. */
  readonly accountId: string;
  /** Lower-case host names under which `bucket.host` is a bucket. Empty: path style only. */
  readonly baseDomains: readonly string[];
  /** Absent: the listener speaks plain HTTP. */
  readonly tls: TlsFiles | undefined;
  readonly dataDir: string;
  /** Identities and settings. `path` is the database file. */
  readonly store: { readonly kind: 'sqlite'; readonly path: string };
  /** The folder of live bucket policies. */
  readonly policiesDir: string;
  /** Absent: an administrator key is made at the first start. */
  readonly root: RootKey | undefined;
  /** 32 bytes as 64 hex digits or in base64. Absent: made at the first start. */
  readonly masterKey: Secret | undefined;
  /** Absent: the embedded store. */
  readonly upstream: UpstreamConfig | undefined;
  /** The first rule whose pattern matches a bucket's name holds for it; see `bucketSettings`. */
  readonly buckets: readonly BucketRule[];
  /** Lower-case names that must be signed when present, besides `host`, `x-amz-*` and `content-md5`. */
  readonly headersToSign: ReadonlySet<string>;
  /** The file of S3 server access log lines; absent: not written. */
  readonly accessLog: string | undefined;
  readonly logLevel: LogLevel;
  readonly limits: Limits;
}

export interface ListenAddress {
  /** Undefined: every interface. IPv6 without brackets. */
  readonly host: string | undefined;
  /** 0: the system picks one. */
  readonly port: number;
}

interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

interface RootKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: Secret;
}

export interface UpstreamConfig {
  /** An origin: `https://s3.eu-central-1.amazonaws.com`. */
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: Secret;
  /** Names, or patterns with `*`, of buckets that exist at the gateway without having been made through it. */
  readonly buckets: readonly string[];
  /** Most connections to the upstream at once. */
  readonly connections: number;
  readonly connectTimeoutMs: number;
  /** From the end of the request to the first byte of the answer. */
  readonly headersTimeoutMs: number;
  /** Without a byte of the answer's body. */
  readonly idleTimeoutMs: number;
  /** How long an unused connection is kept. */
  readonly keepAliveTimeoutMs: number;
  /** Whether it takes aws-chunked uploads with a trailing checksum, and stores that. */
  readonly trailers: boolean;
}

/** `signed`: hash or signed chunks; `checksummed`: those, or a checksum; `any`: unsigned payloads too. */
export type BodyRequirement = 'signed' | 'checksummed' | 'any';

export interface BucketSettings {
  /** What an upload must declare about its body. */
  readonly bodies: BodyRequirement;
  /** The account, 12 digits, of a bucket that was not made through the gateway. */
  readonly owner: string;
}

interface BucketRule extends BucketSettings {
  /** A bucket name in which `*` stands for any characters. */
  readonly pattern: string;
}

type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

interface Limits {
  /** Request line and header fields together, in bytes. */
  readonly headerBytes: number;
  /** Names and values of `x-amz-meta-*` together, in bytes. */
  readonly userMetadataBytes: number;
  /** Most client connections at once. */
  readonly connections: number;
  /** From the start of a request to the end of its headers. */
  readonly headersTimeoutMs: number;
  /** Without a byte moving in either direction during a request. */
  readonly idleTimeoutMs: number;
  /** Between two requests on one connection. */
  readonly keepAliveTimeoutMs: number;
  /** How long a stop waits for running requests. */
  readonly shutdownTimeoutMs: number;
}
