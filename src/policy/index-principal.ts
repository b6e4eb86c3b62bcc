/** An index over the principals of statements: of a bucket policy for many callers, each meets those that may name it. */

import type { CompiledStatement } from './compile.ts';
import type { PolicyPrincipal } from './principal.ts';

interface OfStatement {
  readonly statement: CompiledStatement;
}

/** Fewer are tried sooner than they are looked up. */
const MIN_ENTRIES = 16;

export class PrincipalIndex<Entry extends OfStatement> {
  /** Those that name everyone, nobody, or all but some. */
  readonly #open: readonly Entry[];
  /** By every name that a principal may have. */
  readonly #byName: ReadonlyMap<string, readonly Entry[]>;

  private constructor(open: readonly Entry[], byName: ReadonlyMap<string, readonly Entry[]>) {
    this.#open = open;
    this.#byName = byName;
  }

  /** Undefined where an index would not help. */
  static of<Entry extends OfStatement>(entries: readonly Entry[]): PrincipalIndex<Entry> | undefined {
    const open = entries.filter(({ statement }) => statement.principals?.names === undefined);
    if (entries.length - open.length < MIN_ENTRIES) return undefined;
    const byName = new Map<string, Entry[]>();
    for (const entry of entries) {
      for (const name of entry.statement.principals?.names ?? []) {
        const known = byName.get(name);
        if (known === undefined) byName.set(name, [entry]);
        else known.push(entry);
      }
    }
    return new PrincipalIndex(open, byName);
  }

  /** Every statement that names the principal, and few others, in the order of the documents. */
  of(principal: PolicyPrincipal): readonly Entry[] {
    if (principal.type === 'anonymous') return this.#open;
    const { arn, roleArn, accountId, userId, canonicalUserId, federatedProvider } = principal;
    let found = merge(this.#open, this.#byName.get(arn));
    found = merge(found, this.#byName.get(accountId));
    if (roleArn !== undefined) found = merge(found, this.#byName.get(roleArn));
    if (userId !== undefined) {
      found = merge(found, this.#byName.get(userId));
      const colon = userId.indexOf(':');
      if (colon >= 0) found = merge(found, this.#byName.get(userId.slice(0, colon)));
    }
    if (canonicalUserId !== undefined) found = merge(found, this.#byName.get(canonicalUserId));
    if (federatedProvider !== undefined) found = merge(found, this.#byName.get(federatedProvider));
    return found;
  }
}

/** Both in one order; an entry that is in both stands twice, which decides nothing. */
function merge<Entry extends OfStatement>(
  left: readonly Entry[],
  right: readonly Entry[] | undefined,
): readonly Entry[] {
  if (right === undefined) return left;
  if (left.length === 0) return right;
  return [...left, ...right].sort((one, other) => one.statement.order - other.statement.order);
}
