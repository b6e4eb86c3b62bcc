/** Policy cases: one JSON object a line, evaluated by the engine that enforces. */

import { compilePolicies, compilePolicy, type CompiledPolicy } from './compile.ts';
import type { Decision, StatementRef } from './decision.ts';
import { parsePolicy } from './document.ts';
import { PolicyError, type PolicyType } from './error.ts';
import { evaluate, type PolicySet } from './evaluate.ts';
import { explain, type Explanation } from './explain.ts';
import { parsePrincipalArn, principalContext } from './principal-arn.ts';
import type { PolicyPrincipal } from './principal.ts';
import { isPublic } from './public.ts';
import type { ContextLookup } from './template.ts';

export interface PolicyCaseResult {
  readonly id: string;
  readonly expected: string;
  /** What the engine says in the words of `expected`, or why a policy of the case was refused. */
  readonly got: string;
  readonly ok: boolean;
  /** The deciding statement of a decision, if one decided. */
  readonly by: StatementRef | undefined;
  /** Why the case is there. */
  readonly note: string | undefined;
  /** Of a decision that is not as expected: why. */
  readonly explanation: Explanation | undefined;
}

/**
 * Runs one line of a case file. Throws PolicyCaseError for a line that is no case; a policy that is refused is a
 * result, not an error.
 */
export function runPolicyCase(line: string): PolicyCaseResult {
  const fields = parseFields(line);
  const expected = textField(fields, 'expected');
  const id = textField(fields, 'id', '');
  const kind = textField(fields, 'kind', 'decision');
  const allowed = Object.hasOwn(EXPECTED, kind) ? EXPECTED[kind] : undefined;
  if (allowed === undefined) throw new PolicyCaseError(`unknown kind \`${kind}\``);
  if (!allowed.includes(expected)) throw new PolicyCaseError(`unknown expected \`${expected}\` for ${kind}`);
  const outcome = run(kind, fields);
  const ok = outcome.got === expected;
  const note = typeof fields['note'] === 'string' ? fields['note'] : undefined;
  const explanation = ok ? undefined : outcome.explain?.();
  return { id, expected, got: outcome.got, ok, by: outcome.by, note, explanation };
}

/** The line is not a policy case. */
export class PolicyCaseError extends Error {
  override readonly name = 'PolicyCaseError';
}

type Fields = Readonly<Record<string, unknown>>;

interface Outcome {
  readonly got: string;
  readonly by?: StatementRef | undefined;
  readonly explain?: () => Explanation;
}

const EXPECTED: Readonly<Record<string, readonly string[]>> = {
  decision: ['Allow', 'Deny'],
  validation: ['Valid', 'MalformedPolicy', 'MalformedPolicyDocument'],
  'public-status': ['Public', 'NonPublic'],
};

const POLICY_TYPES: readonly PolicyType[] = ['resource', 'identity', 'session', 'boundary', 'trust'];

function run(kind: string, fields: Fields): Outcome {
  if (kind === 'validation') return runValidation(fields);
  try {
    if (kind === 'decision') return runDecision(fields);
    const policy = parsePolicy(documentText(fields['resourcePolicy']), { type: 'resource' });
    return { got: isPublic(policy) ? 'Public' : 'NonPublic' };
  } catch (error) {
    if (error instanceof PolicyError) return { got: `${error.code}: ${error.describe()}` };
    throw error;
  }
}

function runValidation(fields: Fields): Outcome {
  const name = textField(fields, 'policyType', 'resource');
  const type = POLICY_TYPES.find((each) => each === name);
  if (type === undefined) throw new PolicyCaseError(`unknown policyType \`${name}\``);
  const bucket = fields['bucket'];
  const expectedMessage = fields['expectedMessage'];
  try {
    const options = typeof bucket === 'string' ? { type, bucket } : { type };
    compilePolicy(parsePolicy(documentText(fields['document']), options), { name: 'document' });
    return { got: 'Valid' };
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    const says = typeof expectedMessage !== 'string' || error.describe().includes(expectedMessage);
    return { got: says ? error.code : `${error.code}: ${error.describe()}` };
  }
}

function runDecision(fields: Fields): Outcome {
  const resource = textField(fields, 'resource');
  const given = contextField(fields);
  const principal = principalField(fields, given.get('aws:principalarn'));
  const callerAccount = principal.type === 'anonymous' ? '' : principal.accountId;
  const request = {
    action: textField(fields, 'action'),
    resource,
    resourceAccount: textField(fields, 'resourceAccount', callerAccount),
    principal,
    context: contextLookup(given, principal),
  };
  const policies = policySet(fields, bucketOf(resource));
  const decision = evaluate(request, policies);
  return { got: decision.effect, by: decidedBy(decision), explain: () => explain(request, policies) };
}

function principalField(fields: Fields, roleArn: string | readonly string[] | undefined): PolicyPrincipal {
  const text = textField(fields, 'principal');
  const principal = parsePrincipalArn(text, typeof roleArn === 'string' ? roleArn : undefined);
  if (principal !== undefined) return principal;
  throw new PolicyCaseError(`\`${text}\` is neither the ARN of a principal nor \`anonymous\``);
}

function policySet(fields: Fields, bucket: string | undefined): PolicySet {
  const resource = fields['resourcePolicy'] ?? undefined;
  const boundary = fields['boundary'] ?? undefined;
  const options = bucket === undefined ? {} : { bucket };
  return {
    identity: compileList(fields, 'identityPolicies', 'identity'),
    session: compileList(fields, 'sessionPolicies', 'session'),
    ...(resource !== undefined && {
      resource: compilePolicy(parsePolicy(documentText(resource), { type: 'resource', ...options }), {
        name: 'resourcePolicy',
      }),
    }),
    ...(boundary !== undefined && { boundary: compileOne(boundary, 'boundary', 'boundary') }),
  };
}

/** Undefined for no policy at all: a session without policies has no limit. */
function compileList(fields: Fields, field: string, type: PolicyType): CompiledPolicy | undefined {
  const list = fields[field] ?? [];
  if (!Array.isArray(list)) throw new PolicyCaseError(`\`${field}\` is a list of policies`);
  if (list.length === 0) return undefined;
  return compilePolicies(
    list.map((each: unknown, index) => ({
      document: parsePolicy(documentText(each), { type }),
      name: `${field}[${index}]`,
    })),
  );
}

function compileOne(policy: unknown, name: string, type: PolicyType): CompiledPolicy {
  return compilePolicy(parsePolicy(documentText(policy), { type }), { name });
}

function decidedBy(decision: Decision): StatementRef | undefined {
  if (decision.effect === 'Allow') return decision.by;
  return decision.because.kind === 'explicit' ? decision.because.by : undefined;
}

/** What the case gives, then what follows from the principal (IAM User Guide, "Information available in all requests"). */
function contextLookup(
  given: ReadonlyMap<string, string | readonly string[]>,
  principal: PolicyPrincipal,
): ContextLookup {
  const derived = principalContext(principal);
  return (key) => given.get(key) ?? derived.get(key);
}

function contextField(fields: Fields): ReadonlyMap<string, string | readonly string[]> {
  const context = fields['context'] ?? {};
  if (!isRecord(context)) throw new PolicyCaseError('`context` is an object');
  const entries = Object.entries(context).map(([key, value]): [string, string | readonly string[]] => {
    if (Array.isArray(value)) return [key.toLowerCase(), value.map(scalarText)];
    return [key.toLowerCase(), scalarText(value)];
  });
  return new Map(entries);
}

function scalarText(value: unknown): string {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
    return String(value);
  }
  throw new PolicyCaseError('a context value is a string, number, boolean or list of these');
}

function bucketOf(resource: string): string | undefined {
  const bucket = /^arn:aws:s3:::([^/]+)/.exec(resource)?.[1];
  return bucket === '*' ? undefined : bucket;
}

/** A string is the raw text of the document, so that what JSON.parse would hide is seen. */
function documentText(document: unknown): string {
  if (typeof document === 'string') return document;
  if (isRecord(document) || Array.isArray(document)) return JSON.stringify(document);
  throw new PolicyCaseError('a policy is an object, or a string of JSON');
}

function parseFields(line: string): Fields {
  try {
    const value: unknown = JSON.parse(line);
    if (isRecord(value)) return value;
  } catch {
    // Said below: not JSON at all is no better than JSON of another shape.
  }
  throw new PolicyCaseError('the line is not a JSON object');
}

function textField(fields: Fields, name: string, fallback?: string): string {
  const value = fields[name] ?? fallback;
  if (typeof value !== 'string') throw new PolicyCaseError(`\`${name}\` is missing or no string`);
  return value;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
