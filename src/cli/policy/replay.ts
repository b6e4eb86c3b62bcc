/** `policy replay`: what other policies would have decided about the requests of the past. */
import type { LoggedRecord, LogSource } from '../../audit/index.ts';
import { UsageError } from '../command-error.ts';
import { warn, type CommandIo } from '../command-io.ts';
import { defineCommand } from '../command.ts';
import { withEnforcedPolicies } from './enforced-policies.ts';
import { AUDIT_OPTION, auditRecords, auditSources } from './audit-files.ts';
import { reasonOf } from './decision-words.ts';
import { overlayNotes } from './overlay-notes.ts';
import { readPolicyOverlay } from './policy-overlay.ts';
import {
  createPolicySources,
  decideBy,
  explainBy,
  policiesInForce,
  type PoliciesInForce,
  type PolicySources,
} from './policy-sources.ts';
import { recordedRequests, UnrecordedKeyError, type RecordedRequest } from './recorded-request.ts';
import { renderReplayJson, renderReplayText } from './replay-output.ts';
import { ReplayCounter } from './replay-report.ts';

export const replayCommand = defineCommand({
  name: 'policy replay',
  summary: 'Say which requests of the past a candidate set of policies would have decided otherwise.',
  positionals: ['[FILE]...'],
  options: {
    candidate: {
      type: 'string',
      value: 'DIR',
      help: 'the candidate: BUCKET.json, users/USERNAME/POLICY.json, keys/ACCESSKEYID/POLICY.json',
    },
    audit: AUDIT_OPTION,
    config: {
      type: 'string',
      short: 'c',
      value: 'FILE',
      help: 'settings as YAML; the environment beats them',
    },
    format: { type: 'string', value: 'text|json', help: 'how to print the result (default: text)' },
    max: { type: 'string', value: 'N', help: 'groups of differences that are shown (default: 20)' },
    strict: { type: 'boolean', help: 'fail too when a decision cannot be made again' },
  },
  notes: `FILE is as with --audit. What has no file in the candidate stays as it is in force; an empty file stands for no such policy.
Exit code 0: every decision stays the same; 1: some would be others; 2: the command line is wrong, or a file cannot be read.
`,
  async run(values, positionals, io) {
    if (values.candidate === undefined) throw new UsageError('--candidate DIR is missing.');
    const sources = auditSources([...(values.audit ?? []), ...positionals], io);
    const render = parseFormat(values.format);
    const max = parseMax(values.max);
    const overlay = readPolicyOverlay(values.candidate);
    const report = await withEnforcedPolicies(io, values.config, async (enforced) => {
      const inForce = createPolicySources({ enforced });
      for (const note of await overlayNotes(overlay, enforced.store, inForce))
        warn(io, `in the candidate, ${note}.`);
      return replay(sources, io, { inForce, candidate: createPolicySources({ enforced, overlay }) });
    });
    io.stdout.write(render(report, { max }));
    const isSame = report.wouldAllow + report.wouldDeny === 0;
    return isSame && (values.strict !== true || report.undecidable.length === 0) ? 0 : 1;
  },
});

interface Sides {
  readonly inForce: PolicySources;
  readonly candidate: PolicySources;
}

async function replay(sources: readonly LogSource[], io: CommandIo, sides: Sides) {
  const counter = new ReplayCounter();
  for await (const { record } of auditRecords(sources, io)) {
    const requests = recordedRequests(record);
    if (requests.length === 0) continue;
    counter.request(record.time);
    for (const request of requests) await decideAgain(request, record, sides, counter);
  }
  return counter.report();
}

async function decideAgain(
  { decision: recorded, request, bucket }: RecordedRequest,
  record: LoggedRecord,
  sides: Sides,
  counter: ReplayCounter,
): Promise<void> {
  const { requestId, time, principal = 'anonymous' } = record;
  const caller = {
    arn: principal === 'anonymous' ? undefined : principal,
    accessKeyId: principal === 'anonymous' ? undefined : record.accessKeyId,
  };
  const policiesOf = async (side: PolicySources): Promise<PoliciesInForce> => {
    const found = await policiesInForce(side, caller, bucket);
    // The setting of the time: it is no policy.
    const restrictPublicBuckets = request.restrictPublicBuckets ?? false;
    return { ...found, bucket: { ...found.bucket, restrictPublicBuckets } };
  };
  const policies = await policiesOf(sides.candidate);
  if (policies.caller.isIncomplete) {
    counter.undecidable(policies.caller.notes.join('; '), requestId);
    return;
  }
  const decision = decideBy(request, policies);
  if (
    decision.effect === 'Deny' &&
    decision.because.kind === 'error' &&
    policies.bucket.policy.kind !== 'broken'
  ) {
    const { cause } = decision.because;
    counter.undecidable(cause instanceof UnrecordedKeyError ? cause.message : String(cause), requestId);
    return;
  }
  if (decision.effect === recorded.effect) {
    counter.same();
    return;
  }
  const { effect, by, reason, nearest } = recorded;
  counter.different({
    time,
    requestId,
    principal,
    action: recorded.action,
    resource: recorded.resource,
    bucket,
    recorded: { effect, by, reason, nearest },
    candidate: decision.effect,
    why: () => reasonOf(explainBy(request, policies)),
    inForce: decideBy(request, await policiesOf(sides.inForce)).effect,
  });
}

function parseFormat(text = 'text'): typeof renderReplayText {
  if (text === 'text') return renderReplayText;
  if (text === 'json') return renderReplayJson;
  throw new UsageError(`--format is \`text\` or \`json\`, not \`${text}\`.`);
}

const DEFAULT_MAX = 20;

function parseMax(text: string | undefined): number {
  if (text === undefined) return DEFAULT_MAX;
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new UsageError(`--max is a number from 1, not \`${text}\`.`);
  return Number(text);
}
