/** What is known of the actions of S3 and of the condition keys that they take. */

import { ACTION_GROUPS, COMMON_KEYS, GLOBAL_KEYS, type ActionLevel } from './actions.ts';
import { globTokens, matchGlob } from './glob.ts';

export interface S3Action {
  /** With its prefix, as AWS writes it: `s3:GetObject`. */
  readonly name: string;
  readonly level: ActionLevel;
  /** Lower case, with prefix; beside those that every action takes. */
  readonly keys: ReadonlySet<string>;
}

/** `s3:GetObject`, in any case: is it an action of S3? */
export function isKnownS3Action(action: string): boolean {
  return ACTIONS.has(action.toLowerCase());
}

/** The S3 actions that a pattern of an Action element stands for. */
export function expandActionPattern(pattern: string): S3Action[] {
  const folded = pattern.toLowerCase();
  const literals = folded.split(/[*?]/);
  if (literals.length === 1) {
    const action = ACTIONS.get(folded);
    return action === undefined ? [] : [action];
  }
  // Most names lack the longest literal, which is sooner seen than that the pattern does not match.
  const longest = literals.reduce((left, right) => (right.length > left.length ? right : left));
  const tokens = globTokens(folded);
  return [...ACTIONS]
    .filter(([name]) => name.includes(longest) && matchGlob(tokens, name))
    .map(([, action]) => action);
}

/** May the key stand in a bucket policy at all? Keys that a caller's identity provider sets may. */
export function isBucketPolicyKey(key: string): boolean {
  const folded = key.toLowerCase();
  if (isListed(GLOBAL, folded) || isListed(COMMON, folded)) return true;
  if (folded.startsWith('s3:')) return isListed(SPECIFIC, folded);
  const provider = folded.slice(0, folded.indexOf(':'));
  return provider === 'saml' || provider.includes('.');
}

/** Does a request for the action ever carry the key? */
export function actionTakesKey(action: S3Action, key: string): boolean {
  const folded = key.toLowerCase();
  return !folded.startsWith('s3:') || isListed(COMMON, folded) || isListed(action.keys, folded);
}

const prefixed = (keys: readonly string[]): ReadonlySet<string> =>
  new Set(keys.map((key) => key.toLowerCase()));

const GLOBAL = prefixed(GLOBAL_KEYS);
const COMMON = prefixed(COMMON_KEYS);
const SPECIFIC = prefixed(ACTION_GROUPS.flatMap((group) => group.keys));

/** By lower-case name. */
const ACTIONS: ReadonlyMap<string, S3Action> = new Map(
  ACTION_GROUPS.flatMap((group) => {
    const keys = prefixed(group.keys);
    return group.actions.map((action) => {
      const name = `s3:${action}`;
      return [name.toLowerCase(), { name, level: group.level, keys }] as const;
    });
  }),
);

/** A listed key that ends in `/` stands for itself with any tag key. */
function isListed(keys: ReadonlySet<string>, key: string): boolean {
  const slash = key.indexOf('/');
  if (slash < 0) return keys.has(key);
  return slash < key.length - 1 && keys.has(key.slice(0, slash + 1));
}
