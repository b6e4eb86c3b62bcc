/** Statements and patterns that others make superfluous. Conservative: what is called covered is covered. */
import type { LocatedCondition, Statement } from '../document.ts';
import type { PrincipalPattern } from '../principal.ts';
import type { Draft, PlacedDraft } from './finding.ts';
import type { LintSubject, StatementFacts } from './facts.ts';
import { globCovers } from './glob-cover.ts';
import { resourceCovers } from './resource-pattern.ts';

/** Each statement, and each pattern of a list, is compared with every other one. */
const MAX_COMPARED = 200;

export function checkCoverage({ statements, type }: LintSubject): readonly PlacedDraft[] {
  const compared = statements.slice(0, MAX_COMPARED);
  return compared.flatMap((facts) => {
    const draft = coverage(facts, compared, type);
    return draft === undefined ? [] : [{ index: facts.index, draft }];
  });
}

/** At most one thing is said of a statement. */
function coverage(
  facts: StatementFacts,
  all: readonly StatementFacts[],
  type: LintSubject['type'],
): Draft | undefined {
  const { statement } = facts;
  const { position } = statement;
  const covering = (effect: Statement['effect']) =>
    all.find(
      (other) =>
        other !== facts &&
        other.statement.effect === effect &&
        covers(other, facts, effect) &&
        // Of two that cover each other the later one is superfluous.
        (effect !== statement.effect || other.index < facts.index || !covers(facts, other, effect)),
    );
  const denied = statement.effect === 'Allow' ? covering('Deny') : undefined;
  if (denied !== undefined) {
    return {
      rule: 'never-grants',
      position,
      message: `${nameOf(denied)} denies all that this statement allows`,
      fix: 'remove the statement, or except what it allows from the Deny',
    };
  }
  const wider = covering(statement.effect);
  if (wider === undefined) return undefined;
  const isCopy = covers(facts, wider, statement.effect);
  const verb = statement.effect === 'Allow' ? 'allows' : 'denies';
  return isCopy
    ? {
        rule: 'duplicate-statement',
        position,
        message: `the same as ${nameOf(wider)}`,
        fix: 'remove one of the two',
      }
    : {
        rule: 'shadowed-statement',
        position,
        message: `${nameOf(wider)} ${verb} all that this statement ${verb}`,
        fix: `remove the statement, or narrow ${nameOf(wider)}${type === 'resource' ? ', its principals included' : ''}`,
      };
}

/** Counted from 1, as people do. */
function nameOf({ index, statement }: StatementFacts): string {
  return statement.sid === undefined
    ? `statement ${index + 1}`
    : `statement ${index + 1} (\`${statement.sid}\`)`;
}

/** Does `wide` apply to every request that `narrow` applies to? */
function covers(wide: StatementFacts, narrow: StatementFacts, effect: Statement['effect']): boolean {
  const [a, b] = [wide.statement, narrow.statement];
  return (
    principalsCover(a, b, effect) &&
    selectionCovers(
      { negated: a.actions.negated, items: wide.actionItems },
      { negated: b.actions.negated, items: narrow.actionItems },
      (left, right) => globCovers(left.tokens, right.tokens),
    ) &&
    resourcesCover(wide, narrow) &&
    a.conditions.every((condition) => b.conditions.some((other) => follows(condition, other)))
  );
}

interface Selected<Item> {
  readonly negated: boolean;
  readonly items: readonly Item[];
}

/** Everything but a list covers everything but a longer list. */
function selectionCovers<Item>(
  wide: Selected<Item>,
  narrow: Selected<Item>,
  itemCovers: (wide: Item, narrow: Item) => boolean,
): boolean {
  if (wide.negated) {
    return (
      narrow.negated && wide.items.every((item) => narrow.items.some((other) => itemCovers(other, item)))
    );
  }
  return !narrow.negated && narrow.items.every((item) => wide.items.some((other) => itemCovers(other, item)));
}

function resourcesCover(wide: StatementFacts, narrow: StatementFacts): boolean {
  const [a, b] = [wide.statement.resources, narrow.statement.resources];
  if (a === undefined || b === undefined) return a === b;
  return selectionCovers(
    { negated: a.negated, items: wide.resources },
    { negated: b.negated, items: narrow.resources },
    resourceCovers,
  );
}

function principalsCover(wide: Statement, narrow: Statement, effect: Statement['effect']): boolean {
  const [a, b] = [wide.principals, narrow.principals];
  if (a === undefined || b === undefined) return a === b;
  if (a.negated || b.negated) {
    return a.negated === b.negated && sameTexts(a.items, b.items);
  }
  return b.items.every(({ pattern }) =>
    a.items.some((other) => principalCovers(other.pattern, pattern, effect)),
  );
}

/**
 * A grant to an account only delegates, so that it does not stand for a grant to its user; to deny an account is to
 * deny its users.
 */
function principalCovers(
  wide: PrincipalPattern,
  narrow: PrincipalPattern,
  effect: Statement['effect'],
): boolean {
  if (wide.kind === 'everyone') return true;
  if (JSON.stringify(wide) === JSON.stringify(narrow)) return true;
  return (
    effect === 'Deny' &&
    wide.kind === 'account' &&
    narrow.kind === 'arn' &&
    narrow.arn.split(':')[4] === wide.accountId
  );
}

function sameTexts(
  left: readonly { readonly text: string }[],
  right: readonly { readonly text: string }[],
): boolean {
  const texts = new Set(right.map(({ text }) => text));
  return left.length === right.length && left.every(({ text }) => texts.has(text));
}

/** Does `condition` hold wherever `given` does? Only where both ask the same of the same key. */
function follows(condition: LocatedCondition, given: LocatedCondition): boolean {
  const { operator, quantifier, ifExists } = condition.use;
  if (
    condition.key.toLowerCase() !== given.key.toLowerCase() ||
    operator.name !== given.use.operator.name ||
    quantifier !== given.use.quantifier ||
    ifExists !== given.use.ifExists
  )
    return false;
  const [fewer, more] = operator.negated
    ? [condition.values, given.values]
    : [given.values, condition.values];
  return fewer.every((value) => more.includes(value));
}

/** Patterns of one list of which another one of the list covers all. */
export function checkRedundancy({ statement, actionItems, resources }: StatementFacts): readonly Draft[] {
  return [
    ...redundant(
      actionItems
        .slice(0, MAX_COMPARED)
        .map(({ item, tokens }) => ({ text: item.text, position: item.position, tokens })),
      (wide, narrow) => globCovers(wide.tokens, narrow.tokens),
    ),
    ...redundant(
      resources
        .slice(0, MAX_COMPARED)
        .map((resource) => ({ text: resource.item.text, position: resource.item.position, resource })),
      (wide, narrow) => resourceCovers(wide.resource, narrow.resource),
    ),
  ].map(({ item, by }) => ({
    rule: 'redundant-pattern' as const,
    position: item.position,
    message: `\`${by.text}\` of the same list covers \`${item.text}\``,
    fix: statement.effect === 'Allow' ? 'remove it, or the wider one if that was not meant' : 'remove it',
  }));
}

function redundant<Item extends { readonly text: string; readonly position: Draft['position'] }>(
  items: readonly Item[],
  itemCovers: (wide: Item, narrow: Item) => boolean,
): readonly { readonly item: Item; readonly by: Item }[] {
  return items.flatMap((item, index) => {
    const by = items.find(
      (other, at) => at !== index && itemCovers(other, item) && (at < index || !itemCovers(item, other)),
    );
    return by === undefined ? [] : [{ item, by }];
  });
}
