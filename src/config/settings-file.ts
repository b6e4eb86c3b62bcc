/** The YAML file: its values, and the line of each. */
import { isAlias, isMap, isSeq, LineCounter, parseDocument, visit, type Node } from 'yaml';
import type { ConfigProblem } from './config-error.ts';

export interface SettingsFile {
  /** Undefined when the file could not be read as YAML; then there are problems. */
  readonly content: unknown;
  readonly problems: readonly ConfigProblem[];
  /** `name:line` of a setting, or of the closest map around it that exists. */
  source(path: readonly PropertyKey[]): string;
}

/** INVARIANT: no message quotes the text, since a broken line may hold a secret. */
const YAML_PROBLEMS: Readonly<Record<string, string>> = {
  BAD_INDENT: 'consistent indentation',
  BLOCK_AS_IMPLICIT_KEY: 'one `key: value` for each line',
  DUPLICATE_KEY: 'each key once in a map',
  MISSING_CHAR: 'a closing quote or bracket, a colon or a comma',
  MULTIPLE_DOCS: 'a single YAML document',
  TAB_AS_INDENT: 'spaces for indentation, not tabs',
  TAG_RESOLVE_FAILED: 'values without `!` tags',
};

export function parseSettingsFile(name: string, text: string): SettingsFile {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false, logLevel: 'silent' });
  const at = (offset: number): string => `${name}:${Math.max(1, lineCounter.linePos(offset).line)}`;
  const problems: ConfigProblem[] = [...document.errors, ...document.warnings].map((error) => ({
    source: at(error.pos[0]),
    path: undefined,
    expected: YAML_PROBLEMS[error.code] ?? 'valid YAML',
    found: `what YAML calls ${error.code}`,
  }));
  visit(document, {
    Alias: (_, alias) => {
      if (alias.resolve(document) === undefined)
        problems.push({
          source: at(alias.range?.[0] ?? 0),
          path: undefined,
          expected: 'a value in quotes if it starts with `*`',
          found: 'a reference to an anchor that does not exist',
        });
    },
  });
  return {
    content: problems.length > 0 ? undefined : document.toJS({ maxAliasCount: 100 }),
    problems,
    source: (path) => {
      let node: Node | null = document.contents;
      let offset = 0;
      for (const step of path) {
        if (isAlias(node)) node = node.resolve(document) ?? null;
        if (isMap(node)) {
          const pair = node.items.find((item) => String(item.key) === String(step));
          if (pair === undefined) break;
          offset = (pair.key as Node).range?.[0] ?? offset;
          node = pair.value as Node | null;
        } else if (isSeq(node)) {
          node = (node.items[Number(step)] as Node | undefined) ?? null;
          offset = node?.range?.[0] ?? offset;
        } else break;
      }
      return at(offset);
    },
  };
}
