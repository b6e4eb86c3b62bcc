/** What policies grant and nobody used: the actions and the resources of each Allow that no use hung on. */
import { compilePolicies, type CompiledPolicy, type PolicySource } from '../compile.ts';
import type { StatementRef } from '../decision.ts';
import type { Statement } from '../document.ts';
import { evaluate, type EvaluationRequest } from '../evaluate.ts';
import { expandActionPattern } from '../s3-action.ts';

export interface UnusedGrant {
  readonly by: StatementRef;
  /** No use hung on any part of the statement. */
  readonly isWhole: boolean;
  /** Actions of S3 that the statement allows, by name. */
  readonly actions: readonly string[];
  /** Resource patterns as they are written. */
  readonly resources: readonly string[];
}

/** Takes allowed requests, in any order. */
export class GrantUse {
  readonly #grants: readonly Grant[];

  /** @param policies the identity policies of the caller. */
  constructor(policies: readonly PolicySource[]) {
    this.#grants = policies.flatMap(({ name, document }) =>
      document.statements.flatMap((statement, index) =>
        statement.effect === 'Allow' ? [new Grant({ name, document }, statement, index)] : [],
      ),
    );
  }

  add(request: EvaluationRequest): void {
    if (request.principal.type === 'anonymous') return;
    // What the caller's policies say is asked alone: whose the bucket is does not matter.
    const asked = { ...request, resourceAccount: request.principal.accountId, restrictPublicBuckets: false };
    for (const grant of this.#grants) grant.use(asked);
  }

  /** In the order of the policies; without the statements of which everything was used. */
  unused(): readonly UnusedGrant[] {
    return this.#grants
      .map((grant) => grant.unused())
      .filter(({ actions, resources }) => actions.length > 0 || resources.length > 0);
  }
}

class Grant {
  readonly #by: StatementRef;
  readonly #whole: CompiledPolicy;
  readonly #actions: Set<string>;
  /** By the pattern: the statement with that resource alone. */
  readonly #resources: Map<string, CompiledPolicy>;
  #isUsed = false;

  constructor(source: PolicySource, statement: Statement, index: number) {
    const { sid, actions, resources } = statement;
    this.#by = { policy: source.name, ...(sid !== undefined && { sid }), index };
    this.#whole = alone(source, statement);
    const listed = actions.items.flatMap(({ text }) => expandActionPattern(text).map(({ name }) => name));
    const all = expandActionPattern('s3:*').map(({ name }) => name);
    const denied = new Set(listed);
    this.#actions = new Set(actions.negated ? all.filter((action) => !denied.has(action)) : listed);
    // Of what NotResource leaves nothing can be told apart.
    this.#resources = new Map(
      resources === undefined || resources.negated
        ? []
        : resources.items.map((item) => [
            item.text,
            alone(source, { ...statement, resources: { ...resources, items: [item] } }),
          ]),
    );
  }

  use(request: EvaluationRequest): void {
    if (this.#actions.size === 0 && this.#resources.size === 0) return;
    if (!allows(this.#whole, request)) return;
    this.#isUsed = true;
    this.#actions.delete(request.action);
    for (const [pattern, policy] of this.#resources)
      if (allows(policy, request)) this.#resources.delete(pattern);
  }

  unused(): UnusedGrant {
    return {
      by: this.#by,
      isWhole: !this.#isUsed,
      actions: [...this.#actions].toSorted(),
      resources: [...this.#resources.keys()],
    };
  }
}

function alone({ name, document }: PolicySource, statement: Statement): CompiledPolicy {
  return compilePolicies([{ name, document: { ...document, statements: [statement] } }]);
}

function allows(policy: CompiledPolicy, request: EvaluationRequest): boolean {
  return evaluate(request, { identity: policy }).effect === 'Allow';
}
