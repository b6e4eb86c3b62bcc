/** A story that boto3 tells by a script of its own, which prints a line for each of its checks. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { REGION } from './gateway.ts';
import type { Column, Result } from './matrix.ts';
import { run } from './process.ts';
import { type Target, targetKind, type UpstreamName } from './target.ts';
import { missing } from './tell.ts';
import { findTool } from './tools.ts';

/** What an upstream is known not to do. */
export interface Lack {
  /** In what the client says of it: with another answer, it is a failure. */
  readonly answer: string;
  readonly reason: string;
}

export const UNKNOWN: Lack = { answer: '(NotImplemented)', reason: 'it has none' };

export interface Boto3Story {
  /** The step that stands for all when the story cannot be begun or ends before its time. */
  readonly name: string;
  /** In `clients`. */
  readonly script: string;
  readonly bucket: string;
  readonly lacks: Readonly<Partial<Record<UpstreamName, Readonly<Record<string, Lack>>>>>;
  /** More of what the script reads, beside endpoint, caFile, region, admin and bucket. */
  readonly more?: (target: Target) => Promise<Readonly<Record<string, unknown>>>;
}

/**
 * Over https, since a client's own keys travel over TLS alone.
 * @param folder of this story alone, not there yet.
 */
export async function tellBoto3Story(
  story: Boto3Story,
  upstream: UpstreamName,
  folder: string,
): Promise<Column> {
  const kind = targetKind({ upstream, scheme: 'https' });
  console.log(`\n${story.name}, ${kind.title}`);
  const program = findTool('boto3');
  const absent = program === undefined ? 'boto3' : kind.tools.find((tool) => findTool(tool) === undefined);
  const results =
    program === undefined || absent !== undefined
      ? new Map([[story.name, missing(absent ?? 'boto3')]])
      : await tellBy(program, story, upstream, folder).catch((error: unknown) =>
          failedAs(story, String(error)),
        );
  return { title: `${story.name}, ${upstream}`, results };
}

async function tellBy(
  program: string,
  story: Boto3Story,
  upstream: UpstreamName,
  folder: string,
): Promise<ReadonlyMap<string, Result>> {
  const target = await targetKind({ upstream, scheme: 'https' }).open(folder);
  try {
    const home = join(folder, 'client');
    await mkdir(home);
    const { code, stdout, stderr } = await run({
      file: program,
      args: [join(import.meta.dirname, 'clients', story.script)],
      env: { BOTO_DISABLE_CRT: 'true' },
      folder: home,
      timeout: 180_000,
      input: JSON.stringify({
        endpoint: target.endpoint,
        caFile: target.caFile,
        region: REGION,
        admin: target.admin,
        bucket: story.bucket,
        ...(await story.more?.(target)),
      }),
    });
    const results = readLines(stdout.toString(), story, upstream);
    // A story that ends early has said nothing of the rest.
    return code === 0 ? results : new Map([...results, ...failedAs(story, stderr.trim().slice(-2000))]);
  } finally {
    await target.close();
  }
}

/** Lines of `done: STEP` and `failed: STEP: WHY`. */
function readLines(text: string, story: Boto3Story, upstream: UpstreamName): ReadonlyMap<string, Result> {
  const results = new Map<string, Result>();
  for (const line of text.split('\n').filter((some) => some !== '')) {
    const { step, why } = /^(?:done|failed): (?<step>[^:]+)(?:: (?<why>.*))?$/.exec(line)?.groups ?? {};
    if (step === undefined) throw new Error(`a line that is none of the story's: ${line}`);
    const lack = story.lacks[upstream]?.[step];
    results.set(step, why === undefined ? { outcome: 'passed' } : failedOrLacking(why, lack));
  }
  return results.size > 0 ? results : failedAs(story, 'the story says nothing');
}

function failedOrLacking(why: string, lack: Lack | undefined): Result {
  return lack !== undefined && why.includes(lack.answer)
    ? { outcome: 'skipped', detail: `${lack.reason}, and answers ${lack.answer}` }
    : { outcome: 'failed', detail: why };
}

function failedAs({ name }: Boto3Story, detail: string): ReadonlyMap<string, Result> {
  return new Map([[name, { outcome: 'failed', detail }]]);
}
