/** What the checks ask of a statement again and again. */
import type { LocatedText, Statement } from '../document.ts';
import type { PolicyType } from '../error.ts';
import { globTokens } from '../glob.ts';
import { expandActionPattern, type S3Action } from '../s3-action.ts';
import { parseResource, type ResourcePattern } from './resource-pattern.ts';

export interface LintSubject {
  readonly type: PolicyType;
  /** `${...}` has its meaning. */
  readonly variables: boolean;
  readonly statements: readonly StatementFacts[];
}

interface ActionPattern {
  readonly item: LocatedText;
  /** Lower case, since case does not matter. */
  readonly tokens: readonly number[];
  readonly actions: readonly S3Action[];
}

export interface StatementFacts {
  /** From 0, in the order of the document. */
  readonly index: number;
  readonly statement: Statement;
  /** As they are written, with what each stands for. */
  readonly actionItems: readonly ActionPattern[];
  /** All that the statement speaks of; with NotAction, those that are left. */
  readonly actions: readonly S3Action[];
  readonly resources: readonly ResourcePattern[];
}

export function statementFacts(
  { index, statement }: { readonly index: number; readonly statement: Statement },
  options: { readonly variables: boolean },
): StatementFacts {
  const actionItems = statement.actions.items.map((item) => ({
    item,
    tokens: globTokens(item.text.toLowerCase()),
    actions: expandActionPattern(item.text),
  }));
  const named = new Set(actionItems.flatMap(({ actions }) => actions));
  return {
    index,
    statement,
    actionItems,
    actions: statement.actions.negated
      ? expandActionPattern('*').filter((action) => !named.has(action))
      : [...named],
    resources: (statement.resources?.items ?? []).map((item) => parseResource(item, options)),
  };
}

/**
 * Does the pattern grant, or exempt from a Deny? Where it is wider than was meant, somebody can do more than was meant.
 */
export function opens(statement: Statement, negated: boolean): boolean {
  return (statement.effect === 'Allow') !== negated;
}
