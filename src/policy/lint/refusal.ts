/** Why a document would be refused, as a finding. */
import type { PolicyError, PolicyType } from '../error.ts';
import { unknownAction } from './check-actions.ts';
import { unknownKey } from './check-condition-keys.ts';
import type { Draft } from './finding.ts';
import type { RuleId } from './rules.ts';

export function refusal(error: PolicyError, type: PolicyType): Draft {
  const { detail, line, column } = error;
  const rule = RULE_OF_SENTENCE.find(([sentence]) => sentence.test(error.message))?.[1] ?? 'malformed';
  const sentence = error.message.replace(/[.!]$/, '');
  const { problem, instruction } = split(detail);
  return {
    rule,
    severity: 'error',
    position: { line, column },
    message: problem === undefined ? sentence : `${sentence}: ${problem}`,
    fix: didYouMean(rule, detail, type) ?? instruction,
  };
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

/** Behind the last `; ` of a detail stands what to do; some are nothing else, and some say only what is wrong. */
function split(detail: string): { readonly problem: string | undefined; readonly instruction: string } {
  const cut = detail.lastIndexOf('; ');
  if (cut >= 0) return { problem: detail.slice(0, cut), instruction: detail.slice(cut + 2) };
  return /^(?:add|write|remove|see|use) /.test(detail)
    ? { problem: undefined, instruction: detail }
    : { problem: detail, instruction: 'see the grammar of the IAM JSON policy language' };
}

function didYouMean(rule: RuleId, detail: string, type: PolicyType): string | undefined {
  const offending = /^`([^`]*)`/.exec(detail)?.[1] ?? '';
  if (rule === 'unknown-action') return unknownAction(offending, { trust: type === 'trust' })?.fix;
  return rule === 'unknown-condition-key' ? unknownKey(offending)?.fix : undefined;
}
