/** Why a decision is what it is: every statement that was looked at, and what kept it from applying. */

import type { Decision } from './decision.ts';
import { evaluate, type EvaluationRequest, type PolicySet } from './evaluate.ts';
import { nearestStatements, ROLES } from './nearest.ts';
import { examineStatement, type StatementReport } from './statement-report.ts';

export interface Explanation {
  readonly decision: Decision;
  /** `NAME@FINGERPRINT` of every document that was looked at. */
  readonly policies: readonly string[];
  /** Of each policy in the order of its documents. Made when it is first asked for. */
  readonly statements: readonly StatementReport[];
  /**
   * At most three statements that the decision hangs on: the Allow that grants; the Denies that refuse; what could not
   * be evaluated; or, where nothing allows, the Allows that come nearest, with what keeps them from it.
   */
  readonly nearest: readonly StatementReport[];
}

/** The decision of `evaluate`, with its reasons: for people, and for refusals. Never throws. */
export function explain(request: EvaluationRequest, policies: PolicySet): Explanation {
  const decision = evaluate(request, policies);
  let statements: readonly StatementReport[] | undefined;
  return {
    decision,
    policies: ROLES.flatMap((role) => policies[role]?.labels ?? []),
    get statements() {
      statements ??= allStatements(request, policies);
      return statements;
    },
    nearest: nearestStatements(decision, request, policies),
  };
}

function allStatements(request: EvaluationRequest, policies: PolicySet): readonly StatementReport[] {
  const options = { hasBoundary: policies.boundary !== undefined };
  return ROLES.flatMap((role) =>
    (policies[role]?.statements ?? []).map(
      (statement) => examineStatement(statement, role, request, options).report,
    ),
  );
}
