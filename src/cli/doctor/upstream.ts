/** `doctor upstream`: tries out what an upstream supports, and says which settings fit it. */
import { loadConfig, type Config, type UpstreamConfig } from '../../config/index.ts';
import { createUpstream, UpstreamUnusable, type Upstream } from '../../upstream/index.ts';
import { CommandError, UsageError } from '../command-error.ts';
import type { CommandIo } from '../command-io.ts';
import { defineCommand } from '../command.ts';
import type { Finding, Subject } from './finding.ts';
import { reason } from './finding.ts';
import { createTrial } from './trial.ts';
import { BASICS, CHECKS } from './upstream-checks.ts';
import { fittingIntegrity, renderFindings, renderSettings } from './upstream-report.ts';

export const doctorUpstream = defineCommand({
  name: 'doctor upstream',
  summary: 'Try out what an upstream supports, and print the settings that fit it.',
  positionals: [],
  options: {
    config: {
      type: 'string',
      short: 'c',
      value: 'FILE',
      help: 'settings as YAML; the environment beats them',
    },
    upstream: { type: 'string', value: 'NAME', help: 'which one, if there are several' },
    bucket: { type: 'string', value: 'NAME', help: "a bucket of the upstream, by the upstream's own name" },
  },
  notes: `Objects are written below a prefix of their own in that bucket, some 20 of them and 6 MB, and deleted again.
Exit code 1: something that the gateway promises does not hold with this upstream.
`,
  async run(values, _, io) {
    if (values.bucket === undefined) throw new UsageError('--bucket is missing.');
    const config = loadConfig({ env: io.env, ...(values.config !== undefined && { file: values.config }) });
    const target = chosen(config, values.upstream);
    const findings = await examine(target, values.bucket, io);
    io.stdout.write(renderFindings(findings));
    const bad = findings.filter(({ verdict }) => verdict === 'bad');
    if (bad.length > 0)
      throw new CommandError(
        `${bad.map(({ name }) => name).join(', ')}: not fit to stand behind the gateway.`,
      );
    io.stdout.write(renderSettings(target, findings));
  },
});

function chosen({ upstreams }: Config, name: string | undefined): UpstreamConfig {
  const names = upstreams.map((one) => `\`${one.name}\``).join(', ');
  if (upstreams.length === 0)
    throw new CommandError('No upstream is configured: the embedded store needs no examination.');
  if (name === undefined) {
    const [only, ...others] = upstreams;
    if (only === undefined || others.length > 0) throw new UsageError(`Say which --upstream: ${names}.`);
    return only;
  }
  const found = upstreams.find((one) => one.name === name);
  if (found === undefined) throw new UsageError(`There is no upstream \`${name}\`. There are: ${names}.`);
  return found;
}

async function examine(target: UpstreamConfig, bucket: string, io: CommandIo): Promise<readonly Finding[]> {
  const opened: Upstream[] = [];
  const open = async (style: UpstreamConfig['style']): Promise<Upstream> => {
    const upstream = await createUpstream({
      ...target,
      style,
      // Every check is to reach it, and what fails is to be seen.
      retries: 0,
      breaker: { failures: 1_000_000, cooldownMs: target.breaker.cooldownMs },
      now: io.now,
      random: Math.random,
      onEvent: () => undefined,
    });
    opened.push(upstream);
    return upstream;
  };
  const prefix = `bucketwarden-doctor-${io.randomBytes(8).toString('hex')}/`;
  try {
    const upstream = await open(target.style);
    const trial = createTrial(upstream, bucket, prefix);
    io.stderr.write(
      `Examining \`${target.name}\` at ${target.endpoint}, in bucket \`${bucket}\` below ${prefix}\n`,
    );
    const styles = {
      path: await openStyle(open, 'path'),
      'virtual-hosted': await openStyle(open, 'virtual-hosted'),
    };
    const subject: Subject = { trial, styles, now: io.now };
    const findings: Finding[] = [];
    try {
      for (const check of BASICS) findings.push(...(await check(subject)));
      if (findings.every(({ verdict }) => verdict !== 'bad')) {
        for (const check of CHECKS) findings.push(...(await check(subject)));
        findings.push(integrityFinding(findings));
      }
    } catch (error) {
      findings.push({ name: 'connection', verdict: 'bad', detail: withCause(error) });
      return findings;
    }
    const left = await trial.cleanUp();
    if (left.length > 0)
      findings.push({
        name: 'clean-up',
        verdict: 'no',
        detail: `${left.length} objects are left below ${prefix}`,
      });
    return findings;
  } finally {
    for (const upstream of opened) await upstream.close();
  }
}

function integrityFinding(findings: readonly Finding[]): Finding {
  const fitting = fittingIntegrity(findings);
  return fitting === undefined
    ? {
        name: 'integrity',
        verdict: 'bad',
        detail: 'no form of upload is both taken and proof against being cut off: do not use this upstream',
      }
    : { name: 'integrity', verdict: 'yes', detail: `\`${fitting}\` fits` };
}

/** Undefined for a style that the endpoint cannot have. */
async function openStyle(
  open: (style: UpstreamConfig['style']) => Promise<Upstream>,
  style: UpstreamConfig['style'],
): Promise<Upstream | undefined> {
  try {
    return await open(style);
  } catch (error) {
    if (error instanceof UpstreamUnusable) return undefined;
    throw error;
  }
}

function withCause(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : '';
  return cause === '' || reason(error).includes(cause) ? reason(error) : `${reason(error)} (${cause})`;
}
