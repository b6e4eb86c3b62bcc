/** What a running gateway is configured to do. Made by `loadConfig`; paths are absolute, durations in milliseconds. */
import type { Secret } from '../sigv4/index.ts';
import type { OperationSwitch } from '../s3/index.ts';

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
  /** Policies that are tried beside those in force, and decide nothing; absent: none are. */
  readonly candidatePoliciesDir: string | undefined;
  /** For every bucket, beside what each bucket has set for itself. */
  readonly publicAccessBlock: {
    /** PutBucketPolicy refuses a public policy. */
    readonly blockPublicPolicy: boolean;
    /** A bucket with a public policy is open to its owner's account alone. */
    readonly restrictPublicBuckets: boolean;
  };
  /** Absent: an administrator key is made at the first start. */
  readonly root: RootKey | undefined;
  /** 32 bytes as 64 hex digits or in base64. Absent: made at the first start. */
  readonly masterKey: Secret | undefined;
  /** Base URLs under which clients reach this gateway, beside the address that they connect to. */
  readonly publicUrls: readonly PublicUrl[];
  /** Networks in CIDR notation whose word about the client's address and protocol is taken. */
  readonly trustedProxies: readonly string[];
  /** Connections of trusted proxies begin with a PROXY protocol header. */
  readonly proxyProtocol: boolean;
  /** Where bodies of unknown length wait until their length is known; absent: they are refused. */
  readonly spool: SpoolConfig | undefined;
  readonly signatureDoctor: {
    /** Signatures that are looked into, at most; 0: none. */
    readonly perMinute: number;
  };
  /** None: the embedded store. */
  readonly upstreams: readonly UpstreamConfig[];
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

export interface PublicUrl {
  readonly secure: boolean;
  /** As a Host header has it: lower-case, without the protocol's own port. */
  readonly host: string;
  /** `/storage`, without a slash at its end; empty for none. */
  readonly prefix: string;
}

interface SpoolConfig {
  readonly directory: string;
  readonly maxBodyBytes: number;
  /** Of all bodies that wait at the same time. */
  readonly maxTotalBytes: number;
}

export interface UpstreamConfig {
  /** Unique; `default` for the one of the `upstream` setting. */
  readonly name: string;
  /** An origin: `https://s3.eu-central-1.amazonaws.com`. */
  readonly endpoint: string;
  readonly region: string;
  /** 12 digits, sent as the expected owner of every bucket. */
  readonly accountId: string | undefined;
  readonly style: 'path' | 'virtual-hosted';
  readonly credentials: UpstreamCredentials;
  readonly tls: UpstreamTlsFiles | undefined;
  readonly proxy: EgressProxy | undefined;
  /** Names, or patterns with `*`, of buckets that exist at the gateway without having been made through it. */
  readonly buckets: readonly string[];
  /** Buckets that match no upstream's `buckets` are made here. */
  readonly isDefault: boolean;
  /** Most connections to the upstream at once. */
  readonly connections: number;
  readonly connectTimeoutMs: number;
  /** From the end of the request to the first byte of the answer. */
  readonly headersTimeoutMs: number;
  /** Without a byte of the answer's body. */
  readonly idleTimeoutMs: number;
  /** How long an unused connection is kept. */
  readonly keepAliveTimeoutMs: number;
  /** How upload bodies go upstream; what they declare is verified here in any case. */
  readonly integrity: Integrity;
  /** Attempts after the first, where repeating is safe. */
  readonly retries: number;
  readonly breaker: {
    /** Failed connections in a row after which the upstream is left alone. */
    readonly failures: number;
    readonly cooldownMs: number;
  };
  /** Further origins of the same upstream that it may redirect to. */
  readonly redirects: readonly string[];
}

/**
 * `trailer`: framed with its trailing checksum where the client sent one; `hash`: with the declared sha256, unsigned
 * without one; `signed-chunks`: each chunk signed anew; `unsigned`: always unsigned.
 */
type Integrity = 'trailer' | 'hash' | 'signed-chunks' | 'unsigned';

export type UpstreamCredentials =
  | { readonly kind: 'static'; readonly accessKeyId: string; readonly secretAccessKey: Secret }
  | {
      readonly kind: 'provider';
      /** Of `@aws-sdk/credential-providers`; `default` is its whole chain. */
      readonly provider: CredentialProvider;
      readonly profile: string | undefined;
    };

type CredentialProvider =
  'default' | 'environment' | 'profile' | 'process' | 'sso' | 'web-identity' | 'container' | 'instance';

interface UpstreamTlsFiles {
  /** Authorities beside those that Node trusts. */
  readonly caFile: string | undefined;
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
}

interface EgressProxy {
  readonly url: string;
  /** `user:password` */
  readonly credentials: Secret | undefined;
}

/** Where a virtual bucket's objects are. */
export interface Target {
  readonly bucket: string;
  /** Empty, or with a slash at its end. */
  readonly prefix: string;
}

/** `signed`: hash or signed chunks; `checksummed`: those, or a checksum; `any`: unsigned payloads too. */
export type BodyRequirement = 'signed' | 'checksummed' | 'any';

export interface BucketSettings {
  /** What an upload must declare about its body. */
  readonly bodies: BodyRequirement;
  /** The account, 12 digits, of a bucket that was not made through the gateway. */
  readonly owner: string;
  /** Nothing in it can be changed. */
  readonly readOnly: boolean;
  /** Of one object, parts of uploads taken alone. */
  readonly maxObjectBytes: number | undefined;
  /** Keys that the caller may not read are left out of listings. */
  readonly filterListings: boolean;
  /** What is off unless named here. */
  readonly operations: ReadonlySet<OperationSwitch>;
}

export interface BucketRule extends BucketSettings {
  /** A bucket name in which `*` stands for any characters. */
  readonly pattern: string;
  /** Of a virtual bucket, whose `pattern` is a plain name: where it is, and in which upstream. */
  readonly target: (Target & { readonly upstream: string }) | undefined;
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
