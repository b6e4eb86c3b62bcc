/** The results of the contract tests as a table of step by client. */

export interface Result {
  readonly outcome: 'passed' | 'failed' | 'skipped';
  /** Why it failed or was skipped. */
  readonly detail?: string;
}

export interface Column {
  readonly title: string;
  /** By step. */
  readonly results: ReadonlyMap<string, Result>;
}

const SIGNS = { passed: 'ok', failed: 'FAIL', skipped: '-' } as const;

/** Prints a table, and below it each reason once. */
export function printColumns(columns: readonly Column[]): void {
  const steps = [...new Set(columns.flatMap(({ results }) => [...results.keys()]))];
  const width = Math.max(...steps.map((step) => step.length)) + 2;
  const row = (title: string, cells: readonly string[]): string =>
    title.padEnd(width) + cells.map((cell) => cell.padEnd(9)).join('');
  console.log(
    row(
      '',
      columns.map(({ title }) => title),
    ).trimEnd(),
  );
  for (const step of steps) {
    const cells = columns.map(({ results }) => sign(results.get(step)));
    console.log(row(step, cells).trimEnd());
  }
  for (const reason of reasons(columns)) console.log(reason);
}

export function countResults(columns: readonly Column[]): Readonly<Record<Result['outcome'], number>> {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const { results } of columns) for (const { outcome } of results.values()) counts[outcome] += 1;
  return counts;
}

function sign(result: Result | undefined): string {
  return result === undefined ? '' : SIGNS[result.outcome];
}

function reasons(columns: readonly Column[]): readonly string[] {
  const stepsByReason = new Map<string, string[]>();
  for (const { title, results } of columns)
    for (const [step, { outcome, detail }] of results) {
      if (detail === undefined) continue;
      const reason = `${SIGNS[outcome]}  ${title}: ${detail}`;
      stepsByReason.set(reason, [...(stepsByReason.get(reason) ?? []), step]);
    }
  return [...stepsByReason].map(([reason, steps]) => `${reason} (${steps.join(', ')})`);
}
