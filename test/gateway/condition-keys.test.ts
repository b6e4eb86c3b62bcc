/** The table of condition keys is complete, and documented. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { renderConditionKeysPage } from '../../scripts/condition-keys-page.ts';
import { isAbsent } from '../../src/gateway/condition-key.ts';
import { CONDITION_KEYS, keysOf, takesKey } from '../../src/gateway/condition-keys.ts';
import { ACTION_GROUPS, COMMON_KEYS, GLOBAL_KEYS } from '../../src/policy/actions.ts';

interface Vectors {
  readonly operations: readonly VectorRow[];
  readonly extraOperations: readonly VectorRow[];
}

interface VectorRow {
  readonly operation: string;
  readonly conditionKeys: readonly string[];
  readonly actions: readonly { readonly action: string; readonly scope?: string }[];
}

const vectors = JSON.parse(
  readFileSync(new URL('../vectors/s3-actions.json', import.meta.url), 'utf8'),
) as Vectors;
const ROWS = [...vectors.operations, ...vectors.extraOperations];

/** `s3:ExistingObjectTag/<key>` and `aws:ResourceTag/${TagKey}` are families of keys. */
function folded(name: string): string {
  return name.toLowerCase().replace(/\/.*$/, '/');
}

const NAMES = CONDITION_KEYS.map(({ name }) => folded(name));

describe('the table', () => {
  test('has each key once', () => {
    expect(NAMES).toEqual([...new Set(NAMES)]);
  });

  test('has every key that policies may name, and that AWS lists for an operation', () => {
    const known = [
      ...ACTION_GROUPS.flatMap(({ keys }) => keys),
      ...COMMON_KEYS,
      ...GLOBAL_KEYS,
      ...ROWS.flatMap(({ conditionKeys }) => conditionKeys),
    ];
    expect(known.filter((name) => !NAMES.includes(folded(name)))).toEqual([]);
  });

  test('has no key that AWS does not have', () => {
    const known = new Set(
      [
        ...ACTION_GROUPS.flatMap(({ keys }) => keys),
        ...COMMON_KEYS,
        ...GLOBAL_KEYS,
        ...ROWS.flatMap(({ conditionKeys }) => conditionKeys),
      ].map(folded),
    );
    expect(NAMES.filter((name) => !known.has(name))).toEqual([]);
  });

  test.each(ROWS.filter(({ actions }) => actions.some(({ action }) => action.startsWith('s3:'))))(
    'fills in what AWS lists for $operation',
    ({ actions, conditionKeys }) => {
      const own = actions.filter(({ scope }) => scope !== 'upstream').map(({ action }) => action);
      const absent = new Set(CONDITION_KEYS.filter(isAbsent).map(({ name }) => folded(name)));
      const filled = new Set(
        own.flatMap((action) => {
          const { single, ofTags } = keysOf(action);
          return Array.from(single.keys()).concat(Array.from(ofTags.keys()));
        }),
      );
      const missing = conditionKeys.map(folded).filter((name) => !filled.has(name) && !absent.has(name));
      expect(missing).toEqual([]);
    },
  );

  test.each([
    ['s3:GetObject', 's3:prefix', false],
    ['s3:ListBucket', 's3:prefix', true],
    ['s3:ListBucketMultipartUploads', 's3:prefix', false],
    ['s3:GetObject', 's3:ExistingObjectTag/', true],
    ['s3:DeleteObject', 's3:ExistingObjectTag/', false],
    ['s3:PutObject', 's3:ExistingObjectTag/', false],
    ['s3:GetObject', 's3:x-amz-copy-source', false],
    ['s3:GetObject', 's3:versionid', false],
    ['s3:GetObjectVersion', 's3:versionid', true],
    ['s3:GetObject', 'aws:SourceIp', true],
    ['s3express:CreateSession', 's3:authType', false],
    ['s3express:CreateSession', 's3express:authType', true],
    ['s3:GetObject', 's3express:authType', false],
  ])('%s takes %s: %s', (action, name, taken) => {
    expect(takesKey(action, { name, absent: '' })).toBe(taken);
  });
});

test('docs/condition-keys.md is what `npm run docs` makes', () => {
  const page = readFileSync(new URL('../../docs/condition-keys.md', import.meta.url), 'utf8');
  expect(page).toBe(renderConditionKeysPage());
});
