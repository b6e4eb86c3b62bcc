/** From an access record to its explanation: what became of the request, and why. */
import type { EntryResult, LoggedRecord, RecordedDecision } from '../../audit/index.ts';
import { asPathsToo, objectArn } from '../../s3/index.ts';
import { quoted } from './condition-words.ts';
import { inShort, whatDecides } from './decision-words.ts';
import { recordedDecisions } from './recorded-request.ts';
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
  const decisions = recordedDecisions(record).map(({ decision, entry }) =>
    explainDecision(decision, entry, record),
  );
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
  record: LoggedRecord,
): ExplainedDecision {
  const { effect, action, resource } = decision;
  return {
    effect,
    action,
    resource,
    reason: inShort(decision),
    whatDecides: [
      ...whatDecides(decision),
      ...resolvedPath(decision, entry, record),
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

/** A key that looks like a path is decided as the path too; see docs/decisions/0009. */
function resolvedPath(
  { resource, action }: RecordedDecision,
  entry: EntryResult | undefined,
  { bucket, key, copySource }: LoggedRecord,
): readonly string[] {
  const places = [
    { bucket, key: entry?.key ?? key },
    { bucket: copySource?.bucket, key: copySource?.key },
  ];
  for (const place of places) {
    if (place.bucket === undefined || place.key === undefined) continue;
    const required = { action, resource: objectArn(place.bucket, place.key), bucket: place.bucket };
    const [, path] = asPathsToo(required);
    if (path?.resource === resource)
      return [
        `The key is ${quoted(place.key)}; some stores resolve it to this one, so that both must be allowed (docs/decisions/0009).`,
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
    const keys =
      entries.length > 0 ? `; ${refusedKeys} of ${entries.length} keys were refused by policy` : '';
    return `${status === undefined ? 'allowed, and not answered' : `allowed, and answered with ${answer}`}${keys}${cut}`;
  }
  if (upstream?.errorCode !== undefined || upstream?.cause !== undefined)
    return `allowed, and failed upstream: ${answer}${cut}`;
  return decision === undefined && entries.length === 0
    ? `refused with ${answer}, before any policy was asked${cut}`
    : `allowed by policy, and refused with ${answer} for something else${cut}`;
}
