/** The statements of a document, with every error in it and not only the first. */
import { parsePolicy, type ParsePolicyOptions, type Statement } from '../document.ts';
import { PolicyError, type Position } from '../error.ts';
import { readJson } from '../json.ts';
import { statementNodes } from './policy-type.ts';

/** With more, only the first error is told: each takes a pass over the whole text. */
const MAX_ALONE = 200;

export interface ReadStatements {
  /** Those that are valid on their own. */
  readonly statements: readonly { readonly index: number; readonly statement: Statement }[];
  /** `${...}` has its meaning. */
  readonly variables: boolean;
  readonly errors: readonly { readonly index: number | undefined; readonly error: PolicyError }[];
}

/** Never throws for a document, whatever it is. */
export function readStatements(text: string, options: ParsePolicyOptions): ReadStatements {
  const whole = attempt(text, options);
  if (!(whole instanceof PolicyError)) {
    const statements = whole.statements.map((statement, index) => ({ index, statement }));
    return { statements, variables: whole.version === '2012-10-17', errors: [] };
  }
  const parsed = statementsAlone(text, options).map((alone) => attempt(alone, options));
  const errors: { readonly index: number | undefined; readonly error: PolicyError }[] = [];
  for (const [index, error] of parsed.entries()) {
    if (!(error instanceof PolicyError)) continue;
    const known = errors.findIndex((each) => isSame(each.error, error));
    // The same error beside each statement is one of the document around them.
    if (known >= 0) errors[known] = { index: undefined, error };
    else errors.push({ index, error });
  }
  return {
    statements: parsed.flatMap((result, index) => {
      const statement = result instanceof PolicyError ? undefined : result.statements[0];
      return statement === undefined ? [] : [{ index, statement }];
    }),
    variables: parsed.some((result) => !(result instanceof PolicyError) && result.version === '2012-10-17'),
    // What is wrong between statements only, such as a Sid that two have.
    errors: errors.length === 0 ? [{ index: undefined, error: whole }] : errors,
  };
}

function attempt(text: string, options: ParsePolicyOptions) {
  try {
    return parsePolicy(text, options);
  } catch (error) {
    if (error instanceof PolicyError) return error;
    throw error;
  }
}

/** For each statement the document with that statement alone, the others blanked out: positions stay as they are. */
function statementsAlone(text: string, options: ParsePolicyOptions): readonly string[] {
  try {
    const nodes = statementNodes(readJson(text, options.type));
    if (nodes.length > MAX_ALONE) return [];
    const starts = offsets(
      text,
      nodes.map(({ position }) => position),
    );
    const ranges = starts.map((start) => ({ start, end: valueEnd(text, start) }));
    const first = ranges[0]?.start ?? 0;
    const last = ranges.at(-1)?.end ?? 0;
    return ranges.map(
      ({ start, end }) =>
        text.slice(0, first) +
        blank(text.slice(first, start)) +
        text.slice(start, end) +
        blank(text.slice(end, last)) +
        text.slice(last),
    );
  } catch (error) {
    if (error instanceof PolicyError) return [];
    throw error;
  }
}

function blank(text: string): string {
  return text.replaceAll(/[^\n]/g, ' ');
}

/** Ascending positions to indices in the text. */
function offsets(text: string, positions: readonly Position[]): readonly number[] {
  let line = 1;
  let lineStart = 0;
  return positions.map((position) => {
    for (; line < position.line; line += 1) lineStart = text.indexOf('\n', lineStart) + 1;
    return lineStart + position.column - 1;
  });
}

/** Behind the value that begins at `start`, in text that is known to be JSON. */
function valueEnd(text: string, start: number): number {
  let depth = 0;
  let quoted = false;
  for (let at = start; at < text.length; at += 1) {
    const character = text[at] ?? '';
    if (quoted) {
      if (character === '\\') at += 1;
      else if (character === '"') quoted = false;
      if (!quoted && depth === 0) return at + 1;
    } else if (character === '"') {
      quoted = true;
    } else if (character === '{' || character === '[') {
      depth += 1;
    } else if (character === '}' || character === ']') {
      // What closes the list behind a number or a word is not part of it.
      if (depth === 0) return at;
      depth -= 1;
      if (depth === 0) return at + 1;
    } else if (depth === 0 && /[,\s]/.test(character)) {
      return at;
    }
  }
  return text.length;
}

function isSame(left: PolicyError, right: PolicyError): boolean {
  return left.line === right.line && left.column === right.column && left.detail === right.detail;
}
