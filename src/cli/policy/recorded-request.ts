/** The decisions of an access record, as requests that can be decided again: by other policies, or at another time. */
import type { EntryResult, LoggedRecord, RecordedDecision, RecordedEvaluation } from '../../audit/index.ts';
import {
  actionTakesKey,
  expandActionPattern,
  parsePrincipalArn,
  type ContextLookup,
  type EvaluationRequest,
  type PolicyPrincipal,
} from '../../policy/index.ts';

export interface RecordedRequest {
  readonly decision: RecordedDecision;
  /** Its context throws UnrecordedKeyError for a key whose value was too long for the record. */
  readonly request: EvaluationRequest;
  /** Whose policy counts; undefined for a request that is about none, or makes one. */
  readonly bucket: string | undefined;
  /** The key of a DeleteObjects that the decision is about. */
  readonly entry: EntryResult | undefined;
}

/** A policy asks for a key that the request may have had, and the record has not. */
export class UnrecordedKeyError extends Error {
  override readonly name = 'UnrecordedKeyError';
}

type ConditionValue = string | readonly string[];

/** In the order in which they were made; none for a request that was refused before, or whose caller cannot be read. */
export function recordedRequests(record: LoggedRecord): readonly RecordedRequest[] {
  const { evaluation } = record;
  const principal = recordedPrincipal(record);
  if (evaluation === undefined || principal === undefined) return [];
  return recordedDecisions(record).map(({ decision, entry }) => ({
    decision,
    request: {
      action: decision.action,
      resource: decision.resource,
      resourceAccount: decision.resourceAccount,
      restrictPublicBuckets: decision.restrictPublicBuckets ?? false,
      principal,
      context: recordedContext(evaluation, decision),
    },
    bucket: record.operation === 'CreateBucket' ? undefined : bucketOf(decision.resource),
    entry,
  }));
}

/** Of an allowed request the first grant is the main one; of a refused one the last, which refused. */
export function recordedDecisions(
  record: LoggedRecord,
): readonly { readonly decision: RecordedDecision; readonly entry: EntryResult | undefined }[] {
  return [
    ...inOrder(record).map((decision) => ({ decision, entry: undefined })),
    ...(record.entries ?? []).flatMap((entry) => inOrder(entry).map((decision) => ({ decision, entry }))),
  ];
}

function inOrder({
  decision,
  otherDecisions = [],
}: Pick<EntryResult, 'decision' | 'otherDecisions'>): readonly RecordedDecision[] {
  if (decision === undefined) return otherDecisions;
  return decision.effect === 'Deny' ? [...otherDecisions, decision] : [decision, ...otherDecisions];
}

/** Undefined when nobody was authenticated. The unique id is in the context. */
export function recordedPrincipal({
  principal: arn,
  evaluation,
}: Pick<LoggedRecord, 'evaluation' | 'principal'>): PolicyPrincipal | undefined {
  if (arn === undefined) return undefined;
  const context = lowerCased(evaluation?.context ?? {});
  const text = (key: string): string | undefined => {
    const value = context.get(key);
    return typeof value === 'string' ? value : undefined;
  };
  const principal = parsePrincipalArn(arn, text('aws:principalarn'));
  if (principal === undefined || principal.type === 'anonymous') return principal;
  const userId = text('aws:userid') ?? principal.userId;
  const userName = text('aws:username') ?? principal.userName;
  return {
    ...principal,
    ...(userId !== undefined && { userId }),
    ...(userName !== undefined && { userName }),
  };
}

/** The context of the request, with what differs for this decision. */
function recordedContext(
  { context, leftOut = [] }: Pick<RecordedEvaluation, 'context' | 'leftOut'>,
  decision: Pick<RecordedDecision, 'action' | 'context' | 'tagsKnown'>,
): ContextLookup {
  const values = new Map([
    ...lowerCased<ConditionValue | null>(context),
    ...lowerCased(decision.context ?? {}),
  ]);
  const unknown = new Set(leftOut.map((key) => key.toLowerCase()));
  const tagsAreKnown = decision.tagsKnown === true || !takesObjectTags(decision.action);
  return (key) => {
    const value = values.get(key);
    if (value === undefined && unknown.has(key))
      throw new UnrecordedKeyError(`the value of \`${key}\` was too long for the record`);
    if (value === undefined && key.startsWith(OBJECT_TAG) && !tagsAreKnown)
      throw new UnrecordedKeyError(
        `the tags of the object are not in the record, and \`${key}\` is asked for`,
      );
    return value ?? undefined;
  };
}

const OBJECT_TAG = 's3:existingobjecttag/';

function takesObjectTags(action: string): boolean {
  return expandActionPattern(action).some((each) => actionTakesKey(each, `${OBJECT_TAG}*`));
}

function lowerCased<Value>(context: Readonly<Record<string, Value>>): ReadonlyMap<string, Value> {
  return new Map(Object.entries(context).map(([key, value]) => [key.toLowerCase(), value]));
}

/** Undefined for `arn:aws:s3:::*`, which ListBuckets and what concerns no bucket are decided on. */
export function bucketOf(resource: string): string | undefined {
  const bucket = /^arn:[a-z-]+:s3:::([^/]+)/.exec(resource)?.[1];
  return bucket === '*' ? undefined : bucket;
}
