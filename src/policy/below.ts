/** May a caller do something with any of the keys that begin with a prefix? Asked of the common prefixes of a listing. */

import type { CompiledPolicy, CompiledStatement } from './compile.ts';
import {
  denyNames,
  grantOf,
  isRepair,
  restrictedBy,
  type EvaluationRequest,
  type PolicySet,
} from './evaluate.ts';
import { isStrongerGrant, type Grant } from './principal.ts';

/**
 * True if some key that begins with the prefix may be allowed the action: when in doubt, true. False where no Allow
 * reaches below the prefix, or where a Deny whose conditions hold covers everything below it.
 *
 * INVARIANT: a key below the prefix that `evaluate` allows in the same context makes it true.
 * @param request its `resource` is the ARN of the bucket, a slash, and the prefix. A condition key of which `context`
 *   throws is one that each object has its own value of: an Allow may hold then, and a Deny may not. Never throws.
 */
export function mayAllowBelow(request: EvaluationRequest, policies: PolicySet): boolean {
  const { identity, resource, boundary, session } = policies;
  const { principal } = request;
  if (deniesBelow(request, policies) || restrictedBy(request, policies) !== undefined) return false;

  const grant = resource === undefined ? 'none' : grantBelow(resource, request);
  if (principal.type === 'anonymous') return grant !== 'none';

  const isRoot = principal.type === 'root';
  const identityAllows = isRoot || someAllowBelow(identity, request);
  const isOpen =
    (isRoot || boundary === undefined || someAllowBelow(boundary, request)) &&
    (session === undefined || someAllowBelow(session, request));
  if (principal.accountId !== request.resourceAccount) return grant !== 'none' && identityAllows && isOpen;
  return grant === 'direct' || (isOpen && (identityAllows || grant === 'role'));
}

function deniesBelow(request: EvaluationRequest, policies: PolicySet): boolean {
  const { identity, resource, boundary, session } = policies;
  const denies = (policy: CompiledPolicy | undefined, options: { readonly hasBoundary: boolean }): boolean =>
    policy !== undefined &&
    policy
      .forAction(request.action)
      .statements.some(
        (statement) =>
          statement.source.effect === 'Deny' &&
          denyNames(statement, request.principal, options.hasBoundary) &&
          statement.resources.below(request.resource, request.context) === 'every' &&
          conditionsHold(statement, request, { inDoubt: false }),
      );
  return (
    (!isRepair(request) && denies(resource, { hasBoundary: boundary !== undefined })) ||
    [identity, boundary, session].some((policy) => denies(policy, { hasBoundary: false }))
  );
}

function someAllowBelow(policy: CompiledPolicy | undefined, request: EvaluationRequest): boolean {
  return policy?.forAction(request.action).statements.some((each) => allowsBelow(each, request)) === true;
}

/** The most direct grant that some key below the prefix may have. */
function grantBelow(policy: CompiledPolicy, request: EvaluationRequest): Grant {
  let grant: Grant = 'none';
  for (const statement of policy.forAction(request.action).statements) {
    const found = grantOf(statement, request.principal);
    if (isStrongerGrant(found, grant) && allowsBelow(statement, request)) grant = found;
  }
  return grant;
}

function allowsBelow(statement: CompiledStatement, request: EvaluationRequest): boolean {
  return (
    statement.source.effect === 'Allow' &&
    statement.resources.below(request.resource, request.context) !== 'none' &&
    conditionsHold(statement, request, { inDoubt: true })
  );
}

function conditionsHold(
  statement: CompiledStatement,
  { context }: EvaluationRequest,
  options: { readonly inDoubt: boolean },
): boolean {
  return statement.conditions.every((holds) => {
    try {
      return holds(context);
    } catch {
      return options.inDoubt;
    }
  });
}
