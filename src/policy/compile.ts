/** A parsed document in the form that is evaluated: everything that does not depend on the request is done here. */

import { compileCondition, type Condition, type ConditionTest } from './condition.ts';
import type { Decision, StatementRef } from './decision.ts';
import type { PolicyDocument, Statement } from './document.ts';
import { globTokens, matchGlob } from './glob.ts';
import { ResourceIndex, type Candidates } from './index-resource.ts';
import { PrincipalSet } from './principal.ts';
import { isPublicGrant } from './public.ts';
import { ResourceSet } from './resources.ts';
import { isKnownS3Action } from './s3-action.ts';

export interface CompiledStatement {
  readonly ref: StatementRef;
  /** From 0, in the order of the documents and of their statements. */
  readonly order: number;
  /** As it was parsed: for explanations. */
  readonly source: Statement;
  readonly matchesAction: (lowerCaseAction: string) => boolean;
  readonly principals: PrincipalSet | undefined;
  readonly resources: ResourceSet;
  /** In the order of `source.conditions`. */
  readonly conditions: readonly ConditionTest[];
  /** The same in the order in which they are asked: those on the tags that an object has last, as these are looked up. */
  readonly checks: readonly ConditionTest[];
  /** What is decided when it is the statement that decides. */
  readonly decision: Decision;
}

/** One document, or several of one kind that are decided together: a caller's identity policies. */
export class CompiledPolicy {
  /** `NAME@FINGERPRINT`, one for each document. */
  readonly labels: readonly string[];
  /** In the order of the documents. */
  readonly statements: readonly CompiledStatement[];
  /** Of a bucket policy that is public: the first statement that makes it so. */
  readonly publicBy: StatementRef | undefined;
  /** Bounded: only actions of S3 are kept, and there is a fixed number of those. */
  readonly #byAction = new Map<string, ResourceIndex>();
  /** By which statements they hold: actions that the same statements speak of share an index. */
  readonly #bySelection = new Map<string, ResourceIndex>();
  #whole: ResourceIndex | undefined;

  constructor(labels: readonly string[], statements: readonly CompiledStatement[]) {
    this.labels = labels;
    this.statements = statements;
    this.publicBy = statements.find(({ source }) => isPublicGrant(source))?.ref;
  }

  /** The statements that the action and the beginning of the resource leave. */
  candidates(action: string, resource: string): Candidates {
    return this.forAction(action).along(resource);
  }

  /** Those of the statements that match the action. */
  forAction(action: string): ResourceIndex {
    return this.#byAction.get(action) ?? this.#index(action);
  }

  /** Those that the beginning of the resource leaves, whatever their actions: for explanations. */
  around(resource: string): Candidates {
    this.#whole ??= new ResourceIndex(this.statements);
    return this.#whole.along(resource);
  }

  #index(action: string): ResourceIndex {
    const folded = action.toLowerCase();
    const statements = this.statements.filter((statement) => statement.matchesAction(folded));
    const selection = statements.map(({ order }) => order).join();
    const index = this.#bySelection.get(selection) ?? new ResourceIndex(statements);
    const isCanonical = action.startsWith('s3:') && isKnownS3Action(action);
    if (isCanonical && this.#byAction.size < MAX_CACHED_ACTIONS) {
      this.#byAction.set(action, index);
      this.#bySelection.set(selection, index);
    }
    return index;
  }
}

/** A document and the name under which it appears in decisions: `bucket policy`, or what the operator calls it. */
export interface PolicySource {
  readonly document: PolicyDocument;
  readonly name: string;
}

/** @param sources documents of one kind: an Allow or Deny of any of them is one of the whole. */
export function compilePolicies(sources: readonly PolicySource[]): CompiledPolicy {
  const statements: CompiledStatement[] = [];
  for (const { document, name } of sources) {
    const variables = document.version === '2012-10-17';
    for (const [index, statement] of document.statements.entries()) {
      const sid = statement.sid === undefined ? {} : { sid: statement.sid };
      const ref = { policy: name, ...sid, index };
      statements.push(compileStatement(statement, { ref, order: statements.length, variables }));
    }
  }
  return new CompiledPolicy(
    sources.map(({ document, name }) => `${name}@${document.fingerprint}`),
    statements,
  );
}

export function compilePolicy(document: PolicyDocument, options: { readonly name: string }): CompiledPolicy {
  return compilePolicies([{ document, name: options.name }]);
}

/** More than S3 has; the callers' spelling of an action is one of a few. */
const MAX_CACHED_ACTIONS = 512;

function compileStatement(
  statement: Statement,
  options: { readonly ref: StatementRef; readonly order: number; readonly variables: boolean },
): CompiledStatement {
  const { ref, order, variables } = options;
  const { principals, resources } = statement;
  const conditions = statement.conditions.map((condition) => compileCondition(condition, { variables }));
  const isLookedUp = (index: number): boolean => asksForExistingTag(statement.conditions[index]);
  return {
    ref,
    order,
    source: statement,
    matchesAction: compileActions(statement),
    principals:
      principals &&
      new PrincipalSet(
        principals.items.map(({ pattern }) => pattern),
        { negated: principals.negated },
      ),
    // A trust policy speaks of its role alone, and names none.
    resources: new ResourceSet(resources?.items.map(({ text }) => text) ?? ['*'], {
      negated: resources?.negated === true,
      variables,
    }),
    conditions,
    checks: [
      ...conditions.filter((_, index) => !isLookedUp(index)),
      ...conditions.filter((_, index) => isLookedUp(index)),
    ],
    decision:
      statement.effect === 'Allow'
        ? { effect: 'Allow', by: ref }
        : { effect: 'Deny', because: { kind: 'explicit', by: ref } },
  };
}

const EXISTING_TAG = 's3:existingobjecttag/';

/** As the key, or as a variable in a value. */
function asksForExistingTag(condition: Condition | undefined): boolean {
  return (
    condition !== undefined &&
    [condition.key, ...condition.values].some((text) => text.toLowerCase().includes(EXISTING_TAG))
  );
}

function compileActions(statement: Statement): (action: string) => boolean {
  const patterns = statement.actions.items.map((item) => globTokens(item.text.toLowerCase()));
  const { negated } = statement.actions;
  return (action) => patterns.some((pattern) => matchGlob(pattern, action)) !== negated;
}
