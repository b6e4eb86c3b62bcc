/** Are the values of conditions such as requests have? */
import type { LocatedCondition } from '../document.ts';
import { compareDecimals, parseDecimal } from '../scalar.ts';
import type { Draft } from './finding.ts';
import type { LintSubject, StatementFacts } from './facts.ts';
import { keyType, type KeyType } from './key-types.ts';

export function checkConditionValues({ statement }: StatementFacts, subject: LintSubject): readonly Draft[] {
  return statement.conditions.flatMap((condition) => [
    ...valueCase(condition, subject),
    ...literalWildcard(condition, subject),
    ...valueUnit(condition),
  ]);
}

/** A value that differs from the one that requests have in its case alone. */
function valueCase(condition: LocatedCondition, { variables }: LintSubject): readonly Draft[] {
  const { key, name, use, values, position } = condition;
  const known = valuesOf(keyType(key));
  if (use.operator.family !== 'String' || use.operator.name.endsWith('IgnoreCase')) return [];
  return values.flatMap((value) => {
    if (known.includes(value) || (variables && value.includes('${'))) return [];
    const meant = known.find((each) => each.toLowerCase() === value.toLowerCase());
    if (meant === undefined) return [];
    const isBool = keyType(key)?.kind === 'Bool';
    return [
      {
        rule: 'value-case',
        position,
        message: `\`${name}\` compares with the case, and \`${key}\` is \`${meant}\` in requests, never \`${value}\``,
        fix: isBool ? `write \`"Bool": {"${key}": "${meant}"}\`` : `write \`${meant}\``,
      },
    ];
  });
}

function valuesOf(type: KeyType | undefined): readonly string[] {
  return type?.kind === 'Bool' ? ['true', 'false'] : (type?.values ?? []);
}

/** Of these `*` is a value: any version there is, and any text. */
const WITH_STARS = new Set(['s3:if-match', 's3:if-none-match', 's3:x-amz-object-if-match', 's3:delimiter']);

function literalWildcard(
  { key, name, use, values, position }: LocatedCondition,
  { variables }: LintSubject,
): readonly Draft[] {
  const { operator } = use;
  if (!/^String(?:Not)?Equals/.test(operator.name) || WITH_STARS.has(key.toLowerCase())) return [];
  const wild = values.find((value) =>
    (variables ? value.replaceAll(/\$\{[^}]*\}/g, '') : value).includes('*'),
  );
  if (wild === undefined) return [];
  return [
    {
      rule: 'literal-wildcard',
      position,
      message: `\`${name}\` takes the \`*\` of \`${wild}\` on \`${key}\` as it is written`,
      fix: operator.name.endsWith('IgnoreCase')
        ? 'name the values, or write a `Like` operator, which compares with the case'
        : `write \`${name.replace('Equals', 'Like')}\``,
    },
  ];
}

/** Seconds since 1970 are that large in the year 5138: it must be milliseconds. */
const MILLISECONDS = 100_000_000_000;

function valueUnit(condition: LocatedCondition): readonly Draft[] {
  const { key, use, values, position } = condition;
  const { family } = use.operator;
  const folded = key.toLowerCase();
  if (family !== 'Numeric' && family !== 'Date') return [];
  return values.flatMap((value): readonly Draft[] => {
    const number = parseDecimal(value);
    if (number === undefined) return [];
    const at = (limit: string): number => compareDecimals(number, parseDecimal(limit) ?? number);
    if (folded === 's3:signatureage' && at('0') > 0 && at('1000') < 0) {
      return [
        unit(position, `\`${key}\` is in milliseconds: \`${value}\` is less than a second`, `${value}000`),
      ];
    }
    if (folded === 's3:tlsversion' && at('10') >= 0 && /^1[0-3]$/.test(value)) {
      return [unit(position, `\`${key}\` is \`1.2\` or \`1.3\`, never \`${value}\``, `1.${value.slice(1)}`)];
    }
    if ((family === 'Date' || folded === 'aws:epochtime') && at(String(MILLISECONDS)) >= 0) {
      return [
        unit(
          position,
          `\`${key}\` is in seconds since 1970: \`${value}\` is in milliseconds, some 50,000 years ahead`,
          value.slice(0, -3),
        ),
      ];
    }
    return [];
  });
}

function unit(position: Draft['position'], message: string, value: string): Draft {
  return { rule: 'value-unit', position, message, fix: `write \`${value}\`` };
}
