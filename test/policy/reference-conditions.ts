/**
 * The reference evaluator's conditions. Source: IAM User Guide, "IAM JSON policy elements: Condition operators" and
 * "Set operators for multivalued context keys".
 */
import { arnMatches, plainText, textMatches, type ContextValue, type TextOptions } from './reference-text.ts';
import { ipInRange, readDate, readNumber } from './reference-values.ts';

/** `Condition` of a statement as JSON.parse gives it. */
export function conditionHolds(condition: unknown, options: TextOptions): boolean {
  for (const [operator, keys] of Object.entries((condition ?? {}) as Record<string, object>)) {
    for (const [key, wanted] of Object.entries(keys) as [string, unknown][]) {
      const values = (Array.isArray(wanted) ? (wanted as unknown[]) : [wanted]).map(String);
      if (!keyHolds(operator, options.context.get(key.toLowerCase()), values, options)) return false;
    }
  }
  return true;
}

function keyHolds(
  operator: string,
  actual: ContextValue,
  wanted: readonly string[],
  options: TextOptions,
): boolean {
  let name = operator.toLowerCase();
  let quantifier: 'all' | 'any' | 'none' = 'none';
  if (name.startsWith('forallvalues:')) quantifier = 'all';
  if (name.startsWith('foranyvalue:')) quantifier = 'any';
  name = name.slice(name.indexOf(':') + 1);
  const ifExists = name.endsWith('ifexists');
  if (ifExists) name = name.slice(0, -'ifexists'.length);
  // For a set operator a key that resolves to a null data set, such as an empty string, is as good as missing.
  const isMissing =
    actual === undefined || (actual.length === 0 && (Array.isArray(actual) || quantifier !== 'none'));
  if (name === 'null') return nullHolds(actual, wanted, quantifier);
  const negated = name.includes('not');
  name = name.replace('not', '');
  if (isMissing) {
    if (ifExists) return true;
    if (quantifier === 'all') return true;
    if (quantifier === 'any') return false;
    return negated;
  }
  const oneHolds = (value: string): boolean => {
    const equalsOne = wanted.some((each) => valueMatches(name, value, each, options));
    return negated ? !equalsOne : equalsOne;
  };
  if (quantifier === 'none') return typeof actual === 'string' && oneHolds(actual);
  const set = typeof actual === 'string' ? [actual] : actual;
  return quantifier === 'all' ? set.every(oneHolds) : set.some(oneHolds);
}

function nullHolds(
  actual: ContextValue,
  wanted: readonly string[],
  quantifier: 'all' | 'any' | 'none',
): boolean {
  const wantsNull = (isNull: boolean): boolean =>
    wanted.some((each) => each.toLowerCase() === String(isNull));
  if (quantifier === 'none') return wantsNull(actual === undefined || actual.length === 0);
  const set = typeof actual === 'string' ? (actual === '' ? [] : [actual]) : (actual ?? []);
  const oneHolds = (value: string): boolean => wantsNull(value === '');
  return quantifier === 'all' ? set.every(oneHolds) : set.some(oneHolds);
}

/** The positive operator, in lower case, on one value of the request and one of the policy. */
function valueMatches(name: string, actual: string, wanted: string, options: TextOptions): boolean {
  switch (name) {
    case 'stringequals':
      return plainText(wanted, options) === actual;
    case 'stringequalsignorecase':
      return plainText(wanted, options)?.toLowerCase() === actual.toLowerCase();
    case 'stringlike':
      return textMatches(wanted, actual, options);
    case 'arnequals':
    case 'arnlike':
      return arnMatches(wanted, actual, options);
    case 'bool':
      return /^(true|false)$/i.test(wanted) && wanted.toLowerCase() === actual.toLowerCase();
    case 'binaryequals':
      return Buffer.from(wanted, 'base64').equals(Buffer.from(actual, 'utf8'));
    case 'ipaddress':
      return ipInRange(actual, wanted) === true;
    default:
      return name.startsWith('numeric')
        ? ordered(name.slice('numeric'.length), readNumber(actual), readNumber(wanted))
        : ordered(name.slice('date'.length), readDate(actual), readDate(wanted));
  }
}

function ordered(relation: string, actual: bigint | undefined, wanted: bigint | undefined): boolean {
  if (actual === undefined || wanted === undefined) return false;
  switch (relation) {
    case 'equals':
      return actual === wanted;
    case 'lessthan':
      return actual < wanted;
    case 'lessthanequals':
      return actual <= wanted;
    case 'greaterthan':
      return actual > wanted;
    case 'greaterthanequals':
      return actual >= wanted;
    default:
      throw new Error(`no relation ${relation}`);
  }
}
