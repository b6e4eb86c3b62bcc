/** What a check works on, and what it finds. */
import type { Upstream } from '../../upstream/index.ts';
import type { Trial, TrialAnswer } from './trial.ts';

/**
 * `yes`, `no`: it is supported, or not, and the gateway works either way. `bad`: what the gateway promises does not hold
 * with this upstream.
 */
export interface Finding {
  readonly name: string;
  readonly verdict: 'yes' | 'no' | 'bad';
  readonly detail: string;
}

export interface Subject {
  readonly trial: Trial;
  /** The same upstream in both styles; undefined where its endpoint cannot have it. */
  readonly styles: Readonly<Record<'path' | 'virtual-hosted', Upstream | undefined>>;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

export type Check = (subject: Subject) => Promise<readonly Finding[]>;

/** More than one chunk of any form. */
export const BODY = Buffer.alloc(150_000, 'bucketwarden ');
/** What goes wrong in a check is its result: the others are still of interest. */
export async function attempted(
  name: string,
  check: () => Promise<readonly [Finding['verdict'], string]>,
): Promise<Finding> {
  try {
    const [verdict, detail] = await check();
    return finding(name, verdict, detail);
  } catch (error) {
    return finding(name, 'no', reason(error));
  }
}

export function finding(name: string, verdict: Finding['verdict'], detail: string): Finding {
  return { name, verdict, detail };
}

export function described({ status, code }: TrialAnswer): string {
  return code === undefined ? String(status) : `${status} ${code}`;
}

export function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
