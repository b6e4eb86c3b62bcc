/** The canonical user id of an account: 64 hex digits that stand for it in ACLs, listings and the access log. */
import { hash } from 'node:crypto';

/** Derived, so that every gateway says the same; it is no secret and gives no right. */
export function canonicalUserId(accountId: string): string {
  return hash('sha256', `bucketwarden canonical user ${accountId}`, 'hex');
}
