/** `policy explain`: why a request was allowed or refused, out of its access record. */
import type { LoggedRecord, LogSource } from '../../audit/index.ts';
import { ConfigError } from '../../config/index.ts';
import { IdentityStoreError } from '../../identity/index.ts';
import { CommandError, UsageError } from '../command-error.ts';
import type { CommandIo } from '../command-io.ts';
import { defineCommand } from '../command.ts';
import { AUDIT_OPTION, auditRecords, auditSources } from './audit-files.ts';
import { quoted } from './condition-words.ts';
import { decideAgain } from './decide-again.ts';
import { withEnforcedPolicies } from './enforced-policies.ts';
import { renderExplanationJson, renderExplanationText, type ExplainedRequest } from './explain-output.ts';
import { latestRefusals, renderRefusals } from './latest-refusals.ts';
import { explainRecord } from './record-explanation.ts';

export const explainCommand = defineCommand({
  name: 'policy explain',
  summary: 'Say why a request was allowed or refused, and what would have to change.',
  positionals: ['[REQUEST-ID]'],
  options: {
    audit: AUDIT_OPTION,
    'last-denied': {
      type: 'boolean',
      help: 'instead of a REQUEST-ID: the latest refusals, to find it',
    },
    principal: { type: 'string', value: 'WHO', help: 'with --last-denied: ARN, user name or access key id' },
    bucket: { type: 'string', value: 'BUCKET', help: 'with --last-denied: of this bucket' },
    max: { type: 'string', value: 'N', help: 'with --last-denied: how many (default: 10)' },
    config: { type: 'string', short: 'c', value: 'FILE', help: "the gateway's configuration file" },
    format: { type: 'string', value: 'text|json', help: 'how to print the explanation (default: text)' },
  },
  notes: `REQUEST-ID is in the answer to the client (x-amz-request-id, RequestId of the error). The record says what was decided
then; where the configuration and its store are at hand, as for \`keys\`, the policies of now are asked as well.
Exit code 0: explained; 1: there is no such record; 2: the command line is wrong, or a file cannot be read.
`,
  async run(values, [requestId], io) {
    const sources = auditSources(values.audit, io);
    const render = parseFormat(values.format);
    if (values['last-denied'] === true) {
      if (requestId !== undefined) throw new UsageError('A REQUEST-ID and --last-denied exclude each other.');
      await tellLatest(sources, values, io);
      return;
    }
    if (values.principal !== undefined || values.bucket !== undefined || values.max !== undefined)
      throw new UsageError('--principal, --bucket and --max belong to --last-denied.');
    if (requestId === undefined)
      throw new UsageError('REQUEST-ID missing. --last-denied shows the latest refusals, with theirs.');
    const record = await findRecord(sources, requestId.trim(), io);
    io.stdout.write(render(await explained(record, values.config, io)));
  },
});

const DEFAULT_MAX = 10;

async function tellLatest(
  sources: readonly LogSource[],
  {
    principal,
    bucket,
    max = String(DEFAULT_MAX),
  }: {
    readonly principal?: string | undefined;
    readonly bucket?: string | undefined;
    readonly max?: string | undefined;
  },
  io: CommandIo,
): Promise<void> {
  if (!/^[1-9]\d{0,4}$/.test(max)) throw new UsageError(`--max is a number from 1, not \`${max}\`.`);
  const found = await latestRefusals(sources, { principal, bucket }, { max: Number(max), io });
  if (found.length === 0)
    throw new CommandError(
      `No refusal of this kind in ${namesOf(sources)}. Is it the log of the gateway that answered?`,
    );
  io.stdout.write(renderRefusals(found));
}

/** By the gateway's id, or by the upstream's of the same request. */
async function findRecord(
  sources: readonly LogSource[],
  requestId: string,
  io: CommandIo,
): Promise<LoggedRecord> {
  for await (const { record } of auditRecords(sources, io, [requestId]))
    if (record.requestId === requestId || record.upstream?.requestId === requestId) return record;
  throw new CommandError(
    `No record of the request ${quoted(requestId)} in ${namesOf(sources)}. To check: is it the x-amz-request-id of the answer (16 hex digits, not x-amz-id-2)? Is it the log of the gateway that answered, and of that time (rotated files can be given too)? Did the request reach the gateway, or was it answered by something in front of it?`,
  );
}

function namesOf(sources: readonly LogSource[]): string {
  return sources.map(({ name }) => (name === 'standard input' ? name : quoted(name))).join(', ');
}

async function explained(
  record: LoggedRecord,
  configFile: string | undefined,
  io: CommandIo,
): Promise<ExplainedRequest> {
  const explanation = explainRecord(record);
  if (record.evaluation === undefined) return { record, explanation, again: undefined, skipped: undefined };
  try {
    const again = await withEnforcedPolicies(io, configFile, (opened) => decideAgain(record, opened));
    return { record, explanation, again, skipped: undefined };
  } catch (error) {
    // A configuration that was asked for must be usable; the usual one may be elsewhere.
    if (configFile !== undefined || !isOutOfReach(error)) throw error;
    return { record, explanation, again: undefined, skipped: error.message };
  }
}

function isOutOfReach(error: unknown): error is Error {
  return error instanceof CommandError || error instanceof ConfigError || error instanceof IdentityStoreError;
}

function parseFormat(text = 'text'): typeof renderExplanationText {
  if (text === 'text') return renderExplanationText;
  if (text === 'json') return renderExplanationJson;
  throw new UsageError(`--format is \`text\` or \`json\`, not \`${text}\`.`);
}
