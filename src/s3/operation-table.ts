/**
 * The closed table of operations. It drives routing, authorization, forwarding, audit and docs/operations.md: what is
 * no row here never reaches the upstream. Source: the S3 API reference and AWS's "Required permissions for Amazon S3
 * API operations".
 */
import type {
  AnswerShape,
  BodyMode,
  HeaderAction,
  MatchRule,
  Method,
  OperationAction,
  OperationLevel,
  OperationSpec,
  AvailableHandling,
  UnavailableHandling,
} from './operation.ts';
import type { DocumentSchema } from './document-schema.ts';
import type { OperationSwitch } from './operation-switch.ts';
import { ANNOTATION_OPERATIONS } from './operations/annotations.ts';
import { ARCHIVE_AND_QUERY_OPERATIONS } from './operations/archive-and-query.ts';
import { BUCKET_OPERATIONS } from './operations/bucket.ts';
import { BUCKET_SETTING_OPERATIONS } from './operations/bucket-settings.ts';
import { CORS_OPERATIONS } from './operations/cors.ts';
import { MULTIPART_OPERATIONS } from './operations/multipart.ts';
import { OBJECT_OPERATIONS } from './operations/object.ts';
import { OBJECT_LOCK_OPERATIONS } from './operations/object-lock.ts';
import { OUTSIDE_OPERATIONS } from './operations/outside.ts';
import { PUBLIC_ACCESS_OPERATIONS } from './operations/public-access.ts';
import { REFUSED_OPERATIONS } from './operations/refused.ts';

export const OPERATIONS = {
  ...OBJECT_OPERATIONS,
  ...MULTIPART_OPERATIONS,
  ...OBJECT_LOCK_OPERATIONS,
  ...ANNOTATION_OPERATIONS,
  ...ARCHIVE_AND_QUERY_OPERATIONS,
  ...BUCKET_OPERATIONS,
  ...BUCKET_SETTING_OPERATIONS,
  ...CORS_OPERATIONS,
  ...PUBLIC_ACCESS_OPERATIONS,
  ...OUTSIDE_OPERATIONS,
  ...REFUSED_OPERATIONS,
} as const satisfies Record<string, OperationSpec>;

export type OperationName = keyof typeof OPERATIONS;

/** Lower-case names, some of them ending in `*` in the table. */
interface HeaderNames {
  has(name: string): boolean;
}

/** A row with its name, and its lists made ready for look-ups. */
export interface Operation {
  readonly name: OperationName;
  readonly method: Method;
  readonly level: OperationLevel;
  readonly match: MatchRule;
  /** How many conditions its match rule has. */
  readonly specificity: number;
  readonly actions: readonly OperationAction[];
  readonly handling: AvailableHandling | UnavailableHandling;
  readonly body: BodyMode;
  readonly answer: AnswerShape;
  /** Query parameters that the row knows, those of its match rule included; all of them go upstream. */
  readonly parameters: ReadonlySet<string>;
  /** Request headers that the row knows. */
  readonly headers: HeaderNames;
  /** Those of them that go upstream: the gateway judges ACLs, expected owners and checksums itself. */
  readonly forwardedHeaders: HeaderNames;
  /** Headers of the upstream's answer that reach the client. */
  readonly responseHeaders: HeaderNames;
  readonly headerActions: readonly HeaderAction[];
  readonly streamingPayload: boolean;
  readonly checksums: 'body' | 'object' | undefined;
  readonly perEntry: boolean;
  /** What the operator must have switched on for the bucket. */
  readonly needs: OperationSwitch | undefined;
  readonly document: DocumentSchema | undefined;
  readonly needsIntegrity: boolean;
  readonly answerRoots: readonly string[] | undefined;
  readonly knownBy: readonly string[] | undefined;
  readonly knownWithout: readonly string[];
}

/** An operation that is done, not answered `NotImplemented`. */
export interface AvailableOperation extends Operation {
  readonly handling: AvailableHandling;
}

/** Request headers that the gateway uses up: it judges them itself, and the upstream request is framed anew. */
const CONSUMED_HEADERS: ReadonlySet<string> = new Set([
  'x-amz-acl',
  'x-amz-confirm-remove-self-bucket-access',
  'x-amz-decoded-content-length',
  'x-amz-expected-bucket-owner',
  'x-amz-sdk-checksum-algorithm',
  'x-amz-source-expected-bucket-owner',
  'x-amz-trailer',
]);

/** All operations, in the order of the table. */
export const OPERATION_LIST: readonly Operation[] = Object.entries(OPERATIONS).map(([name, spec]) =>
  compile(name as OperationName, spec),
);

export function isAvailable(operation: Operation): operation is AvailableOperation {
  return typeof operation.handling === 'string';
}

function compile(name: OperationName, spec: OperationSpec): Operation {
  const match = spec.match ?? {};
  const matched = [...(match.query ?? []), ...Object.keys(match.queryEquals ?? {})];
  const row = {
    name,
    method: spec.method,
    level: spec.level,
    match,
    specificity: matched.length + Object.keys(match.queryEquals ?? {}).length + (match.headers?.length ?? 0),
    actions: spec.actions,
    handling: spec.handling,
  };
  if (!('body' in spec))
    return {
      ...row,
      body: 'none',
      answer: 'empty',
      parameters: new Set(matched),
      headers: headerNames([]),
      forwardedHeaders: headerNames([]),
      responseHeaders: headerNames([]),
      headerActions: [],
      streamingPayload: false,
      checksums: undefined,
      perEntry: false,
      needs: undefined,
      document: undefined,
      needsIntegrity: false,
      answerRoots: undefined,
      knownBy: undefined,
      knownWithout: [],
    };
  return {
    ...row,
    body: spec.body,
    answer: spec.answer,
    parameters: new Set([...matched, ...(spec.query ?? [])]),
    headers: headerNames(spec.headers),
    forwardedHeaders: headerNames(
      spec.headers.filter((header) => !CONSUMED_HEADERS.has(header) && !header.startsWith('x-amz-grant-')),
    ),
    responseHeaders: headerNames(spec.responseHeaders),
    headerActions: spec.headerActions ?? [],
    streamingPayload: spec.streamingPayload ?? false,
    checksums: spec.checksums,
    perEntry: spec.perEntry ?? false,
    needs: spec.needs,
    document: spec.document,
    needsIntegrity: spec.integrity === 'required',
    answerRoots: spec.answerRoots,
    knownBy: spec.knownBy,
    knownWithout: spec.knownWithout ?? [],
  };
}

function headerNames(names: readonly string[]): HeaderNames {
  const exact = new Set(names.filter((name) => !name.endsWith('*')));
  const prefixes = names.filter((name) => name.endsWith('*')).map((name) => name.slice(0, -1));
  return {
    has: (name) => exact.has(name) || prefixes.some((prefix) => name.startsWith(prefix)),
  };
}
