/** Results of a simulation, for people and as IAM's API gives them. */
import { expandActionPattern, type SimulationResult } from '../../policy/index.ts';
import { printable } from './condition-words.ts';
import { inShort, reasonOf, whatDecides } from './decision-words.ts';
import { json } from '../keys/key-metadata.ts';

export function renderSimulationText(results: readonly SimulationResult[]): string {
  return results.map((result) => `${describe(result).join('\n')}\n`).join('');
}

function describe(result: SimulationResult): readonly string[] {
  const { action, resource, decision, explanation, missingContextValues } = result;
  const reason = reasonOf(explanation);
  return [
    `${action} on ${printable(resource)}: ${decision}, ${inShort(reason).replace(/^allowed (?=by )/, '')}`,
    ...whatDecides(reason).map((line) => `    ${line}`),
    ...otherLevel(action, resource).map((line) => `    ${line}`),
    ...(missingContextValues.length === 0
      ? []
      : [`    Without a value by --context: ${missingContextValues.map(printable).join(', ')}`]),
  ];
}

/** An action on objects never is one on a bucket, and the other way round. */
function otherLevel(action: string, resource: string): readonly string[] {
  const level = expandActionPattern(action)[0]?.level;
  const [, bucket, key] = /^arn:[a-z-]+:s3:::([^/*]+)(\/)?/.exec(resource) ?? [];
  if (bucket === undefined || level === undefined || level === 'other') return [];
  if (level === 'bucket' && key !== undefined)
    return [`${action} is about buckets: --resource arn:aws:s3:::${printable(bucket)} is meant.`];
  if (level === 'object' && key === undefined)
    return [`${action} is about objects: --resource arn:aws:s3:::${printable(bucket)}/KEY is meant.`];
  return [];
}

/** Source: IAM API reference, "SimulatePrincipalPolicy"; `Sid`, `Reason` and `WhatDecides` are added. */
export function renderSimulationJson(results: readonly SimulationResult[]): string {
  return json({ EvaluationResults: results.map(toEvaluationResult), IsTruncated: false });
}

function toEvaluationResult(result: SimulationResult): object {
  const reason = reasonOf(result.explanation);
  return {
    EvalActionName: result.action,
    EvalResourceName: result.resource,
    EvalDecision: result.decision,
    MatchedStatements: result.matchedStatements.map(({ policy, role, sid, position }) => ({
      SourcePolicyId: policy,
      SourcePolicyType: POLICY_TYPES[role],
      StartPosition: { Line: position.line, Column: position.column },
      Sid: sid,
    })),
    MissingContextValues: result.missingContextValues,
    Reason: inShort(reason),
    WhatDecides: whatDecides(reason).map((line) => line.trim()),
  };
}

/** Of IAM's PolicySourceType: what it has no word for is `none`. */
const POLICY_TYPES = { identity: 'user', resource: 'resource', boundary: 'none', session: 'none' } as const;
