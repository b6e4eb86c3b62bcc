/** Why a policy document is refused, and where. */

export interface Position {
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units. */
  readonly column: number;
}

/** `resource` is a bucket policy; `trust` says who may assume a role. */
export type PolicyType = 'resource' | 'identity' | 'session' | 'boundary' | 'trust';

export type PolicyErrorCode = 'MalformedPolicy' | 'MalformedPolicyDocument';

interface Refusal {
  readonly type: PolicyType;
  readonly position: Position;
  /** What is wrong here, with the offending text in backticks, and what to do about it. */
  readonly detail: string;
}

/** `message` is AWS's sentence where it has one, word for word; `detail` and the position say the rest. */
export class PolicyError extends Error {
  override readonly name = 'PolicyError';
  readonly code: PolicyErrorCode;
  readonly line: number;
  readonly column: number;
  readonly detail: string;

  constructor(message: string, refusal: Refusal) {
    super(message);
    this.code = refusal.type === 'resource' ? 'MalformedPolicy' : 'MalformedPolicyDocument';
    this.line = refusal.position.line;
    this.column = refusal.position.column;
    this.detail = refusal.detail;
  }

  /** One line for a person: sentence, position, detail. */
  describe(): string {
    return `${this.message} (line ${this.line}, column ${this.column}): ${this.detail}`;
  }

  /** The same of a document that has a name: `FILE:LINE:COLUMN: …`, which editors and terminals can follow. */
  describeIn(file: string): string {
    return `${file}:${this.line}:${this.column}: ${this.message}: ${this.detail}`;
  }
}
