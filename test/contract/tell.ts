/** One client's story on one target, step by step. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Column, Result } from './matrix.ts';
import {
  expectSameBytes,
  type Files,
  SIZES,
  type SizeName,
  STEPS,
  type Step,
  type Story,
  type StoryClient,
} from './story.ts';
import type { Target, TargetKind } from './target.ts';
import { findTool, type ToolName } from './tools.ts';

export interface Telling {
  readonly target: Target;
  readonly kind: TargetKind;
  readonly files: Files;
  /** A folder of this story alone, not there yet. */
  readonly folder: string;
}

const SIZE_NAMES = Object.keys(SIZES) as SizeName[];

export async function tell(client: StoryClient, { target, kind, files, folder }: Telling): Promise<Column> {
  const program = findTool(client.tool);
  if (program === undefined) return { title: client.name, results: everyStep(missing(client.tool)) };
  const story: Story = {
    target,
    program,
    files,
    bucket: `story-${client.name}`,
    folder,
    forger: { ...target.admin, secretAccessKey: target.admin.secretAccessKey.toLowerCase() },
  };
  await mkdir(folder, { recursive: true });
  const results = new Map<string, Result>();
  for (const step of STEPS) results.set(step, await tellStep(client.steps[step], story, kind.unable?.[step]));
  for (const [index, size] of SIZE_NAMES.entries()) {
    const transfer = {
      from: files.sized[size],
      key: `sizes/${index}.bin`,
      to: join(folder, `size-${index}`),
    };
    results.set(
      size,
      await attempt(async () => {
        await client.roundTrip(story, transfer);
        await expectSameBytes(transfer.to, transfer.from);
      }),
    );
  }
  return { title: client.name, results };
}

/** What the gateway logged while the stories were told holds no secret and no signature. */
export async function searchLogs(target: Target): Promise<Column> {
  const result = await attempt(async () => {
    const logs = await target.logs();
    const secret = target.admin.secretAccessKey;
    const found = [secret, encodeURIComponent(secret)].filter((text) => logs.includes(text));
    if (found.length > 0) throw new Error('the secret is in the logs');
    if (/Signature=(?!REDACTED)/.test(logs)) throw new Error('a signature is in the logs');
  });
  return { title: 'logs', results: new Map([['no secret in the logs', result]]) };
}

export function everyStep(result: Result): ReadonlyMap<string, Result> {
  return new Map([...STEPS, ...SIZE_NAMES].map((step) => [step, result]));
}

export function missing(tool: ToolName): Result {
  return {
    outcome: process.env['CI'] === 'true' ? 'failed' : 'skipped',
    detail: `\`${tool}\` is not on this machine: run test/contract/install.sh`,
  };
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

export async function attempt(work: () => Promise<void>): Promise<Result> {
  try {
    await work();
    return { outcome: 'passed' };
  } catch (error) {
    return { outcome: 'failed', detail: error instanceof Error ? error.message : String(error) };
  }
}
