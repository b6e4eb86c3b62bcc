/** From what was used to the smallest sensible identity policy that allows it. */
import { actionTakesKey, expandActionPattern } from '../s3-action.ts';
import { KeyPatterns, type KeyUse } from './key-patterns.ts';
import { literalSegment } from './key-segment.ts';
import type { UsedAccess } from './used-access.ts';

/** An identity policy, to be written as JSON. */
interface GeneratedDocument {
  readonly Version: '2012-10-17';
  readonly Statement: readonly GeneratedStatement[];
}

interface GeneratedStatement {
  readonly Sid: string;
  readonly Effect: 'Allow';
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

/** An action on a part of a bucket, or with prefixes of a listing, as the policy has it. */
interface Granted {
  readonly action: string;
  /** As in the Resource element; of a listing with the prefix behind it. */
  readonly resource: string;
  readonly count: number;
  readonly last: KeyUse;
}

export interface GeneratedPolicy {
  readonly document: GeneratedDocument;
  /** In the order of the document. */
  readonly granted: readonly Granted[];
  /** What is granted wider than it was used, for people. */
  readonly remarks: readonly string[];
}

const OBJECT = /^(?<bucket>arn:[a-z-]+:s3:::[^/]+)\/(?<key>.*)$/s;
const ALL_BUCKETS = /^arn:[a-z-]+:s3:::\*$/;

/** Takes uses one by one, in any order: only which they are makes a difference. */
export class PolicyGenerator {
  /** By bucket ARN, then by action. */
  readonly #buckets = new Map<string, Map<string, ActionUse>>();
  /** On no bucket, by action. */
  readonly #service = new Map<string, Counter>();

  add(use: UsedAccess): void {
    const { action, resource } = use;
    if (ALL_BUCKETS.test(resource)) {
      entry(this.#service, action, () => new Counter()).add(use);
      return;
    }
    const { bucket = resource, key } = OBJECT.exec(resource)?.groups ?? {};
    const ofBucket = entry(this.#buckets, bucket, () => new Map<string, ActionUse>());
    entry(ofBucket, action, () => new ActionUse()).add(use, key);
  }

  generate(): GeneratedPolicy {
    const sids = new Sids();
    const remarks: string[] = [];
    const drafts = [...this.#buckets]
      .toSorted(byKey)
      .flatMap(([bucket, actions]) => bucketDrafts(bucket, [...actions].toSorted(byKey), remarks));
    const service = [...this.#service].toSorted(byKey);
    if (service.length > 0)
      drafts.unshift({
        name: 'Account',
        resources: ['*'],
        granted: service.flatMap(([action, counter]) => {
          const total = counter.total();
          return total === undefined ? [] : [{ action, resource: '*', ...total }];
        }),
      });
    return {
      document: { Version: '2012-10-17', Statement: drafts.map((draft) => statementOf(draft, sids)) },
      granted: drafts.flatMap(({ granted }) => granted),
      remarks,
    };
  }
}

/** A statement to be. */
interface Draft {
  /** Begins its Sid. */
  readonly name: string;
  readonly resources: readonly string[];
  readonly condition?: NonNullable<GeneratedStatement['Condition']>;
  readonly granted: readonly Granted[];
}

/** One action in one bucket. */
class ActionUse {
  /** On the bucket itself, without a prefix that says more. */
  readonly bucket = new Counter();
  /** Listings of what is at the top, with the delimiter `/`. */
  readonly top = new Counter();
  readonly prefixes = new KeyPatterns({ endsOpen: true });
  readonly keys = new KeyPatterns({ endsOpen: false });

  add(use: UsedAccess, key: string | undefined): void {
    const { action, prefix = '', delimiter, time, requestId } = use;
    if (key !== undefined) this.keys.add(key, { time, requestId });
    else if (!takesPrefix(action)) this.bucket.add(use);
    else if (prefix !== '') this.prefixes.add(prefix, { time, requestId });
    else if (delimiter === '/') this.top.add(use);
    else this.bucket.add(use);
  }
}

class Counter {
  #count = 0;
  #last: KeyUse | undefined;

  add({ time, requestId }: UsedAccess): void {
    this.#count++;
    if (this.#last === undefined || time > this.#last.time) this.#last = { time, requestId };
  }

  /** Undefined when nothing was counted. */
  total(): Pick<Granted, 'count' | 'last'> | undefined {
    return this.#last && { count: this.#count, last: this.#last };
  }
}

type ActionUses = readonly (readonly [action: string, use: ActionUse])[];

function bucketDrafts(arn: string, uses: ActionUses, remarks: string[]): readonly Draft[] {
  const bucket = literalSegment(arn);
  const name = pascalCase(arn.slice(arn.lastIndexOf(':') + 1));
  const whole = uses.filter(([, use]) => use.bucket.total() !== undefined);
  for (const [action] of whole)
    if (takesPrefix(action))
      remarks.push(
        `${action} was used on ${arn} without a prefix (HEAD of a bucket is such a use): it is granted for every key.`,
      );
  const inPart = uses.filter(([, use]) => use.bucket.total() === undefined);
  const ofObjects = grouped(uses, (use) => use.keys);
  for (const { patterns, granted } of ofObjects) {
    const wide = patterns.filter(beginsOpen);
    if (wide.length === 0) continue;
    const actions = [...new Set(granted.map(({ action }) => action))].join(', ');
    remarks.push(
      wide.includes('*')
        ? `${actions}: keys of ${arn} with many different beginnings were used: granted for every key.`
        : `${actions}: keys of ${arn} whose beginnings differ in numbers, dates or ids were used: granted for ${wide.join(', ')}.`,
    );
  }
  return [
    ...draftOf(
      { name: `${name}Bucket`, resources: [bucket] },
      counted(whole, (use) => use.bucket, bucket),
    ),
    ...draftOf(
      { name: `${name}Top`, resources: [bucket], condition: AT_THE_TOP },
      counted(inPart, (use) => use.top, `${bucket} (without a prefix, with the delimiter /)`),
    ),
    ...grouped(inPart, (use) => use.prefixes).map(({ patterns, granted }) => ({
      name: `${name}List`,
      resources: [bucket],
      condition: { StringLike: { 's3:prefix': patterns } },
      granted: granted.map((each) => ({ ...each, resource: `${bucket} (prefix ${each.resource})` })),
    })),
    ...ofObjects.map(({ patterns, granted }) => ({
      name: `${name}Objects`,
      resources: patterns.map((pattern) => `${bucket}/${pattern}`),
      granted: granted.map((each) => ({ ...each, resource: `${bucket}/${each.resource}` })),
    })),
  ];
}

/** Does the pattern leave open how the key begins, before its first slash? */
function beginsOpen(pattern: string): boolean {
  const [top = ''] = pattern.split('/', 1);
  return top.replaceAll('${*}', '').includes('*');
}

/** An empty prefix counts as none. Source: IAM User Guide, "Condition operator to check existence of condition keys". */
const AT_THE_TOP = { Null: { 's3:prefix': 'true' }, StringEquals: { 's3:delimiter': '/' } };

function draftOf(draft: Omit<Draft, 'granted'>, granted: readonly Granted[]): readonly Draft[] {
  return granted.length === 0 ? [] : [{ ...draft, granted }];
}

function counted(
  uses: ActionUses,
  counterOf: (use: ActionUse) => Counter,
  resource: string,
): readonly Granted[] {
  return uses.flatMap(([action, use]) => {
    const total = counterOf(use).total();
    return total === undefined ? [] : [{ action, resource, ...total }];
  });
}

/** Actions that were used on the same patterns are granted together. */
function grouped(
  uses: ActionUses,
  patternsOf: (use: ActionUse) => KeyPatterns,
): readonly { readonly patterns: readonly string[]; readonly granted: readonly Granted[] }[] {
  const groups = new Map<string, { readonly patterns: readonly string[]; readonly granted: Granted[] }>();
  for (const [action, use] of uses) {
    const found = patternsOf(use).patterns();
    if (found.length === 0) continue;
    const patterns = found.map(({ pattern }) => pattern);
    const { granted } = entry(groups, JSON.stringify(patterns), () => ({ patterns, granted: [] }));
    for (const { pattern, count, last } of found) granted.push({ action, resource: pattern, count, last });
  }
  return [...groups.values()];
}

function statementOf({ name, resources, condition, granted }: Draft, sids: Sids): GeneratedStatement {
  return {
    Sid: sids.next(name),
    Effect: 'Allow',
    Action: [...new Set(granted.map(({ action }) => action))],
    Resource: resources,
    ...(condition !== undefined && { Condition: condition }),
  };
}

/** A Sid stands once in a document. */
class Sids {
  readonly #counts = new Map<string, number>();

  next(name: string): string {
    const count = (this.#counts.get(name) ?? 0) + 1;
    this.#counts.set(name, count);
    return count === 1 ? name : this.next(`${name}${count}`);
  }
}

/** Letters and digits alone, as IAM has Sids. */
function pascalCase(name: string): string {
  return name
    .split(/[^A-Za-z0-9]+/)
    .map((part) => part.slice(0, 1).toUpperCase() + part.slice(1))
    .join('');
}

function takesPrefix(action: string): boolean {
  return expandActionPattern(action).some((each) => actionTakesKey(each, 's3:prefix'));
}

function entry<Value>(map: Map<string, Value>, key: string, make: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

function byKey([left]: readonly [string, unknown], [right]: readonly [string, unknown]): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
