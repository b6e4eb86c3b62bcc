/** Patterns over ARNs: six parts, each matched on its own; the sixth takes the rest, colons included. */

import { ANY_RUN, canMatchPrefix, matchGlob } from './glob.ts';
import {
  literalText,
  literalStart,
  parseTemplate,
  resolveTokens,
  splitAtColons,
  type ContextLookup,
  type Token,
} from './template.ts';
import { compileTokens, type TextMatcher } from './text-match.ts';

export type ArnMatcher = (arn: string, context: ContextLookup) => boolean;

const PARTS = 6;

/** A pattern, and what an index over patterns needs to know of it. */
export interface ArnPattern {
  readonly matches: ArnMatcher;
  /** How it begins, up to the first wildcard or variable: an ARN that begins otherwise does not match. */
  readonly literal: string;
  /** `matches` for an ARN that begins with `literal`; undefined if every such ARN matches. */
  readonly rest: ArnMatcher | undefined;
  /** The five parts and the rest. */
  readonly parts: readonly (readonly Token[])[];
}

/**
 * An incomplete pattern (`arn:aws:s3`, or a lone `*`) gets `*` for what is missing.
 * Source: IAM User Guide, "IAM JSON policy elements: Resource", incomplete ARNs.
 */
export function compileArn(tokens: readonly Token[]): ArnPattern {
  const parts = arnParts(tokens);
  const resource = parts[PARTS - 1] ?? [];
  const head = parts.slice(0, PARTS - 1).map(literalText);
  if (!head.every((part) => part !== undefined)) {
    const matches = partsMatcher(parts.map(compileTokens));
    return { matches, literal: literalStart(tokens), rest: matches, parts };
  }
  const start = literalStart(resource);
  const literal = `${head.join(':')}:${start}`;
  const tail = resource.slice(start.length);
  const covers = tail.length > 0 && tail.every((token) => token === ANY_RUN);
  const matchesTail = compileTokens(tail);
  const rest: ArnMatcher = (arn, context) => matchesTail(arn, literal.length, arn.length, context);
  return covers
    ? { matches: (arn) => arn.startsWith(literal), literal, rest: undefined, parts }
    : { matches: (arn, context) => arn.startsWith(literal) && rest(arn, context), literal, rest, parts };
}

/** As an ARN; and a lone `*` is every resource. */
export function compileResource(tokens: readonly Token[]): ArnPattern {
  if (tokens.length !== 1 || tokens[0] !== ANY_RUN) return compileArn(tokens);
  return { matches: () => true, literal: '', rest: undefined, parts: arnParts(tokens) };
}

/**
 * Can the pattern match some ARN that begins with `start`, or (`every`) does it match every one?
 * @param start has all six parts, the last one unfinished.
 */
export function matchesBelow(
  pattern: ArnPattern,
  start: string,
  context: ContextLookup,
): 'none' | 'some' | 'every' {
  if (pattern.literal.length >= start.length) {
    // What is longer can only be reached; `start` itself lies outside of it.
    if (!pattern.literal.startsWith(start)) return 'none';
    if (pattern.literal.length > start.length) return 'some';
  } else if (!start.startsWith(pattern.literal)) {
    return 'none';
  }
  if (pattern.rest === undefined) return 'every';
  let from = 0;
  for (const part of pattern.parts.slice(0, PARTS - 1)) {
    const resolved = resolveTokens(part, context);
    const colon = start.indexOf(':', from);
    if (resolved === undefined || colon < 0 || !matchGlob(resolved, start, from, colon)) return 'none';
    from = colon + 1;
  }
  const resolved = resolveTokens(pattern.parts[PARTS - 1] ?? [], context);
  if (resolved === undefined || !canMatchPrefix(resolved, start, from)) return 'none';
  // A last `*` takes whatever follows; without one, something that follows does not match.
  const isOpen = pattern.parts[PARTS - 1]?.at(-1) === ANY_RUN;
  return isOpen && pattern.matches(start, context) ? 'every' : 'some';
}

/** The five parts and the rest, each as tokens. */
export function arnParts(tokens: readonly Token[]): (readonly Token[])[] {
  const parts = splitAtColons(tokens, PARTS);
  while (parts.length < PARTS) parts.push([ANY_RUN]);
  return parts;
}

/** Undefined if it may stand for a resource, else what is wrong with it. */
export function checkArnPattern(text: string, options: { readonly variables: boolean }): string | undefined {
  const parsed = parseTemplate(text, { variables: options.variables, wildcards: true });
  if ('invalid' in parsed) return parsed.invalid;
  const [scheme, partition] = splitAtColons(parsed.tokens, PARTS);
  if (partition === undefined) {
    return text === '*' ? undefined : `\`${text}\` is neither an ARN nor \`*\``;
  }
  return literalText(scheme ?? []) === 'arn' ? undefined : `\`${text}\` does not begin with \`arn:\``;
}

function partsMatcher(matchers: readonly TextMatcher[]): ArnMatcher {
  return (arn, context) => {
    let from = 0;
    for (let part = 0; part < PARTS; part += 1) {
      const to = part === PARTS - 1 ? arn.length : arn.indexOf(':', from);
      if (to < 0 || matchers[part]?.(arn, from, to, context) !== true) return false;
      from = to + 1;
    }
    return true;
  };
}
