/** Writes `docs/compatibility.md`: what was tried with which versions, and what came of it. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import type { Column, Result } from './matrix.ts';
import type { PlannedTarget } from './plan.ts';
import { STEPS, SIZES, type StoryClient } from './story.ts';
import { upstreamVersion, type UpstreamName, UPSTREAMS } from './target.ts';
import { findTool } from './tools.ts';

export interface Tried extends PlannedTarget {
  readonly columns: readonly Column[];
}

const REPOSITORY = join(import.meta.dirname, '../..');
const PAGE = join(REPOSITORY, 'docs/compatibility.md');

const UPSTREAM_TITLES: Readonly<Record<UpstreamName, string>> = {
  embedded: 'embedded store',
  versitygw: 'versitygw',
  minio: 'MinIO',
  radosgw: 'Ceph radosgw',
};

export async function writeCompatibility(
  clients: readonly StoryClient[],
  tried: readonly Tried[],
): Promise<void> {
  const page = [
    INTRODUCTION,
    '## Results\n',
    'Steps that passed, of those that the client can tell.\n',
    ...resultTable(clients, tried),
    '',
    ...failures(tried),
    '## What is not tried, and why\n',
    ...skipped(tried),
    '',
    '## Versions\n',
    ...(await versionTable(clients)),
    '',
  ].join('\n');
  const options = await resolveConfig(PAGE);
  await writeFile(PAGE, await format(page, { ...options, filepath: PAGE }));
}

const INTRODUCTION = `# Compatibility

Written by \`npm run test:contract -- --all\`: every client tells one story to Bucketwarden over every upstream, over http and over https
(from the client to the gateway and from there to the upstream, with a certificate authority made for the run).

The story's steps are ${list(STEPS)}; then objects of ${list(Object.keys(SIZES))} go up and come back, in one request or in parts, as the client does by
default. Downloads are compared byte for byte. \`denial\` is a key that may read and not write: the read works, the write is refused, and the client shows
\`AccessDenied\`. \`wrong secret\` shows \`SignatureDoesNotMatch\`.
`;

function resultTable(clients: readonly StoryClient[], tried: readonly Tried[]): readonly string[] {
  const title = ({ upstream, scheme }: Tried): string => `${UPSTREAM_TITLES[upstream]}, ${scheme}`;
  return [
    row(['', ...tried.map(title)]),
    row(['---', ...tried.map(() => '---')]),
    ...clients.map(({ name }) => row([name, ...tried.map(({ columns }) => summary(columns, name))])),
  ];
}

function summary(columns: readonly Column[], client: string): string {
  const column = columns.find(({ title }) => title === client);
  if (column === undefined) return 'did not start';
  const results = [...column.results.values()];
  const told = results.filter(({ outcome }) => outcome !== 'skipped').length;
  const passed = results.filter(({ outcome }) => outcome === 'passed').length;
  return told === 0 ? 'not tried' : `${passed === told ? 'all' : `**${passed}**`} of ${told}`;
}

function failures(tried: readonly Tried[]): readonly string[] {
  const lines = tried.flatMap(({ upstream, scheme, columns }) =>
    entries(columns, 'failed').map(
      ({ client, step }) => `- ${client} over ${UPSTREAM_TITLES[upstream]}, ${scheme}: ${step}`,
    ),
  );
  return lines.length === 0 ? [] : ['## Failures\n', ...lines, ''];
}

/** Each reason once, with the steps that it keeps from being told. */
function skipped(tried: readonly Tried[]): readonly string[] {
  const steps = new Map<string, Set<string>>();
  for (const { columns } of tried)
    for (const { client, step, detail } of entries(columns, 'skipped')) {
      const reason = `${client}: ${detail}`;
      steps.set(reason, (steps.get(reason) ?? new Set()).add(step));
    }
  return [...steps].map(([reason, of]) => `- ${reason} (${[...of].join(', ')})`);
}

function entries(
  columns: readonly Column[],
  outcome: Result['outcome'],
): readonly { readonly client: string; readonly step: string; readonly detail: string }[] {
  return columns.flatMap(({ title, results }) =>
    [...results]
      .filter(([, result]) => result.outcome === outcome)
      .map(([step, { detail = '' }]) => ({ client: title, step, detail })),
  );
}

async function versionTable(clients: readonly StoryClient[]): Promise<readonly string[]> {
  const { version } = JSON.parse(await readFile(join(REPOSITORY, 'package.json'), 'utf8')) as {
    readonly version: string;
  };
  const rows = [
    ['Bucketwarden', version],
    ['Node.js', process.versions.node],
  ];
  for (const upstream of UPSTREAMS) {
    const of = await upstreamVersion(upstream).catch(() => 'not installed');
    if (of !== undefined) rows.push([UPSTREAM_TITLES[upstream], of]);
  }
  for (const client of clients) {
    const program = findTool(client.tool);
    rows.push([client.name, program === undefined ? 'not installed' : await client.version(program)]);
  }
  return [row(['', 'version']), row(['---', '---']), ...rows.map(row)];
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function list(items: readonly string[]): string {
  return `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;
}
