/** docs/condition-keys.md, made from the table that fills the keys in. */
import { CONDITION_KEYS, takesKey } from '../src/gateway/condition-keys.ts';
import {
  isAbsent,
  isOfTags,
  type AbsentKey,
  type ConditionKey,
  type FilledKey,
  type TagKeys,
} from '../src/gateway/condition-key.ts';
import { expandActionPattern } from '../src/policy/index.ts';
import { isAvailable, OPERATION_LIST } from '../src/s3/index.ts';
import { GENERATED, list, names, page, table } from './markdown.ts';

export function renderConditionKeysPage(): string {
  const filled = CONDITION_KEYS.filter((key): key is FilledKey | TagKeys => !isAbsent(key));
  const global = filled.filter(({ name }) => name.startsWith('aws:'));
  const ofS3 = filled.filter(({ name }) => !name.startsWith('aws:'));
  return page([
    '# Condition keys',
    GENERATED,
    'What a policy can ask of a request. The values are those of AWS, made of the request as it was verified and is forwarded: of its signature, its connection, its parameters and headers, and of the small XML bodies, which are read before anything is decided. Headers of presigned URLs and the fields of browser forms count as headers.',
    list([
      'An action has the keys that it takes on AWS (Service Authorization Reference), and no others: `s3:prefix` is there for `s3:ListBucket`, and not for `s3:ListBucketMultipartUploads`. A request that needs several actions is asked for each on its own: `s3:x-amz-copy-source` is there when a copy is written, not when its source is read.',
      'The names of keys are compared without case, the key of a tag included; values with it. Two tags that differ in case alone cannot both be spoken of: a policy that asks for them refuses the request.',
      'A key without a value: conditions do not hold, but for negated operators, `...IfExists`, `ForAllValues` and `Null: true`, which do. So an Allow is not given, and a Deny with a positive operator does not hold: `Deny` if `Bool aws:MultiFactorAuthPresent: false` denies nobody here, as it denies no long-term key on AWS. Write `BoolIfExists`, or `Null`.',
      'All that had a value stands in the access record, in `evaluation.context`; what differs for one of several decisions stands with that. Values beyond 1,024 characters are named in `leftOut`.',
    ]),
    '## Tags that an object has',
    '`s3:ExistingObjectTag/` is known upstream alone. It is looked up, by a `GetObjectTagging` with the credentials of the gateway, when a policy asks for it while it decides: not when no policy has such a condition, when another element or condition of its statement does not match, when a Deny decided before, or when nothing would be allowed whatever the tags are. Each object of a request is asked for once: the version that is named, the source of a copy, each entry of DeleteObjects that names an `ETag`.',
    list([
      'The credentials of the upstream need `s3:GetObjectTagging`, and `s3:GetObjectVersionTagging` for versions. Without `s3:ListBucket` S3 answers `AccessDenied` for an object that is not there, and so does the next point.',
      'What the upstream does not tell refuses the request with `ServiceUnavailable`; the record says why. An object that is not there has no tags.',
      'As on AWS, writing and deleting do not take the key: no policy can tell by its tags what may be overwritten.',
      'Between the look-up and the request upstream the object can be replaced, or be given other tags. Whoever may do that decides what is read: guard `s3:PutObject`, `s3:PutObjectTagging` and `s3:DeleteObjectTagging` as well as what depends on the tags, or name versions, whose content stays.',
      'What is decided beside the request is not looked up for, and counts as forbidden: keys in filtered listings, `x-amz-tagging-count` of an object whose tags were not needed.',
    ]),
    '## Of every service',
    table(
      ['Key', 'Value', 'There'],
      global.map((key) => [nameOf(key), key.from, when(key)]),
    ),
    '## Of S3',
    table(
      ['Key', 'Value', 'There'],
      ofS3.map((key) => [nameOf(key), key.from, when(key)]),
    ),
    '### Actions that take them',
    list(byActions(ofS3)),
    '## Never there',
    'Policies may ask for them.',
    table(['Keys', 'Why'], [...neverThere(), PROVIDERS]),
  ]);
}

function nameOf({ name }: ConditionKey): string {
  return name.endsWith('/') ? `\`${name}KEY\`` : `\`${name}\``;
}

function when(key: FilledKey | TagKeys): string {
  const parts = [key.when === undefined ? 'always' : `when ${key.when}`.replace('when never', 'never')];
  if (isOfTags(key)) return parts.join('; ');
  if (key.multivalued) parts.push('several values');
  if (key.header !== undefined && !isTaken(key.header)) parts.push('no operation here takes it yet');
  return parts.join('; ');
}

function isTaken(header: string): boolean {
  return OPERATION_LIST.some((operation) => isAvailable(operation) && operation.headers.has(header));
}

const S3_ACTIONS = expandActionPattern('s3:*').filter(({ level }) => level !== 'other');

/** One line for each set of actions. */
function byActions(keys: readonly ConditionKey[]): readonly string[] {
  const groups = Map.groupBy(keys, actionsOf);
  return Array.from(groups, ([actions, group]) => `${group.map(nameOf).join(', ')}: ${actions}`);
}

function actionsOf(key: ConditionKey): string {
  if (!key.name.startsWith('s3:'))
    return '`s3express:CreateSession`, which RenameObject needs beside its actions of S3';
  const taking = S3_ACTIONS.filter(({ name }) => takesKey(name, key));
  if (taking.length === S3_ACTIONS.length) return 'every action of S3';
  return names(taking.map(({ name }) => name).toSorted());
}

/** One row for each reason. */
function neverThere(): readonly (readonly [string, string])[] {
  const byReason = Map.groupBy(CONDITION_KEYS.filter(isAbsent), ({ absent }) => absent);
  return Array.from(byReason, ([reason, keys]: [string, AbsentKey[]]) => [
    keys.map(nameOf).join(', '),
    reason,
  ]);
}

const PROVIDERS = [
  '`saml:…`, and the claims of OIDC providers (`accounts.google.com:sub`, …)',
  'only sessions have them, and every key here is long-term',
] as const;
