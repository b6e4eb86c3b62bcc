/** What the record keeps of decisions: enough to explain them and to make them again by other policies, bounded, no secrets. */
import type { RecordedDecision, RecordedEvaluation, RecordedStatement } from '../audit/index.ts';
import { redactRequestUri } from '../audit/index.ts';
import { denialReason, explain, type Mismatch, type StatementReport } from '../policy/index.ts';
import type { ConditionContext } from './condition-context.ts';
import type { Decided } from './decide.ts';

/** The decisions of a request, or of one key of a DeleteObjects. */
export interface RecordedDecisions {
  /** The refusal, or the first grant. */
  readonly decision: RecordedDecision | undefined;
  /** The others, where several were needed. */
  readonly others?: readonly RecordedDecision[];
}

/**
 * @param decided in the order in which they were made, up to the first refusal.
 * @param shared the context of the record, and the decision that it was recorded of.
 * @param compare what the candidate policies of shadow mode would decide; undefined for the same.
 * @param options.explained with the statements that come nearest, which take time and room.
 */
export function recordDecisions(
  decided: readonly Decided[],
  shared: SharedContext,
  compare: (decided: Decided) => RecordedDecision['candidate'],
  options: { readonly explained: boolean } = { explained: true },
): RecordedDecisions {
  const recorded = decided.map((each) => recordDecision(each, shared, compare(each), options));
  const refused = recorded.at(-1)?.effect === 'Deny';
  const decision = refused ? recorded.at(-1) : recorded[0];
  const others = refused ? recorded.slice(0, -1) : recorded.slice(1);
  return { decision, ...(others.length > 0 && { others }) };
}

/** Undefined when nothing was decided. */
export function recordEvaluation(decided: Decided | undefined): RecordedEvaluation | undefined {
  return decided && { ...recordContext(decided.context), policies: policiesOf(decided) };
}

/** @param shared the context that is recorded once for the request: what differs from it stands with the decision. */
function recordDecision(
  decided: Decided,
  shared: SharedContext,
  candidate: RecordedDecision['candidate'],
  { explained }: { readonly explained: boolean },
): RecordedDecision {
  const { required, evaluated } = decided;
  const context =
    decided === shared.of ? undefined : differing(recordContext(decided.context).context, shared.context);
  const { effect, ...why } = explained ? recordReason(decided) : recordCause(decided);
  return {
    effect,
    action: required.action,
    resource: required.resource,
    resourceAccount: evaluated.resourceAccount,
    ...(evaluated.restrictPublicBuckets === true && { restrictPublicBuckets: true }),
    ...(context !== undefined && { context }),
    ...(decided.tagsKnown && { tagsKnown: true }),
    ...why,
    ...(candidate !== undefined && { candidate }),
  };
}

/** A decision without what it is about. */
export function recordReason(
  decided: Decided,
): Pick<RecordedDecision, 'by' | 'effect' | 'nearest' | 'reason'> {
  const { decision, evaluated } = decided;
  const cause = recordCause(decided);
  if (decision.effect === 'Allow' || decision.because.kind === 'error') return cause;
  const nearest = explain(evaluated, decided.policies).nearest.map((each) => recordStatement(each, decided));
  return nearest.length === 0 ? cause : { ...cause, nearest };
}

function recordCause({ decision }: Decided): Pick<RecordedDecision, 'by' | 'effect' | 'reason'> {
  const { effect } = decision;
  if (effect === 'Allow') return { effect, by: decision.by };
  const { because } = decision;
  return because.kind === 'explicit'
    ? { effect, by: because.by }
    : { effect, reason: denialReason(decision) };
}

type Context = RecordedEvaluation['context'];

interface SharedContext {
  readonly of: Decided | undefined;
  readonly context: Context;
}

/** Longer values are left out, and named: half a value would be another one. */
const MAX_VALUE_LENGTH = 1024;

function recordContext({ entries }: ConditionContext): {
  readonly context: Context;
  readonly leftOut?: readonly string[];
} {
  const context: Record<string, string | readonly string[]> = {};
  const leftOut: string[] = [];
  for (const [name, whole] of entries()) {
    const value = withoutSecrets(name, whole);
    if (isShort(value)) context[name] = value;
    else leftOut.push(name);
  }
  return { context, ...(leftOut.length > 0 && { leftOut }) };
}

/** A page can be opened by a presigned URL, and an object can lead to one. */
function withoutSecrets<Value extends string | readonly string[]>(key: string, value: Value): Value | string {
  return typeof value === 'string' && URLS.has(key.toLowerCase()) ? redactRequestUri(value) : value;
}

const URLS: ReadonlySet<string> = new Set(['aws:referer', 's3:x-amz-website-redirect-location']);

/** Undefined also for what cannot be told: the decision says so, where it hung on it. */
function reported(key: string, lookup: ConditionContext['lookup']): string | readonly string[] | undefined {
  try {
    const value = lookup(key.toLowerCase());
    return value && withoutSecrets(key, value);
  } catch {
    return undefined;
  }
}

function isShort(value: string | readonly string[]): boolean {
  if (typeof value === 'string') return value.length <= MAX_VALUE_LENGTH;
  let length = 0;
  for (const each of value) length += each.length;
  return length <= MAX_VALUE_LENGTH;
}

/** `null` for a key that the shared context has and this one has not. */
function differing(context: Context, shared: Context): RecordedDecision['context'] {
  const different: Record<string, string | readonly string[] | null> = {};
  for (const [name, value] of Object.entries(context))
    if (!isSame(value, shared[name])) different[name] = value;
  for (const name of Object.keys(shared)) if (context[name] === undefined) different[name] = null;
  return Object.keys(different).length === 0 ? undefined : different;
}

function isSame(left: string | readonly string[], right: string | readonly string[] | undefined): boolean {
  if (typeof left === 'string' || typeof right === 'string' || right === undefined) return left === right;
  return left.length === right.length && left.every((each, index) => each === right[index]);
}

/** Values that are long, and what a page's address may hold, are not repeated here. */
function recordStatement(
  { by, role, effect, mismatches, held }: StatementReport,
  { context }: Decided,
): RecordedStatement {
  const actual = (key: string): string | readonly string[] | undefined => {
    const value = reported(key, context.lookup);
    return value === undefined || isShort(value) ? value : `(${value.length} characters)`;
  };
  return {
    by,
    role,
    effect,
    mismatches: mismatches.map((each: Mismatch) =>
      each.element === 'Condition' ? { ...each, actual: actual(each.key) } : each,
    ),
    held: held.map(({ operator, key, wanted }) => ({ operator, key, wanted, actual: actual(key) })),
  };
}

function policiesOf({ policies: { identity, resource } }: Decided): readonly string[] {
  return [...(identity?.labels ?? []), ...(resource?.labels ?? [])];
}
