/** Is a bucket policy public? Source: S3 User Guide, "The meaning of 'public'". */

import type { PolicyDocument, LocatedCondition, Statement } from './document.ts';
import { globTokens, matchGlob } from './glob.ts';
import { parseIpRange } from './ip.ts';

/** Some Allow to everyone is not narrowed to a fixed value of one of the keys that identify who calls or whence. */
export function isPublic(document: Pick<PolicyDocument, 'statements'>): boolean {
  return document.statements.some(isPublicGrant);
}

/** A statement by which alone its policy is public. */
export function isPublicGrant(statement: Statement): boolean {
  return grantsToEveryone(statement) && !isNarrowed(statement);
}

const NARROWING_KEYS: ReadonlySet<string> = new Set([
  'aws:sourcearn',
  'aws:sourcevpc',
  'aws:sourcevpce',
  'aws:sourceowner',
  'aws:sourceaccount',
  'aws:sourceorgid',
  'aws:principalorgid',
  'aws:principalarn',
  'aws:principalaccount',
  'aws:userid',
  's3:x-amz-server-side-encryption-aws-kms-key-id',
  's3:dataaccesspointarn',
  's3:dataaccesspointaccount',
]);

function grantsToEveryone({ effect, principals }: Statement): boolean {
  return effect === 'Allow' && principals?.items.some(({ pattern }) => pattern.kind === 'everyone') === true;
}

function isNarrowed(statement: Statement): boolean {
  return statement.conditions.some((condition) => {
    const { operator, quantifier, ifExists } = condition.use;
    // These also hold for a request without the key, so they keep nobody out.
    if (operator.negated || ifExists || quantifier === 'all' || condition.values.length === 0) return false;
    const key = condition.key.toLowerCase();
    if (key === 'aws:sourceip') return operator.family === 'Ip' && condition.values.every(isNarrowRange);
    const comparesText = operator.family === 'String' || operator.family === 'Arn';
    return (
      comparesText && NARROWING_KEYS.has(key) && condition.values.every((value) => isFixed(value, condition))
    );
  });
}

/** No wider than /8 (IPv4) or /32 (IPv6). */
function isNarrowRange(text: string): boolean {
  const range = parseIpRange(text);
  return range !== undefined && range.prefix >= (range.version === 4 ? 8 : 32);
}

const ACCESS_POINTS_OF_ONE_ACCOUNT = globTokens('arn:aws:s3:*:????????????:accesspoint/*');

/** The `aws:userid` of callers who have not signed. */
const ANONYMOUS_ID = 'anonymous';

/** Neither a wildcard nor a variable; but any access point of one account will do, and the id of nobody will not. */
function isFixed(value: string, condition: LocatedCondition): boolean {
  if (condition.key.toLowerCase() === 'aws:userid' && value.toLowerCase() === ANONYMOUS_ID) return false;
  if (!/[*?]|\$\{/.test(value)) return true;
  if (condition.key.toLowerCase() !== 's3:dataaccesspointarn' || value.includes('${')) return false;
  const account = value.split(':')[4] ?? '';
  return /^\d{12}$/.test(account) && matchGlob(ACCESS_POINTS_OF_ONE_ACCOUNT, value);
}
