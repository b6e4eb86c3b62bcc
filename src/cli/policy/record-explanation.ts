/** From an access record to its explanation: what became of the request, and why. */
import type { EntryResult, LoggedRecord, RecordedDecision } from '../../audit/index.ts';
import { asPathsToo, objectArn } from '../../s3/index.ts';
import { parseDenialReason } from '../../policy/index.ts';
import { quoted } from './condition-words.ts';
import { inShort, whatDecides } from './decision-words.ts';
import { bucketOf, recordedDecisions } from './recorded-request.ts';
import { whyRefused } from './refusal-words.ts';

export interface RecordExplanation {
  /** One line: what became of the request. */
  readonly summary: string;
  /** Of what is no policy's doing: why, and what to do. */
  readonly because: readonly string[];
  /** In the order in which they were made. */
  readonly decisions: readonly ExplainedDecision[];
}

export interface ExplainedDecision {
  readonly effect: 'Allow' | 'Deny';
  readonly action: string;
  readonly resource: string;
  /** One sentence. */
  readonly reason: string;
  /** Lines. */
  readonly whatDecides: readonly string[];
  /** Of DeleteObjects: the key, and which version. */
  readonly entry: Pick<EntryResult, 'key' | 'versionId'> | undefined;
}

export function explainRecord(record: LoggedRecord): RecordExplanation {
  const recorded = recordedDecisions(record);
  const decisions = recorded.map(({ decision, entry }) => {
    return explainDecision(decision, entry, [
      ...noSuchBucket(decision, record),
      ...betweenAccounts(decision, record),
      ...resolvedPath(
        decision,
        recorded.filter((each) => each.entry === entry).map((each) => each.decision),
        record,
      ),
    ]);
  });
  const isPolicys = record.decision?.effect === 'Deny';
  const isRefused = record.errorCode !== undefined && !isPolicys;
  return {
    summary: summaryOf(record),
    because: isRefused ? whyRefused(record) : [],
    decisions,
  };
}

function explainDecision(
  decision: RecordedDecision,
  entry: EntryResult | undefined,
  notes: readonly string[],
): ExplainedDecision {
  const { effect, action, resource } = decision;
  return {
    effect,
    action,
    resource,
    reason: inShort(decision),
    whatDecides: [
      ...whatDecides(decision),
      ...notes,
      ...(decision.candidate === undefined ? [] : [CANDIDATES[decision.candidate]]),
    ],
    entry: entry && { key: entry.key, ...(entry.versionId !== undefined && { versionId: entry.versionId }) },
  };
}

const CANDIDATES: Readonly<Record<NonNullable<RecordedDecision['candidate']>, string>> = {
  would_allow: 'The candidate policies of shadow mode would have allowed it.',
  would_deny: 'The candidate policies of shadow mode would have refused it.',
  undecidable: 'The candidate policies of shadow mode could not decide it; the log says why.',
};

/** Who may do nothing with a bucket is not told that there is none; whoever reads the record is. */
function noSuchBucket(
  { effect, resource }: RecordedDecision,
  { bucket, bucketOwner, operation }: LoggedRecord,
): readonly string[] {
  if (effect === 'Allow' || bucket === undefined || bucketOwner !== undefined) return [];
  if (operation === 'CreateBucket' || bucketOf(resource) !== bucket) return [];
  return [
    `There was no bucket ${quoted(bucket)} at the gateway, which a caller without rights there is not told. Is the name right?`,
  ];
}

/** Why an Allow in the caller's own policies was not enough. */
function betweenAccounts(
  { effect, reason, resourceAccount }: RecordedDecision,
  { principal = '' }: LoggedRecord,
): readonly string[] {
  const account = /^arn:[^:]*:(?:iam|sts)::(\d{12}):/.exec(principal)?.[1];
  if (effect === 'Allow' || reason === undefined || account === undefined || account === resourceAccount)
    return [];
  if (parseDenialReason(reason).kind !== 'implicit') return [];
  return [
    `The bucket belongs to the account ${resourceAccount}, and the caller to ${account}: between two accounts the policies of the caller and that of the bucket must both allow it.`,
  ];
}

/** A key that looks like a path is decided as the path too, after itself; see docs/decisions/0009. */
function resolvedPath(
  { resource, action }: RecordedDecision,
  decisions: readonly RecordedDecision[],
  { copySource }: LoggedRecord,
): readonly string[] {
  const asked = decisions.filter((each) => each.action === action).map((each) => each.resource);
  const source = copySource && objectArn(copySource.bucket, copySource.key);
  for (const given of new Set([...asked, ...(source === undefined ? [] : [source])])) {
    const bucket = bucketOf(given);
    const key = given.slice(given.indexOf('/') + 1);
    if (bucket === undefined || given === resource) continue;
    const [, path] = asPathsToo({ action, resource: given, bucket });
    if (path?.resource === resource)
      return [
        `The key is ${quoted(key)}; some stores resolve it to this one, so that both must be allowed (docs/decisions/0009).`,
      ];
  }
  return [];
}

function summaryOf(record: LoggedRecord): string {
  const { errorCode, status, decision, upstream, outcome, entries = [] } = record;
  const answer = [status, errorCode].filter((each) => each !== undefined).join(' ');
  const refusedKeys = entries.filter((each) => each.decision?.effect === 'Deny').length;
  if (outcome === 'malformed') return `never became a request: ${answer}`;
  if (decision?.effect === 'Deny') return `refused by policy, with ${answer}: ${inShort(decision)}`;
  const cut = outcome === 'aborted-by-client' ? '; the client broke it off' : '';
  if (errorCode === undefined) {
    const keys = refusedKeys > 0 ? `; ${refusedKeys} of ${entries.length} keys were refused by policy` : '';
    return `${status === undefined ? 'allowed, and not answered' : `allowed, and answered with ${answer}`}${keys}${cut}`;
  }
  if (upstream?.errorCode !== undefined || upstream?.cause !== undefined)
    return `allowed, and failed upstream: ${answer}${cut}`;
  return decision === undefined && entries.length === 0
    ? `refused with ${answer}, before any policy was asked${cut}`
    : `allowed by policy, and refused with ${answer} for something else${cut}`;
}
