/** Lint: what is wrong with a policy, and what is right and most likely not meant. */
import { PolicyError, type PolicyType } from '../error.ts';
import { unknownAction, checkActions } from './check-actions.ts';
import { checkAbsence } from './check-absence.ts';
import { checkConditionKeys, unknownKey } from './check-condition-keys.ts';
import { checkConditionValues } from './check-condition-values.ts';
import { checkContradictions } from './check-contradictions.ts';
import { checkCoverage, checkRedundancy } from './check-coverage.ts';
import { checkListing } from './check-listing.ts';
import { checkPrincipals } from './check-principals.ts';
import { checkBuckets, checkResources } from './check-resources.ts';
import { checkVariables } from './check-variables.ts';
import { statementFacts, type LintSubject, type StatementFacts } from './facts.ts';
import type { Draft, Finding } from './finding.ts';
import { detectPolicyType } from './policy-type.ts';
import { readStatements } from './read-statements.ts';
import { RULES, type RuleId } from './rules.ts';

export interface LintOptions {
  /** Told from the document if it is not given. */
  readonly type?: PolicyType;
  /** For a bucket policy: the bucket that it is for. */
  readonly bucket?: string;
}

export interface LintReport {
  /** As given, or as detected. */
  readonly type: PolicyType;
  /** In the order of the document. Empty: nothing to say. */
  readonly findings: readonly Finding[];
}

/** Never throws, whatever the text is. */
export function lintPolicy(text: string, options: LintOptions = {}): LintReport {
  const type = options.type ?? detected(text);
  const { bucket } = options;
  const read = readStatements(text, bucket === undefined ? { type } : { type, bucket });
  const statements = read.statements.map((each) => statementFacts(each, read));
  const subject: LintSubject = { type, variables: read.variables, statements };
  const sids = new Map(statements.map(({ index, statement }) => [index, statement.sid]));
  const drafts = [
    ...read.errors.map(({ index, error }) => ({ ...refusal(error, type), index })),
    ...statements.flatMap((facts) =>
      CHECKS.flatMap((check) => check(facts, subject).map((draft) => ({ ...draft, index: facts.index }))),
    ),
    ...checkBuckets(subject),
    ...checkCoverage(subject),
  ];
  const findings = drafts.map((draft) => toFinding(draft, draft.index, sids));
  return { type, findings: findings.toSorted(inOrder) };
}

const CHECKS: readonly ((facts: StatementFacts, subject: LintSubject) => readonly Draft[])[] = [
  checkActions,
  checkResources,
  checkPrincipals,
  checkConditionKeys,
  checkConditionValues,
  checkContradictions,
  checkAbsence,
  checkVariables,
  checkListing,
  checkRedundancy,
];

function detected(text: string): PolicyType {
  try {
    return detectPolicyType(text);
  } catch (error) {
    // Not JSON, whatever it was meant to be.
    if (error instanceof PolicyError) return 'identity';
    throw error;
  }
}

function toFinding(
  { rule, severity, position, message, fix }: Draft,
  index: number | undefined,
  sids: ReadonlyMap<number, string | undefined>,
): Finding {
  const sid = index === undefined ? undefined : sids.get(index);
  return {
    rule,
    severity: severity ?? RULES[rule].severity,
    line: position.line,
    column: position.column,
    statement: index === undefined ? undefined : { index, ...(sid === undefined ? {} : { sid }) },
    message,
    fix,
  };
}

function inOrder(left: Finding, right: Finding): number {
  return left.line - right.line || left.column - right.column;
}

/** By the sentences of AWS; whatever else is refused is malformed. */
const RULE_OF_SENTENCE: readonly (readonly [sentence: RegExp, rule: RuleId])[] = [
  [/^Policies must be valid JSON/, 'invalid-json'],
  [/^Invalid principal/, 'invalid-principal'],
  [/^Policy has invalid resource|must be in ARN format/, 'invalid-resource'],
  [/^Policy has invalid action/, 'unknown-action'],
  [/^Action does not apply/, 'action-without-resource'],
  [/^Policy has an invalid condition key/, 'unknown-condition-key'],
  [/^Conditions do not apply/, 'condition-key-not-carried'],
];

function refusal(error: PolicyError, type: PolicyType): Draft {
  const { detail, line, column } = error;
  const rule = RULE_OF_SENTENCE.find(([sentence]) => sentence.test(error.message))?.[1] ?? 'malformed';
  const offending = /^`([^`]*)`/.exec(detail)?.[1] ?? '';
  const known =
    rule === 'unknown-action'
      ? unknownAction(offending, { trust: type === 'trust' })
      : rule === 'unknown-condition-key'
        ? unknownKey(offending)
        : undefined;
  // Behind the last `; ` of a detail stands what to do.
  const cut = detail.lastIndexOf('; ');
  const sentence = error.message.replace(/[.!]$/, '');
  return {
    rule,
    severity: 'error',
    position: { line, column },
    message:
      cut < 0
        ? isInstruction(detail)
          ? sentence
          : `${sentence}: ${detail}`
        : `${sentence}: ${detail.slice(0, cut)}`,
    fix: known?.fix ?? (cut >= 0 ? detail.slice(cut + 2) : isInstruction(detail) ? detail : 'correct it'),
  };
}

function isInstruction(detail: string): boolean {
  return /^(?:add|write|remove|see|use) /.test(detail);
}
