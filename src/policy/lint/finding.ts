/** What lint says about a policy. */
import type { Position } from '../error.ts';
import type { RuleId } from './rules.ts';

/**
 * `error`: the document would be refused. `warning`: it is taken, and most likely does not do what was meant.
 * `note`: worth knowing.
 */
export type Severity = 'error' | 'warning' | 'note';

export interface Finding extends Position {
  readonly rule: RuleId;
  readonly severity: Severity;
  /** From 0; undefined for what is about the whole document. */
  readonly statement: { readonly index: number; readonly sid?: string } | undefined;
  /** What is wrong, with the offending text in backticks. */
  readonly message: string;
  /** What to do about it, as an instruction. */
  readonly fix: string;
}

/** With the statement that it is about. */
export interface PlacedDraft {
  readonly index: number | undefined;
  readonly draft: Draft;
}

/** What a check finds; the rule table and the statement say the rest. */
export interface Draft {
  readonly rule: RuleId;
  /** Instead of the rule's own. */
  readonly severity?: Severity;
  readonly position: Position;
  readonly message: string;
  readonly fix: string;
}
