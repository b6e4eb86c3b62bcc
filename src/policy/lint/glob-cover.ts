/** Does one pattern match everything that another one matches? */
import { ANY_ONE, ANY_RUN } from '../glob.ts';

/**
 * True only if every text that `narrow` matches is matched by `wide` too, in the sense of `matchGlob`. Exact, but for
 * three cases in which it may answer false though it is so: patterns with characters outside the basic plane, long
 * patterns that differ early, and pairs that take too many steps.
 */
export function globCovers(wide: readonly number[], narrow: readonly number[]): boolean {
  let at = 0;
  // What both begin with, letter by letter, is no matter; where only `wide` has a letter, `narrow` can differ.
  while (at < wide.length && at < narrow.length && wide[at] === narrow[at] && (wide[at] ?? 0) >= 0) at += 1;
  if (at === wide.length) return at === narrow.length;
  const first = wide[at] ?? ANY_RUN;
  if (first >= 0) return false;
  if (first === ANY_RUN && at === wide.length - 1) return true;
  return restCovers(wide.slice(at), narrow.slice(at));
}

const MAX_STATES = 500;
const MAX_PRODUCT = 1600;

/** Follows both patterns character by character: whatever state `narrow` can be in, `wide` must still be alive. */
function restCovers(wide: readonly number[], narrow: readonly number[]): boolean {
  if (isSame(wide, narrow)) return true;
  // `?` takes a surrogate pair as one character: literal halves of pairs are left out of the calculation.
  if (wide.some(isSurrogate) || narrow.some(isSurrogate)) return false;
  if (wide.length * narrow.length > MAX_PRODUCT) return false;
  const alphabet = new Set(wide.filter((token) => token >= 0));
  const seen = new Set<string>();
  const queue: { readonly at: number; readonly states: readonly number[] }[] = [
    { at: 0, states: closure(wide, [0]) },
  ];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const { at, states } = next;
    const id = `${at}:${states.join()}`;
    if (seen.has(id)) continue;
    seen.add(id);
    if (seen.size > MAX_STATES) return false;
    if (at === narrow.length) {
      if (!states.includes(wide.length)) return false;
      continue;
    }
    const token = narrow[at] ?? ANY_RUN;
    if (token === ANY_RUN) queue.push({ at: at + 1, states });
    const after = token === ANY_RUN ? at : at + 1;
    for (const symbol of token >= 0 ? [token] : [...alphabet, OTHER]) {
      const reached = step(wide, states, symbol);
      // Whatever `narrow` has read, there is some text left that it matches.
      if (reached.length === 0) return false;
      queue.push({ at: after, states: reached });
    }
  }
  return true;
}

/** Any character that `wide` does not name: they are all alike to it. */
const OTHER = -3;

/** The positions in `pattern` after one more character, ascending. */
function step(pattern: readonly number[], states: readonly number[], symbol: number): readonly number[] {
  const reached: number[] = [];
  for (const state of states) {
    const token = pattern[state];
    if (token === ANY_RUN) reached.push(state);
    else if (token === ANY_ONE || token === symbol) reached.push(state + 1);
  }
  return closure(pattern, reached);
}

/** With the positions behind each `*`, which may match nothing; ascending. */
function closure(pattern: readonly number[], states: readonly number[]): readonly number[] {
  const reached = new Set<number>();
  for (const start of states) {
    let state = start;
    reached.add(state);
    while (pattern[state] === ANY_RUN) {
      state += 1;
      reached.add(state);
    }
  }
  return [...reached].toSorted((left, right) => left - right);
}

function isSame(left: readonly number[], right: readonly number[]): boolean {
  return left.length === right.length && left.every((token, at) => token === right[at]);
}

function isSurrogate(token: number): boolean {
  return token >= 0xd800 && token <= 0xdfff;
}
