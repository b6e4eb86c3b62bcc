/** What a row of the table of condition keys says. Text is for docs/condition-keys.md. */
import type { Tag } from '../s3/index.ts';
import type { Facts } from './condition-facts.ts';

export type KeyValue = string | readonly string[] | undefined;

interface Key {
  /** As AWS writes it; one that ends in `/` is followed by the key of a tag. */
  readonly name: string;
}

export interface FilledKey extends Key {
  /** Where the value comes from, and its form. */
  readonly from: string;
  /** When it is there; always without. */
  readonly when?: string;
  /** The header that it is the value of, lower-case. */
  readonly header?: string;
  readonly multivalued?: true;
  readonly value: (facts: Facts) => KeyValue;
}

/** One key for each tag. */
export interface TagKeys extends Key {
  readonly from: string;
  readonly when?: string;
  readonly tags: (facts: Facts) => readonly Tag[] | undefined;
  /** @throws ExistingTagsNeeded instead of having no value where `tags` are undefined. */
  readonly orThrow?: () => Error;
}

/** Never there. */
export interface AbsentKey extends Key {
  readonly absent: string;
}

export type ConditionKey = FilledKey | TagKeys | AbsentKey;

export function isAbsent(key: ConditionKey): key is AbsentKey {
  return 'absent' in key;
}

export function isOfTags(key: ConditionKey): key is TagKeys {
  return 'tags' in key;
}

/** The key whose value is the header of the same name. */
export function headerKey(header: string, when = 'the header is there'): FilledKey {
  return {
    name: `s3:${header}`,
    from: `header \`${header}\``,
    when,
    header,
    value: ({ request }) => request.effective.headers.get(header),
  };
}

export function absent(names: readonly string[], reason: string): readonly AbsentKey[] {
  return names.map((name) => ({ name, absent: reason }));
}
