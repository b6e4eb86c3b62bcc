/** What goes back to the client, before it is written. */
import type { UpstreamBody } from '../upstream/index.ts';
import type { Decided } from './decide.ts';
import { withoutHeaders } from './raw-headers.ts';

export interface Answer {
  readonly status: number;
  /** Lower-case name, value, name, value…; the gateway's own headers (Date, Server, request ids) are added later. */
  readonly headers: readonly string[];
  readonly body: AnswerBody;
  /** What the upstream said, for the audit record; undefined when it was not asked. */
  readonly upstream: UpstreamOutcome | undefined;
  /** What became of each key of a DeleteObjects. */
  readonly entries?: readonly AnsweredEntry[];
}

/** One key of a DeleteObjects. */
export interface DecidedEntry {
  readonly key: string;
  readonly versionId: string | undefined;
  /** The last one refuses, or all of them allow. */
  readonly decided: readonly Decided[];
}

export interface AnsweredEntry extends DecidedEntry {
  readonly errorCode: string | undefined;
}

export type AnswerBody =
  | { readonly kind: 'none' }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'stream'; readonly stream: UpstreamBody }
  /** White space first, to keep the connection alive, then XML that may turn out to be an error. */
  | { readonly kind: 'late-xml'; readonly stream: UpstreamBody; readonly rewrite: (xml: string) => LateXml };

export interface LateXml {
  /** The document, with its XML declaration. */
  readonly xml: string;
  /** The code of an error that came after the 200. */
  readonly errorCode: string | undefined;
}

export interface UpstreamOutcome {
  readonly status: number | undefined;
  /** The upstream's own `x-amz-request-id`. */
  readonly requestId: string | undefined;
  /** The upstream's own `x-amz-id-2`. */
  readonly id2: string | undefined;
  readonly errorCode: string | undefined;
  /** What went wrong between gateway and upstream, in words; never a secret. */
  readonly cause: string | undefined;
}

export function emptyAnswer(status: number, headers: readonly string[] = []): Answer {
  return { status, headers, body: { kind: 'none' }, upstream: undefined };
}

/** @param headers name, value, name, value… */
export function withHeaders(answer: Answer, headers: readonly string[]): Answer {
  return headers.length === 0 ? answer : { ...answer, headers: [...answer.headers, ...headers] };
}

export function xmlAnswer(xml: string, upstream?: UpstreamOutcome): Answer {
  return {
    status: 200,
    headers: ['content-type', 'application/xml', 'content-length', String(Buffer.byteLength(xml))],
    body: { kind: 'text', text: xml },
    upstream,
  };
}

/** Headers less length and type: of an answer whose body is the gateway's own. */
export function withoutFraming(headers: readonly string[]): string[] {
  return withoutHeaders(headers, 'content-length', 'content-type');
}
