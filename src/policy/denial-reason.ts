/** Why nothing was allowed, in the words of records and answers; and back again. */

import type { Decision } from './decision.ts';
import type { PolicyRole } from './statement-report.ts';

/** Undefined for what a statement decides: an Allow, or an explicit Deny. */
export function denialReason(decision: Decision): string | undefined {
  if (decision.effect === 'Allow') return undefined;
  const { because } = decision;
  switch (because.kind) {
    case 'explicit':
      return undefined;
    case 'implicit':
      return `no ${because.missing} policy allows it`;
    case 'restricted':
      return RESTRICTED;
    case 'error':
      return String(because.cause);
  }
}

/** From the words: which kind of policy would have to allow, or what else it was. */
export function parseDenialReason(
  reason: string,
): { readonly kind: 'implicit'; readonly missing: PolicyRole } | { readonly kind: 'error' | 'restricted' } {
  const [, missing] = /^no (identity|resource|boundary|session) policy allows it$/.exec(reason) ?? [];
  // The expression has no other words.
  if (missing !== undefined) return { kind: 'implicit', missing: missing as PolicyRole };
  return { kind: reason === RESTRICTED ? 'restricted' : 'error' };
}

const RESTRICTED = 'the bucket policy is public, and RestrictPublicBuckets keeps it from other accounts';
