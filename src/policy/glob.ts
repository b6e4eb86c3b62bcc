/**
 * Patterns with `*` (any run of characters) and `?` (one character), matched by two pointers: no RegExp, since `.`
 * does not match every character of a key, and no exponential backtracking.
 *
 * A pattern is a list of tokens: UTF-16 code units, the two wildcards, and (in templates) policy variables.
 */

export const ANY_RUN = -1;
export const ANY_ONE = -2;

/** Does `text`, from the index `from` up to `to`, match the whole pattern? Cost: at most pattern x text. */
export function matchGlob(pattern: readonly number[], text: string, from = 0, to = text.length): boolean {
  let position = 0;
  let at = from;
  let retryPattern = -1;
  let retryAt = 0;
  while (at < to) {
    const token = position < pattern.length ? pattern[position] : undefined;
    if (token === ANY_RUN) {
      position += 1;
      retryPattern = position;
      retryAt = at;
    } else if (token === ANY_ONE) {
      position += 1;
      at += characterLength(text, at);
    } else if (token === text.charCodeAt(at)) {
      position += 1;
      at += 1;
    } else if (retryPattern >= 0) {
      // The last `*` takes one character more; an earlier `*` never has to, since its match is already the shortest.
      retryAt += 1;
      position = retryPattern;
      at = retryAt;
    } else {
      return false;
    }
  }
  while (pattern[position] === ANY_RUN) position += 1;
  return position === pattern.length;
}

/** Can the pattern match some text that begins with `prefix`? */
export function canMatchPrefix(pattern: readonly number[], prefix: string): boolean {
  let states = closure(pattern, [0]);
  /** Reached one unit later, behind a character of two. */
  let later: number[] = [];
  for (let at = 0; at < prefix.length; at += 1) {
    const code = prefix.charCodeAt(at);
    const next = later;
    later = [];
    for (const state of states) {
      const token = pattern[state];
      if (token === ANY_RUN) next.push(state);
      else if (token === ANY_ONE) (characterLength(prefix, at) === 1 ? next : later).push(state + 1);
      else if (token === code) next.push(state + 1);
    }
    states = closure(pattern, next);
    if (states.size === 0 && later.length === 0) return false;
  }
  return true;
}

export function literalTokens(text: string): number[] {
  return Array.from({ length: text.length }, (_, at) => text.charCodeAt(at));
}

/** The tokens of a pattern without variables. */
export function globTokens(text: string): number[] {
  return literalTokens(text).map((code) => (code === 0x2a ? ANY_RUN : code === 0x3f ? ANY_ONE : code));
}

/** States reachable without taking a character: a `*` may match nothing. */
function closure(pattern: readonly number[], states: readonly number[]): Set<number> {
  const reached = new Set<number>();
  for (const start of states) {
    let state = start;
    reached.add(state);
    while (pattern[state] === ANY_RUN) {
      state += 1;
      reached.add(state);
    }
  }
  return reached;
}

/** A character outside the basic plane is two UTF-16 units but one character to `?`. */
function characterLength(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  if (unit < 0xd800 || unit > 0xdbff) return 1;
  const low = text.charCodeAt(at + 1);
  return low >= 0xdc00 && low <= 0xdfff ? 2 : 1;
}
