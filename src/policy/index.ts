export { PolicyCaseError, runPolicyCase } from './cases.ts';
export { compilePolicy, type CompiledPolicy, type StatementRef } from './compile.ts';
export { parsePolicy } from './document.ts';
export { PolicyError } from './error.ts';
export { evaluate, readsContextKey, type Decision, type PolicySet } from './evaluate.ts';
export type { PolicyPrincipal } from './principal.ts';
export { isPublic } from './public.ts';
export { isKnownS3Action } from './s3-action.ts';
export type { ContextLookup } from './template.ts';
