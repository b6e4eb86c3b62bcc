/** Do the condition keys exist, do requests carry them, and can their operators compare them? */
import { COMMON_KEYS, GLOBAL_KEYS } from '../actions.ts';
import type { LocatedCondition, Statement } from '../document.ts';
import { actionTakesKey, expandActionPattern, isBucketPolicyKey } from '../s3-action.ts';
import type { Draft } from './finding.ts';
import type { LintSubject, StatementFacts } from './facts.ts';
import { keyType, type KeyType } from './key-types.ts';
import { nearestWord } from './suggest.ts';

export function checkConditionKeys(facts: StatementFacts, subject: LintSubject): readonly Draft[] {
  return facts.statement.conditions.flatMap((condition) => {
    const unknown = unknownKey(condition.key);
    if (unknown !== undefined) return [{ ...unknown, position: condition.position }];
    const type = keyType(condition.key);
    return [
      ...(subject.type === 'trust' ? [] : notCarried(condition, facts)),
      ...(type === undefined ? [] : setOperator(condition, type)),
      ...(type === undefined ? [] : operatorType(condition, type, facts.statement)),
    ];
  });
}

/** Keys of other services and of identity providers are not known, and taken. */
export function unknownKey(key: string): Omit<Draft, 'position'> | undefined {
  if (!/^(?:aws|s3):/i.test(key) || isBucketPolicyKey(key)) return undefined;
  const near = nearestWord(key, knownKeys());
  return {
    rule: 'unknown-condition-key',
    message: `\`${key}\` is no condition key${key.endsWith('/') ? ': the key of the tag is missing' : ''}`,
    fix:
      near === undefined
        ? 'see "AWS global condition context keys" and the condition keys of S3 for those that there are'
        : `write \`${near}${near.endsWith('/') ? 'TAG-KEY' : ''}\``,
  };
}

function knownKeys(): readonly string[] {
  const specific = expandActionPattern('*').flatMap(({ keys }) => Array.from(keys));
  return [...new Set([...GLOBAL_KEYS, ...COMMON_KEYS, ...specific])];
}

/** What bucket policies are refused for, and other policies silently do. */
function notCarried(
  condition: LocatedCondition,
  { statement, actionItems, actions }: StatementFacts,
): readonly Draft[] {
  const { key, position } = condition;
  const groups = statement.actions.negated ? [{ item: statement.actions.items[0], actions }] : actionItems;
  const without = groups.flatMap((group) =>
    group.actions.length > 0 && !group.actions.some((action) => actionTakesKey(action, key))
      ? [`\`${group.item?.text ?? ''}\``]
      : [],
  );
  if (without.length === 0) return [];
  return [
    {
      rule: 'condition-key-not-carried',
      position,
      message: `no request for ${without.join(', ')} carries \`${key}\`: ${withoutKey(condition, statement)}`,
      fix:
        without.length < groups.length
          ? `move ${without.join(', ')} to a statement without this condition`
          : 'remove the condition, or name the actions that carry the key',
    },
  ];
}

function withoutKey({ name, use }: LocatedCondition, { effect }: Statement): string {
  const { operator, quantifier } = use;
  if (operator.family === 'Null') return 'it is always null';
  const holds = use.ifExists || quantifier === 'all' || (operator.negated && quantifier === undefined);
  if (holds) return `\`${name}\` always holds`;
  return effect === 'Allow' ? 'they are not granted' : 'they are not denied';
}

function setOperator({ key, name, position, use }: LocatedCondition, type: KeyType): readonly Draft[] {
  if (use.operator.family === 'Null') return [];
  if (type.multivalued === true) {
    return use.quantifier !== undefined
      ? []
      : [
          {
            rule: 'multivalued-key',
            position,
            message: `\`${key}\` is a list of values, which \`${name}\` never matches`,
            fix: `write \`ForAnyValue:${name}\`, or \`ForAllValues:${name}\` and a \`Null\` condition`,
          },
        ];
  }
  if (use.quantifier === undefined) return [];
  const plain = name.slice(name.indexOf(':') + 1);
  return [
    {
      rule: 'single-valued-key',
      position,
      message: `\`${key}\` has one value, and \`${name}\` is for lists`,
      fix:
        use.quantifier === 'all' && !use.ifExists
          ? `write \`${plain}\`, or \`${plain}IfExists\``
          : `write \`${plain}\``,
    },
  ];
}

/** Which families cannot read values of a kind at all: nothing they compare with ever matches. */
const CANNOT_READ: Readonly<Record<KeyType['kind'], readonly string[]>> = {
  Arn: ['Bool', 'Numeric', 'Date', 'Ip'],
  Bool: ['Arn', 'Numeric', 'Date', 'Ip'],
  Numeric: ['Arn', 'Bool', 'Ip'],
  Date: ['Arn', 'Bool', 'Ip', 'Numeric'],
  Ip: ['Arn', 'Bool', 'Numeric', 'Date'],
  Word: ['Arn', 'Bool', 'Numeric', 'Date', 'Ip'],
  Text: [],
};

const FAMILY_OF: Readonly<Record<KeyType['kind'], string>> = {
  Arn: '`ArnLike` or `StringLike`',
  Bool: '`Bool`',
  Numeric: 'a `Numeric` operator',
  Date: 'a `Date` operator',
  Ip: '`IpAddress` or `NotIpAddress`',
  Word: '`StringEquals` or `StringLike`',
  Text: '`StringEquals` or `StringLike`',
};

const KIND_NAMES: Readonly<Record<KeyType['kind'], string>> = {
  Arn: 'an ARN',
  Bool: '`true` or `false`',
  Numeric: 'a number',
  Date: 'a date',
  Ip: 'an IP address',
  Word: 'text',
  Text: 'text',
};

function operatorType(
  { key, name, position, use, values }: LocatedCondition,
  type: KeyType,
  { effect }: Statement,
): readonly Draft[] {
  const { family, negated } = use.operator;
  // An address is never written with a prefix length; a range is compared as the text that it is.
  const isRangeAsText =
    type.kind === 'Ip' && family === 'String' && values.some((each) => each.includes('/'));
  if (!isRangeAsText && !CANNOT_READ[type.kind].includes(family)) return [];
  return [
    {
      rule: 'operator-type',
      position,
      message: `\`${key}\` is ${KIND_NAMES[type.kind]}: \`${name}\` ${negated ? 'always holds' : 'never matches it'}, and the ${effect} ${negated ? 'is not narrowed' : 'does not apply'}`,
      fix: `use ${FAMILY_OF[type.kind]}`,
    },
  ];
}
