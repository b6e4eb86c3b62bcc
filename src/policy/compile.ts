/** A parsed document in the form that is evaluated: everything that does not depend on the request is done here. */

import { compileCondition, type Condition, type ConditionTest } from './condition.ts';
import type { PolicyDocument, Statement } from './document.ts';
import { globTokens, matchGlob } from './glob.ts';
import type { PrincipalPattern } from './principal.ts';
import { ResourceSet } from './resources.ts';
import { isKnownS3Action } from './s3-action.ts';
import { parseTemplate } from './template.ts';

/** Which statement decided. */
export interface StatementRef {
  /** The name under which the policy was compiled. */
  readonly policy: string;
  readonly sid?: string;
  /** From 0, in the order of the document. */
  readonly index: number;
}

export interface CompiledStatement {
  readonly ref: StatementRef;
  /** As it was parsed: for explanations. */
  readonly source: Statement;
  readonly matchesAction: (lowerCaseAction: string) => boolean;
  readonly principals:
    { readonly negated: boolean; readonly patterns: readonly PrincipalPattern[] } | undefined;
  readonly resources: ResourceSet;
  /** In the order of `source.conditions`. */
  readonly conditions: readonly ConditionTest[];
  /** Lower-case context keys that the statement may ask for. */
  readonly keys: ReadonlySet<string>;
}

/** The statements that can match an action. */
export interface Candidates {
  readonly deny: readonly CompiledStatement[];
  readonly allow: readonly CompiledStatement[];
}

/** One document, or several of one kind that are decided together: a caller's identity policies. */
export class CompiledPolicy {
  /** `NAME@FINGERPRINT`, one for each document. */
  readonly labels: readonly string[];
  readonly #deny: readonly CompiledStatement[];
  readonly #allow: readonly CompiledStatement[];
  /** Bounded: only actions of S3 are kept, and there is a fixed number of those. */
  readonly #byAction = new Map<string, Candidates>();

  constructor(
    labels: readonly string[],
    statements: { readonly deny: CompiledStatement[]; readonly allow: CompiledStatement[] },
  ) {
    this.labels = labels;
    this.#deny = statements.deny;
    this.#allow = statements.allow;
  }

  statements(): readonly CompiledStatement[] {
    return [...this.#deny, ...this.#allow];
  }

  candidates(action: string): Candidates {
    const known = this.#byAction.get(action);
    if (known !== undefined) return known;
    const folded = action.toLowerCase();
    const candidates = {
      deny: this.#deny.filter((statement) => statement.matchesAction(folded)),
      allow: this.#allow.filter((statement) => statement.matchesAction(folded)),
    };
    const isCanonical = action.startsWith('s3:') && isKnownS3Action(action);
    if (isCanonical && this.#byAction.size < MAX_CACHED_ACTIONS) this.#byAction.set(action, candidates);
    return candidates;
  }
}

/** A document and the name under which it appears in decisions: `bucket policy`, or what the operator calls it. */
export interface PolicySource {
  readonly document: PolicyDocument;
  readonly name: string;
}

/** @param sources documents of one kind: an Allow or Deny of any of them is one of the whole. */
export function compilePolicies(sources: readonly PolicySource[]): CompiledPolicy {
  const deny: CompiledStatement[] = [];
  const allow: CompiledStatement[] = [];
  for (const { document, name } of sources) {
    const variables = document.version === '2012-10-17';
    for (const [index, statement] of document.statements.entries()) {
      const sid = statement.sid === undefined ? {} : { sid: statement.sid };
      const ref = { policy: name, ...sid, index };
      (statement.effect === 'Deny' ? deny : allow).push(compileStatement(statement, { ref, variables }));
    }
  }
  return new CompiledPolicy(
    sources.map(({ document, name }) => `${name}@${document.fingerprint}`),
    { deny, allow },
  );
}

export function compilePolicy(document: PolicyDocument, options: { readonly name: string }): CompiledPolicy {
  return compilePolicies([{ document, name: options.name }]);
}

/** More than S3 has; the callers' spelling of an action is one of a few. */
const MAX_CACHED_ACTIONS = 512;

function compileStatement(
  statement: Statement,
  options: { readonly ref: StatementRef; readonly variables: boolean },
): CompiledStatement {
  const { variables } = options;
  const { principals, resources, conditions } = statement;
  const keys = new Set<string>();
  return {
    ref: options.ref,
    source: statement,
    matchesAction: compileActions(statement),
    principals: principals && {
      negated: principals.negated,
      patterns: principals.items.map((item) => item.pattern),
    },
    resources: compileResources(resources, { variables, keys }),
    conditions: conditions.map((condition) => {
      collectKeys(condition, { variables, keys });
      return compileCondition(condition, { variables });
    }),
    keys,
  };
}

function compileActions(statement: Statement): (action: string) => boolean {
  const patterns = statement.actions.items.map((item) => globTokens(item.text.toLowerCase()));
  const { negated } = statement.actions;
  return (action) => patterns.some((pattern) => matchGlob(pattern, action)) !== negated;
}

function compileResources(
  resources: Statement['resources'],
  options: { readonly variables: boolean; readonly keys: Set<string> },
): ResourceSet {
  const texts = resources?.items.map(({ text }) => text) ?? ['*'];
  const set = new ResourceSet(texts, { negated: resources?.negated === true, variables: options.variables });
  for (const { parts } of set.patterns)
    for (const token of parts.flat()) if (typeof token === 'object') options.keys.add(token.key);
  return set;
}

function collectKeys(
  condition: Condition,
  options: { readonly variables: boolean; readonly keys: Set<string> },
): void {
  options.keys.add(condition.key.toLowerCase());
  for (const value of condition.values) {
    const parsed = parseTemplate(value, { variables: options.variables, wildcards: false });
    if ('invalid' in parsed) continue;
    for (const token of parsed.tokens) if (typeof token === 'object') options.keys.add(token.key);
  }
}
