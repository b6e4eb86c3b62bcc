/** `policy generate`: the smallest sensible policy for what a caller has done. */
import type { LogSource } from '../../audit/index.ts';
import { ConfigError } from '../../config/index.ts';
import { attachedPolicies, IdentityStoreError, type IdentityStore } from '../../identity/index.ts';
import type { PolicySource } from '../../policy/index.ts';
import { CommandError, UsageError } from '../command-error.ts';
import type { CommandIo } from '../command-io.ts';
import { defineCommand } from '../command.ts';
import { parseDuration, parseTime } from '../time-text.ts';
import { AUDIT_OPTION, auditRecords, auditSources } from './audit-files.ts';
import { withEnforcedPolicies } from './enforced-policies.ts';
import { renderProposal, renderProposalJson, renderProposalText } from './generate-output.ts';
import { isRecordOf } from './record-caller.ts';
import { UsageCounter, type Proposal } from './usage-counter.ts';

export const generateCommand = defineCommand({
  name: 'policy generate',
  summary: 'Propose the smallest sensible policy for what a caller has done, and say what it leaves out.',
  positionals: ['[FILE]...'],
  options: {
    principal: { type: 'string', value: 'WHO', help: 'whose: an ARN, a user name or an access key id' },
    since: { type: 'string', value: 'WHEN', help: 'from then on: 30d (units m, h, d, w), or 2027-01-31' },
    until: { type: 'string', value: 'WHEN', help: 'until then, as --since' },
    audit: AUDIT_OPTION,
    config: {
      type: 'string',
      short: 'c',
      value: 'FILE',
      help: "the gateway's configuration file, for the policies that the caller has now",
    },
    format: {
      type: 'string',
      value: 'policy|text|json',
      help: 'policy: the document, and the rest on standard error; text: both; json (default: policy)',
    },
  },
  notes: `FILE is as with --audit. Only what was allowed and done counts. Read the proposal before it is in force, lint it, and try it
in shadow mode or with \`policy replay\`: what happens once a year is in the log of a year.
Exit code 0: proposed; 1: the caller did nothing that was allowed; 2: the command line is wrong, or a file cannot be read.

Example:
  bucketwarden policy generate --principal alice --since 30d --audit access.log > alice.json
`,
  async run(values, positionals, io) {
    const { principal: who } = values;
    if (who === undefined) throw new UsageError('--principal WHO is missing.');
    if (who === 'anonymous')
      throw new UsageError(
        'Anonymous callers have no policies of their own: only bucket policies allow them.',
      );
    const sources = auditSources([...(values.audit ?? []), ...positionals], io);
    const render = parseFormat(values.format);
    const now = io.now();
    const span = {
      since: parseWhen('since', values.since, now),
      until: parseWhen('until', values.until, now),
    };
    if (span.since !== undefined && span.until !== undefined && span.since >= span.until)
      throw new UsageError('--until is not after --since.');
    const current = await currentPolicies(who, values.config, io);
    const proposal = await propose(sources, { who, ...span, current }, io);
    if (proposal.granted.length === 0)
      throw new CommandError(
        `Nothing that \`${who}\` did and was allowed is in these files, and time: there is nothing to propose.`,
      );
    render(proposal, io);
  },
});

interface Question {
  readonly who: string;
  /** Epoch milliseconds. */
  readonly since: number | undefined;
  readonly until: number | undefined;
  readonly current: CurrentPolicies;
}

async function propose(
  sources: readonly LogSource[],
  { who, since = -Infinity, until = Infinity, current }: Question,
  io: CommandIo,
): Promise<Proposal> {
  const counter = new UsageCounter({ who, policies: current.policies });
  for await (const { record } of auditRecords(sources, io, [who]))
    if (record.time >= since && record.time < until && isRecordOf(record, who)) counter.add(record);
  return counter.proposal(current.problem);
}

interface CurrentPolicies {
  /** Undefined when they cannot be told; `problem` says why. */
  readonly policies: readonly PolicySource[] | undefined;
  readonly problem: string | undefined;
}

/** Where the store is out of reach, a proposal can be made without. */
async function currentPolicies(
  who: string,
  configFile: string | undefined,
  io: CommandIo,
): Promise<CurrentPolicies> {
  try {
    const policies = await withEnforcedPolicies(io, configFile, ({ store }) => storedPolicies(who, store));
    return { policies, problem: policies === undefined ? `\`${who}\` is not in the store` : undefined };
  } catch (error) {
    const isOutOfReach =
      error instanceof CommandError || error instanceof ConfigError || error instanceof IdentityStoreError;
    // A configuration that was asked for must be usable.
    if (configFile !== undefined || !isOutOfReach) throw error;
    return { policies: undefined, problem: error.message };
  }
}

/** Of a key alone, or of a user with all its keys. Undefined for who is not there. */
async function storedPolicies(
  who: string,
  store: IdentityStore,
): Promise<readonly PolicySource[] | undefined> {
  const owners = await store.listKeys();
  const theirs = owners.filter(
    ({ key, principal }) => key.accessKeyId === who || principal.arn === who || principal.userName === who,
  );
  if (theirs.length === 0) return undefined;
  const policies = new Map<string, PolicySource>();
  for (const { key } of theirs) {
    const identity = await store.findKey(key.accessKeyId);
    for (const source of identity === undefined ? [] : attachedPolicies(identity, ignore))
      policies.set(source.name, source);
  }
  return [...policies.values()];
}

function ignore(): void {
  // What cannot be read denies everything, and grants nothing that could be unused.
}

function parseWhen(option: string, text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined;
  const duration = parseDuration(text);
  const time = duration === undefined ? parseTime(text) : now - duration;
  if (time !== undefined) return time;
  throw new UsageError(
    `--${option} \`${text}\` is neither a duration such as 12h, 30d or 4w, nor a time such as 2027-01-01 or 2027-01-01T00:00:00Z.`,
  );
}

function parseFormat(text = 'policy'): (proposal: Proposal, io: CommandIo) => void {
  if (text === 'policy') return renderProposal;
  if (text === 'text') return renderProposalText;
  if (text === 'json') return renderProposalJson;
  throw new UsageError(`--format is \`policy\`, \`text\` or \`json\`, not \`${text}\`.`);
}
