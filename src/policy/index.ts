export { runPolicyCase, type PolicyCaseResult } from './cases.ts';
export { compilePolicy, type CompiledPolicy, type StatementRef } from './compile.ts';
export { parsePolicy, type ParsePolicyOptions, type PolicyDocument } from './document.ts';
export { PolicyError, type PolicyErrorCode, type PolicyType } from './error.ts';
export {
  evaluate,
  readsContextKey,
  type Decision,
  type DenyReason,
  type EvaluationRequest,
  type PolicySet,
} from './evaluate.ts';
export type { PolicyPrincipal } from './principal.ts';
export { isPublic } from './public.ts';
export { isKnownS3Action } from './s3-action.ts';
export type { ContextLookup } from './template.ts';
