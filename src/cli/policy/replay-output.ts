/** How a replay is printed: for people, and for programs. */
import { json } from '../keys/key-metadata.ts';
import { quoted } from './condition-words.ts';
import { inShort, whatDecides } from './decision-words.ts';
import type { DifferenceExample, DifferenceGroup, ReplayReport } from './replay-report.ts';

/** @param options.max groups that are shown. */
export function renderReplayText(report: ReplayReport, { max }: { readonly max: number }): string {
  const { differences, undecidable } = report;
  const shown = differences.slice(0, max);
  const hidden = shown.reduce((rest, { count }) => rest - count, report.wouldAllow + report.wouldDeny);
  const lines = [
    ...headLines(report),
    ...shown.flatMap(groupLines),
    ...(hidden === 0
      ? []
      : ['', `${times(hidden, 'difference')} more in other groups: see them with --max.`]),
    ...(undecidable.length === 0 ? [] : ['', 'cannot be decided again:']),
    ...undecidable
      .slice(0, max)
      .map(
        ({ problem, count, requestId }) => `  ${count} x ${problem}; first for request ${quoted(requestId)}`,
      ),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

/** Every group, whatever `max` says. */
export function renderReplayJson(report: ReplayReport): string {
  const { since, until, differences, undecidable, ...counts } = report;
  return json({
    ...counts,
    since: isoTime(since),
    until: isoTime(until),
    differences: differences.map(groupJson),
    undecidable,
  });
}

function headLines({ requests, decisions, since, until, ...counts }: ReplayReport): readonly string[] {
  if (since === undefined) return ['No recorded decision was found.'];
  const unknown = counts.undecidable.reduce((sum, { count }) => sum + count, 0);
  const rows: readonly (readonly [string, number])[] = [
    ['stay the same', counts.same],
    ['would be allowed', counts.wouldAllow],
    ['would be refused', counts.wouldDeny],
    ['cannot be decided again', unknown],
  ];
  return [
    `${times(decisions, 'decision')} of ${times(requests, 'request')}, ${isoTime(since)} to ${isoTime(until)}:`,
    ...rows.map(([name, count]) => `  ${name.padEnd(24)}${count}`),
  ];
}

function groupJson({ examples, ...group }: DifferenceGroup): object {
  return { ...group, examples: examples.map(exampleJson) };
}

function exampleJson({ time, ...example }: DifferenceExample): object {
  return { requestTime: isoTime(time), ...example };
}

function groupLines(group: DifferenceGroup): readonly string[] {
  const { action, bucket, principal, recorded, candidate, inForce, count, examples } = group;
  const on = bucket === undefined ? '' : ` in ${quoted(bucket)}`;
  const already = inForce === candidate ? ', as the policies in force now decide too' : '';
  return [
    '',
    `${recorded} -> ${candidate}  ${times(count, 'time')}: ${action}${on} by ${quoted(principal)}${already}`,
    ...examples.flatMap(exampleLines),
  ];
}

function exampleLines({
  time,
  requestId,
  resource,
  recorded,
  candidate,
}: DifferenceExample): readonly string[] {
  return [
    `  ${isoTime(time)} request ${requestId}: ${quoted(resource)}`,
    `    recorded:  ${inShort(recorded)}`,
    `    candidate: ${inShort(candidate)}`,
  ].concat(whatDecides(candidate).map((line) => `      ${line}`));
}

function times(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function isoTime(epochMs: number | undefined): string | undefined {
  return epochMs === undefined ? undefined : new Date(epochMs).toISOString();
}
