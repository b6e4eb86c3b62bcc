/** The few statements that a decision hangs on. */

import type { CompiledPolicy, CompiledStatement } from './compile.ts';
import type { Decision } from './decision.ts';
import type { EvaluationRequest, PolicySet } from './evaluate.ts';
import type { Candidate } from './index-resource.ts';
import {
  examineStatement,
  speaksOf,
  type ExaminedStatement,
  type Mismatch,
  type PolicyRole,
  type StatementReport,
} from './statement-report.ts';

const MAX_NEAREST = 3;

/**
 * The Allow that grants; the Denies that refuse, the deciding one first; what could not be evaluated; or, where nothing
 * allows, the Allows that come nearest in the policies that would have to. Looks closely at a few statements only.
 * Never throws.
 */
export function nearestStatements(
  decision: Decision,
  request: EvaluationRequest,
  policies: PolicySet,
): readonly StatementReport[] {
  if (decision.effect === 'Allow') {
    return met(request, policies).flatMap(({ report }) => (report.by === decision.by ? [report] : []));
  }
  const { because } = decision;
  switch (because.kind) {
    case 'explicit': {
      const denying = met(request, policies).filter(
        ({ report }) => report.effect === 'Deny' && report.mismatches.length === 0,
      );
      const isOther = ({ by }: StatementReport): number => Number(by !== because.by);
      return denying
        .map(({ report }) => report)
        .sort((left, right) => isOther(left) - isOther(right))
        .slice(0, MAX_NEAREST);
    }
    case 'restricted': {
      const statement = policies.resource?.statements.find(({ ref }) => ref === because.publicBy);
      return statement === undefined ? [] : [examine(statement, 'resource', request, policies).report];
    }
    case 'error':
      return met(request, policies)
        .filter(({ failed }) => failed)
        .slice(0, MAX_NEAREST)
        .map(({ report }) => report);
    case 'implicit':
      return lacking(because.missing, request, policies)
        .flatMap((roles) => nearMisses(roles, request, policies))
        .slice(0, MAX_NEAREST);
  }
}

export const ROLES: readonly PolicyRole[] = ['identity', 'resource', 'boundary', 'session'];

/** The statements that the request's action and the beginning of its resource leave. */
function met(request: EvaluationRequest, policies: PolicySet): readonly ExaminedStatement[] {
  return ROLES.flatMap((role) => {
    const { deny = [], allow = [] } = policies[role]?.candidates(request.action, request.resource) ?? {};
    return [...deny, ...allow].map(({ statement }) => examine(statement, role, request, policies));
  });
}

/**
 * The policies in which an Allow is missing, those that `missing` names first: in one account a bucket policy can take
 * the place of an identity policy, between two accounts both have to allow.
 */
function lacking(
  missing: 'identity' | 'resource' | 'boundary' | 'session',
  request: EvaluationRequest,
  policies: PolicySet,
): readonly (readonly PolicyRole[])[] {
  const { principal, resourceAccount } = request;
  if (principal.type === 'anonymous') return [['resource']];
  const isForeign = principal.accountId !== resourceAccount;
  const first: readonly PolicyRole[] =
    missing === 'identity' && !isForeign ? ['identity', 'resource'] : [missing];
  const others = (['identity', 'boundary', 'session'] as const).filter((role) => {
    if (first.includes(role) || principal.type === 'root') return false;
    const policy = policies[role];
    // Without a boundary or a session policy there is no limit; without an identity policy nothing comes near.
    return policy !== undefined && !allows(policy, role, request, policies);
  });
  return [first, ...others.map((role) => [role])];
}

function allows(
  policy: CompiledPolicy,
  role: PolicyRole,
  request: EvaluationRequest,
  policies: PolicySet,
): boolean {
  return policy
    .candidates(request.action, request.resource)
    .allow.some(
      ({ statement }) => examine(statement, role, request, policies).report.mismatches.length === 0,
    );
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

/** A statement on other actions and other resources is no near miss. */
const TOO_FAR = 16;

/** So many are looked at closely. */
const SHORTLIST = 12;

interface Ranked {
  readonly statement: CompiledStatement;
  readonly role: PolicyRole;
  /** Of what can be told without the conditions. */
  readonly distance: number;
  /** How much of the action or resource agrees, in characters. */
  readonly closeness: number;
}

function nearMisses(
  roles: readonly PolicyRole[],
  request: EvaluationRequest,
  policies: PolicySet,
): readonly StatementReport[] {
  const shortlist: Ranked[] = [];
  for (const role of roles) {
    const policy = policies[role];
    if (policy !== undefined) rank(policy, role, request, policies, shortlist);
  }
  return shortlist
    .map(({ statement, role, closeness }) => {
      const { report } = examine(statement, role, request, policies);
      return { report, closeness, distance: distanceOf(report) };
    })
    .filter(({ distance }) => distance > 0 && distance < TOO_FAR)
    .sort((left, right) => left.distance - right.distance || right.closeness - left.closeness)
    .slice(0, MAX_NEAREST)
    .map(({ report }) => report);
}

/** Statements that miss in one of caller, action and resource, as far as can be told without the conditions. */
function rank(
  policy: CompiledPolicy,
  role: PolicyRole,
  request: EvaluationRequest,
  policies: PolicySet,
  shortlist: Ranked[],
): void {
  const { action, resource } = request;
  const hasBoundary = policies.boundary !== undefined;
  const onResource = new Set(matchingResource(policy.around(resource).allow, request));
  const forAction = new Set(policy.forAction(action).statements);
  for (const statement of forAction) {
    if (statement.source.effect === 'Deny') continue;
    const isForCaller = speaksOf(statement, role, request, { hasBoundary });
    if (onResource.has(statement)) {
      insert(shortlist, { statement, role, distance: isForCaller ? 0 : WEIGHTS.Principal, closeness: 0 });
    } else if (isForCaller) {
      const closeness = closestResource(statement, resource);
      insert(shortlist, { statement, role, distance: WEIGHTS.Resource, closeness });
    }
  }
  const folded = action.toLowerCase();
  for (const statement of onResource) {
    if (forAction.has(statement) || !speaksOf(statement, role, request, { hasBoundary })) continue;
    insert(shortlist, {
      statement,
      role,
      distance: WEIGHTS.Action,
      closeness: closestAction(statement, folded),
    });
  }
}

/** What could not be told counts as another resource. */
function matchingResource(
  candidates: readonly Candidate[],
  { resource, context }: EvaluationRequest,
): readonly CompiledStatement[] {
  return candidates.flatMap(({ statement }) => {
    try {
      return statement.resources.matches(resource, context) ? [statement] : [];
    } catch {
      return [];
    }
  });
}

function closestResource({ resources }: CompiledStatement, resource: string): number {
  let closest = 0;
  for (const { literal } of resources.patterns) closest = Math.max(closest, commonLength(literal, resource));
  return closest;
}

function closestAction({ source }: CompiledStatement, action: string): number {
  let closest = 0;
  for (const { text } of source.actions.items)
    closest = Math.max(closest, commonLength(text.toLowerCase(), action));
  return closest;
}

function commonLength(left: string, right: string): number {
  let length = 0;
  while (length < left.length && left.charCodeAt(length) === right.charCodeAt(length)) length += 1;
  return length;
}

/** Keeps the best in order; those as good as each other in the order in which they come. */
function insert(shortlist: Ranked[], ranked: Ranked): void {
  const last = shortlist.at(-1);
  const isFull = shortlist.length === SHORTLIST;
  if (isFull && last !== undefined && !isNearer(ranked, last)) return;
  const place = shortlist.findIndex((each) => isNearer(ranked, each));
  if (place >= 0) shortlist.splice(place, 0, ranked);
  else shortlist.push(ranked);
  if (isFull) shortlist.pop();
}

function isNearer(left: Ranked, right: Ranked): boolean {
  return (
    left.distance < right.distance || (left.distance === right.distance && left.closeness > right.closeness)
  );
}

function distanceOf({ mismatches }: StatementReport): number {
  return mismatches.reduce((sum, { element }) => sum + WEIGHTS[element], 0);
}

function examine(
  statement: CompiledStatement,
  role: PolicyRole,
  request: EvaluationRequest,
  policies: PolicySet,
): ExaminedStatement {
  return examineStatement(statement, role, request, { hasBoundary: policies.boundary !== undefined });
}
