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

/** Can the pattern match some text that begins with the part of `text` from the index `from` on? */
export function canMatchPrefix(pattern: readonly number[], text: string, from = 0): boolean {
  let at = from;
  for (const token of pattern) {
    // What is left of the prefix a `*` can take, with whatever the rest of the pattern still wants behind it.
    if (at >= text.length || token === ANY_RUN) return true;
    if (token === ANY_ONE) at += characterLength(text, at);
    else if (token === text.charCodeAt(at)) at += 1;
    else return false;
  }
  return at >= text.length;
}

export function literalTokens(text: string): number[] {
  return Array.from({ length: text.length }, (_, at) => text.charCodeAt(at));
}

/** The tokens of a pattern without variables. */
export function globTokens(text: string): number[] {
  return literalTokens(text).map((code) => (code === 0x2a ? ANY_RUN : code === 0x3f ? ANY_ONE : code));
}

/** A character outside the basic plane is two UTF-16 units but one character to `?`. */
function characterLength(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  if (unit < 0xd800 || unit > 0xdbff) return 1;
  const low = text.charCodeAt(at + 1);
  return low >= 0xdc00 && low <= 0xdfff ? 2 : 1;
}
