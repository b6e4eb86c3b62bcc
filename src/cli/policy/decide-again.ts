/** What the policies in force now would decide about a recorded request, and whether they are still the same texts. */
import type { LoggedRecord } from '../../audit/index.ts';
import type { EnforcedPolicies } from './bucket-in-force.ts';
import { inShort, reasonOf, whatDecides } from './decision-words.ts';
import { createPolicySources, explainBy, policiesInForce, type PoliciesInForce } from './policy-sources.ts';
import { recordedRequests, UnrecordedKeyError, type RecordedRequest } from './recorded-request.ts';

export interface DecidedAgain {
  readonly decisions: readonly AgainDecision[];
  readonly documents: DocumentChanges;
  /** Of the caller: that it is gone, or a policy cannot be read. */
  readonly notes: readonly string[];
}

export interface AgainDecision {
  readonly action: string;
  readonly resource: string;
  /** `unknown`: the record does not hold what the policies of now ask for. */
  readonly outcome: 'same' | 'different' | 'unknown';
  readonly effect: 'Allow' | 'Deny';
  readonly reason: string;
  readonly whatDecides: readonly string[];
}

/** By the labels `NAME@FINGERPRINT`. */
export interface DocumentChanges {
  /** Names of documents whose text is another one. */
  readonly changed: readonly string[];
  /** Labels of documents that are no longer there, and of those that were not. */
  readonly gone: readonly string[];
  readonly added: readonly string[];
}

/** Undefined for a request about which policies decided nothing. Rejects only when the store or the folder fails. */
export async function decideAgain(
  record: LoggedRecord,
  enforced: EnforcedPolicies,
): Promise<DecidedAgain | undefined> {
  const requests = recordedRequests(record);
  const [first] = requests;
  if (first === undefined || record.evaluation === undefined) return undefined;
  const sources = createPolicySources({ enforced });
  const isAnonymous = record.principal === undefined || record.principal === 'anonymous';
  const caller = isAnonymous
    ? { arn: undefined, accessKeyId: undefined }
    : { arn: record.principal, accessKeyId: record.accessKeyId };
  const decisions: AgainDecision[] = [];
  for (const each of requests)
    decisions.push(decideOne(each, await policiesInForce(sources, caller, each.bucket)));
  const inForce = await policiesInForce(sources, caller, first.bucket);
  return {
    decisions,
    // What was looked at is recorded of the first decision.
    documents: changesOf(record.evaluation.policies, labelsOf(inForce)),
    notes: inForce.caller.notes,
  };
}

function decideOne(
  { decision: recorded, request }: RecordedRequest,
  inForce: PoliciesInForce,
): AgainDecision {
  const explanation = explainBy(request, inForce);
  const { decision } = explanation;
  const isUnknown =
    decision.effect === 'Deny' &&
    decision.because.kind === 'error' &&
    decision.because.cause instanceof UnrecordedKeyError;
  const reason = reasonOf(explanation);
  return {
    action: request.action,
    resource: request.resource,
    outcome: isUnknown ? 'unknown' : decision.effect === recorded.effect ? 'same' : 'different',
    effect: decision.effect,
    reason: inShort(reason),
    whatDecides: whatDecides(reason),
  };
}

function labelsOf({ caller, bucket: { policy } }: PoliciesInForce): readonly string[] {
  return [...caller.policies.labels, ...(policy.kind === 'policy' ? policy.policy.labels : [])];
}

/** A text that is the same under another name, as of a folder that has moved, counts for unchanged. */
function changesOf(before: readonly string[], now: readonly string[]): DocumentChanges {
  const left = before.filter((label) => !now.some((other) => textOf(other) === textOf(label)));
  const came = now.filter((label) => !before.some((other) => textOf(other) === textOf(label)));
  const changed = left.map(nameOf).filter((name) => came.some((label) => nameOf(label) === name));
  return {
    changed,
    gone: left.filter((label) => !changed.includes(nameOf(label))),
    added: came.filter((label) => !changed.includes(nameOf(label))),
  };
}

function nameOf(label: string): string {
  return label.slice(0, label.lastIndexOf('@'));
}

function textOf(label: string): string {
  return label.slice(label.lastIndexOf('@') + 1);
}
