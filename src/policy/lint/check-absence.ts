/** What happens when a request leaves the key out? */
import type { LocatedCondition, Statement } from '../document.ts';
import type { Draft } from './finding.ts';
import type { LintSubject, StatementFacts } from './facts.ts';

export function checkAbsence({ statement }: StatementFacts, subject: LintSubject): readonly Draft[] {
  return statement.conditions.flatMap((condition) =>
    statement.effect === 'Allow'
      ? allowedWithoutKey(condition, statement)
      : deniedWithKeyOnly(condition, statement, subject),
  );
}

function allowedWithoutKey(
  { key, name, position, use }: LocatedCondition,
  statement: Statement,
): readonly Draft[] {
  if (use.quantifier !== 'all' || use.operator.family === 'Null' || isRequired(key, statement)) return [];
  return [
    {
      rule: 'for-all-values-allow',
      position,
      message: `\`${name}\` also holds for a request without \`${key}\``,
      fix: `add \`"Null": {"${key}": "false"}\`, if that is not meant to be allowed`,
    },
  ];
}

/** Some condition of the statement fails without the key. */
function isRequired(key: string, { conditions }: Statement): boolean {
  return conditions.some(({ key: other, use, values }) => {
    if (other.toLowerCase() !== key.toLowerCase()) return false;
    if (use.operator.family === 'Null') {
      return (
        use.quantifier === undefined &&
        values.length > 0 &&
        values.every((value) => value.toLowerCase() === 'false')
      );
    }
    return !use.ifExists && use.quantifier !== 'all' && (use.quantifier === 'any' || !use.operator.negated);
  });
}

/** Absent from requests that are worse than those with a bad value. */
const TELLING_KEYS: Readonly<Record<string, string>> = {
  'aws:multifactorauthpresent': 'requests signed with a long-term key have no such key',
  'aws:multifactorauthage': 'requests without MFA have no such key',
  'aws:tokenissuetime': 'requests signed with a long-term key have no such key',
  's3:tlsversion': 'requests over plain HTTP have no such key',
  'aws:principalorgpaths': 'callers outside of an organization have no such key',
  'aws:sourceorgpaths': 'callers outside of an organization have no such key',
};

/**
 * Only where the value says that something is missing: a Deny of what a request must not say (`s3:x-amz-acl` is
 * `public-read`) rightly does not hold for a request that says nothing.
 */
function deniedWithKeyOnly(
  condition: LocatedCondition,
  statement: Statement,
  subject: LintSubject,
): readonly Draft[] {
  const { key, name, position, use, values } = condition;
  const { operator, quantifier } = use;
  const why = TELLING_KEYS[key.toLowerCase()];
  if (why === undefined || use.ifExists || operator.family === 'Null' || quantifier === 'all') return [];
  const demands =
    operator.family === 'Bool'
      ? values.some((value) => value.toLowerCase() === 'false')
      : operator.family === 'Numeric' || operator.family === 'Date'
        ? !operator.negated
        : operator.negated && quantifier === 'any';
  if (!demands || isDeniedWithoutKey(key.toLowerCase(), statement, subject)) return [];
  return [
    {
      rule: 'deny-without-key',
      position,
      message: `a request without \`${key}\` escapes the Deny: ${why}`,
      fix:
        quantifier === 'any'
          ? `write \`ForAllValues:${operator.name}\`, which also holds without the key`
          : `write \`${name}IfExists\`, or deny \`"Null": {"${key}": "true"}\` as well`,
    },
  ];
}

/** Does another Deny of the document catch the requests without the key? What else it asks for is not looked at. */
function isDeniedWithoutKey(key: string, statement: Statement, { statements }: LintSubject): boolean {
  return statements.some(
    ({ statement: other }) =>
      other !== statement &&
      other.effect === 'Deny' &&
      other.conditions.some((condition) => {
        const has = (wanted: string): boolean =>
          condition.values.some((value) => value.toLowerCase() === wanted);
        const folded = condition.key.toLowerCase();
        if (folded === key) {
          if (condition.use.operator.family === 'Null') return has('true');
          return condition.use.ifExists;
        }
        return key === 's3:tlsversion' && folded === 'aws:securetransport' && has('false');
      }),
  );
}
