export { mayAllowBelow } from './below.ts';
export { PolicyCaseError, runPolicyCase } from './cases.ts';
export {
  compilePolicies,
  compilePolicy,
  type CompiledPolicy,
  type PolicySource,
  type StatementRef,
} from './compile.ts';
export { parsePolicy } from './document.ts';
export { PolicyError, type PolicyType } from './error.ts';
export {
  evaluate,
  isRepair,
  readsContextKey,
  type Decision,
  type EvaluationRequest,
  type PolicySet,
} from './evaluate.ts';
export { explain, type Explanation, type Mismatch, type StatementReport } from './explain.ts';
export type { Finding as LintFinding, Severity as LintSeverity } from './lint/finding.ts';
export { lintPolicy, type LintReport } from './lint/lint-policy.ts';
export { RULE_IDS as LINT_RULE_IDS, RULES as LINT_RULES } from './lint/rules.ts';
export { parsePrincipalArn, principalContext } from './principal-arn.ts';
export type { PolicyPrincipal } from './principal.ts';
export { isPublic } from './public.ts';
export { isKnownS3Action } from './s3-action.ts';
export type { ContextLookup } from './template.ts';
