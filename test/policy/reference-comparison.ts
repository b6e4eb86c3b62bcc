/** The engine and the reference over the same pair. */
import {
  compilePolicies,
  evaluate,
  parsePolicy,
  PolicyError,
  type Decision,
  type PolicySet,
} from '../../src/policy/index.ts';
import type { EvaluationPair } from './reference-arbitraries.ts';
import { referenceDecision, type ReferenceDecision } from './reference-evaluator.ts';

export type Comparison =
  /** parsePolicy refuses a document of the pair, so that there is nothing to compare. */
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'decided'; readonly engine: string; readonly reference: ReferenceDecision };

export function comparePair(pair: EvaluationPair): Comparison {
  const policies = compilePair(pair);
  if (policies instanceof PolicyError) return { kind: 'refused', why: policies.describe() };
  const context = new Map(pair.context);
  const { action, resource, resourceAccount, principal } = pair;
  const engine = evaluate(
    { action, resource, resourceAccount, principal, context: (key) => context.get(key) },
    policies,
  );
  const reference = referenceDecision(
    { action, resource, resourceAccount, principal, context },
    {
      identity: pair.identity,
      resource: pair.resourcePolicy,
      boundary: pair.boundary,
      session: pair.session,
    },
  );
  return { kind: 'decided', engine: nameOf(engine), reference };
}

/** A kind of which the pair has no policy is absent. */
export function compilePair(pair: EvaluationPair): PolicySet | PolicyError {
  const texts = {
    identity: pair.identity,
    resource: pair.resourcePolicy === undefined ? [] : [pair.resourcePolicy],
    boundary: pair.boundary === undefined ? [] : [pair.boundary],
    session: pair.session ?? [],
  };
  const policies: { -readonly [Kind in keyof PolicySet]: PolicySet[Kind] } = {};
  try {
    for (const type of ['identity', 'resource', 'boundary', 'session'] as const) {
      const sources = texts[type].map((text, index) => ({
        document: parsePolicy(text, { type }),
        name: `${type}${index}`,
      }));
      if (sources.length > 0) policies[type] = compilePolicies(sources);
    }
  } catch (error) {
    if (error instanceof PolicyError) return error;
    throw error;
  }
  return policies;
}

function nameOf(decision: Decision): string {
  if (decision.effect === 'Allow') return 'Allow';
  const { because } = decision;
  return because.kind === 'error' ? `error: ${String(because.cause)}` : `${because.kind} Deny`;
}
