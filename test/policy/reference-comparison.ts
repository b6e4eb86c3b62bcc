/** The engine and the reference over the same requests. */
import {
  compilePolicies,
  evaluate,
  parsePolicy,
  PolicyError,
  type Decision,
  type EvaluationRequest,
  type PolicySet,
} from '../../src/policy/index.ts';
import type { EvaluationCase, PolicyTexts, RequestCase } from './reference-arbitraries.ts';
import { referenceDecision, type ReferenceDecision } from './reference-evaluator.ts';

export interface Comparison {
  readonly engine: string;
  readonly reference: ReferenceDecision;
}

/** One for each request; a PolicyError if parsePolicy refuses a document, so that there is nothing to compare. */
export function compareCase({ policies, requests }: EvaluationCase): readonly Comparison[] | PolicyError {
  const compiled = compileTexts(policies);
  if (compiled instanceof PolicyError) return compiled;
  return requests.map((request) => ({
    engine: nameOf(decide(request, compiled)),
    reference: decideByReference(request, policies),
  }));
}

/** What the engine decides of a request to compiled policies. */
export function decide(request: RequestCase, policies: PolicySet): Decision {
  return evaluate(toEvaluationRequest(request), policiesFor(request, policies));
}

export function toEvaluationRequest(request: RequestCase): EvaluationRequest {
  const context = new Map(request.context);
  return { ...request, context: (key) => context.get(key) };
}

/** Anonymous callers have no policies of their own, root users at most those of a session. */
export function policiesFor({ principal: { type } }: RequestCase, policies: PolicySet): PolicySet {
  const { resource, session } = policies;
  if (type === 'anonymous') return { resource };
  return type === 'root' ? { resource, session } : policies;
}

function decideByReference(request: RequestCase, policies: PolicyTexts): ReferenceDecision {
  const { type } = request.principal;
  const hasOwn = type !== 'anonymous' && type !== 'root';
  return referenceDecision(
    { ...request, context: new Map(request.context) },
    {
      identity: hasOwn ? policies.identity : [],
      resource: policies.resource,
      boundary: hasOwn ? policies.boundary : undefined,
      session: type === 'anonymous' ? undefined : policies.session,
    },
  );
}

/** A kind of which there is no policy is absent. */
export function compileTexts(policies: PolicyTexts): PolicySet | PolicyError {
  const texts = {
    identity: policies.identity,
    resource: policies.resource === undefined ? [] : [policies.resource],
    boundary: policies.boundary === undefined ? [] : [policies.boundary],
    session: policies.session ?? [],
  };
  const compiled: { -readonly [Kind in keyof PolicySet]: PolicySet[Kind] } = {};
  try {
    for (const type of ['identity', 'resource', 'boundary', 'session'] as const) {
      const sources = texts[type].map((text, index) => ({
        document: parsePolicy(text, { type }),
        name: `${type}${index}`,
      }));
      if (sources.length > 0) compiled[type] = compilePolicies(sources);
    }
  } catch (error) {
    if (error instanceof PolicyError) return error;
    throw error;
  }
  return compiled;
}

/** A decision in the words of the reference. */
export function nameOf(decision: Decision): string {
  if (decision.effect === 'Allow') return 'Allow';
  const { because } = decision;
  return because.kind === 'error' ? `error: ${String(because.cause)}` : `${because.kind} Deny`;
}
