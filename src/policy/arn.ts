/** Patterns over ARNs: six parts, each matched on its own; the sixth takes the rest, colons included. */

import { ANY_RUN } from './glob.ts';
import {
  compileTokens,
  literalText,
  parseTemplate,
  splitAtColons,
  type ContextLookup,
  type TextMatcher,
  type Token,
} from './template.ts';

export type ArnMatcher = (arn: string, context: ContextLookup) => boolean;

const PARTS = 6;

/**
 * An incomplete pattern (`arn:aws:s3`, or a lone `*`) gets `*` for what is missing.
 * Source: IAM User Guide, "IAM JSON policy elements: Resource", incomplete ARNs.
 */
export function compileArn(tokens: readonly Token[]): ArnMatcher {
  const parts = arnParts(tokens);
  const resource = compileTokens(parts[PARTS - 1] ?? []);
  const head = parts.slice(0, PARTS - 1).map(literalText);
  if (head.every((part) => part !== undefined)) {
    const prefix = `${head.join(':')}:`;
    return (arn, context) => arn.startsWith(prefix) && resource(arn, prefix.length, context);
  }
  const matchers = parts.slice(0, PARTS - 1).map(compileTokens);
  return (arn, context) => matchParts(arn, matchers, resource, context);
}

/** As an ARN; and a lone `*` is every resource. */
export function compileResource(tokens: readonly Token[]): ArnMatcher {
  return tokens.length === 1 && tokens[0] === ANY_RUN ? () => true : compileArn(tokens);
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

function matchParts(
  arn: string,
  matchers: readonly TextMatcher[],
  resource: TextMatcher,
  context: ContextLookup,
): boolean {
  let start = 0;
  for (const matcher of matchers) {
    const colon = arn.indexOf(':', start);
    if (colon < 0 || !matcher(arn.slice(start, colon), 0, context)) return false;
    start = colon + 1;
  }
  return resource(arn, start, context);
}
