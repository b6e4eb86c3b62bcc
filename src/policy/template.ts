/** Strings of a policy that may hold policy variables: `${aws:username}`, `${key, 'default'}`, `${*}`. */

import { ANY_ONE, ANY_RUN, literalTokens, matchGlob } from './glob.ts';

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
      const found = context(token.key);
      const value = found ?? token.fallback;
      if (typeof value !== 'string') return undefined;
      for (const code of literalTokens(value)) resolved.push(code);
    }
  }
  return resolved;
}

/** Picks the cheapest way to match: most patterns are a literal, or a literal followed by `*`. */
export function compileTokens(tokens: readonly Token[]): TextMatcher {
  if (!isConstant(tokens)) {
    return (text, from, to, context) => {
      const resolved = resolveTokens(tokens, context);
      return resolved !== undefined && matchGlob(resolved, text, from, to);
    };
  }
  const wildcard = tokens.findIndex((token) => token < 0);
  if (wildcard < 0) {
    const literal = textOf(tokens);
    return (text, from, to) => to - from === literal.length && text.startsWith(literal, from);
  }
  if (wildcard === tokens.length - 1 && tokens[wildcard] === ANY_RUN) {
    const prefix = textOf(tokens.slice(0, -1));
    return (text, from, to) => to - from >= prefix.length && text.startsWith(prefix, from);
  }
  return (text, from, to) => matchGlob(tokens, text, from, to);
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
export function textOf(codes: readonly number[]): string {
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
