/** What policies may ask of one decision: condition keys, filled in one at a time. */
import type { ContextLookup } from '../policy/index.ts';
import type { Tag } from '../s3/index.ts';
import type { Facts } from './condition-facts.ts';
import type { KeyValue, TagKeys } from './condition-key.ts';
import { keysOf, type ActionKeys } from './condition-keys.ts';

export interface ConditionContext {
  /** @throws ExistingTagsNeeded for a tag of the object when `existingTags` are not known. */
  readonly lookup: ContextLookup;
  /** Every key that has a value, as AWS writes it, those of tags included; one whose value cannot be told is left out. */
  readonly entries: () => readonly ContextEntry[];
}

type ContextEntry = readonly [name: string, value: string | readonly string[]];

export function conditionContext(facts: Facts): ConditionContext {
  const keys = keysOf(facts.required.action);
  return {
    lookup: (key) => {
      const single = keys.single.get(key);
      if (single !== undefined) return single.value(facts);
      const slash = key.indexOf('/') + 1;
      if (slash === 0 || slash === key.length) return undefined;
      const ofTags = keys.ofTags.get(key.slice(0, slash));
      return ofTags && tagValue(ofTags, facts, key.slice(slash));
    },
    entries: () => presentEntries(keys, facts),
  };
}

/** For the record of every request: no name is made or folded that is not that of a tag. */
function presentEntries({ single, ofTags }: ActionKeys, facts: Facts): readonly ContextEntry[] {
  const entries: ContextEntry[] = [];
  const add = (name: string, value: KeyValue): void => {
    if (value !== undefined) entries.push([name, value]);
  };
  for (const key of single.values()) add(key.name, tellable(key.value, facts));
  for (const key of ofTags.values())
    for (const tag of key.tags(facts) ?? []) add(key.name + tag.key, tellable(tagOf(key, tag), facts));
  return entries;
}

/** The decision says why a value cannot be told, where it hung on it. */
function tellable(value: (facts: Facts) => KeyValue, facts: Facts): KeyValue {
  try {
    return value(facts);
  } catch {
    return undefined;
  }
}

function tagOf(key: TagKeys, tag: Tag): (facts: Facts) => KeyValue {
  return (facts) => tagValue(key, facts, tag.key.toLowerCase());
}

/**
 * Tag keys are compared without case in condition keys, values never are.
 * @throws Error for tags whose keys differ in case alone: a condition can speak of one of them only.
 */
function tagValue({ name, tags, orThrow }: TagKeys, facts: Facts, lowerCaseKey: string): KeyValue {
  const present = tags(facts);
  if (present === undefined && orThrow !== undefined) throw orThrow();
  let found: Tag | undefined;
  for (const tag of present ?? []) {
    if (tag.key.toLowerCase() !== lowerCaseKey) continue;
    if (found !== undefined)
      throw new Error(`several tags are \`${name}${lowerCaseKey}\`, in different case`);
    found = tag;
  }
  return found?.value;
}
