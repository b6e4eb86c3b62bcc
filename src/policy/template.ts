/** Strings of a policy that may hold policy variables: `${aws:username}`, `${key, 'default'}`, `${*}`. */

import { compileStates } from './glob-states.ts';
import { ANY_ONE, ANY_RUN, literalTokens } from './glob.ts';

/** Lower-case condition key to value; undefined when absent. A list is a multivalued key. */
export type ContextLookup = (key: string) => string | readonly string[] | undefined;

/** Does the text from the index `from` up to `to` match? */
export type TextMatcher = (text: string, from: number, to: number, context: ContextLookup) => boolean;

interface Variable {
  /** Lower-case condition key. */
  readonly key: string;
  readonly fallback: string | undefined;
}

export type Token = number | Variable;

/** How the strings of one element are read. */
export interface TemplateSyntax {
  /** Version 2012-10-17; in 2008-10-17 `${...}` is literal text. */
  readonly variables: boolean;
  /** `*` and `?` are wildcards. */
  readonly wildcards: boolean;
}

export type ParsedTemplate = { readonly tokens: readonly Token[] } | { readonly invalid: string };

const COLON = 0x3a;

export function parseTemplate(text: string, syntax: TemplateSyntax): ParsedTemplate {
  const tokens: Token[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (syntax.variables && text.startsWith('${', at)) {
      const end = variableEnd(text, at + 2);
      if (end < 0) return { invalid: `\`${text.slice(at)}\` has no closing brace` };
      const inner = text.slice(at + 2, end);
      const token = parseVariable(inner);
      if (token === undefined) return { invalid: `\`\${${inner}}\` is not a policy variable` };
      tokens.push(token);
      at = end;
    } else if (syntax.wildcards && (code === 0x2a || code === 0x3f)) {
      tokens.push(code === 0x2a ? ANY_RUN : ANY_ONE);
    } else {
      tokens.push(code);
    }
  }
  return { tokens };
}

/**
 * The tokens with each variable replaced by its value, whose characters are all literal: a `*` in a user name stays
 * a `*`. Undefined when a variable has no value and no default; a multivalued key has no value here.
 */
export function resolveTokens(tokens: readonly Token[], context: ContextLookup): number[] | undefined {
  const resolved: number[] = [];
  for (const token of tokens) {
    if (typeof token === 'number') {
      resolved.push(token);
    } else {
      const value = valueOf(token, context);
      if (value === undefined) return undefined;
      for (const code of literalTokens(value)) resolved.push(code);
    }
  }
  return resolved;
}

/** The text with each variable replaced, of tokens without wildcards; undefined as for `resolveTokens`. */
export function resolveText(tokens: readonly Token[], context: ContextLookup): string | undefined {
  return joinPieces(piecesOf(tokens), context);
}

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
    const resolved = resolveTokens(tokens, context);
    return resolved !== undefined && compileStates(resolved)(text, from, to);
  };
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

/** A run of literal characters, or a variable. */
type Piece = string | Variable;

function piecesOf(tokens: readonly Token[]): readonly Piece[] {
  const pieces: Piece[] = [];
  for (const token of tokens) {
    const last = pieces.at(-1);
    if (typeof token !== 'number') pieces.push(token);
    else if (typeof last === 'string') pieces[pieces.length - 1] = last + String.fromCharCode(token);
    else pieces.push(String.fromCharCode(token));
  }
  return pieces;
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

function joinPieces(pieces: readonly Piece[], context: ContextLookup): string | undefined {
  let text = '';
  for (const piece of pieces) {
    const value = valueOf(piece, context);
    if (value === undefined) return undefined;
    text += value;
  }
  return text;
}

/** Undefined for a variable without a value; a multivalued key has none. */
function valueOf(piece: Piece, context: ContextLookup): string | undefined {
  if (typeof piece === 'string') return piece;
  const value = context(piece.key) ?? piece.fallback;
  return typeof value === 'string' ? value : undefined;
}

/** The text before the first wildcard or variable. */
export function literalStart(tokens: readonly Token[]): string {
  const end = tokens.findIndex((token) => typeof token !== 'number' || token < 0);
  return literalText(end < 0 ? tokens : tokens.slice(0, end)) ?? '';
}

/** The tokens as plain text, if there is neither a wildcard nor a variable in them. */
export function literalText(tokens: readonly Token[]): string | undefined {
  return isConstant(tokens) && tokens.every((token) => token >= 0) ? textOf(tokens) : undefined;
}

/** The text of literal tokens. */
function textOf(codes: readonly number[]): string {
  return codes.map((code) => String.fromCharCode(code)).join('');
}

/**
 * Cuts at the first `count - 1` literal colons; a colon inside a variable, or later in its value, does not cut.
 * Fewer parts come back when there are fewer colons.
 */
export function splitAtColons(tokens: readonly Token[], count: number): (readonly Token[])[] {
  const parts: (readonly Token[])[] = [];
  let start = 0;
  while (parts.length < count - 1) {
    const colon = tokens.indexOf(COLON, start);
    if (colon < 0) break;
    parts.push(tokens.slice(start, colon));
    start = colon + 1;
  }
  parts.push(tokens.slice(start));
  return parts;
}

function isConstant(tokens: readonly Token[]): tokens is readonly number[] {
  return tokens.every((token) => typeof token === 'number');
}

/** The index of the closing brace; a brace inside a quoted default does not close. */
function variableEnd(text: string, start: number): number {
  let quoted = false;
  for (let at = start; at < text.length; at += 1) {
    const character = text[at];
    if (character === "'") quoted = !quoted;
    else if (character === '}' && !quoted) return at;
  }
  return text.indexOf('}', start);
}

const VARIABLE = /^\s*([^\s,'{}$]+(?: [^\s,'{}$]+)*)\s*(?:,\s*'([^']*)'\s*)?$/;

function parseVariable(inner: string): Token | undefined {
  if (inner === '*' || inner === '?' || inner === '$') return inner.charCodeAt(0);
  const match = VARIABLE.exec(inner);
  const key = match?.[1];
  return key === undefined ? undefined : { key: key.toLowerCase(), fallback: match?.[2] };
}
