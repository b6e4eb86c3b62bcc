/**
 * The contract tests: one user story, told by real S3 clients to a real gateway over each upstream.
 *
 *   npm run test:contract [-- [--target NAME]… [--client NAME]…]
 *
 * A client or upstream that this machine lacks is skipped; with `CI=true` that is a failure. `install.sh` installs them.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { awsCli } from './clients/aws-cli.ts';
import { boto3 } from './clients/boto3.ts';
import { curl } from './clients/curl.ts';
import { rclone } from './clients/rclone.ts';
import { s3cmd } from './clients/s3cmd.ts';
import { countResults, type Column, printColumns, type Result } from './matrix.ts';
import { type Files, makeFiles, STEPS, type Step, type Story, type StoryClient } from './story.ts';
import { type Target, type TargetName, TARGETS } from './target.ts';
import { findTool, type ToolName } from './tools.ts';

const CLIENTS: readonly StoryClient[] = [boto3, awsCli, curl, rclone, s3cmd];

const { values } = parseArgs({
  options: {
    target: { type: 'string', multiple: true, default: ['embedded', 'tls', 'versitygw'] },
    client: { type: 'string', multiple: true, default: CLIENTS.map((client) => client.name) },
  },
});
const clients = CLIENTS.filter((client) => values.client.includes(client.name));
const folder = await mkdtemp(join(tmpdir(), 'bucketwarden-contract-'));
try {
  const files = await makeFiles(join(folder, 'files'));
  const columns: Column[] = [];
  for (const name of values.target.map(targetName)) columns.push(...(await tellAll(name, files)));
  const { passed, failed, skipped } = countResults(columns);
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** Every client's story on one target. */
async function tellAll(name: TargetName, files: Files): Promise<readonly Column[]> {
  const { title, tools, open } = TARGETS[name];
  console.log(`\n${title}`);
  const absent = tools.find((tool) => findTool(tool) === undefined);
  const columns: Column[] = [];
  if (absent !== undefined) {
    columns.push(...clients.map((client) => ({ title: client.name, results: everyStep(missing(absent)) })));
  } else {
    const target = await open(join(folder, name)).catch((error: unknown) => String(error));
    if (typeof target === 'string') {
      columns.push({ title: 'start', results: everyStep({ outcome: 'failed', detail: target }) });
    } else {
      try {
        for (const client of clients) columns.push(await tell(client, target, name, files));
        columns.push(await searchLogs(target));
      } finally {
        await target.close();
      }
    }
  }
  printColumns(columns);
  return columns;
}

async function tell(client: StoryClient, target: Target, name: TargetName, files: Files): Promise<Column> {
  const program = findTool(client.tool);
  if (program === undefined) return { title: client.name, results: everyStep(missing(client.tool)) };
  const story: Story = {
    target,
    program,
    files,
    bucket: `story-${client.name}`,
    folder: join(folder, `${name}-${client.name}`),
    forger: { ...target.admin, secretAccessKey: target.admin.secretAccessKey.toLowerCase() },
  };
  await mkdir(story.folder);
  const results = new Map<string, Result>();
  for (const step of STEPS) {
    results.set(step, await tellStep(client.steps[step], story, TARGETS[name].unable?.[step]));
  }
  return { title: client.name, results };
}

async function tellStep(
  step: Step | { readonly unable: string },
  story: Story,
  unable: string | undefined,
): Promise<Result> {
  if (typeof step !== 'function') return { outcome: 'skipped', detail: step.unable };
  if (unable !== undefined) return { outcome: 'skipped', detail: unable };
  return attempt(() => step(story));
}

/** What the gateway logged while the stories were told holds no secret and no signature. */
async function searchLogs(target: Target): Promise<Column> {
  const result = await attempt(async () => {
    const logs = await target.logs();
    const secret = target.admin.secretAccessKey;
    const found = [secret, encodeURIComponent(secret)].filter((text) => logs.includes(text));
    if (found.length > 0) throw new Error('the secret is in the logs');
    if (/Signature=(?!REDACTED)/.test(logs)) throw new Error('a signature is in the logs');
  });
  return { title: 'logs', results: new Map([['no secret in the logs', result]]) };
}

async function attempt(work: () => Promise<void>): Promise<Result> {
  try {
    await work();
    return { outcome: 'passed' };
  } catch (error) {
    return { outcome: 'failed', detail: error instanceof Error ? error.message : String(error) };
  }
}

function everyStep(result: Result): ReadonlyMap<string, Result> {
  return new Map(STEPS.map((step) => [step, result]));
}

function missing(tool: ToolName): Result {
  return {
    outcome: process.env['CI'] === 'true' ? 'failed' : 'skipped',
    detail: `\`${tool}\` is not on this machine: run test/contract/install.sh`,
  };
}

function targetName(name: string): TargetName {
  const found = (Object.keys(TARGETS) as TargetName[]).find((known) => known === name);
  if (found === undefined)
    throw new Error(`no target \`${name}\`; there are ${Object.keys(TARGETS).join(', ')}`);
  return found;
}
