/** One condition of a statement: operator, key, values. */

import { type OperatorUse, type ValueTest } from './operators.ts';
import type { ContextLookup } from './template.ts';

/** Does the condition hold for the request? */
export type ConditionTest = (context: ContextLookup) => boolean;

export interface Condition {
  readonly use: OperatorUse;
  /** As it is written. */
  readonly key: string;
  readonly values: readonly string[];
}

/** Its value in a request never has the leading slash that the header may have. */
const COPY_SOURCE = 's3:x-amz-copy-source';

/** @throws Error for a value that `Operator.compile` calls invalid: parsing has refused those. */
export function compileCondition(
  condition: Condition,
  options: { readonly variables: boolean },
): ConditionTest {
  const { operator, quantifier, ifExists } = condition.use;
  const key = condition.key.toLowerCase();
  // `/bucket/key` and `bucket/key` are the same source, as in the header itself.
  const texts =
    key === COPY_SOURCE ? condition.values.map((text) => text.replace(/^\//, '')) : condition.values;
  const tests = texts.map((text) => {
    const compiled = operator.compile(text, options);
    if (typeof compiled !== 'function') throw new Error(compiled.invalid);
    return compiled;
  });
  const isNull = operator.family === 'Null';
  const matches = isNull ? someNull(tests) : (operator.compileAny?.(texts) ?? someMatches(tests));
  const holds = operator.negated ? noneMatches(matches) : matches;
  if (quantifier === undefined) {
    if (isNull) return nullTest(key, tests);
    const whenMissing = ifExists || operator.negated;
    return (context) => {
      const value = context(key);
      if (value === undefined) return whenMissing;
      // A multivalued key needs ForAllValues or ForAnyValue; without values it is as good as missing.
      return typeof value === 'string' ? holds(value, context) : value.length === 0 && whenMissing;
    };
  }
  const forAll = quantifier === 'all';
  const whenEmpty = ifExists || forAll;
  return (context) => {
    const value = context(key);
    // An empty string is the empty set here (IAM User Guide, "Set operators": "a null data set").
    if (value === undefined || value.length === 0) return whenEmpty;
    if (typeof value === 'string') return holds(value, context);
    for (const each of value) if (holds(each, context) !== forAll) return !forAll;
    return forAll;
  };
}

/** The key counts as null when it is absent, an empty string or an empty list. */
function nullTest(key: string, tests: readonly ValueTest[]): ConditionTest {
  const holds = someMatches(tests);
  return (context) => {
    const value = context(key);
    return holds(value === undefined || value.length === 0 ? 'true' : 'false', context);
  };
}

function someMatches(tests: readonly ValueTest[]): ValueTest {
  const [only] = tests;
  if (only !== undefined && tests.length === 1) return only;
  return (value, context) => {
    for (let index = 0; index < tests.length; index += 1) {
      if (tests[index]?.(value, context) === true) return true;
    }
    return false;
  };
}

function noneMatches(some: ValueTest): ValueTest {
  return (value, context) => !some(value, context);
}

/** Null with a set operator: asked of each value. */
function someNull(tests: readonly ValueTest[]): ValueTest {
  const holds = someMatches(tests);
  return (value, context) => holds(value === '' ? 'true' : 'false', context);
}
