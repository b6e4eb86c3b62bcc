/** What is kept of one request: exactly one record, also for refused, broken-off and malformed ones. */
import type { OperationName } from '../s3/index.ts';

export interface AccessRecord {
  /** When the request's first byte came, epoch milliseconds. */
  readonly time: number;
  /** As sent to the client in `x-amz-request-id` and `x-amz-id-2`. */
  readonly requestId: string;
  readonly hostId?: string | undefined;
  /** The client's: behind trusted proxies what they say, else that of the connection. */
  readonly remoteAddress: string;
  /** Of the other end of the connection: a proxy's, behind one. */
  readonly peerAddress?: string | undefined;
  /** Undefined when the request line could not be read. */
  readonly method?: string | undefined;
  /** The request target as received. Both formats redact it: see `redactRequestUri`. */
  readonly target?: string | undefined;
  /** `1.1` */
  readonly httpVersion?: string | undefined;
  readonly host?: string | undefined;
  /** Redacted like the target, since a page can be opened by a presigned URL. */
  readonly referer?: string | undefined;
  readonly userAgent?: string | undefined;
  readonly tls?: { readonly protocol: string; readonly cipher: string } | undefined;

  readonly operation?: OperationName | undefined;
  readonly bucket?: string | undefined;
  /** Account id, 12 digits. */
  readonly bucketOwner?: string | undefined;
  /** Decoded. */
  readonly key?: string | undefined;
  readonly versionId?: string | undefined;
  /** What is read by CopyObject and UploadPartCopy. */
  readonly copySource?:
    | {
        readonly bucket: string;
        readonly key: string;
        readonly versionId?: string | undefined;
        /** Account id of the owner. */
        readonly bucketOwner?: string | undefined;
      }
    | undefined;

  /** ARN of the caller, or `anonymous`; undefined when nobody was authenticated. */
  readonly principal?: string | undefined;
  /** As claimed, also by a request whose signature was wrong. */
  readonly accessKeyId?: string | undefined;
  readonly authType?: 'AuthHeader' | 'QueryString' | 'POST' | undefined;
  readonly signatureVersion?: 'SigV4' | 'SigV4A' | undefined;
  /** The deciding one: the refusal, or the first grant. */
  readonly decision?: RecordedDecision | undefined;
  /** The others of a request that needs several. */
  readonly otherDecisions?: readonly RecordedDecision[] | undefined;
  /** What the decisions were made of. */
  readonly evaluation?: RecordedEvaluation | undefined;

  /** Undefined when no answer was begun. */
  readonly status?: number | undefined;
  readonly errorCode?: string | undefined;
  /** For the operator, never sent to the client. */
  readonly errorReason?: string | undefined;
  /** What explains a signature that did not match, where something was found. Never sent to the client either. */
  readonly signatureCause?: RecordedCause | undefined;
  /** Body bytes. */
  readonly bytesReceived: number;
  readonly bytesSent: number;
  readonly objectSize?: number | undefined;
  /** From the first byte of the request to the last of the answer. */
  readonly totalTimeMs: number;
  /** From the last byte of the request to the first of the answer. */
  readonly turnAroundTimeMs?: number | undefined;
  readonly outcome: 'completed' | 'aborted-by-client' | 'malformed';
  readonly upstream?: UpstreamRecord | undefined;
  /** What became of each key of a DeleteObjects request, at most 1000. */
  readonly entries?: readonly EntryResult[] | undefined;
}

/** What a client or a proxy did to a signature. */
export interface RecordedCause {
  /** One thing, or two together: `host`, `header`, `secret`… */
  readonly kinds: readonly string[];
  /** What it was, and what to do about it. */
  readonly explanation: string;
}

type ConditionValue = string | readonly string[];

/** What policies could ask of a request, and which they were. */
export interface RecordedEvaluation {
  /** Condition keys, as AWS writes them, with what they were; absent ones are not here. */
  readonly context: Readonly<Record<string, ConditionValue>>;
  /** Keys whose values are too long to be kept. */
  readonly leftOut?: readonly string[] | undefined;
  /** `NAME@FINGERPRINT` of every document that was looked at; the fingerprint is of its text (SHA-256, 12 hex digits). */
  readonly policies: readonly string[];
}

/** A policy's decision, with the action and the resource (an ARN) it was about. */
export interface RecordedDecision {
  readonly effect: 'Allow' | 'Deny';
  readonly action: string;
  readonly resource: string;
  /** 12 digits. */
  readonly resourceAccount: string;
  /** The setting held for the bucket, whether or not the decision hung on it. */
  readonly restrictPublicBuckets?: boolean | undefined;
  /** Keys that have other values for this decision than in the context of the request; `null`: none. */
  readonly context?: Readonly<Record<string, ConditionValue | null>> | undefined;
  /** The tags of the object were looked up: those that are in neither context it had not. */
  readonly tagsKnown?: boolean | undefined;
  /** The deciding statement of an Allow or an explicit Deny. */
  readonly by?: StatementReference | undefined;
  /** What was missing for an Allow, or any other cause of a Deny: `no identity policy allows it`. */
  readonly reason?: string | undefined;
  /**
   * Of a Deny: the statements that refuse, or the Allows that came nearest; at most three. Of the refused keys of a
   * DeleteObjects the first 20 have them.
   */
  readonly nearest?: readonly RecordedStatement[] | undefined;
  /** What the candidate policies of shadow mode would have made of it; absent: the same, or there are none. */
  readonly candidate?: 'would_allow' | 'would_deny' | 'undecidable' | undefined;
}

/** What became of one statement. */
export interface RecordedStatement {
  readonly by: StatementReference;
  readonly role: 'identity' | 'resource' | 'boundary' | 'session';
  readonly effect: 'Allow' | 'Deny';
  /** What kept it from applying: `Action`, `Resource`, `Principal`, their `Not` forms, or `Condition`. */
  readonly mismatches: readonly {
    readonly element: string;
    readonly operator?: string;
    readonly key?: string;
    readonly wanted: readonly string[];
    readonly actual: ConditionValue | undefined;
  }[];
  /** The conditions that held. */
  readonly held: readonly {
    readonly operator: string;
    readonly key: string;
    readonly wanted: readonly string[];
    readonly actual: ConditionValue | undefined;
  }[];
}

interface StatementReference {
  readonly policy: string;
  readonly sid?: string | undefined;
  /** From 0. */
  readonly index: number;
}

interface UpstreamRecord {
  /** Undefined when it did not answer. */
  readonly status?: number | undefined;
  /** Its `x-amz-request-id` and `x-amz-id-2`. */
  readonly requestId?: string | undefined;
  readonly id2?: string | undefined;
  readonly errorCode?: string | undefined;
  /** Why it failed, as far as the client was not told. */
  readonly cause?: string | undefined;
}

export interface EntryResult {
  readonly key: string;
  readonly versionId?: string | undefined;
  /** HTTP status that a request for this key alone would have had. */
  readonly status: number;
  readonly errorCode?: string | undefined;
  readonly decision?: RecordedDecision | undefined;
  /** The others of a key that needs several. */
  readonly otherDecisions?: readonly RecordedDecision[] | undefined;
}
