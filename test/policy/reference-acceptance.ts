/**
 * What must be refused of a policy document, by plain looks at its JSON: the structural rules alone, so that
 * undefined means "no objection", not "valid".
 */
import type { PolicyType } from '../../src/policy/index.ts';
import { ipInRange } from './reference-values.ts';

/** Why the document must be refused, if a structural rule says so. */
export function structuralObjection(text: string, type: PolicyType): string | undefined {
  if (!text.startsWith('{')) return 'does not begin with {';
  if (type === 'resource' && Buffer.byteLength(text) > 20 * 1024) return 'too large';
  let root: unknown;
  try {
    root = JSON.parse(text);
  } catch {
    return 'no JSON';
  }
  return textObjection(text) ?? documentObjection(root as Json, type);
}

type Json = Readonly<Record<string, unknown>>;

/** What JSON.parse hides: keys that repeat, and depth. The text is known to be JSON. */
function textObjection(text: string): string | undefined {
  const open: Set<string>[] = [];
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"\s*:?|[{}[\]]/g)) {
    if (token === '{' || token === '[') {
      open.push(new Set());
      if (open.length > 32) return 'nested deeper than 32';
    } else if (token === '}' || token === ']') open.pop();
    else {
      const isKey = token.endsWith(':');
      const content = JSON.parse(isKey ? token.slice(0, -1) : token) as string;
      if (!content.isWellFormed()) return 'half of a surrogate pair';
      const folded = content.toLowerCase();
      if (isKey && open.at(-1)?.has(folded) === true) return `the key ${content} twice`;
      if (isKey) open.at(-1)?.add(folded);
    }
  }
  return undefined;
}

function documentObjection(root: Json, type: PolicyType): string | undefined {
  const unknown = Object.keys(root).find((key) => !['Version', 'Id', 'Statement'].includes(key));
  if (unknown !== undefined) return `unknown element ${unknown}`;
  const version = root['Version'];
  if (version !== undefined && version !== '2012-10-17' && version !== '2008-10-17') return 'unknown version';
  if (!isObject(root['Statement']) && !Array.isArray(root['Statement'])) return 'no statement';
  const statements: unknown[] = [root['Statement']].flat();
  for (const statement of statements) {
    if (!isObject(statement)) return 'a statement that is no object';
    const objection = statementObjection(statement, type, version === '2012-10-17');
    if (objection !== undefined) return objection;
  }
  return undefined;
}

const ELEMENTS = new Set([
  'Sid',
  'Effect',
  'Principal',
  'NotPrincipal',
  'Action',
  'NotAction',
  'Resource',
  'NotResource',
  'Condition',
]);

function statementObjection(statement: Json, type: PolicyType, variables: boolean): string | undefined {
  const unknown = Object.keys(statement).find((key) => !ELEMENTS.has(key));
  if (unknown !== undefined) return `unknown element ${unknown}`;
  const { Effect: effect } = statement;
  if (effect !== 'Allow' && effect !== 'Deny') return 'no effect';
  const count = (name: string): number => Number(name in statement) + Number(`Not${name}` in statement);
  if (count('Action') !== 1) return 'both or neither of Action and NotAction';
  if (count('Resource') !== (type === 'trust' ? 0 : 1)) return 'both or neither of Resource and NotResource';
  if (count('Principal') !== (type === 'resource' || type === 'trust' ? 1 : 0)) return 'Principal';
  if (effect === 'Allow' && 'NotPrincipal' in statement) return 'NotPrincipal with Allow';
  const lists = [
    statement['Action'] ?? statement['NotAction'],
    statement['Resource'] ?? statement['NotResource'] ?? [],
  ];
  if (lists.flat().some((value) => typeof value !== 'string')) return 'an action or resource that is no text';
  const resources = [lists[1]].flat() as string[];
  if (variables && resources.some(hasOpenVariable)) return 'a variable without an end';
  return (
    principalObjection(statement['Principal'] ?? statement['NotPrincipal']) ??
    conditionObjection(statement['Condition'], variables)
  );
}

function principalObjection(element: unknown): string | undefined {
  if (element === undefined || element === '*') return undefined;
  if (!isObject(element) || Object.keys(element).length === 0) return 'no principal';
  for (const [type, values] of Object.entries(element)) {
    if (!['AWS', 'CanonicalUser', 'Federated', 'Service'].includes(type))
      return 'a principal of unknown type';
    for (const value of [values].flat()) {
      if (typeof value !== 'string') return 'a principal that is no text';
      if (/[*?]/.test(value) && !(type === 'AWS' && value === '*'))
        return 'a partial wildcard in a principal';
      if (value.includes(':group/')) return 'a group as principal';
    }
  }
  return undefined;
}

const OPERATORS = new Set(
  [
    'StringEquals StringNotEquals StringEqualsIgnoreCase StringNotEqualsIgnoreCase StringLike StringNotLike',
    'NumericEquals NumericNotEquals NumericLessThan NumericLessThanEquals NumericGreaterThan NumericGreaterThanEquals',
    'DateEquals DateNotEquals DateLessThan DateLessThanEquals DateGreaterThan DateGreaterThanEquals',
    'Bool BinaryEquals IpAddress NotIpAddress ArnEquals ArnNotEquals ArnLike ArnNotLike',
  ]
    .join(' ')
    .toLowerCase()
    .split(' '),
);

function conditionObjection(condition: unknown, variables: boolean): string | undefined {
  if (condition === undefined) return undefined;
  if (!isObject(condition)) return 'a condition that is no object';
  for (const [operator, keys] of Object.entries(condition)) {
    const name = operator.toLowerCase().replace(/^(forallvalues|foranyvalue):/, '');
    if (name !== 'null' && !OPERATORS.has(name.replace(/ifexists$/, '')))
      return `unknown operator ${operator}`;
    if (!isObject(keys)) return 'an operator without keys';
    for (const [key, values] of Object.entries(keys)) {
      if (!key.includes(':')) return 'a condition key without a prefix';
      for (const value of [values].flat()) {
        const objection = valueObjection(name, value, variables);
        if (objection !== undefined) return objection;
      }
    }
  }
  return undefined;
}

function valueObjection(operator: string, value: unknown, variables: boolean): string | undefined {
  if (!['string', 'number', 'boolean'].includes(typeof value)) return 'a condition value of no scalar type';
  const text = String(value);
  if (operator.includes('ipaddress') && ipInRange('10.0.0.1', text) === undefined) return 'no IP address';
  if (operator.startsWith('numeric') && (text.trim() === '' || Number.isNaN(Number(text))))
    return 'no number';
  if ((operator === 'null' || operator.startsWith('bool')) && !/^(true|false)$/i.test(text))
    return 'no truth value';
  const isText = operator.startsWith('string') || operator.startsWith('arn');
  return variables && isText && hasOpenVariable(text) ? 'a variable without an end' : undefined;
}

function hasOpenVariable(text: string): boolean {
  return text.includes('${') && !text.slice(text.lastIndexOf('${')).includes('}');
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
