/** The explanation of a request, for whoever was paged, and as JSON. */
import type { LoggedRecord } from '../../audit/index.ts';
import { isoTime, json } from '../keys/key-metadata.ts';
import { printable, quoted } from './condition-words.ts';
import type { AgainDecision, DecidedAgain, DocumentChanges } from './decide-again.ts';
import type { ExplainedDecision, RecordExplanation } from './record-explanation.ts';

export interface ExplainedRequest {
  readonly record: LoggedRecord;
  readonly explanation: RecordExplanation;
  /** Undefined where policies decided nothing, or those of now are not at hand. */
  readonly again: DecidedAgain | undefined;
  /** Why the policies of now were not asked. */
  readonly skipped: string | undefined;
}

export function renderExplanationJson({ record, explanation, again, skipped }: ExplainedRequest): string {
  const { requestId, time, requestUri, method, principal, accessKeyId, authType, remoteAddress } = record;
  const { userAgent, operation, bucket, key, versionId, copySource, status, errorCode, errorReason } = record;
  return json({
    requestId,
    time: new Date(time).toISOString(),
    principal,
    accessKeyId,
    authType,
    remoteAddress,
    userAgent,
    method,
    requestUri,
    operation,
    bucket,
    key,
    versionId,
    copySource,
    status,
    errorCode,
    errorReason,
    outcome: record.outcome,
    summary: explanation.summary,
    because: explanation.because,
    decisions: explanation.decisions.map(trimmed),
    policies: record.evaluation?.policies,
    context: record.evaluation?.context,
    now: again && { ...again, decisions: again.decisions.map(trimmed) },
    notAskedNow: skipped,
  });
}

function trimmed<Lines extends { readonly whatDecides: readonly string[] }>(lines: Lines): Lines {
  return { ...lines, whatDecides: lines.whatDecides.map((line) => line.trim()) };
}

export function renderExplanationText(explained: ExplainedRequest): string {
  const { record, explanation } = explained;
  return [
    `Request ${printable(record.requestId)}: ${explanation.summary}.`,
    '',
    ...facts(record),
    ...(explanation.because.length === 0 ? [] : ['', ...explanation.because]),
    ...decided(explanation.decisions, record),
    ...byPoliciesOfNow(explained),
    '',
  ].join('\n');
}

function facts(record: LoggedRecord): readonly string[] {
  const { accessKeyId, bucket, key, versionId, copySource, method, operation, principal, requestUri } =
    record;
  const place = [bucket, key].filter((each) => each !== undefined).join('/');
  const rows = [
    ['When', isoTime(record.time)],
    [
      'Who',
      [principal ?? 'nobody was authenticated', accessKeyId && `access key ${accessKeyId}`, record.authType],
    ],
    ['From', [record.remoteAddress, record.userAgent]],
    ['What', [`${operation ?? method ?? 'no operation'} ${place}`, versionId && `version ${versionId}`]],
    ['Copied from', copySource && `${copySource.bucket}/${copySource.key}`],
    ['Asked as', requestUri && `${method ?? ''} ${requestUri}`],
    ['Answer', [record.status ?? 'none', record.errorCode, `after ${record.totalTimeMs} ms`]],
  ] as const;
  return rows.flatMap(([name, value]) => {
    const text = [value].flat().filter((each) => each !== undefined && each !== '');
    return text.length === 0 ? [] : [`  ${name.padEnd(12)} ${printable(text.join(', '))}`];
  });
}

function decided(decisions: readonly ExplainedDecision[], { evaluation }: LoggedRecord): readonly string[] {
  if (decisions.length === 0) return [];
  // Of a thousand keys those that were refused are asked for.
  const entries = decisions.filter(({ entry }) => entry !== undefined);
  const refused = entries.filter(({ effect }) => effect === 'Deny');
  const shown = entries.length === 0 ? decisions : refused.slice(0, MAX_KEYS);
  const left = refused.length - shown.length;
  return [
    '',
    refused.length === 0 || entries.length === 0
      ? 'Decided:'
      : `Refused keys (${refused.length} of ${countKeys(entries)}):`,
    ...(entries.length > 0 && refused.length === 0
      ? [`  Every key was allowed (${countKeys(entries)}): --format json says by what`]
      : []),
    ...shown.flatMap(describeDecided),
    ...(entries.length > 0 && left > 0 ? [`  and ${left} more: --format json has them all`] : []),
    ...(evaluation === undefined ? [] : [`  Policies looked at: ${list(evaluation.policies)}`]),
    ...(evaluation?.leftOut === undefined ? [] : [`  Too long to be recorded: ${list(evaluation.leftOut)}`]),
  ];
}

const MAX_KEYS = 20;

function describeDecided({ action, resource, reason, whatDecides }: ExplainedDecision): readonly string[] {
  return [`  ${action} on ${quoted(resource)}: ${reason}`, ...indented(whatDecides)];
}

function describeAgain({
  action,
  resource,
  outcome,
  effect,
  reason,
  whatDecides,
}: AgainDecision): readonly string[] {
  const now = outcome === 'unknown' ? 'cannot be told' : `${effect} instead`;
  return [`  ${action} on ${quoted(resource)}: ${now}, ${reason}`, ...indented(whatDecides)];
}

function countKeys(entries: readonly ExplainedDecision[]): number {
  return new Set(entries.map(({ entry }) => JSON.stringify(entry))).size;
}

function byPoliciesOfNow({ again, skipped }: ExplainedRequest): readonly string[] {
  if (skipped !== undefined) return ['', `By the policies of now: not asked. ${skipped}`];
  if (again === undefined) return [];
  const { decisions, documents, notes } = again;
  const others = decisions.filter(({ outcome }) => outcome !== 'same');
  return [
    '',
    others.length === 0
      ? `By the policies of now: the same decision${decisions.length === 1 ? '' : 's'}.`
      : 'By the policies of now:',
    ...others.slice(0, MAX_KEYS).flatMap(describeAgain),
    ...changes(documents).map((line) => `  ${line}`),
    ...notes.map((note) => `  Note: ${printable(note)}.`),
  ];
}

function changes({ changed, gone, added }: DocumentChanges): readonly string[] {
  if (changed.length + gone.length + added.length === 0) return ['The policies are still the same texts.'];
  return [
    ...(changed.length === 0 ? [] : [`Changed since: ${list(changed)}`]),
    ...(gone.length === 0 ? [] : [`Not in force any more: ${list(gone)}`]),
    ...(added.length === 0 ? [] : [`New since: ${list(added)}`]),
  ];
}

function list(names: readonly string[]): string {
  return names.length === 0 ? 'none' : names.map(quoted).join(', ');
}

function indented(lines: readonly string[]): readonly string[] {
  return lines.map((line) => `      ${line}`);
}
