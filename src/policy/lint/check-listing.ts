/** Conditions on `s3:prefix`: which listings do they let through? */
import type { LocatedCondition } from '../document.ts';
import type { Draft } from './finding.ts';
import { opens, type StatementFacts } from './facts.ts';

export function checkListing({ statement, actions }: StatementFacts): readonly Draft[] {
  if (!actions.some(({ keys }) => keys.has('s3:prefix'))) return [];
  const { conditions, effect } = statement;
  const prefixes = conditions.filter(
    ({ key, use }) => key.toLowerCase() === 's3:prefix' && use.operator.family === 'String',
  );
  const hasDelimiter = conditions.some(({ key }) => key.toLowerCase() === 's3:delimiter');
  const allowsAbsent = conditions.some(
    ({ key, use }) => key.toLowerCase() === 's3:prefix' && use.operator.family === 'Null',
  );
  return prefixes.flatMap((condition) => {
    const { negated } = condition.use.operator;
    const allows = effect === 'Allow' && !negated;
    const denies = effect === 'Deny' && !negated && !condition.use.ifExists;
    return [
      opens(statement, negated) ? neighbours(condition) : [],
      leadingSlash(condition),
      allows && !hasDelimiter ? everything(condition) : [],
      allows && !allowsAbsent && !condition.use.ifExists ? absentPrefix(condition) : [],
      denies ? aroundDeny(condition) : [],
    ].flat();
  });
}

/** `team` and `team*`, where `team/` was meant. */
function neighbours({ key, position, values }: LocatedCondition): readonly Draft[] {
  return values
    .filter((value) => /(?:[\p{L}\p{N}]|\$\{[^}*?$][^}]*\})\**$/u.test(value))
    .map((value) => {
      const prefix = value.replace(/\*+$/, '');
      return {
        rule: 'prefix-without-slash' as const,
        position,
        message: `\`${key}\` \`${value}\` also lists \`${prefix}-evil/\``,
        fix: `write \`${prefix}/${value.endsWith('*') ? '*' : ''}\``,
      };
    });
}

function leadingSlash({ key, position, values }: LocatedCondition): readonly Draft[] {
  return values
    .filter((value) => value.startsWith('/'))
    .map((value) => ({
      rule: 'prefix-leading-slash' as const,
      position,
      message: `\`${key}\` \`${value}\`: keys do not begin with \`/\``,
      fix: `write \`${value.replace(/^\/+/, '')}\``,
    }));
}

function everything({ key, position, values }: LocatedCondition): readonly Draft[] {
  if (!values.includes('')) return [];
  return [
    {
      rule: 'listing-of-everything',
      position,
      message: `\`${key}\` may be empty: without a delimiter that lists every key of the bucket`,
      fix: 'add `"s3:delimiter": "/"` to the `StringEquals` conditions, or list the empty prefix in a statement of its own that has it',
    },
  ];
}

function absentPrefix({ key, name, position, values }: LocatedCondition): readonly Draft[] {
  const value = values.find((each) => each === '' || /^\*+$/.test(each));
  if (value === undefined) return [];
  return [
    {
      rule: 'listing-without-prefix',
      position,
      message: `\`${name}\` on \`${key}\` does not match a listing that leaves \`prefix\` out`,
      fix:
        value === ''
          ? `write \`${name}IfExists\`, if it may be left out`
          : 'remove the condition, if every prefix may be listed',
    },
  ];
}

function aroundDeny({ key, name, position, values }: LocatedCondition): readonly Draft[] {
  const value = values.find((each) => /[^*?]/.test(each));
  if (value === undefined) return [];
  return [
    {
      rule: 'listing-around-deny',
      position,
      message: `a listing with a shorter \`${key}\` than \`${value}\`, or with none, still shows what is below it`,
      fix: `allow the prefixes that may be listed and nothing else, or deny all others with \`${name.replace('String', 'StringNot')}\``,
    },
  ];
}
