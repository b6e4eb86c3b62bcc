/**
 * The reference evaluator's text matching: policy variables, wildcards, ARNs. Written from the documentation alone,
 * for plainness and not for speed; it shares no code with src/policy.
 */

/** What the request says of a condition key: undefined is absent, a list is a multivalued key. */
export type ContextValue = string | readonly string[] | undefined;

/** By lower-case condition key. */
export type Context = ReadonlyMap<string, ContextValue>;

/** A wildcard of the policy's author, or one character; a `written` character stands in the policy itself. */
type Sign =
  | { readonly wildcard: '*' | '?' }
  | { readonly wildcard: undefined; readonly char: string; readonly written: boolean };

export interface TextOptions {
  /** Version 2012-10-17: `${...}` is a variable. */
  readonly variables: boolean;
  readonly context: Context;
}

/** `*` and `?` over the whole text; a pattern with a variable that has no value matches nothing. */
export function textMatches(pattern: string, text: string, options: TextOptions): boolean {
  const signs = readSigns(pattern, options);
  return signs !== undefined && globMatches(signs, characters(text));
}

/** The text that a pattern without wildcards stands for; undefined if a variable has no value. */
export function plainText(pattern: string, options: TextOptions): string | undefined {
  const signs = readSigns(pattern, options);
  return signs?.map((sign) => (sign.wildcard === undefined ? sign.char : sign.wildcard)).join('');
}

/** Each of the six parts on its own; the sixth takes the rest. Missing parts of the pattern are `*`. */
export function arnMatches(pattern: string, arn: string, options: TextOptions): boolean {
  const signs = readSigns(pattern, options);
  if (signs === undefined) return false;
  const wanted: Sign[][] = [[]];
  for (const sign of signs) {
    const isSeparator = sign.wildcard === undefined && sign.char === ':' && sign.written;
    if (isSeparator && wanted.length < 6) wanted.push([]);
    else wanted.at(-1)?.push(sign);
  }
  while (wanted.length < 6) wanted.push([{ wildcard: '*' }]);
  const actual = arn.split(':');
  if (actual.length < 6) return false;
  const parts = [...actual.slice(0, 5), actual.slice(5).join(':')];
  return wanted.every((part, index) => globMatches(part, characters(parts[index] ?? '')));
}

/** `*` and `?` without variables, over text in which case does not count. */
export function actionMatches(pattern: string, action: string): boolean {
  const options: TextOptions = { variables: false, context: new Map() };
  return textMatches(pattern.toLowerCase(), action.toLowerCase(), options);
}

function characters(text: string): string[] {
  return Array.from(text);
}

/** Undefined if a variable has no single value. */
function readSigns(pattern: string, { variables, context }: TextOptions): Sign[] | undefined {
  const signs: Sign[] = [];
  let rest = pattern;
  while (rest !== '') {
    const variable = variables ? /^\$\{([^}]*)\}/.exec(rest) : null;
    if (variable !== null) {
      const value = variableValue(variable[1] ?? '', context);
      if (value === undefined) return undefined;
      for (const char of characters(value)) signs.push({ wildcard: undefined, char, written: false });
      rest = rest.slice(variable[0].length);
      continue;
    }
    const char = characters(rest)[0] ?? '';
    signs.push(
      char === '*' || char === '?' ? { wildcard: char } : { wildcard: undefined, char, written: true },
    );
    rest = rest.slice(char.length);
  }
  return signs;
}

/** Source: IAM User Guide, "IAM policy elements: Variables and tags": `key`, `key, 'default'`, `*`, `?`, `$`. */
function variableValue(inside: string, context: Context): string | undefined {
  if (inside === '*' || inside === '?' || inside === '$') return inside;
  const withDefault = /^([^,]*?)\s*,\s*'(.*)'\s*$/s.exec(inside);
  const key = (withDefault === null ? inside : (withDefault[1] ?? '')).trim().toLowerCase();
  const value = context.get(key);
  if (typeof value === 'string') return value;
  return value === undefined ? withDefault?.[2] : undefined;
}

/** Naive recursion; what was decided for a pair of positions is kept, so that it ends. */
function globMatches(signs: readonly Sign[], text: readonly string[]): boolean {
  const known: boolean[] = [];
  const matchesFrom = (signIndex: number, textIndex: number): boolean => {
    const place = signIndex * (text.length + 1) + textIndex;
    return (known[place] ??= decideFrom(signIndex, textIndex));
  };
  const decideFrom = (signIndex: number, textIndex: number): boolean => {
    const sign = signs[signIndex];
    if (sign === undefined) return textIndex === text.length;
    if (sign.wildcard === '*') {
      if (matchesFrom(signIndex + 1, textIndex)) return true;
      return textIndex < text.length && matchesFrom(signIndex, textIndex + 1);
    }
    if (textIndex === text.length) return false;
    if (sign.wildcard === undefined && sign.char !== text[textIndex]) return false;
    return matchesFrom(signIndex + 1, textIndex + 1);
  };
  return matchesFrom(0, 0);
}
