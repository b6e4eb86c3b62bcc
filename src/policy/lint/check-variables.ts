/** Do policy variables have a value where they stand? */
import type { Position } from '../error.ts';
import { parseTemplate, type Token } from '../template.ts';
import type { Draft } from './finding.ts';
import type { LintSubject, StatementFacts } from './facts.ts';
import { unknownKey } from './check-condition-keys.ts';
import { keyType } from './key-types.ts';

/** A text that may hold variables, and what follows when one of them has no value. */
interface Place {
  readonly text: string;
  readonly position: Position;
  readonly without: string;
  /** More is allowed then than with a value. */
  readonly opensUp: boolean;
}

export function checkVariables({ statement }: StatementFacts, subject: LintSubject): readonly Draft[] {
  return places(statement).flatMap((place) => {
    const parsed = parseTemplate(place.text, { variables: true, wildcards: true });
    const tokens = 'tokens' in parsed ? parsed.tokens : [];
    const named = tokens.filter((token) => typeof token !== 'number');
    if (!subject.variables) return named.length === 0 ? [] : [inOldVersion(place)];
    return named.flatMap((variable) => unresolved(variable, place, subject));
  });
}

function places({ effect, resources, conditions }: StatementFacts['statement']): readonly Place[] {
  const negatedResources = resources?.negated === true;
  return [
    ...(resources?.items ?? []).map(({ text, position }) => ({
      text,
      position,
      without: negatedResources ? 'then it excepts nothing' : 'then the resource matches nothing',
      opensUp: (effect === 'Allow') === negatedResources,
    })),
    ...conditions
      .filter(({ use }) => use.operator.family === 'String' || use.operator.family === 'Arn')
      .flatMap(({ values, position, use, name }) =>
        values.map((text) => ({
          text,
          position,
          without: `then \`${name}\` ${use.operator.negated ? 'holds' : 'does not match'}`,
          opensUp: (effect === 'Allow') === use.operator.negated,
        })),
      ),
  ];
}

function inOldVersion({ text, position }: Place): Draft {
  return {
    rule: 'variable-in-2008',
    position,
    message: `\`${text}\` is taken as it is written: there are no variables in this version`,
    fix: 'write `"Version": "2012-10-17"` at the top of the document',
  };
}

function unresolved(
  variable: Exclude<Token, number>,
  { text, position, without, opensUp }: Place,
  { type }: LintSubject,
): readonly Draft[] {
  const key = asWritten(variable.key, text);
  const unknown = unknownKey(key);
  if (unknown !== undefined) return [{ ...unknown, position }];
  if (keyType(variable.key)?.multivalued === true) {
    return [
      {
        rule: 'variable-multivalued',
        position,
        message: `\`${text}\`: \`${key}\` is a list, which cannot stand in a text`,
        fix: 'use a key with one value, or a condition with `ForAnyValue` on this key',
      },
    ];
  }
  if (variable.fallback !== undefined || isAlwaysThere(variable.key, type)) return [];
  return [
    {
      rule: 'variable-without-default',
      // Where less is allowed than was meant, nobody gets in who should not.
      severity: opensUp ? 'warning' : 'note',
      position,
      message: `\`${text}\`: a request may have no \`${key}\`, and ${without}`,
      fix: opensUp
        ? `give it a default that fits nothing, as in \`\${${key}, 'none'}\`, or require the key with \`"Null": {"${key}": "false"}\``
        : `leave it, if such requests are to get nothing; a default, as in \`\${${key}, 'none'}\`, would be theirs`,
    },
  ];
}

/** Keys of variables are kept in lower case: as the document has it. */
function asWritten(key: string, text: string): string {
  const start = text.toLowerCase().indexOf(`\${${key}`) + 2;
  return start < 2 ? key : text.slice(start, start + key.length);
}

/** Every request has them; those of the caller, where an identity policy is asked, so that there is a caller. */
const ALWAYS_THERE = new Set([
  'aws:currenttime',
  'aws:epochtime',
  'aws:principaltype',
  'aws:securetransport',
  'aws:sourceip',
  'aws:userid',
]);
const OF_THE_CALLER = new Set(['aws:principalaccount', 'aws:principalarn', 'aws:username']);

function isAlwaysThere(key: string, type: LintSubject['type']): boolean {
  return ALWAYS_THERE.has(key) || (type !== 'resource' && type !== 'trust' && OF_THE_CALLER.has(key));
}
