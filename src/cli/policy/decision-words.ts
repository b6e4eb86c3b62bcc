/** A decision in plain words: which statement decided, why, and what would change it. */
import type { RecordedDecision, RecordedStatement } from '../../audit/index.ts';
import { denialReason, parseDenialReason, type Explanation } from '../../policy/index.ts';
import { alternatives, holds, printable, quoted, wouldHold, wouldNotHold } from './condition-words.ts';

/** Of a decision made now, or kept in a record. */
export type Reason = Pick<RecordedDecision, 'by' | 'effect' | 'nearest' | 'reason'>;

/** The same words as in the records of the gateway. */
export function reasonOf({ decision, nearest }: Explanation): Reason {
  if (decision.effect === 'Allow') return { effect: 'Allow', by: decision.by, nearest };
  const { because } = decision;
  if (because.kind === 'explicit') return { effect: 'Deny', by: because.by, nearest };
  return { effect: 'Deny', reason: denialReason(decision), nearest };
}

/** One sentence, without a full stop: `no identity policy allows it`. */
export function inShort(reason: Reason): string {
  const { by, effect } = reason;
  if (by !== undefined) {
    if (by.policy === ROOT_USER) return 'the root user of the account may do it';
    return `${effect === 'Allow' ? 'allowed' : 'refused'} by ${statementName(by)}`;
  }
  const { reason: text } = reason;
  if (text === undefined) return 'the reason is not recorded';
  const parsed = parseDenialReason(text);
  if (parsed.kind === 'implicit') return `no ${ROLES[parsed.missing]} allows it`;
  return parsed.kind === 'restricted' ? text : `a policy could not be evaluated: ${printable(text)}`;
}

/** Lines that say what would change the decision, or what it hangs on. */
export function whatDecides(reason: Reason): readonly string[] {
  const { effect, by, nearest = [] } = reason;
  if (effect === 'Allow') return nearest.flatMap(conditionsThatHold);
  if (by !== undefined) return nearest.flatMap(refusing);
  const missing = missingPolicy(reason);
  if (missing === undefined) return nearest.map((each) => `${statementOf(each)} ${aboutWhich(reason)}`);
  if (nearest.length > 0)
    return [...nearest.filter(isOfInterest).flatMap(nearMiss), ...allNeeded(missing, nearest)];
  return [
    `No Allow is about this action on this resource, or near to it. It would take one in ${REMEDIES[missing]}.`,
  ];
}

function aboutWhich({ reason = '' }: Reason): string {
  return parseDenialReason(reason).kind === 'restricted'
    ? 'makes the whole policy public. Without it, or narrowed by a fixed value (docs/public-access.md), other accounts are decided as ever; and so they are without RestrictPublicBuckets.'
    : 'is what this is about.';
}

/** Where a condition alone is missing, statements of such a policy about something else are not. */
function isOfInterest(statement: RecordedStatement, _: number, all: readonly RecordedStatement[]): boolean {
  return (
    lacksConditionsAlone(statement) ||
    !all.some((other) => other.role === statement.role && lacksConditionsAlone(other))
  );
}

/** Between two accounts, and under a boundary, one Allow is not enough. */
function allNeeded(missing: Role, nearest: readonly RecordedStatement[]): readonly string[] {
  // In one account, a bucket policy can take the place of an identity policy.
  const sufficient = missing === 'identity' ? ['identity', 'resource'] : [missing];
  const others = new Set(nearest.map(({ role }) => role).filter((role) => !sufficient.includes(role)));
  if (others.size === 0) return [];
  const kinds = [missing, ...others].map((role) => `a ${ROLES[role]}`.replace(/^a (?=[aeiou])/, 'an '));
  return [`Not one of them, but each kind has to allow it: ${kinds.join(' and ')}.`];
}

function lacksConditionsAlone({ mismatches }: RecordedStatement): boolean {
  return mismatches.every(({ element }) => element === 'Condition');
}

function conditionsThatHold(statement: RecordedStatement): readonly string[] {
  return statement.held.map((condition) => `since ${holds(condition)}`);
}

function refusing(statement: RecordedStatement): readonly string[] {
  const { held } = statement;
  const name = statementOf(statement);
  if (held.length === 0)
    return [
      `${name} refuses it under any condition: another action, resource or caller, or a change of the policy is needed.`,
    ];
  return [
    `${name} refuses it, since ${held.map(holds).join(', and ')}.`,
    `It would not, if ${held.map(wouldNotHold).join(', or ')}.`,
  ];
}

function nearMiss(statement: RecordedStatement): readonly string[] {
  const needed = statement.mismatches.map(missingPart);
  const name = statementOf(statement);
  const [only] = needed;
  if (needed.length === 1) return [`${name} would allow it if ${only}.`];
  return [
    `${name} would allow it if`,
    ...needed.map((each, index) => `${index === 0 ? '  ' : '  and '}${each}`),
  ];
}

function missingPart(mismatch: RecordedStatement['mismatches'][number]): string {
  const { element, wanted, actual } = mismatch;
  if (element === 'Condition') return wouldHold(mismatch);
  const value = quoted(String(actual ?? ''));
  return element.startsWith('Not')
    ? `its ${element} left out ${value}; it has ${alternatives(wanted)}`
    : `its ${element} covered ${value}; it has ${alternatives(wanted)}`;
}

type Role = RecordedStatement['role'];

const ROLES: Readonly<Record<Role, string>> = {
  identity: 'identity policy',
  resource: 'bucket policy',
  boundary: 'permissions boundary',
  session: 'session policy',
};

const REMEDIES: Readonly<Record<Role, string>> = {
  identity:
    "a policy of the key or its user; for a bucket of the caller's own account, one in the bucket's policy would do",
  resource: "the bucket's policy, with the caller (or everybody) as its Principal",
  boundary: 'the permissions boundary, which limits what other policies allow',
  session: 'a session policy, which limits what other policies allow',
};

function missingPolicy({ reason }: Reason): Role | undefined {
  const parsed = reason === undefined ? undefined : parseDenialReason(reason);
  return parsed?.kind === 'implicit' ? parsed.missing : undefined;
}

/** The Allow of a statement in the bucket policy `x`… */
function statementOf({ by, effect, role }: RecordedStatement): string {
  return `The ${effect} in ${statementName(by)} (${ROLES[role]})`;
}

/** What stands for the policy that lets root do everything. */
const ROOT_USER = 'root user';

/** `alice/scope`, statement `List` */
export function statementName({ policy, sid, index }: NonNullable<Reason['by']>): string {
  return `${quoted(policy)}, statement ${sid === undefined ? index + 1 : quoted(sid)}`;
}
