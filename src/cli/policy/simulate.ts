/** `policy simulate`: what would be decided, before anybody asks for it. */
import { simulatePolicies, type SimulationResult } from '../../policy/index.ts';
import { CommandError, UsageError } from '../command-error.ts';
import { warn, type CommandIo } from '../command-io.ts';
import { defineCommand } from '../command.ts';
import { withEnforcedPolicies, type OpenedPolicies } from './enforced-policies.ts';
import { createPolicySources, policiesInForce, policySetOf } from './policy-sources.ts';
import { bucketOf } from './recorded-request.ts';
import { renderSimulationJson, renderSimulationText } from './simulate-output.ts';
import {
  isCustom,
  parseQuestion,
  readFiles,
  SIMULATE_OPTIONS,
  type PolicyFiles,
  type Question,
} from './simulate-question.ts';
import { DEFAULT_ACCOUNT, findPrincipal, type SimulatedPrincipal } from './simulated-principal.ts';

export const simulateCommand = defineCommand({
  name: 'policy simulate',
  summary: 'Say what policies would decide, why, and what would change it.',
  positionals: [],
  options: SIMULATE_OPTIONS,
  notes: `Without policies from files: by those in force, of the principal and the bucket (SimulatePrincipalPolicy); needs the
gateway's configuration and store. With policies from files: by these alone (SimulateCustomPolicy), which needs neither a
gateway nor a store; with --enforced or -c they add to those in force, and those of the same name or bucket stand in for them.
Each action is simulated on each resource. --format json prints IAM's EvaluationResults.
Exit code 0: every result is as expected; 1: one is not; 2: the command line is wrong, or a file cannot be used.
`,
  async run(values, _, io) {
    const question = parseQuestion(values);
    const render = parseFormat(values.format);
    const expected = parseExpected(values.expect);
    const files = readFiles(values, question);
    const results = isCustom(values)
      ? await simulate(question, files, undefined, io)
      : await withEnforcedPolicies(io, values.config, (opened) => simulate(question, files, opened, io));
    io.stdout.write(render(results));
    const unexpected = results.filter(({ decision }) => (decision === 'allowed') !== expected);
    return unexpected.length === 0 ? 0 : 1;
  },
});

async function simulate(
  question: Question,
  files: PolicyFiles,
  enforced: OpenedPolicies | undefined,
  io: CommandIo,
): Promise<readonly SimulationResult[]> {
  const who = await findPrincipal(question.principal, enforced);
  const accessKeyId = question.accessKeyId ?? who.accessKeyId;
  const arn = who.principal.type === 'anonymous' ? undefined : who.principal.arn;
  if (enforced !== undefined) await checkKey(accessKeyId, arn, enforced, io);
  const { overlay, identity, boundary, session } = files;
  const sources = createPolicySources({ enforced, overlay, more: identity });
  const results: SimulationResult[] = [];
  const notes = new Set<string>();
  for (const resource of question.resources) {
    const inForce = await policiesInForce(sources, { arn, accessKeyId }, bucketOf(resource));
    const { policy, restrictPublicBuckets, ownerAccount } = inForce.bucket;
    if (policy.kind === 'broken')
      throw new CommandError(
        `Every request to the bucket of \`${resource}\` is refused, since its policy cannot be read: ${policy.problem}`,
      );
    for (const note of inForce.caller.notes) notes.add(note);
    const resourceAccount = question.resourceAccount ?? ownerAccount ?? ownAccount(who, enforced);
    const context = contextOf(question, who, { resourceAccount, now: io.now() });
    const { principal } = who;
    const { actions } = question;
    results.push(
      ...simulatePolicies(
        {
          principal,
          actions,
          resources: [resource],
          resourceAccount,
          restrictPublicBuckets,
          context: (key) => context.get(key),
        },
        { ...policySetOf(inForce), boundary, session },
      ),
    );
  }
  for (const note of notes) warn(io, `${note}.`);
  return results;
}

function ownAccount({ principal }: SimulatedPrincipal, enforced: OpenedPolicies | undefined): string {
  if (enforced !== undefined) return enforced.config.accountId;
  return principal.type === 'anonymous' ? DEFAULT_ACCOUNT : principal.accountId;
}

/** A user's keys may do different things: without one, only what all of them may is simulated. */
async function checkKey(
  accessKeyId: string | undefined,
  arn: string | undefined,
  { store }: OpenedPolicies,
  io: CommandIo,
): Promise<void> {
  if (arn === undefined) return;
  if (accessKeyId !== undefined) {
    const found = await store.findKey(accessKeyId);
    if (found !== undefined && found.principal.arn !== arn)
      throw new UsageError(
        `The access key \`${accessKeyId}\` is of \`${found.principal.arn}\`, not of \`${arn}\`.`,
      );
    return;
  }
  const keys = (await store.listKeys()).filter(({ principal }) => principal.arn === arn);
  const ids = keys.map(({ key }) => `\`${key.accessKeyId}\``);
  if (ids.length > 0 && !arn.endsWith(':root'))
    warn(
      io,
      `policies of the user's keys are left out. For what a request signed with one may do: --principal with ${ids.join(' or ')}.`,
    );
}

/** What is given comes before what follows from the principal and the time. */
function contextOf(
  { context }: Question,
  who: SimulatedPrincipal,
  { resourceAccount, now }: { readonly resourceAccount: string; readonly now: number },
): Question['context'] {
  return new Map<string, string | readonly string[]>([
    ['aws:currenttime', new Date(now).toISOString()],
    ['aws:epochtime', String(Math.floor(now / 1000))],
    ['aws:resourceaccount', resourceAccount],
    ['s3:resourceaccount', resourceAccount],
    ...who.context,
    ...context,
  ]);
}

function parseFormat(text = 'text'): typeof renderSimulationText {
  if (text === 'text') return renderSimulationText;
  if (text === 'json') return renderSimulationJson;
  throw new UsageError(`--format is \`text\` or \`json\`, not \`${text}\`.`);
}

/** True: allowed. */
function parseExpected(text = 'allow'): boolean {
  if (text === 'allow') return true;
  if (text === 'deny') return false;
  throw new UsageError(`--expect is \`allow\` or \`deny\`, not \`${text}\`.`);
}
