/**
 * The contract tests: one user story, told by real S3 clients to a real gateway over each upstream.
 *
 *   npm run test:contract                       each client once, each upstream at least once, a browser, and settings
 *   npm run test:contract -- --start NUMBER     the same with other pairs
 *   npm run test:contract -- --all              every client on every upstream, and docs/compatibility.md anew
 *   npm run test:contract -- [--client NAME]… [--upstream NAME]… [--scheme http|https]…   all of these pairs
 *   npm run test:contract -- --settings [--upstream NAME]…   versioning, object lock and other settings of buckets alone
 *   npm run test:contract -- --policies [--upstream NAME]…   policies and public access alone
 *   npm run test:contract -- --direct …         the upstreams without the gateway, to tell whose a failure is
 *
 * A client or upstream that this machine lacks is skipped; with `CI=true` that is a failure. `install.sh` installs them.
 */
import { randomInt } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CLIENTS } from './clients.ts';
import { type Boto3Story, tellBoto3Story } from './boto3-story.ts';
import { tryBrowser } from './browser.ts';
import { type Tried, writeCompatibility } from './compatibility.ts';
import { type Column, countResults, printColumns } from './matrix.ts';
import { printReport } from './mutations/report.ts';
import { runMutations } from './mutations/run.ts';
import { ALL_TARGETS, planAll, type PlannedTarget, planOnce } from './plan.ts';
import { POLICIES } from './policies.ts';
import { SETTINGS } from './settings.ts';
import { type Files, makeFiles } from './story.ts';
import { directKind, KINDS, SCHEMES, STORES, targetKind, type UpstreamName, UPSTREAMS } from './target.ts';
import { attempt, everyStep, missing, searchLogs, tell } from './tell.ts';
import { findTool } from './tools.ts';

const several = { type: 'string', multiple: true } as const;
const { values } = parseArgs({
  options: {
    all: { type: 'boolean', default: false },
    direct: { type: 'boolean', default: false },
    settings: { type: 'boolean', default: false },
    policies: { type: 'boolean', default: false },
    start: { type: 'string', default: '0' },
    client: several,
    upstream: several,
    scheme: several,
  },
});
const filtered = (values.client ?? values.upstream ?? values.scheme) !== undefined;
const clients = chosen('client', values.client, CLIENTS, ({ name }) => name);
const upstreams = chosen('upstream', values.upstream, UPSTREAMS, String);
const schemes = chosen('scheme', values.scheme, SCHEMES, String);
const targets = ALL_TARGETS.filter(
  ({ upstream, scheme }) =>
    upstreams.includes(upstream) && schemes.includes(scheme) && !(values.direct && upstream === 'embedded'),
);
const alone = values.settings || values.policies;
const whole = !filtered && !values.direct && !alone;
const plan = choosePlan();

const folder = await mkdtemp(join(tmpdir(), 'bucketwarden-contract-'));
try {
  const files = await makeFiles(join(folder, 'files'));
  const tried: Tried[] = [];
  for (const target of plan) tried.push({ ...target, columns: await tellAll(target, files) });
  const settings = whole || values.settings ? await tellStory(SETTINGS, STORES) : [];
  const policies = whole || values.policies ? await tellStory(POLICIES, UPSTREAMS) : [];
  const browser = whole ? [await tryBrowser(join(folder, 'browser'))] : [];
  if (browser.length > 0) {
    console.log('\na browser, at the gateway over the embedded store');
    printColumns(browser);
  }
  const changed = whole ? [await sendChanged()] : [];
  const columns = [...tried.flatMap((of) => of.columns), ...settings, ...policies, ...browser, ...changed];
  const { passed, failed, skipped } = countResults(columns);
  if (values.all && whole) await writeCompatibility(CLIENTS, tried);
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** The clients' stories, target by target. */
function choosePlan(): readonly PlannedTarget[] {
  if (alone) return [];
  if (filtered || values.all || values.direct) return planAll(clients, targets);
  return planOnce(clients, Number(values.start));
}

async function tellStory(story: Boto3Story, over: readonly UpstreamName[]): Promise<readonly Column[]> {
  const columns: Column[] = [];
  for (const upstream of over.filter((name) => upstreams.includes(name))) {
    const column = await tellBoto3Story(story, upstream, join(folder, `${story.bucket}-${upstream}`));
    printColumns([column]);
    columns.push(column);
  }
  return columns;
}

/** A little of what `npm run test:mutations` does. */
async function sendChanged(): Promise<Column> {
  const title = 'changed uploads';
  const upstream = 'minio';
  const absent = KINDS[upstream].tools.find((tool) => findTool(tool) === undefined);
  const result =
    absent !== undefined
      ? missing(absent)
      : await attempt(async () => {
          const options = { upstream, seed: randomInt(2 ** 32), changes: 1000, cuts: 100 } as const;
          const report = await runMutations({ ...options, folder: join(folder, 'mutations') });
          printReport(options, report);
          if (report.problems.length > 0) throw new Error(report.problems.join('\n'));
        });
  if (result.detail !== undefined) console.log(`${title}: ${result.detail}`);
  return { title, results: new Map([['store nothing', result]]) };
}

/** The planned clients' stories on one target. */
async function tellAll(planned: PlannedTarget, files: Files): Promise<readonly Column[]> {
  const kind = values.direct ? directKind(planned) : targetKind(planned);
  console.log(`\n${kind.title}`);
  const place = join(folder, `${planned.upstream}-${planned.scheme}`);
  const absent = kind.tools.find((tool) => findTool(tool) === undefined);
  const columns: Column[] = [];
  if (absent !== undefined) {
    const results = everyStep(missing(absent));
    columns.push(...planned.clients.map(({ name }) => ({ title: name, results })));
  } else {
    const target = await kind.open(place).catch((error: unknown) => String(error));
    if (typeof target === 'string') {
      columns.push({ title: 'start', results: everyStep({ outcome: 'failed', detail: target }) });
    } else {
      try {
        for (const client of planned.clients)
          columns.push(
            await tell(client, { target, kind, files, folder: join(place, `story-${client.name}`) }),
          );
        columns.push(await searchLogs(target));
      } finally {
        await target.close();
      }
    }
  }
  printColumns(columns);
  await rm(place, { recursive: true, force: true });
  return columns;
}

/** All of `known` when nothing is named. Throws for a name that there is not. */
function chosen<T>(
  option: string,
  names: readonly string[] | undefined,
  known: readonly T[],
  nameOf: (item: T) => string,
): readonly T[] {
  const unknown = names?.find((name) => !known.some((item) => nameOf(item) === name));
  if (unknown !== undefined)
    throw new Error(`no ${option} \`${unknown}\`; there are ${known.map(nameOf).join(', ')}`);
  return names === undefined ? known : known.filter((item) => names.includes(nameOf(item)));
}
