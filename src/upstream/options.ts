/** What is told to an upstream when it is made, and what it tells about itself. */
import type { Secret } from '../sigv4/index.ts';

export interface UpstreamOptions {
  /** For messages. */
  readonly name: string;
  /** Origin, `http://host:port` or `https://host`. */
  readonly endpoint: string;
  readonly region: string;
  /** 12 digits: sent as the expected owner of each bucket, so that a name that changed hands is refused. */
  readonly accountId: string | undefined;
  /** `virtual-hosted`: the bucket is part of the host name, where its name can be. */
  readonly style: 'path' | 'virtual-hosted';
  readonly credentials: UpstreamCredentials;
  readonly tls: UpstreamTlsFiles | undefined;
  /** Connections are tunnelled through it. */
  readonly proxy: EgressProxy | undefined;
  /** Requests on their way at once, at most. */
  readonly connections: number;
  /** Milliseconds until a connection is given up that does not open, or of which none gets free. */
  readonly connectTimeoutMs: number;
  /** Milliseconds until the response's headers are there, counted from the end of the request. */
  readonly headersTimeoutMs: number;
  /** Milliseconds without a byte of the response's body. */
  readonly idleTimeoutMs: number;
  /** Milliseconds for which an idle connection is kept at most; the upstream's `Keep-Alive: timeout` shortens it. */
  readonly keepAliveTimeoutMs: number;
  /** The form in which uploads are sent; the caller picks each payload by it. */
  readonly integrity: Integrity;
  /** Attempts after the first, where repeating is safe. */
  readonly retries: number;
  readonly breaker: {
    /** Failures in a row after which the upstream is left alone. */
    readonly failures: number;
    readonly cooldownMs: number;
  };
  /** Further origins of this upstream that it may redirect to. */
  readonly redirects: readonly string[];
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** From 0 to below 1: spreads retries, probes and refreshes. */
  readonly random: () => number;
  /** For log and metrics; must not throw. */
  readonly onEvent: (event: UpstreamEvent) => void;
}

type UpstreamCredentials =
  | {
      readonly kind: 'static';
      readonly accessKeyId: string;
      readonly secretAccessKey: Secret;
      readonly sessionToken?: Secret | undefined;
    }
  | {
      readonly kind: 'provider';
      readonly provider: CredentialProvider;
      /** Of the AWS configuration files; undefined: what `AWS_PROFILE` names, or `default`. */
      readonly profile: string | undefined;
    };

/** Of `@aws-sdk/credential-providers`; `default` is its whole chain. */
export type CredentialProvider =
  'default' | 'environment' | 'profile' | 'process' | 'sso' | 'web-identity' | 'container' | 'instance';

export interface UpstreamTlsFiles {
  /** PEM: authorities beside those that Node.js trusts. */
  readonly caFile: string | undefined;
  /** PEM: shown to an upstream that asks for it. */
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
}

export interface EgressProxy {
  /** An http or https origin. */
  readonly url: string;
  /** `user:password` */
  readonly credentials: Secret | undefined;
}

export type Integrity = 'trailer' | 'hash' | 'signed-chunks' | 'unsigned';

export type UpstreamEvent =
  | { readonly kind: 'breaker'; readonly state: BreakerState; readonly cause: string | undefined }
  | { readonly kind: 'retry'; readonly cause: string }
  /** Its region is remembered, and the request repeated there if it still can be. */
  | { readonly kind: 'redirect'; readonly bucket: string; readonly region: string; readonly origin: string }
  | { readonly kind: 'credentials'; readonly expiresAt: number | undefined }
  /** What there was before stays in use until `expiresAt`. */
  | {
      readonly kind: 'credentials-failed';
      readonly reason: string;
      readonly expiresAt: number | undefined;
    }
  /** With a `problem` the former ones stay in use. */
  | { readonly kind: 'certificates'; readonly problem: string | undefined };

export type BreakerState = 'closed' | 'half-open' | 'open';

/** What a look at the upstream from outside should know. */
export interface UpstreamHealth {
  readonly breaker: BreakerState;
  /** Why it is not closed. */
  readonly cause: string | undefined;
  /** Epoch milliseconds; undefined: they do not expire. */
  readonly credentialsExpireAt: number | undefined;
}
