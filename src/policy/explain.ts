/** Why a decision is what it is: every statement that was looked at, and what kept it from applying. */

import type { CompiledStatement } from './compile.ts';
import type { Decision, StatementRef } from './decision.ts';
import type { Statement } from './document.ts';
import { denyNames, evaluate, type EvaluationRequest, type PolicySet } from './evaluate.ts';
import type { PolicyPrincipal } from './principal.ts';

export type PolicyRole = 'identity' | 'resource' | 'boundary' | 'session';

/** Why a statement does not apply: what it wants, as it is written, and what the request has. */
export type Mismatch =
  | {
      readonly element: 'Principal' | 'NotPrincipal' | 'Action' | 'NotAction' | 'Resource' | 'NotResource';
      readonly wanted: readonly string[];
      readonly actual: string;
    }
  | ({ readonly element: 'Condition' } & ConditionReport);

export interface ConditionReport {
  /** `StringEquals`, with its prefix and `IfExists`. */
  readonly operator: string;
  readonly key: string;
  readonly wanted: readonly string[];
  /** Undefined for a key that the request does not have. */
  readonly actual: string | readonly string[] | undefined;
}

export interface StatementReport {
  readonly by: StatementRef;
  readonly role: PolicyRole;
  readonly effect: 'Allow' | 'Deny';
  /** Empty for a statement that applies. */
  readonly mismatches: readonly Mismatch[];
  /** The conditions that held. */
  readonly held: readonly ConditionReport[];
}

export interface Explanation {
  readonly decision: Decision;
  /** `NAME@FINGERPRINT` of every document that was looked at. */
  readonly policies: readonly string[];
  readonly statements: readonly StatementReport[];
  /**
   * At most three statements that the decision hangs on: the Allow that grants; the Denies that refuse; or, where
   * nothing allows, the Allows that come nearest, with what keeps them from it.
   */
  readonly nearest: readonly StatementReport[];
}

const MAX_NEAREST = 3;

/** The decision of `evaluate`, with its reasons. Slow: for people, and for refusals. Never throws. */
export function explain(request: EvaluationRequest, policies: PolicySet): Explanation {
  const decision = evaluate(request, policies);
  const labels = ROLES.flatMap((role) => policies[role]?.labels ?? []);
  try {
    const statements = ROLES.flatMap((role) => reports(role, request, policies));
    return { decision, policies: labels, statements, nearest: nearest(decision, statements) };
  } catch {
    // The decision says what could not be evaluated.
    return { decision, policies: labels, statements: [], nearest: [] };
  }
}

const ROLES: readonly PolicyRole[] = ['identity', 'resource', 'boundary', 'session'];

function reports(role: PolicyRole, request: EvaluationRequest, policies: PolicySet): StatementReport[] {
  const hasBoundary = policies.boundary !== undefined;
  return (policies[role]?.statements ?? []).map((statement) => report(statement, role, request, hasBoundary));
}

function report(
  statement: CompiledStatement,
  role: PolicyRole,
  request: EvaluationRequest,
  hasBoundary: boolean,
): StatementReport {
  const { source, ref } = statement;
  const { principal, action, resource, context } = request;
  const mismatches: Mismatch[] = [];
  if (!namesCaller(statement, principal, hasBoundary))
    mismatches.push({
      element: source.principals?.negated === true ? 'NotPrincipal' : 'Principal',
      wanted: bounded(source.principals?.items.map(({ text }) => text) ?? []),
      actual: principal.type === 'anonymous' ? 'anonymous' : principal.arn,
    });
  if (!statement.matchesAction(action.toLowerCase()))
    mismatches.push({
      element: source.actions.negated ? 'NotAction' : 'Action',
      wanted: texts(source.actions),
      actual: action,
    });
  if (!statement.resources.matches(resource, context))
    mismatches.push({
      element: source.resources?.negated === true ? 'NotResource' : 'Resource',
      wanted: texts(source.resources),
      actual: resource,
    });
  const held: ConditionReport[] = [];
  for (const [index, condition] of source.conditions.entries()) {
    const said: ConditionReport = {
      operator: condition.name,
      key: condition.key,
      wanted: bounded(condition.values),
      actual: context(condition.key.toLowerCase()),
    };
    if (statement.conditions[index]?.(context) === true) held.push(said);
    else mismatches.push({ element: 'Condition', ...said });
  }
  return { by: ref, role, effect: source.effect, mismatches, held };
}

function namesCaller(
  statement: CompiledStatement,
  principal: PolicyPrincipal,
  hasBoundary: boolean,
): boolean {
  if (statement.source.effect === 'Deny') return denyNames(statement, principal, hasBoundary);
  const { principals } = statement;
  return principals === undefined || principals.grant(principal) !== 'none';
}

function nearest(decision: Decision, statements: readonly StatementReport[]): readonly StatementReport[] {
  if (decision.effect === 'Allow')
    return statements.filter(({ by, effect }) => effect === 'Allow' && by === decision.by);
  const { because } = decision;
  if (because.kind === 'error') return [];
  if (because.kind === 'restricted') return statements.filter(({ by }) => by === because.publicBy);
  if (because.kind === 'explicit')
    return statements
      .filter(({ effect, mismatches }) => effect === 'Deny' && mismatches.length === 0)
      .slice(0, MAX_NEAREST);
  // An identity policy's Allow would do where a bucket policy's would too, in the same account.
  const roles: readonly PolicyRole[] =
    because.missing === 'identity' ? ['identity', 'resource'] : [because.missing];
  return statements
    .filter((each) => each.effect === 'Allow' && roles.includes(each.role) && isAboutIt(each))
    .toSorted((left, right) => distance(left) - distance(right))
    .slice(0, MAX_NEAREST);
}

/** A statement on other actions and other resources is no near miss. */
function isAboutIt({ mismatches }: StatementReport): boolean {
  return mismatches.length > 0 && mismatches.reduce((sum, each) => sum + WEIGHTS[each.element], 0) < 16;
}

function distance({ mismatches }: StatementReport): number {
  return mismatches.reduce((sum, { element }) => sum + WEIGHTS[element], 0);
}

/** A condition is nearer to holding than another resource, and that nearer than another action or caller. */
const WEIGHTS: Readonly<Record<Mismatch['element'], number>> = {
  Condition: 1,
  Resource: 8,
  NotResource: 8,
  Action: 10,
  NotAction: 10,
  Principal: 12,
  NotPrincipal: 12,
};

const MAX_WANTED = 10;

function texts(selection: Statement['resources']): readonly string[] {
  return bounded(selection?.items.map(({ text }) => text) ?? []);
}

function bounded(values: readonly string[]): readonly string[] {
  if (values.length <= MAX_WANTED) return values;
  return [...values.slice(0, MAX_WANTED), `and ${values.length - MAX_WANTED} more`];
}
