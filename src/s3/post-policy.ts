/**
 * The policy document of a browser form. Sources: S3 API reference, "POST Policy"; recorded answers of S3 for the words of
 * each refusal.
 */
import { S3Error } from './error.ts';
import { keyAsPath } from './object-key.ts';
import type { PostFields } from './post-fields.ts';

export interface PostPolicy {
  /** Epoch milliseconds. */
  readonly expiration: number;
  readonly conditions: readonly PostCondition[];
}

type PostCondition = FieldCondition | RangeCondition;

interface FieldCondition {
  readonly kind: 'eq' | 'starts-with';
  /** Lower-case; undefined when the policy lacks the dollar sign, so that it never holds. */
  readonly field: string | undefined;
  readonly value: string;
  /** As S3 shows it. */
  readonly text: string;
}

interface RangeCondition {
  readonly kind: 'content-length-range';
  /** Bytes; undefined for what is no number, so that it never holds. */
  readonly range: { readonly min: number; readonly max: number } | undefined;
  readonly text: string;
}

/** @throws S3Error `InvalidPolicyDocument` */
export function parsePostPolicy(base64: string): PostPolicy {
  const document = parseJson(base64);
  if (!isObject(document)) throw invalid('Invalid JSON.');
  for (const name of Object.keys(document))
    if (name !== 'expiration' && name !== 'conditions') throw invalid(`Unexpected: '${name.toLowerCase()}'`);
  const { expiration, conditions } = document;
  if (expiration === undefined) throw invalid('Policy missing expiration.');
  if (conditions === undefined) throw invalid('Policy missing conditions.');
  if (!Array.isArray(conditions)) throw invalid("Invalid 'conditions' value: must be a List.");
  return { expiration: parseExpiration(expiration), conditions: conditions.map(parseCondition) };
}

/**
 * Whether the form is what its signer allowed, as far as the fields tell.
 * @param request.bucket of the URL that the form was sent to. @param request.now epoch milliseconds.
 * @throws S3Error `AccessDenied`
 */
export function checkPostPolicy(
  policy: PostPolicy,
  fields: PostFields,
  request: { readonly bucket: string; readonly now: number },
): void {
  if (policy.expiration <= request.now) throw refused('Policy expired.');
  const covered = new Set<string>();
  for (const condition of policy.conditions) {
    if (condition.kind === 'content-length-range') {
      if (condition.range === undefined) throw failed(condition);
      continue;
    }
    const { field } = condition;
    if (field === undefined) throw failed(condition);
    const value = field === 'bucket' ? request.bucket : fields.get(field)?.value;
    if (value === undefined || !holds(condition, field, value)) throw failed(condition);
    covered.add(field);
  }
  const extra = [...fields]
    .filter(([lower]) => !covered.has(lower) && !UNCOVERED.has(lower))
    .map(([, { name }]) => name);
  if (!covered.has('bucket') && !fields.has('bucket')) extra.push('bucket');
  if (extra.length > 0) throw refused(`Extra input fields: ${extra.join(', ')}`);
}

/** @param size of the file, bytes. @throws S3Error `EntityTooLarge` or `EntityTooSmall` */
export function checkFileSize(policy: PostPolicy, size: number): void {
  for (const condition of policy.conditions) {
    if (condition.kind !== 'content-length-range' || condition.range === undefined) continue;
    const { min, max } = condition.range;
    if (size > max)
      throw new S3Error('EntityTooLarge', {
        details: { ProposedSize: String(size), MaxSizeAllowed: String(max) },
      });
    if (size < min)
      throw new S3Error('EntityTooSmall', {
        details: { ProposedSize: String(size), MinSizeAllowed: String(min) },
      });
  }
}

/** Most bytes that the policy allows; infinite when it does not say. */
export function largestFile({ conditions }: PostPolicy): number {
  let largest = Number.POSITIVE_INFINITY;
  for (const condition of conditions)
    if (condition.kind === 'content-length-range' && condition.range !== undefined)
      largest = Math.min(largest, condition.range.max);
  return largest;
}

/** Fields that no condition needs to cover, beside those that S3 ignores. */
const UNCOVERED: ReadonlySet<string> = new Set(['policy', 'x-amz-signature']);

function holds({ kind, value: wanted }: FieldCondition, field: string, value: string): boolean {
  if (kind === 'eq') return value === wanted;
  // A store that keeps objects as files takes a key for a path: it is held to the condition as both (docs/decisions/0009).
  if (field === 'key' && !keyAsPath(value).startsWith(keyAsPath(wanted))) return false;
  // A list is meant in this field alone; every entry must begin so.
  const values = field === 'content-type' && value.includes(',') ? value.split(',') : [value];
  return values.every((entry) => entry.startsWith(wanted));
}

function parseJson(base64: string): unknown {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(base64) || base64.length % 4 !== 0)
    throw invalid('invalid Base64 encoding.');
  try {
    return JSON.parse(decoder.decode(Buffer.from(base64, 'base64')));
  } catch (cause) {
    throw invalid('Invalid JSON.', cause);
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** ISO 8601 in UTC, with or without fractions of a second. */
function parseExpiration(value: unknown): number {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const [, seconds] = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d{1,9})?Z$/.exec(text) ?? [];
  const epochMs = seconds === undefined ? Number.NaN : Date.parse(text);
  // 30 February would be taken for 2 March.
  if (Number.isNaN(epochMs) || new Date(epochMs).toISOString().slice(0, 19) !== seconds)
    throw invalid(`Invalid 'expiration' value: '${text}'`);
  return epochMs;
}

function parseCondition(condition: unknown): PostCondition {
  if (Array.isArray(condition)) return parseList(condition);
  if (!isObject(condition)) throw invalid('Invalid condition test: must be a List or Object.');
  const [[name, value] = [], ...more] = Object.entries(condition);
  if (name === undefined || more.length > 0)
    throw invalid('Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.');
  if (value === null) throw invalid('Invalid JSON.');
  if (typeof value !== 'string') throw invalid('Invalid Simple-Condition: value must be a string.');
  return { kind: 'eq', field: name.toLowerCase(), value, text: show(['eq', `$${name}`, value]) };
}

function parseList(list: readonly unknown[]): PostCondition {
  const [operation, first, second] = list;
  if (typeof operation !== 'string') throw invalid('Invalid Condition: missing operation identifier.');
  const kind = operation.toLowerCase();
  if (kind !== 'eq' && kind !== 'starts-with' && kind !== 'content-length-range')
    throw invalid(`Invalid Condition: unknown operation '${operation}'.`);
  if (list.length !== 3) throw invalid(`Invalid ${operation}: wrong number of arguments.`);
  if (kind === 'content-length-range') return parseRange(list, first, second);
  if (typeof first !== 'string' || typeof second !== 'string') throw invalid('Invalid JSON.');
  const field = first.startsWith('$') ? first.slice(1).toLowerCase() : undefined;
  return { kind, field, value: second, text: show(list) };
}

/** Numbers, or strings that hold one. */
function parseRange(list: readonly unknown[], first: unknown, second: unknown): RangeCondition {
  const [min, max] = [first, second].map((bound) => {
    if (typeof bound === 'string') return /^\d{1,15}$/.test(bound) ? Number(bound) : undefined;
    if (typeof bound === 'number' && Number.isSafeInteger(bound) && bound >= 0) return bound;
    throw invalid('Invalid JSON.');
  });
  const range = min === undefined || max === undefined ? undefined : { min, max };
  return { kind: 'content-length-range', range, text: show(list) };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `["eq", "$key", "a"]` */
function show(list: readonly unknown[]): string {
  return `[${list.map((item) => JSON.stringify(item)).join(', ')}]`;
}

function invalid(problem: string, cause?: unknown): S3Error {
  return new S3Error('InvalidPolicyDocument', {
    message: `Invalid Policy: ${problem}`,
    ...(cause !== undefined && { cause }),
  });
}

function failed({ text }: PostCondition): S3Error {
  return refused(`Policy Condition failed: ${text}`);
}

function refused(problem: string): S3Error {
  return new S3Error('AccessDenied', { message: `Invalid according to Policy: ${problem}` });
}
