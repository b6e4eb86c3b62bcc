/** What policies would decide, without a request: IAM's SimulateCustomPolicy and SimulatePrincipalPolicy. */

import type { StatementRef } from './decision.ts';
import type { Position } from './error.ts';
import type { CompiledStatement } from './compile.ts';
import type { EvaluationRequest, PolicySet } from './evaluate.ts';
import { explain, type Explanation } from './explain.ts';
import type { PolicyRole, StatementReport } from './statement-report.ts';

export interface Simulation extends Omit<EvaluationRequest, 'action' | 'resource'> {
  readonly actions: readonly string[];
  /** ARNs. */
  readonly resources: readonly string[];
}

/** One action on one resource: IAM's EvaluationResult. */
export interface SimulationResult {
  readonly action: string;
  readonly resource: string;
  readonly decision: 'allowed' | 'explicitDeny' | 'implicitDeny';
  /** That determine the result: the Denies that refuse, or the Allows that apply. */
  readonly matchedStatements: readonly MatchedStatement[];
  /** Keys that statements about the action ask for, and that the simulation has no value of; as they are written. */
  readonly missingContextValues: readonly string[];
  readonly explanation: Explanation;
}

interface MatchedStatement extends StatementRef {
  readonly role: PolicyRole;
  /** Where it begins in its document. */
  readonly position: Position;
}

/** Every action on every resource, in the order of the resources and then of the actions. Never throws. */
export function simulatePolicies(simulation: Simulation, policies: PolicySet): readonly SimulationResult[] {
  const { actions, resources, ...rest } = simulation;
  return resources.flatMap((resource) =>
    actions.map((action) => simulate({ ...rest, action, resource }, policies)),
  );
}

function simulate(request: EvaluationRequest, policies: PolicySet): SimulationResult {
  const explanation = explain(request, policies);
  const { decision: decided, statements } = explanation;
  const isExplicit = decided.effect === 'Deny' && decided.because.kind === 'explicit';
  const effect = isExplicit ? 'Deny' : 'Allow';
  const sources = new Map(
    Object.values(policies)
      .flatMap((policy) => policy?.statements ?? [])
      .map((statement) => [statement.ref, statement]),
  );
  return {
    action: request.action,
    resource: request.resource,
    decision: decided.effect === 'Allow' ? 'allowed' : isExplicit ? 'explicitDeny' : 'implicitDeny',
    matchedStatements: statements
      .filter((each) => each.effect === effect && each.mismatches.length === 0)
      .flatMap(({ by, role }) => {
        const position = sources.get(by)?.source.position;
        return position === undefined ? [] : [{ ...by, role, position }];
      }),
    missingContextValues: missingKeys(request, statements, sources),
    explanation,
  };
}

function missingKeys(
  request: EvaluationRequest,
  reports: readonly StatementReport[],
  sources: ReadonlyMap<StatementRef, CompiledStatement>,
): readonly string[] {
  const missing = new Set<string>();
  const context = (key: string): string | readonly string[] | undefined => {
    const value = request.context(key);
    if (value === undefined) missing.add(key);
    return value;
  };
  const written = new Map<string, string>();
  for (const { by, mismatches } of reports) {
    const statement = sources.get(by);
    if (statement === undefined || mismatches.some(({ element }) => SETTLED.has(element))) continue;
    for (const key of keysOf(statement))
      if (!written.has(key.toLowerCase())) written.set(key.toLowerCase(), key);
    // With a variable in its resource, a statement may be about the resource once there is a value.
    const isAboutIt = statement.resources.matches(request.resource, context);
    if (isAboutIt) for (const holds of statement.conditions) holds(context);
  }
  return [...missing].map((key) => written.get(key) ?? key);
}

/** What no value of a context key changes. */
const SETTLED: ReadonlySet<string> = new Set(['Action', 'NotAction', 'Principal', 'NotPrincipal']);

/** As they are written in the document. */
function keysOf({ source }: CompiledStatement): readonly string[] {
  const texts = [
    ...(source.resources?.items.map(({ text }) => text) ?? []),
    ...source.conditions.flatMap(({ values }) => values),
  ];
  return [
    ...source.conditions.map(({ key }) => key),
    ...texts.flatMap((text) => Array.from(text.matchAll(/\$\{([^,}]+)/g), ([, key = '']) => key.trim())),
  ];
}
