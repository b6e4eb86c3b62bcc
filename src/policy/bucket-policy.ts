/** What holds of bucket policies beyond their syntax: actions, resources and condition keys fit each other. */

import { arnParts } from './arn.ts';
import type { LocatedText, PolicyDocument, Statement } from './document.ts';
import { PolicyError, type Position } from './error.ts';
import { ANY_RUN, canMatchPrefix, matchGlob } from './glob.ts';
import { actionTakesKey, expandActionPattern, isBucketPolicyKey, type S3Action } from './s3-action.ts';
import { parseTemplate } from './template.ts';

/** Throws PolicyError in the words of PutBucketPolicy. Without a bucket, resources of any bucket are accepted. */
export function checkBucketPolicy(document: PolicyDocument, bucket: string | undefined): void {
  for (const statement of document.statements) checkStatement(statement, document, bucket);
}

/** Which kinds of resource a statement can speak of. */
interface Levels {
  readonly bucket: boolean;
  readonly object: boolean;
}

function checkStatement(statement: Statement, document: PolicyDocument, bucket: string | undefined): void {
  const variables = document.version === '2012-10-17';
  const expansions = statement.actions.items.map((item) => ({ item, actions: expand(item) }));
  const found = (statement.resources?.items ?? []).map((item) => resourceLevels(item, { variables, bucket }));
  const negated = statement.resources?.negated === true;
  const levels: Levels = {
    bucket: negated || found.some((each) => each.bucket),
    object: negated || found.some((each) => each.object),
  };
  const groups = statement.actions.negated
    ? [{ item: statement.actions.items[0], actions: complement(expansions.flatMap((each) => each.actions)) }]
    : expansions;
  for (const { item, actions } of groups) {
    const applicable = actions.filter((action) => action.level !== 'other' && levels[action.level]);
    const position = item?.position ?? statement.position;
    if (applicable.length === 0) {
      throw refuse(
        'Action does not apply to any resource(s) in statement',
        position,
        `\`${item?.text ?? ''}\` ${whatItNeeds(actions)}`,
      );
    }
    checkConditions(statement, applicable, item?.text ?? '');
  }
}

function checkConditions(statement: Statement, applicable: readonly S3Action[], pattern: string): void {
  for (const { key, position } of statement.conditions) {
    if (!isBucketPolicyKey(key)) {
      throw refuse(
        'Policy has an invalid condition key',
        position,
        `\`${key}\` is not a condition key of S3 or of every service; check its spelling`,
      );
    }
    if (!applicable.some((action) => actionTakesKey(action, key))) {
      throw refuse(
        'Conditions do not apply to combination of actions and resources in statement',
        position,
        `no request for \`${pattern}\` carries \`${key}\`; move the action to a statement without this condition`,
      );
    }
  }
}

function expand(item: LocatedText): S3Action[] {
  const actions = expandActionPattern(item.text);
  if (actions.length === 0) {
    throw refuse(
      'Policy has invalid action',
      item.position,
      `\`${item.text}\` matches no action of S3; check its spelling (\`s3:GetObject\`)`,
    );
  }
  return actions;
}

function complement(excluded: readonly S3Action[]): S3Action[] {
  const names = new Set(excluded.map((action) => action.name));
  return expandActionPattern('*').filter((action) => !names.has(action.name));
}

function resourceLevels(
  item: LocatedText,
  options: { readonly variables: boolean; readonly bucket: string | undefined },
): Levels {
  const parsed = parseTemplate(item.text, { variables: options.variables, wildcards: true });
  if ('invalid' in parsed) throw refuse('Policy has invalid resource', item.position, parsed.invalid);
  // A variable can stand for any text here; who calls is not known yet.
  const parts = arnParts(parsed.tokens).map((part) =>
    part.map((token) => (typeof token === 'number' ? token : ANY_RUN)),
  );
  const resource = parts[5] ?? [];
  const isS3 = ['arn', 'aws', 's3', '', ''].every((text, index) => matchGlob(parts[index] ?? [], text));
  const levels = isS3 ? levelsOf(resource, options.bucket) : { bucket: false, object: false };
  if (!levels.bucket && !levels.object) {
    const bucket = options.bucket ?? 'BUCKET';
    throw refuse(
      'Policy has invalid resource',
      item.position,
      `\`${item.text}\` is not in this bucket; write \`arn:aws:s3:::${bucket}\` or \`arn:aws:s3:::${bucket}/*\``,
    );
  }
  return levels;
}

function levelsOf(resource: readonly number[], bucket: string | undefined): Levels {
  if (bucket !== undefined) {
    return { bucket: matchGlob(resource, bucket), object: canMatchPrefix(resource, `${bucket}/`) };
  }
  const hasSlash = resource.includes(0x2f);
  return { bucket: resource.length > 0 && !hasSlash, object: hasSlash || resource.includes(ANY_RUN) };
}

function whatItNeeds(actions: readonly S3Action[]): string {
  if (actions.some((action) => action.level === 'object')) {
    return 'is for objects; add a resource that ends in `/*`';
  }
  return actions.some((action) => action.level === 'bucket')
    ? 'is for buckets; add the bucket itself, without `/*`, as a resource'
    : 'is neither for buckets nor for objects; grant it in an identity policy';
}

function refuse(sentence: string, position: Position, detail: string): PolicyError {
  return new PolicyError(sentence, { type: 'resource', position, detail });
}
