/** Do the resources name more, or less, than was meant? */
import type { LocatedText } from '../document.ts';
import type { Draft, PlacedDraft } from './finding.ts';
import { opens, type LintSubject, type StatementFacts } from './facts.ts';

export function checkResources(
  { statement, resources }: StatementFacts,
  subject: LintSubject,
): readonly Draft[] {
  const { actions, resources: element } = statement;
  return [
    ...(statement.effect === 'Allow' && actions.negated
      ? [byExclusion('NotAction', 'every action that is not listed, later ones included', actions.position)]
      : []),
    ...(statement.effect === 'Allow' && element?.negated === true
      ? [byExclusion('NotResource', 'every bucket and object that is not listed', element.position)]
      : []),
    ...emptyElements(statement),
    ...resources.flatMap(({ item, bucket, key }) => [
      // A bucket policy is asked about its own bucket alone.
      ...(subject.type !== 'resource' && opens(statement, element?.negated === true)
        ? wideBucket(item, bucket)
        : []),
      ...(opens(statement, element?.negated === true) ? openPrefix(item, bucket, key) : []),
      ...leadingSlash(item, bucket, key),
      ...emptyFolder(item, key, resources),
    ]),
  ];
}

export function checkBuckets({ type, statements }: LintSubject): readonly PlacedDraft[] {
  if (type !== 'resource') return [];
  const named = statements.flatMap(({ index, resources }) =>
    resources.flatMap(({ bucket, item }) =>
      bucket === undefined || /[*?$]/.test(bucket) ? [] : [{ bucket, item, index }],
    ),
  );
  const first = named[0]?.bucket;
  const other = named.find(({ bucket }) => bucket !== first);
  if (first === undefined || other === undefined) return [];
  return [
    {
      index: other.index,
      draft: {
        rule: 'several-buckets',
        position: other.item.position,
        message: `\`${other.item.text}\` is not in \`${first}\`, the bucket of the resources before it`,
        fix: 'write one policy for each bucket; check it with `--bucket NAME`',
      },
    },
  ];
}

function byExclusion(element: string, what: string, position: Draft['position']): Draft {
  return {
    rule: 'allow-by-exclusion',
    position,
    message: `\`${element}\` with \`Allow\` grants ${what}`,
    fix: `list what is granted in \`${element.slice('Not'.length)}\`, or turn it around into a \`Deny\``,
  };
}

function emptyElements({ actions, resources, conditions }: StatementFacts['statement']): readonly Draft[] {
  const elements = [
    { name: actions.negated ? 'NotAction' : 'Action', element: actions },
    ...(resources === undefined
      ? []
      : [{ name: resources.negated ? 'NotResource' : 'Resource', element: resources }]),
  ];
  return [
    ...elements
      .filter(({ element }) => element.items.length === 0)
      .map(({ name, element }) => ({
        rule: 'empty-element' as const,
        position: element.position,
        message: `\`${name}\` is empty: the statement ${element.negated ? 'speaks of everything' : 'does nothing'}`,
        fix: 'write a value, or remove the statement',
      })),
    ...conditions
      .filter(({ values }) => values.length === 0)
      .map(({ name, key, use, position }) => ({
        rule: 'empty-element' as const,
        position,
        message: `\`${name}\` on \`${key}\` has no values: it ${use.operator.negated ? 'always' : 'never'} holds`,
        fix: 'write a value, or remove the condition',
      })),
  ];
}

/** A wildcard right behind a letter, a digit or a variable is one that forgot the separator; `team-*` is a family of buckets. */
const BEHIND_WORD = /(?:[\p{L}\p{N}]|\$\{[^}*?$][^}]*\})\*+$/u;

function wideBucket(item: LocatedText, bucket: string | undefined): readonly Draft[] {
  if (bucket === undefined || !BEHIND_WORD.test(bucket)) return [];
  const name = bucket.replace(/\*+$/, '');
  return [
    {
      rule: 'bucket-wildcard',
      position: item.position,
      message: `\`${item.text}\` also names \`${name}-evil\` and what is in it`,
      fix: `write \`arn:aws:s3:::${name}\` for the bucket and \`arn:aws:s3:::${name}/*\` for its objects`,
    },
  ];
}

function openPrefix(
  item: LocatedText,
  bucket: string | undefined,
  key: string | undefined,
): readonly Draft[] {
  if (bucket === undefined || key === undefined || !BEHIND_WORD.test(key)) return [];
  const prefix = key.replace(/\*+$/, '');
  return [
    {
      rule: 'prefix-without-slash',
      position: item.position,
      message: `\`${item.text}\` also names \`${bucket}/${prefix}-evil/\``,
      fix: `write \`arn:aws:s3:::${bucket}/${prefix}/*\``,
    },
  ];
}

/** `team/`, where `team/*` was meant, and is not there as well. */
function emptyFolder(
  { text, position }: LocatedText,
  key: string | undefined,
  resources: StatementFacts['resources'],
): readonly Draft[] {
  if (key === undefined || (key !== '' && !key.endsWith('/'))) return [];
  if (resources.some(({ item }) => item.text === `${text}*`)) return [];
  return [
    {
      rule: 'folder-without-wildcard',
      position,
      message: `\`${text}\` names ${key === '' ? 'no key' : 'the key of the folder'}, and nothing below it`,
      fix: `write \`${text}*\``,
    },
  ];
}

function leadingSlash(
  item: LocatedText,
  bucket: string | undefined,
  key: string | undefined,
): readonly Draft[] {
  if (bucket === undefined || key?.startsWith('/') !== true) return [];
  return [
    {
      rule: 'prefix-leading-slash',
      position: item.position,
      message: `\`${item.text}\` names keys that begin with \`/\``,
      fix: `write \`arn:aws:s3:::${bucket}/${key.replace(/^\/+/, '')}\``,
    },
  ];
}
