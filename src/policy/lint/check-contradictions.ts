/** Conditions that no request can satisfy. */
import { compileCondition } from '../condition.ts';
import type { LocatedCondition, Statement } from '../document.ts';
import { ipInRange, parseIpRange, type IpRange } from '../ip.ts';
import { compareDecimals, parseDate, parseDecimal, type Decimal } from '../scalar.ts';
import type { Draft } from './finding.ts';
import type { LintSubject, StatementFacts } from './facts.ts';
import { keyType } from './key-types.ts';

export function checkContradictions({ statement }: StatementFacts, subject: LintSubject): readonly Draft[] {
  const byKey = Map.groupBy(statement.conditions, ({ key }) => key.toLowerCase());
  return [...byKey.values()].flatMap((conditions) => {
    const reason =
      absentAndPresent(conditions) ??
      noCandidate(conditions, subject) ??
      outOfBounds(conditions) ??
      excludedNetworks(conditions);
    if (reason !== undefined) return [impossible(conditions, statement, reason)];
    return conditions.flatMap((condition) =>
      impossibleAddresses(condition).map((text) =>
        impossible([condition], statement, `no client has the address \`${text}\``),
      ),
    );
  });
}

function impossible(conditions: readonly LocatedCondition[], { effect }: Statement, reason: string): Draft {
  const names = conditions.map(({ name }) => `\`${name}\``).join(' and ');
  return {
    rule: 'impossible-condition',
    position: conditions.at(-1)?.position ?? { line: 1, column: 1 },
    message: `${names} on \`${conditions[0]?.key ?? ''}\`: ${reason}; the ${effect} does not apply`,
    fix:
      conditions.length > 1
        ? 'all conditions of a statement must hold: put alternatives into one list of values, or into two statements'
        : 'correct the value',
  };
}

/** Does the condition fail when the key is absent? */
function needsKey({ use }: LocatedCondition): boolean {
  if (use.operator.family === 'Null' || use.ifExists || use.quantifier === 'all') return false;
  return use.quantifier === 'any' || !use.operator.negated;
}

function absentAndPresent(conditions: readonly LocatedCondition[]): string | undefined {
  const isAbsent = conditions.some(
    ({ use, values }) =>
      use.operator.family === 'Null' &&
      use.quantifier === undefined &&
      values.length > 0 &&
      values.every((value) => value.toLowerCase() === 'true'),
  );
  return isAbsent && conditions.some(needsKey) ? 'the key must be absent, and have a value' : undefined;
}

/** The conditions on the one value of the key, if one of them needs it to be there. */
function onOneValue(conditions: readonly LocatedCondition[]): readonly LocatedCondition[] {
  const plain = conditions.filter(
    ({ use }) => use.quantifier === undefined && use.operator.family !== 'Null',
  );
  return plain.some(needsKey) ? plain : [];
}

/** Where the value must be one of a few: does any of them satisfy all? The engine's own conditions are asked. */
function noCandidate(all: readonly LocatedCondition[], { variables }: LintSubject): string | undefined {
  const conditions = onOneValue(all);
  const [first] = conditions;
  if (first === undefined || conditions.length < 2) return undefined;
  const isOpen = ({ values }: LocatedCondition): boolean =>
    variables && values.some((value) => value.includes('${'));
  const exact = conditions.find((each) => needsKey(each) && isExact(each, conditions) && !isOpen(each));
  const isBool =
    keyType(first.key)?.kind === 'Bool' &&
    conditions.every(({ use }) => use.operator.family === 'Bool' || use.operator.family === 'String');
  if (exact === undefined && !isBool) return undefined;
  const candidates = isBool ? ['true', 'false'] : (exact?.values ?? []);
  const tests = conditions
    .filter((each) => !isOpen(each))
    .map((condition) => compileCondition(condition, { variables }));
  const someHolds = candidates.some((candidate) => tests.every((holds) => holds(() => candidate)));
  return someHolds ? undefined : 'no value satisfies all of them';
}

/** Are the values of the condition all that the key can be? */
function isExact({ use }: LocatedCondition, conditions: readonly LocatedCondition[]): boolean {
  const { name, family } = use.operator;
  if (name === 'StringEquals') return true;
  // `1` and `1.0` are one number and two texts.
  return (
    (name === 'NumericEquals' || name === 'DateEquals') &&
    conditions.every((each) => each.use.operator.family === family)
  );
}

interface Bound {
  readonly value: Decimal;
  /** The value itself is outside. */
  readonly strict: boolean;
}

function outOfBounds(all: readonly LocatedCondition[]): string | undefined {
  const conditions = onOneValue(all);
  const [first] = conditions;
  if (first === undefined || !conditions.every(({ use }) => /^(?:Numeric|Date)$/.test(use.operator.family)))
    return undefined;
  if (new Set(conditions.map(({ use }) => use.operator.family)).size > 1) return undefined;
  const type = keyType(first.key);
  const lower = [...limits(conditions, /GreaterThan|(?<!Not)Equals$/, 'least'), ...inclusive(type?.min)];
  const upper = [...limits(conditions, /LessThan|(?<!Not)Equals$/, 'greatest'), ...inclusive(type?.max)];
  const isEmpty = lower.some((low) =>
    upper.some((high) => {
      const order = compareDecimals(low.value, high.value);
      return order > 0 || (order === 0 && (low.strict || high.strict));
    }),
  );
  if (!isEmpty) return undefined;
  return conditions.length > 1 ? 'no value satisfies all of them' : 'no request has such a value';
}

function inclusive(text: string | undefined): readonly Bound[] {
  const value = text === undefined ? undefined : parseDecimal(text);
  return value === undefined ? [] : [{ value, strict: false }];
}

/** One for each condition: of its values, one of which has to match, the most lenient. */
function limits(
  conditions: readonly LocatedCondition[],
  operators: RegExp,
  lenient: 'least' | 'greatest',
): readonly Bound[] {
  return conditions.flatMap(({ use, values }) => {
    const { name, family } = use.operator;
    const isEquals = /(?:Numeric|Date)Equals$/.test(name);
    if (!operators.test(name) || (!isEquals && !(lenient === 'least' ? /Greater/ : /Less/).test(name)))
      return [];
    const sorted = values
      .flatMap((value) => asDecimal(value, family) ?? [])
      .toSorted((left, right) => compareDecimals(left, right));
    const value = lenient === 'least' ? sorted[0] : sorted.at(-1);
    return value === undefined ? [] : [{ value, strict: name.endsWith('Than') }];
  });
}

function asDecimal(text: string, family: string): Decimal | undefined {
  if (family === 'Numeric') return parseDecimal(text);
  const time = parseDate(text);
  return time === undefined ? undefined : { units: BigInt(Math.round(time)), scale: 0 };
}

/** Every network that is let in is also kept out. */
function excludedNetworks(all: readonly LocatedCondition[]): string | undefined {
  const conditions = onOneValue(all);
  const excluded = conditions.filter(({ use }) => use.operator.name === 'NotIpAddress').flatMap(ranges);
  const isEmpty = conditions
    .filter((each) => each.use.operator.name === 'IpAddress' && needsKey(each))
    .some((each) => ranges(each).every((range) => excluded.some((outer) => contains(outer, range))));
  return isEmpty ? 'every address that is named is excluded' : undefined;
}

function ranges({ values }: LocatedCondition): readonly IpRange[] {
  return values.flatMap((value) => parseIpRange(value) ?? []);
}

function contains(outer: IpRange, inner: IpRange): boolean {
  return inner.prefix >= outer.prefix && ipInRange(inner, outer);
}

/** This host, loopback excepted, multicast and broadcast: none of them is the source of a connection. */
const NO_SOURCES = ['0.0.0.0/8', '224.0.0.0/4', '255.255.255.255', '::/128', 'ff00::/8'].flatMap(
  (text) => parseIpRange(text) ?? [],
);

function impossibleAddresses({ use, values }: LocatedCondition): readonly string[] {
  if (use.operator.name !== 'IpAddress') return [];
  return values.filter((value) => {
    const range = parseIpRange(value);
    return range !== undefined && NO_SOURCES.some((none) => contains(none, range));
  });
}
