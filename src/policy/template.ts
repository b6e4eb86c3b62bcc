/** Strings of a policy that may hold policy variables: `${aws:username}`, `${key, 'default'}`, `${*}`. */

import { ANY_ONE, ANY_RUN, literalTokens } from './glob.ts';

/** Lower-case condition key to value; undefined when absent. A list is a multivalued key. */
export type ContextLookup = (key: string) => string | readonly string[] | undefined;

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

/** A run of literal characters, or a variable. */
export type Piece = string | Variable;

export function piecesOf(tokens: readonly Token[]): readonly Piece[] {
  const pieces: Piece[] = [];
  for (const token of tokens) {
    const last = pieces.at(-1);
    if (typeof token !== 'number') pieces.push(token);
    else if (typeof last === 'string') pieces[pieces.length - 1] = last + String.fromCharCode(token);
    else pieces.push(String.fromCharCode(token));
  }
  return pieces;
}

/** Undefined as for `resolveTokens`. */
export function joinPieces(pieces: readonly Piece[], context: ContextLookup): string | undefined {
  let text = '';
  for (const piece of pieces) {
    const value = valueOf(piece, context);
    if (value === undefined) return undefined;
    text += value;
  }
  return text;
}

/** Undefined for a variable without a value; a multivalued key has none. */
export function valueOf(piece: Piece, context: ContextLookup): string | undefined {
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

export function isConstant(tokens: readonly Token[]): tokens is readonly number[] {
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
