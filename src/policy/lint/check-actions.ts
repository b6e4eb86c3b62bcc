/** Do the actions exist, and do they apply to anything? */
import { OPERATION_LIST } from '../../s3/index.ts';
import { expandActionPattern, type S3Action } from '../s3-action.ts';
import type { Draft } from './finding.ts';
import type { LintSubject, StatementFacts } from './facts.ts';
import { nearestWord } from './suggest.ts';

export function checkActions(facts: StatementFacts, subject: LintSubject): readonly Draft[] {
  return [
    ...facts.statement.actions.items.flatMap((item) => {
      const unknown = unknownAction(item.text, { trust: subject.type === 'trust' });
      return unknown === undefined ? [] : [{ ...unknown, position: item.position }];
    }),
    ...(subject.type === 'trust' ? [] : withoutResource(facts)),
    ...oneLevelDenied(facts),
    ...bucketAllowed(facts, subject),
  ];
}

/** What is wrong with an action's name; undefined if it stands for something. */
export function unknownAction(
  text: string,
  { trust }: { readonly trust: boolean },
): Omit<Draft, 'position'> | undefined {
  const [service = '', name = ''] = splitAction(text);
  if (text === '*') return undefined;
  const wanted = trust ? 'sts' : 's3';
  // `*:Get*`, or a service with a wildcard that can be this one.
  if (/[*?]/.test(service)) return undefined;
  if (service !== wanted) return otherService(text, { service, name, wanted });
  if (trust ? knownStsAction(name) : expandActionPattern(text).length > 0) return undefined;
  const needed = trust ? [] : actionsOfOperation(name);
  const near = needed.length === 0 ? nearestWord(name, trust ? STS_ACTIONS : s3Names()) : undefined;
  const meant = needed.length === 0 && near !== undefined ? [`${wanted}:${near}`] : needed;
  return {
    rule: 'unknown-action',
    message:
      needed.length === 0
        ? `\`${text}\` is no action of ${trust ? 'STS' : 'S3'}`
        : `\`${text}\` is named like an operation, and no action has that name`,
    fix:
      meant.length === 0
        ? `see the actions of each operation in docs/operations.md`
        : `write ${meant.map((each) => `\`${each}\``).join(' and ')}`,
  };
}

function otherService(
  text: string,
  { service, name, wanted }: { readonly service: string; readonly name: string; readonly wanted: string },
): Omit<Draft, 'position'> | undefined {
  const isMisspelled =
    wanted === 's3' &&
    (nearestWord(service, ['s3']) !== undefined || service === 's3api') &&
    expandActionPattern(`s3:${name}`).length > 0 &&
    !/^[*?]*$/.test(name);
  if (isMisspelled) {
    return {
      rule: 'unknown-action',
      message: `\`${text}\` is of a service \`${service}\`, and named like an action of S3`,
      fix: `write \`s3:${name}\``,
    };
  }
  return {
    rule: 'other-service',
    message: `\`${text}\` never matches here: this kind of policy is asked about actions of \`${wanted}:\` alone`,
    fix: 'keep it for other services, or remove it',
  };
}

function splitAction(text: string): readonly string[] {
  const colon = text.indexOf(':');
  return colon < 0 ? ['', text] : [text.slice(0, colon).toLowerCase(), text.slice(colon + 1)];
}

/** Source: Service Authorization Reference, "Actions, resources, and condition keys for AWS Security Token Service". */
const STS_ACTIONS = [
  'AssumeRole',
  'AssumeRoleWithSAML',
  'AssumeRoleWithWebIdentity',
  'SetContext',
  'SetSourceIdentity',
  'TagSession',
];

function knownStsAction(name: string): boolean {
  return /[*?]/.test(name) || STS_ACTIONS.some((each) => each.toLowerCase() === name.toLowerCase());
}

function s3Names(): readonly string[] {
  return expandActionPattern('*').map((action) => action.name.slice('s3:'.length));
}

/** Those that the operation of this name always needs, and `s3:PutObject` for the parts of an upload. */
function actionsOfOperation(name: string): readonly string[] {
  const operation = OPERATION_LIST.find((each) => each.name.toLowerCase() === name.toLowerCase());
  if (operation === undefined) return [];
  const always = operation.actions.filter(({ when }) => when === undefined);
  const found = always.length > 0 ? always : operation.actions.slice(0, 1);
  return [...new Set(found.map(({ action }) => action))];
}

/** Actions of which no resource of the statement can be the resource. */
function withoutResource({ statement, actionItems, resources }: StatementFacts): readonly Draft[] {
  if (statement.actions.negated || statement.resources?.negated === true || resources.length === 0) return [];
  return actionItems.flatMap(({ item, actions }) => {
    if (actions.length === 0 || actions.some(({ level }) => resources.some(({ levels }) => levels[level])))
      return [];
    const names = resources.map((each) => `\`${each.item.text}\``).join(', ');
    return [
      {
        rule: 'action-without-resource' as const,
        position: item.position,
        message: `\`${item.text}\` never applies to ${names}`,
        fix: resourceFor(actions, resources),
      },
    ];
  });
}

function resourceFor(actions: readonly S3Action[], resources: StatementFacts['resources']): string {
  const bucket =
    resources.find((each) => each.bucket !== undefined && each.bucket !== '')?.bucket ?? 'BUCKET';
  if (actions.some(({ level }) => level === 'object')) {
    return `it is for objects: add \`arn:aws:s3:::${bucket}/*\` to the resources`;
  }
  return actions.some(({ level }) => level === 'bucket')
    ? `it is for buckets: add \`arn:aws:s3:::${bucket}\` to the resources`
    : 'it is neither for buckets nor for objects: write a statement of its own with the resource `*`';
}

/** `Deny s3:*` on objects alone. */
function oneLevelDenied({ statement, actionItems, resources }: StatementFacts): readonly Draft[] {
  if (statement.effect !== 'Deny' || statement.actions.negated || statement.resources?.negated === true)
    return [];
  const [first] = resources;
  if (first === undefined) return [];
  const hasBucket = resources.some(({ levels }) => levels.bucket);
  if (!hasBucket && !resources.some(({ key }) => key === '*')) return [];
  if (hasBucket && resources.some(({ levels }) => levels.object)) return [];
  const wide = actionItems.find(
    ({ actions }) =>
      actions.some(({ level }) => level === 'bucket') && actions.some(({ level }) => level === 'object'),
  );
  if (wide === undefined) return [];
  const bucket = first.bucket ?? 'BUCKET';
  return [
    {
      rule: 'deny-one-level',
      position: wide.item.position,
      message: `\`${wide.item.text}\` is denied for ${hasBucket ? 'the bucket, and not for its objects' : 'objects, and not for the bucket itself'}`,
      fix: `add \`arn:aws:s3:::${bucket}${hasBucket ? '/*' : ''}\` to the resources`,
    },
  ];
}

/** `Allow s3:*` on the bucket alone, where no other statement allows anything on objects. */
function bucketAllowed(
  { statement, actionItems, resources }: StatementFacts,
  { statements }: LintSubject,
): readonly Draft[] {
  const { effect, actions } = statement;
  const all = actionItems.find(({ item }) => /^(?:s3:)?\*$/i.test(item.text));
  const [first] = resources;
  if (effect !== 'Allow' || actions.negated || statement.resources?.negated === true) return [];
  if (all === undefined || first === undefined || !resources.every(({ levels }) => levels.bucket)) return [];
  const allowsObjects = statements.some(
    (other) =>
      other.statement.effect === 'Allow' &&
      (other.statement.resources?.negated === true || other.resources.some(({ levels }) => levels.object)),
  );
  if (allowsObjects) return [];
  return [
    {
      rule: 'allow-one-level',
      position: all.item.position,
      message: `\`${all.item.text}\` is allowed for the bucket, and not for its objects`,
      fix: `add \`arn:aws:s3:::${first.bucket ?? 'BUCKET'}/*\` to the resources`,
    },
  ];
}
