/**
 * Versioning, object lock and the settings of buckets: a story of its own, told by boto3 over https, since a client's own
 * keys travel over TLS alone. What an upstream is known to lack is skipped, with the reason.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { REGION } from './gateway.ts';
import type { Column, Result } from './matrix.ts';
import { run } from './process.ts';
import { type StoreName, targetKind } from './target.ts';
import { missing } from './tell.ts';
import { findTool } from './tools.ts';

const SCRIPT = join(import.meta.dirname, 'clients/boto3_settings.py');

interface Lack {
  /** In what the client says of it: with another answer, it is a failure. */
  readonly answer: string;
  readonly reason: string;
}

const UNKNOWN: Lack = { answer: '(NotImplemented)', reason: 'it has none' };

/** By step of the script. */
const LACKS: Readonly<Record<StoreName, Readonly<Record<string, Lack>>>> = {
  minio: {
    'encryption of a bucket': { answer: '(NotImplemented)', reason: 'it runs without a store of keys here' },
    'ownership controls': { answer: '(MalformedXML)', reason: 'it takes them for the making of a bucket' },
  },
  versitygw: {
    lifecycle: UNKNOWN,
    'encryption of a bucket': UNKNOWN,
    "a client's own key": UNKNOWN,
    select: UNKNOWN,
  },
  // Version 16.
  radosgw: {
    'encryption of a bucket': {
      answer: '(InvalidArgument)',
      reason: 'it takes it for the making of a bucket',
    },
    'ownership controls': { answer: '(InvalidArgument)', reason: 'it takes them for the making of a bucket' },
    attributes: UNKNOWN,
    select: { answer: 'failure -->', reason: 'it does not understand a condition' },
  },
};

/** @param folder of this story alone, not there yet. */
export async function tellSettings(upstream: StoreName, folder: string): Promise<Column> {
  const kind = targetKind({ upstream, scheme: 'https' });
  console.log(`\nsettings of buckets, ${kind.title}`);
  const program = findTool('boto3');
  const absent = program === undefined ? 'boto3' : kind.tools.find((tool) => findTool(tool) === undefined);
  const results =
    program === undefined || absent !== undefined
      ? new Map([[WHOLE, missing(absent ?? 'boto3')]])
      : await tellBy(program, upstream, folder).catch((error: unknown) => failedAs(String(error)));
  return { title: `settings, ${upstream}`, results };
}

/** The step that stands for all when the story cannot be begun or ends before its time. */
const WHOLE = 'settings of buckets';

async function tellBy(
  program: string,
  upstream: StoreName,
  folder: string,
): Promise<ReadonlyMap<string, Result>> {
  const target = await targetKind({ upstream, scheme: 'https' }).open(folder);
  try {
    const home = join(folder, 'client');
    await mkdir(home);
    const { code, stdout, stderr } = await run({
      file: program,
      args: [SCRIPT],
      env: { BOTO_DISABLE_CRT: 'true' },
      folder: home,
      timeout: 180_000,
      input: JSON.stringify({
        endpoint: target.endpoint,
        caFile: target.caFile,
        region: REGION,
        admin: target.admin,
        bucket: 'story-settings',
      }),
    });
    const results = readLines(stdout.toString(), LACKS[upstream]);
    // A story that ends early has said nothing of the rest.
    return code === 0 ? results : new Map([...results, ...failedAs(stderr.trim().slice(-2000))]);
  } finally {
    await target.close();
  }
}

/** Lines of `done: STEP` and `failed: STEP: WHY`. */
function readLines(text: string, lacks: Readonly<Record<string, Lack>>): ReadonlyMap<string, Result> {
  const results = new Map<string, Result>();
  for (const line of text.split('\n').filter((some) => some !== '')) {
    const { step, why } = /^(?:done|failed): (?<step>[^:]+)(?:: (?<why>.*))?$/.exec(line)?.groups ?? {};
    if (step === undefined) throw new Error(`a line that is none of the story's: ${line}`);
    results.set(step, why === undefined ? { outcome: 'passed' } : failedOrLacking(why, lacks[step]));
  }
  return results.size > 0 ? results : failedAs('the story says nothing');
}

function failedOrLacking(why: string, lack: Lack | undefined): Result {
  return lack !== undefined && why.includes(lack.answer)
    ? { outcome: 'skipped', detail: `${lack.reason}, and answers ${lack.answer}` }
    : { outcome: 'failed', detail: why };
}

function failedAs(detail: string): ReadonlyMap<string, Result> {
  return new Map([[WHOLE, { outcome: 'failed', detail }]]);
}
