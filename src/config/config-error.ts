/** Why a configuration was refused: every problem at once. */

export interface ConfigProblem {
  /** The file with its line, `bucketwarden.yaml:12`, or the variable's name. */
  readonly source: string;
  /** Dotted path of the setting as in the file; undefined when the problem is not about one setting. */
  readonly path: string | undefined;
  readonly expected: string;
  /** What was there instead, never the value of a secret. */
  readonly found: string;
}

/** The message has one line for each problem: source, path, expected, found. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    super(problems.map(describe).join('\n'));
    this.problems = problems;
  }
}

function describe({ source, path, expected, found }: ConfigProblem): string {
  const where = path === undefined ? source : `${source}: ${path}`;
  return `${where}: expected ${expected}, found ${found}`;
}
