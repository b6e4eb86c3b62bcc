/** What a row of the closed operation table says. */
import type { DocumentSchema } from './document-schema.ts';
import type { OperationSwitch } from './operation-switch.ts';

export type Method = 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE' | 'OPTIONS';
export type OperationLevel = 'service' | 'bucket' | 'object';

/** All of it must hold. The row with the most conditions wins; a tie of two rows is refused. */
export interface MatchRule {
  /** Query parameters that must be present, whatever their value. */
  readonly query?: readonly string[];
  readonly queryEquals?: Readonly<Record<string, string>>;
  /** Request headers that must be present, lower-case. */
  readonly headers?: readonly string[];
}

/** When an action is needed, beside "always". */
export type ActionCondition =
  | { readonly query: string }
  | { readonly noQuery: string }
  /** One of these request headers is present, be it empty. */
  | { readonly anyHeader: readonly string[] }
  | { readonly nonEmptyHeader: string }
  /** The header is present and says anything but `false`. */
  | { readonly headerTrue: string }
  /** And, where it says so, `x-amz-copy-source` names a version, or does not. */
  | { readonly headerEquals: readonly [name: string, value: string]; readonly copySourceVersion?: boolean }
  /** The header is present and names an entity tag, not `*`. */
  | { readonly entityTag: string }
  /** An ACL header grants more than `private` and `bucket-owner-full-control` do. */
  | { readonly grantingAcl: true }
  /** `x-amz-copy-source` names a version, or does not. */
  | { readonly copySourceVersion: boolean }
  /** DeleteObjects: the entry names a version, or does not. */
  | { readonly entryVersion: boolean }
  /** DeleteObjects: the entry names an entity tag, not `*`. */
  | { readonly entryEntityTag: true }
  /**
   * What is copied has tags, and `x-amz-tagging-directive` does not say that they are replaced. And, where it says so,
   * `x-amz-copy-source` names a version, or does not.
   */
  | { readonly copiesTags: true; readonly copySourceVersion?: boolean }
  /** Cannot be told from the request, so it adds nothing; the text says what it depends on. */
  | { readonly notEvaluated: string };

export interface OperationAction {
  readonly action: string;
  /** What its ARN names; `copy-source` also the source of a rename; `*` is `arn:aws:s3:::*`. */
  readonly resource: 'bucket' | 'object' | 'copy-source' | '*';
  readonly when?: ActionCondition;
}

/** Response headers that a caller gets only with another action on the object. */
export interface HeaderAction {
  readonly action: string;
  readonly headers: readonly string[];
}

/**
 * `none`: a body is refused. `stream`: verified while it streams. `buffered`: at most that many bytes are read,
 * verified and parsed before anything is decided.
 */
export type BodyMode = 'none' | 'stream' | { readonly buffered: number };

/** `xml-late-error`: a 200 whose XML may turn out to be an `<Error>`. */
export type AnswerShape = 'empty' | 'object' | 'xml' | 'xml-late-error' | 'event-stream';

/**
 * `forward`: sent upstream. `gateway`: the gateway answers from its own state. `rewrite`: sent upstream, with its
 * body or its answer made anew by the gateway.
 */
export type AvailableHandling = 'forward' | 'gateway' | 'rewrite';
/** Answered `NotImplemented`, with the reason. */
export type UnavailableHandling = { readonly refused: string };

interface Row {
  readonly method: Method;
  readonly level: OperationLevel;
  readonly match?: MatchRule;
  readonly actions: readonly OperationAction[];
  /** Older names of the same request. */
  readonly alsoKnownAs?: readonly string[];
}

export interface AvailableRow extends Row {
  readonly handling: AvailableHandling;
  readonly body: BodyMode;
  readonly answer: AnswerShape;
  /** Query parameters beside those of the match rule. */
  readonly query?: readonly string[];
  /** Request headers, lower-case; a final `*` stands for any rest. Of `x-amz-*` no others are accepted. */
  readonly headers: readonly string[];
  /** Headers of the upstream's answer that reach the client, lower-case; a final `*` stands for any rest. */
  readonly responseHeaders: readonly string[];
  readonly headerActions?: readonly HeaderAction[];
  /** Whether the body may come in one of the `STREAMING-…` forms of `x-amz-content-sha256`. */
  readonly streamingPayload?: true;
  /** Whether a checksum header describes this request's body or the object that it completes. */
  readonly checksums?: 'body' | 'object';
  /** The actions are decided for each entry of the body, none for the request as a whole. */
  readonly perEntry?: true;
  /** What the operator must have switched on for the bucket. */
  readonly needs?: OperationSwitch;
  /** Of a buffered body that is forwarded: what it may say. */
  readonly document?: DocumentSchema;
  /** What the root of the answer may be called; anything else is not passed on, as it is that of another operation. */
  readonly answerRoots?: readonly string[];
  /**
   * As `answerRoots`, of a GET of the same address. It is asked for first: a store that does not know the sub-resource
   * would take this request for one without it, and delete the bucket or overwrite the object.
   */
  readonly knownBy?: readonly string[];
  /** Query parameters of the row that this GET leaves out. */
  readonly knownWithout?: readonly string[];
  /** Whether S3 demands a checksum of the body: Content-MD5, `x-amz-checksum-*`, or here its signed sha256. */
  readonly integrity?: 'required';
}

interface UnavailableRow extends Row {
  readonly handling: UnavailableHandling;
}

export type OperationSpec = AvailableRow | UnavailableRow;
