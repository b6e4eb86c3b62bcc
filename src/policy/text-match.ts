/** Matching texts against the strings of a policy, whose variables have their values in the request. */

import { compileStates } from './glob-states.ts';
import { ANY_ONE, ANY_RUN } from './glob.ts';
import {
  isConstant,
  joinPieces,
  piecesOf,
  resolveTokens,
  valueOf,
  type ContextLookup,
  type Piece,
  type Token,
} from './template.ts';

/** Does the text from the index `from` up to `to` match? */
export type TextMatcher = (text: string, from: number, to: number, context: ContextLookup) => boolean;

/**
 * Picks the cheapest way to match: most patterns are a literal, or a literal followed by `*`. Matching allocates
 * nothing, unless a variable and a `*` before it, or a variable and a `?`, stand in one pattern.
 */
export function compileTokens(tokens: readonly Token[]): TextMatcher {
  if (tokens.includes(ANY_ONE)) return compileGlob(tokens);
  const segments = segmentsOf(tokens).map(piecesOf);
  const [first = []] = segments;
  const followed = segments.length === 2 && segments[1]?.length === 0;
  if (segments.length === 1 || followed) return compileStart(first, { followed });
  const texts = segments.map(constantText);
  if (texts.every((text) => text !== undefined)) {
    return (text, from, to) => matchSegments(texts, text, from, to);
  }
  return (text, from, to, context) => {
    const resolved: string[] = [];
    for (const pieces of segments) {
      const segment = joinPieces(pieces, context);
      if (segment === undefined) return false;
      resolved.push(segment);
    }
    return matchSegments(resolved, text, from, to);
  };
}

function compileGlob(tokens: readonly Token[]): TextMatcher {
  if (isConstant(tokens)) return compileStates(tokens);
  return (text, from, to, context) => {
    if (!mayBeShort(tokens, to - from, context)) return false;
    const resolved = resolveTokens(tokens, context);
    return resolved !== undefined && compileStates(resolved)(text, from, to);
  };
}

/** May a text of this length match? A long value, as of a header, is not taken apart for nothing. */
function mayBeShort(tokens: readonly Token[], length: number, context: ContextLookup): boolean {
  let least = 0;
  for (const token of tokens) {
    if (typeof token === 'number') least += token === ANY_RUN ? 0 : 1;
    else least += valueOf(token, context)?.length ?? 0;
    if (least > length) return false;
  }
  return true;
}

/** A text that begins with the pieces; `followed` by anything, or by nothing. */
function compileStart(pieces: readonly Piece[], options: { readonly followed: boolean }): TextMatcher {
  const { followed } = options;
  const literal = constantText(pieces);
  if (literal !== undefined) {
    const { length } = literal;
    return followed
      ? (text, from, to) => to - from >= length && text.startsWith(literal, from)
      : (text, from, to) => to - from === length && text.startsWith(literal, from);
  }
  return (text, from, to, context) => {
    let at = from;
    for (const piece of pieces) {
      const value = valueOf(piece, context);
      if (value === undefined || !text.startsWith(value, at)) return false;
      at += value.length;
    }
    return followed ? at <= to : at === to;
  };
}

/**
 * The literal segments between the `*` of a pattern: the first at the beginning, the last at the end, each of the
 * others at its first place behind the one before. Two at least.
 */
function matchSegments(segments: readonly string[], text: string, from: number, to: number): boolean {
  const last = segments.length - 1;
  const head = segments[0] ?? '';
  const tail = segments[last] ?? '';
  const end = to - tail.length;
  let at = from + head.length;
  if (at > end || !text.startsWith(head, from) || !text.startsWith(tail, end)) return false;
  for (let index = 1; index < last; index += 1) {
    const segment = segments[index] ?? '';
    const found = text.indexOf(segment, at);
    if (found < 0) return false;
    at = found + segment.length;
    if (at > end) return false;
  }
  return true;
}

/** What stands before, between and behind the `*`. */
function segmentsOf(tokens: readonly Token[]): readonly (readonly Token[])[] {
  const segments: (readonly Token[])[] = [];
  let start = 0;
  for (const [index, token] of tokens.entries()) {
    if (token !== ANY_RUN) continue;
    // Of several `*` in a row one is enough.
    if (index === 0 || tokens[index - 1] !== ANY_RUN) segments.push(tokens.slice(start, index));
    start = index + 1;
  }
  return [...segments, tokens.slice(start)];
}

function constantText(pieces: readonly Piece[]): string | undefined {
  const [only = ''] = pieces;
  return pieces.length <= 1 && typeof only === 'string' ? only : undefined;
}
