/** How a proposed policy is printed, with what it is based on and what it leaves out. */
import { isoTime, json } from '../keys/key-metadata.ts';
import type { CommandIo } from '../command-io.ts';
import { printable, quoted } from './condition-words.ts';
import { statementName } from './decision-words.ts';
import type { Proposal } from './usage-counter.ts';

/** Lines of one kind that are shown. */
const MAX_LINES = 20;

/** The document alone on standard output, so that it can be sent to a file. */
export function renderProposal(proposal: Proposal, io: CommandIo): void {
  io.stderr.write(describe(proposal));
  io.stdout.write(json(proposal.document));
}

export function renderProposalText(proposal: Proposal, io: CommandIo): void {
  io.stdout.write(`${describe(proposal)}\n${json(proposal.document)}`);
}

export function renderProposalJson(proposal: Proposal, io: CommandIo): void {
  const { document, granted, remarks, who, principals, accessKeyIds, first, last, ...rest } = proposal;
  const { requests, decisions, leftOut, byOthers } = rest;
  io.stdout.write(
    json({
      document,
      basedOn: {
        principal: who,
        principals,
        accessKeyIds,
        first: first === undefined ? null : isoTime(first),
        last: last === undefined ? null : isoTime(last),
        requests,
        decisions,
        byOthers,
      },
      granted: granted.map(({ action, resource, count, last: latest }) => ({
        action,
        resource,
        count,
        last: { time: isoTime(latest.time), requestId: latest.requestId },
      })),
      remarks,
      leftOut: {
        refused: leftOut.refused.map(({ action, where, reason, count, time, requestId }) => ({
          action,
          where,
          reason,
          count,
          last: { time: isoTime(time), requestId },
        })),
        failed: leftOut.failed,
        unknown: leftOut.unknown,
        unused: leftOut.unused ?? null,
        ...(leftOut.problem !== undefined && { problem: leftOut.problem }),
      },
    }),
  );
}

function describe(proposal: Proposal): string {
  return [
    ...basis(proposal),
    ...section('To know:', proposal.remarks),
    ...section('Used by versions: granted for every version of a key.', versionLines(proposal)),
    ...section('Used once only, and granted all the same:', onceLines(proposal)),
    ...section('Allowed by other policies, and in the proposal too:', otherLines(proposal)),
    ...section('Refused, and left out:', refusedLines(proposal)),
    ...section('Granted now, never used, and left out:', unusedLines(proposal)),
  ]
    .map((line) => `${printable(line)}\n`)
    .join('');
}

function basis({
  who,
  accessKeyIds,
  requests,
  decisions,
  first,
  last,
  leftOut,
}: Proposal): readonly string[] {
  const span = first === undefined || last === undefined ? '' : `, ${isoTime(first)} to ${isoTime(last)}`;
  const keys = accessKeyIds.length === 0 ? '' : ` with the keys ${accessKeyIds.join(', ')}`;
  return [
    `Proposed for ${quoted(who)}${keys}: based on ${number(decisions, 'decision')} of ${number(requests, 'request')}${span}.`,
    ...(leftOut.failed > 0
      ? [`${number(leftOut.failed, 'decision')} left out: allowed, and the request was not done.`]
      : []),
    ...(leftOut.unknown > 0
      ? [`${number(leftOut.unknown, 'listing')} left out: the prefix is not in the record.`]
      : []),
  ];
}

function versionLines({ granted }: Proposal): readonly string[] {
  return granted
    .filter(({ action }) => /^s3:(?:Get|Put|Delete)Object.*Version/.test(action))
    .map(({ action, resource, count }) => `${action} on ${resource}: ${number(count, 'time')}`);
}

function onceLines({ granted }: Proposal): readonly string[] {
  return granted
    .filter(({ count }) => count === 1)
    .map(
      ({ action, resource, last }) =>
        `${action} on ${resource}: ${isoTime(last.time)}, request ${last.requestId}`,
    );
}

function otherLines({ byOthers }: Proposal): readonly string[] {
  return byOthers.map(({ policy, count }) => `${quoted(policy)}: ${number(count, 'time')}`);
}

function refusedLines({ leftOut }: Proposal): readonly string[] {
  return leftOut.refused.map(
    ({ action, where, reason, count, time, requestId }) =>
      `${action} on ${where}, ${number(count, 'time')}: ${reason}; the last one ${isoTime(time)}, request ${requestId}`,
  );
}

function unusedLines({ leftOut: { unused, problem } }: Proposal): readonly string[] {
  if (unused === undefined) return [`not known: ${problem ?? 'the policies of the caller are out of reach'}`];
  return unused.flatMap(({ by, isWhole, actions, resources }) =>
    isWhole
      ? [`${statementName(by)}: all of it`]
      : [
          ...(actions.length === 0 ? [] : [`${statementName(by)}: ${bounded(actions)}`]),
          ...(resources.length === 0 ? [] : [`${statementName(by)}: on ${bounded(resources)}`]),
        ],
  );
}

const MAX_NAMES = 8;

function bounded(names: readonly string[]): string {
  const more = names.length - MAX_NAMES;
  return more > 0 ? `${names.slice(0, MAX_NAMES).join(', ')} and ${more} more` : names.join(', ');
}

function section(title: string, lines: readonly string[]): readonly string[] {
  if (lines.length === 0) return [];
  const more = lines.length - MAX_LINES;
  const shown = lines.slice(0, MAX_LINES).map((line) => `  ${line}`);
  return [title, ...shown, ...(more > 0 ? [`  and ${more} more: see them with --format json`] : [])];
}

function number(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
