/** What policies may ask of one decision: condition keys, filled in one at a time. */
import type { ContextLookup } from '../policy/index.ts';
import type { Tag } from '../s3/index.ts';
import type { Facts } from './condition-facts.ts';
import type { KeyValue, TagKeys } from './condition-key.ts';
import { keysOf } from './condition-keys.ts';

export interface ConditionContext {
  /** @throws ExistingTagsNeeded for a tag of the object when `existingTags` are not known. */
  readonly lookup: ContextLookup;
  /** As AWS writes them; a key that is not among them has no value. */
  readonly names: () => readonly string[];
}

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
    names: () => {
      let names = keys.names;
      for (const { name, tags } of keys.ofTags.values()) {
        const present = tags(facts);
        if (present !== undefined && present.length > 0)
          names = [...names, ...present.map(({ key }) => name + key)];
      }
      return names;
    },
  };
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
