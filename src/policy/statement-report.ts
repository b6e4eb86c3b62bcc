/** Does a statement apply to a request, and what keeps it from applying? */

import type { CompiledStatement } from './compile.ts';
import type { StatementRef } from './decision.ts';
import type { Statement } from './document.ts';
import { denyNames, grantOf, isRepair, type EvaluationRequest } from './evaluate.ts';

export type PolicyRole = 'identity' | 'resource' | 'boundary' | 'session';

/** Why a statement does not apply: what it wants, as it is written, and what the request has. */
export type Mismatch =
  | {
      readonly element: 'Principal' | 'NotPrincipal' | 'Action' | 'NotAction' | 'Resource' | 'NotResource';
      readonly wanted: readonly string[];
      readonly actual: string;
    }
  | ({ readonly element: 'Condition' } & ConditionReport);

interface ConditionReport {
  /** `StringEquals`, with its prefix and `IfExists`. */
  readonly operator: string;
  readonly key: string;
  readonly wanted: readonly string[];
  /** Undefined for a key that the request does not have, or that could not be looked up. */
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

/** A report, and whether something in it could not be told: then it stands among the mismatches. */
export interface ExaminedStatement {
  readonly report: StatementReport;
  readonly failed: boolean;
}

/** Never throws, whatever the context does. */
export function examineStatement(
  statement: CompiledStatement,
  role: PolicyRole,
  request: EvaluationRequest,
  options: { readonly hasBoundary: boolean },
): ExaminedStatement {
  const { source, ref } = statement;
  const { principal, action, resource, context } = request;
  const mismatches: Mismatch[] = [];
  const held: ConditionReport[] = [];
  let failed = false;
  const holds = (test: () => boolean): boolean => {
    try {
      return test();
    } catch {
      failed = true;
      return false;
    }
  };
  if (!speaksOf(statement, role, request, options))
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
  if (!holds(() => statement.resources.matches(resource, context)))
    mismatches.push({
      element: source.resources?.negated === true ? 'NotResource' : 'Resource',
      wanted: texts(source.resources),
      actual: resource,
    });
  for (const [index, condition] of source.conditions.entries()) {
    let actual: ConditionReport['actual'];
    const isHeld = holds(() => {
      actual = context(condition.key.toLowerCase());
      return statement.conditions[index]?.(context) === true;
    });
    const { name: operator, key } = condition;
    const said: ConditionReport = { operator, key, wanted: bounded(condition.values), actual };
    if (isHeld) held.push(said);
    else mismatches.push({ element: 'Condition', ...said });
  }
  return { report: { by: ref, role, effect: source.effect, mismatches, held }, failed };
}

/** Of the caller? */
export function speaksOf(
  statement: CompiledStatement,
  role: PolicyRole,
  request: EvaluationRequest,
  { hasBoundary }: { readonly hasBoundary: boolean },
): boolean {
  const { principals, source } = statement;
  if (principals === undefined) return true;
  if (source.effect === 'Allow') return grantOf(statement, request.principal) !== 'none';
  return !(role === 'resource' && isRepair(request)) && denyNames(statement, request.principal, hasBoundary);
}

const MAX_WANTED = 10;

function texts(selection: Statement['resources']): readonly string[] {
  return bounded(selection?.items.map(({ text }) => text) ?? []);
}

function bounded(values: readonly string[]): readonly string[] {
  if (values.length <= MAX_WANTED) return values;
  return [...values.slice(0, MAX_WANTED), `and ${values.length - MAX_WANTED} more`];
}
