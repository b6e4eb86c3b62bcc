/** The condition operators: what each does with one value of the request and the values of the policy. */

import { compileArn } from './arn.ts';
import { compileIpRanges, parseIpRange } from './ip.ts';
import { compileDecimal, parseDate, parseDecimal } from './scalar.ts';
import { literalText, parseTemplate, resolveText, type ContextLookup } from './template.ts';
import { compileTokens } from './text-match.ts';

/** Does one value of the request match one value of the policy? */
export type ValueTest = (value: string, context: ContextLookup) => boolean;

type CompiledValue = ValueTest | { readonly invalid: string };

interface Operator {
  /** As AWS writes it. */
  readonly name: string;
  /** True of a request value that none of the policy's values match. */
  readonly negated: boolean;
  readonly family: 'String' | 'Numeric' | 'Date' | 'Bool' | 'Binary' | 'Ip' | 'Arn' | 'Null';
  /** `variables`: whether `${...}` has its meaning in this document. */
  readonly compile: (text: string, options: { readonly variables: boolean }) => CompiledValue;
  /** What does the same as several that `compile` has made, in one; undefined if there is nothing better. */
  readonly compileAny?: (texts: readonly string[]) => ValueTest | undefined;
}

/** An operator as a policy uses it: `ForAnyValue:StringLikeIfExists`. */
export interface OperatorUse {
  readonly operator: Operator;
  readonly quantifier: 'all' | 'any' | undefined;
  readonly ifExists: boolean;
}

/** Undefined for a name that is no operator. Case does not matter. */
export function parseOperator(text: string): OperatorUse | undefined {
  const match = /^(?:(forallvalues|foranyvalue):)?([a-z]+?)(ifexists)?$/.exec(text.toLowerCase());
  const operator = OPERATORS.get(match?.[2] ?? '');
  if (match === null || operator === undefined) return undefined;
  const quantifier =
    match[1] === undefined ? undefined : match[1] === 'forallvalues' ? ('all' as const) : ('any' as const);
  const ifExists = match[3] !== undefined;
  if (operator.family === 'Null' && ifExists) return undefined;
  return { operator, quantifier, ifExists };
}

const isEqual = (order: number): boolean => order === 0;
const isLess = (order: number): boolean => order < 0;
const isLessOrEqual = (order: number): boolean => order <= 0;
const isGreater = (order: number): boolean => order > 0;
const isGreaterOrEqual = (order: number): boolean => order >= 0;

const ALL: readonly Operator[] = [
  { name: 'StringEquals', family: 'String', negated: false, compile: equals },
  { name: 'StringNotEquals', family: 'String', negated: true, compile: equals },
  { name: 'StringEqualsIgnoreCase', family: 'String', negated: false, compile: equalsIgnoringCase },
  { name: 'StringNotEqualsIgnoreCase', family: 'String', negated: true, compile: equalsIgnoringCase },
  { name: 'StringLike', family: 'String', negated: false, compile: like },
  { name: 'StringNotLike', family: 'String', negated: true, compile: like },
  { name: 'NumericEquals', family: 'Numeric', negated: false, compile: numeric(isEqual) },
  { name: 'NumericNotEquals', family: 'Numeric', negated: true, compile: numeric(isEqual) },
  { name: 'NumericLessThan', family: 'Numeric', negated: false, compile: numeric(isLess) },
  { name: 'NumericLessThanEquals', family: 'Numeric', negated: false, compile: numeric(isLessOrEqual) },
  { name: 'NumericGreaterThan', family: 'Numeric', negated: false, compile: numeric(isGreater) },
  { name: 'NumericGreaterThanEquals', family: 'Numeric', negated: false, compile: numeric(isGreaterOrEqual) },
  { name: 'DateEquals', family: 'Date', negated: false, compile: date(isEqual) },
  { name: 'DateNotEquals', family: 'Date', negated: true, compile: date(isEqual) },
  { name: 'DateLessThan', family: 'Date', negated: false, compile: date(isLess) },
  { name: 'DateLessThanEquals', family: 'Date', negated: false, compile: date(isLessOrEqual) },
  { name: 'DateGreaterThan', family: 'Date', negated: false, compile: date(isGreater) },
  { name: 'DateGreaterThanEquals', family: 'Date', negated: false, compile: date(isGreaterOrEqual) },
  { name: 'Bool', family: 'Bool', negated: false, compile: bool },
  { name: 'BinaryEquals', family: 'Binary', negated: false, compile: binary },
  { name: 'IpAddress', family: 'Ip', negated: false, compile: ip, compileAny: anyIp },
  { name: 'NotIpAddress', family: 'Ip', negated: true, compile: ip, compileAny: anyIp },
  { name: 'ArnEquals', family: 'Arn', negated: false, compile: arn },
  { name: 'ArnNotEquals', family: 'Arn', negated: true, compile: arn },
  { name: 'ArnLike', family: 'Arn', negated: false, compile: arn },
  { name: 'ArnNotLike', family: 'Arn', negated: true, compile: arn },
  { name: 'Null', family: 'Null', negated: false, compile: bool },
];

const OPERATORS: ReadonlyMap<string, Operator> = new Map(
  ALL.map((operator) => [operator.name.toLowerCase(), operator]),
);

function equals(text: string, options: { readonly variables: boolean }): CompiledValue {
  const parsed = parseTemplate(text, { ...options, wildcards: false });
  if ('invalid' in parsed) return parsed;
  const matcher = compileTokens(parsed.tokens);
  return (value, context) => matcher(value, 0, value.length, context);
}

function equalsIgnoringCase(text: string, options: { readonly variables: boolean }): CompiledValue {
  const parsed = parseTemplate(text, { ...options, wildcards: false });
  if ('invalid' in parsed) return parsed;
  const { tokens } = parsed;
  const literal = literalText(tokens)?.toLowerCase();
  if (literal !== undefined) return (value) => foldsTo(value, literal);
  return (value, context) => {
    const resolved = resolveText(tokens, context);
    return resolved !== undefined && foldsTo(value, resolved.toLowerCase());
  };
}

/** `value.toLowerCase() === folded`, without making that string where there are ASCII characters alone. */
function foldsTo(value: string, folded: string): boolean {
  for (let at = 0; at < value.length; at += 1) {
    const code = value.charCodeAt(at);
    if (code > 0x7f) return value.toLowerCase() === folded;
    const isUpper = code >= 0x41 && code <= 0x5a;
    if ((isUpper ? code + 0x20 : code) !== folded.charCodeAt(at)) return false;
  }
  return value.length === folded.length;
}

function like(text: string, options: { readonly variables: boolean }): CompiledValue {
  const parsed = parseTemplate(text, { ...options, wildcards: true });
  if ('invalid' in parsed) return parsed;
  const matcher = compileTokens(parsed.tokens);
  return (value, context) => matcher(value, 0, value.length, context);
}

function arn(text: string, options: { readonly variables: boolean }): CompiledValue {
  const parsed = parseTemplate(text, { ...options, wildcards: true });
  if ('invalid' in parsed) return parsed;
  // INVARIANT: a value that is no ARN (fewer than six parts) matches no pattern, not even `*`.
  return compileArn(parsed.tokens).matches;
}

function numeric(accepts: (order: number) => boolean): Operator['compile'] {
  return (text) => {
    const expected = parseDecimal(text);
    if (expected === undefined) return { invalid: `\`${text}\` is not a number` };
    const compare = compileDecimal(expected);
    return (value) => {
      const order = compare(value);
      return order !== undefined && accepts(order);
    };
  };
}

function date(accepts: (order: number) => boolean): Operator['compile'] {
  return (text) => {
    const expected = parseDate(text);
    if (expected === undefined) {
      return {
        invalid: `\`${text}\` is neither a date like \`2026-01-31T12:00:00Z\` nor seconds since 1970`,
      };
    }
    return (value) => {
      const actual = parseDate(value);
      return actual !== undefined && accepts(actual - expected);
    };
  };
}

function bool(text: string): CompiledValue {
  const expected = text.toLowerCase();
  if (expected !== 'true' && expected !== 'false') {
    return { invalid: `\`${text}\` is neither \`true\` nor \`false\`` };
  }
  return (value) => foldsTo(value, expected);
}

function binary(text: string): CompiledValue {
  const expected = Buffer.from(text, 'base64');
  if (withoutPadding(expected.toString('base64')) !== withoutPadding(text)) {
    return { invalid: `\`${text}\` is not base64` };
  }
  return (value) => expected.equals(Buffer.from(value, 'utf8'));
}

/** Bounded: tried at each sign, a text of nothing else would take seconds. */
function withoutPadding(base64: string): string {
  return base64.replace(/={1,2}$/, '');
}

function ip(text: string): CompiledValue {
  const range = parseIpRange(text);
  if (range === undefined) {
    return { invalid: `\`${text}\` is neither an IP address nor a range like \`203.0.113.0/24\`` };
  }
  return compileIpRanges([range]);
}

/** The address of the request is read once for all ranges. */
function anyIp(texts: readonly string[]): ValueTest | undefined {
  const ranges = texts.map(parseIpRange);
  return ranges.every((range) => range !== undefined) ? compileIpRanges(ranges) : undefined;
}
