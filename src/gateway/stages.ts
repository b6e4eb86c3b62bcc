/**
 * What is known of a request after each stage. Every stage takes the value of the one before it and returns a new
 * one; nothing is changed afterwards.
 */
import type { IncomingMessage } from 'node:http';
import type { BodyDeclaration, UnsizedBodyDeclaration } from '../body/index.ts';
import type { ResolvedKey } from '../identity/index.ts';
import type { Address, AvailableOperation, PostPolicy, PublicUrl, Tag, WireRequest } from '../s3/index.ts';
import type { SignatureClaim } from '../sigv4/index.ts';
import type { BodyFraming } from './body-framing.ts';
import type { PostForm } from './post-form.ts';

/** A request whose headers Node has parsed; nothing has been checked. */
export interface Received {
  readonly requestId: string;
  /** Epoch milliseconds. */
  readonly receivedAt: number;
  readonly method: string;
  /** The request target, byte for byte. */
  readonly target: string;
  /** Of the client, as far as trusted proxies know it: see `ClientOrigin`. */
  readonly remoteAddress: string;
  /** Of the other end of the connection. */
  readonly peerAddress: string;
  /** TLS all the way from the client, as far as is known. */
  readonly secure: boolean;
  /** Why the client's address cannot be told. */
  readonly originProblem: string | undefined;
  /** Of the connection itself. */
  readonly tls: TlsSession | undefined;
  readonly incoming: IncomingMessage;
  readonly framing: BodyFraming;
  /** The client waits for `100 Continue` before it sends the body. */
  readonly expectsContinue: boolean;
}

export interface TlsSession {
  /** `TLSv1.3` */
  readonly protocol: string;
  /** Name of the cipher suite, as the access log has it. */
  readonly cipher: string;
}

/** Well-formed and within limits. */
export interface Accepted extends Received {
  readonly wire: WireRequest;
}

/** One operation of the table, on a bucket and a key. */
interface IdentifiedRequest extends Accepted {
  /** The base URL by which the client came, as far as is known; undefined for any other host. */
  readonly publicUrl: PublicUrl | undefined;
  readonly operation: AvailableOperation;
  readonly address: Address;
  /**
   * `wire` with the headers that a presigned URL carries in its query moved where they belong; of a form, with headers
   * made of its fields.
   */
  readonly effective: WireRequest;
}

/** The request line and the headers say what it is about. */
export interface PlainRequest extends IdentifiedRequest {
  readonly form: undefined;
}

/** Only the fields of the form tell the key and what the object is given. */
export interface UnreadForm extends IdentifiedRequest {
  readonly form: 'unread';
}

/** The fields have been read, and nothing of the file has. */
export interface OpenForm extends IdentifiedRequest {
  readonly form: PostForm;
}

export type Identified = PlainRequest | UnreadForm;
/** Known in full: what can be authenticated. */
export type Opened = PlainRequest | OpenForm;

type Caller =
  | { readonly type: 'anonymous' }
  | { readonly type: 'key'; readonly key: ResolvedKey; readonly claim: SignatureClaim };

/** The signature verified, or there was none. */
export interface Authenticated extends IdentifiedRequest {
  /** With the policy by which its signer allows the upload; without one when nobody signed. */
  readonly form: (PostForm & { readonly policy: PostPolicy | undefined }) | undefined;
  readonly caller: Caller;
  /** The effective payload mode: what `x-amz-content-sha256` said, or stands for. */
  readonly payloadHash: string;
  /** Of `x-amz-tagging`. */
  readonly objectTags: readonly Tag[] | undefined;
  /** What the client declared about its body, nothing of it read yet; undefined where the operation takes none. */
  readonly body: BodyDeclaration | UnsizedBodyDeclaration | undefined;
}
