/** Lint: what is wrong with a policy, and what is right and most likely not meant. */
import { PolicyError, type PolicyType } from '../error.ts';
import { policyText } from '../policy-text.ts';
import { checkActions } from './check-actions.ts';
import { checkAbsence } from './check-absence.ts';
import { checkAbsentKeys } from './check-absent-keys.ts';
import { checkConditionKeys } from './check-condition-keys.ts';
import { checkConditionValues } from './check-condition-values.ts';
import { checkContradictions } from './check-contradictions.ts';
import { checkCoverage, checkRedundancy } from './check-coverage.ts';
import { checkListing } from './check-listing.ts';
import { checkPrincipals } from './check-principals.ts';
import { checkBuckets, checkResources } from './check-resources.ts';
import { checkVariables } from './check-variables.ts';
import { statementFacts, type LintSubject, type StatementFacts } from './facts.ts';
import type { Draft, Finding, PlacedDraft } from './finding.ts';
import { detectPolicyType } from './policy-type.ts';
import { readStatements } from './read-statements.ts';
import { refusal } from './refusal.ts';
import { RULES } from './rules.ts';

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

/** Never throws, whatever the document is. @param document its text, or the bytes of its file. */
export function lintPolicy(document: string | Uint8Array, options: LintOptions = {}): LintReport {
  if (typeof document === 'string') return lintText(document, options);
  const { type = 'identity' } = options;
  let text: string;
  try {
    text = policyText(document, type);
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    return { type, findings: [toFinding(refusal(error, type), undefined, new Map())] };
  }
  return lintText(text, options);
}

function lintText(text: string, options: LintOptions): LintReport {
  const type = options.type ?? detected(text);
  const { bucket } = options;
  const read = readStatements(text, bucket === undefined ? { type } : { type, bucket });
  const statements = read.statements.map((each) => statementFacts(each, read));
  const subject: LintSubject = { type, variables: read.variables, statements };
  const sids = new Map(statements.map(({ index, statement }) => [index, statement.sid]));
  const drafts: readonly PlacedDraft[] = [
    ...read.errors.map(({ index, error }) => ({ draft: refusal(error, type), index })),
    ...statements.flatMap((facts) =>
      CHECKS.flatMap((check) => check(facts, subject).map((draft) => ({ draft, index: facts.index }))),
    ),
    ...checkBuckets(subject),
    ...checkCoverage(subject),
  ];
  const findings = drafts.map(({ draft, index }) => toFinding(draft, index, sids));
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
  checkAbsentKeys,
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
