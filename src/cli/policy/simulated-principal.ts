/** Whose rights are simulated: from a word of the command line to the principal that policies decide about. */
import type { StoredPrincipal } from '../../identity/index.ts';
import { parsePrincipalArn, principalContext, type PolicyPrincipal } from '../../policy/index.ts';
import { userArn } from '../../identity/index.ts';
import { InputError, UsageError } from '../command-error.ts';
import type { OpenedPolicies } from './enforced-policies.ts';

export interface SimulatedPrincipal {
  readonly principal: PolicyPrincipal;
  readonly accessKeyId: string | undefined;
  /** What follows from the principal, by lower-case condition key. */
  readonly context: ReadonlyMap<string, string>;
}

/** The account of a user without any configuration: the default of the setting `accountId`. */
export const DEFAULT_ACCOUNT = '000000000000';

/**
 * @param name an ARN, `anonymous`, an access key id, or the name of a user.
 * @param enforced absent: a name is a user's, of which nothing else is known.
 * @throws UsageError for what is none of these; InputError for one that is not in the store.
 */
export async function findPrincipal(
  name: string,
  enforced: OpenedPolicies | undefined,
): Promise<SimulatedPrincipal> {
  if (name === 'anonymous' || name.startsWith('arn:')) return byArn(name, enforced);
  if (enforced === undefined) {
    if (!/^[\w+=,.@-]{1,64}$/.test(name)) throw noPrincipal(name);
    return byArn(userArn(DEFAULT_ACCOUNT, name), undefined);
  }
  const { store, config } = enforced;
  const key = await store.findKey(name);
  if (key !== undefined) return known(key.principal, name);
  const user = await store.findPrincipal(userArn(config.accountId, name));
  if (user !== undefined) return known(user.principal, undefined);
  throw new InputError(
    `\`${name}\` is neither an access key nor a user in \`${store.location}\`. \`bucketwarden keys list\` shows those there are.`,
  );
}

async function byArn(arn: string, enforced: OpenedPolicies | undefined): Promise<SimulatedPrincipal> {
  const principal = parsePrincipalArn(arn);
  if (principal === undefined) throw noPrincipal(arn);
  const found = await enforced?.store.findPrincipal(arn);
  if (found !== undefined) return known(found.principal, undefined);
  return { principal, accessKeyId: undefined, context: principalContext(principal) };
}

function known(stored: StoredPrincipal, accessKeyId: string | undefined): SimulatedPrincipal {
  const { type, arn, accountId, userName, userId, tags } = stored;
  const principal: PolicyPrincipal = {
    type,
    arn,
    accountId,
    userId,
    // The root is no user.
    ...(type === 'user' && { userName }),
  };
  const tagged = Object.entries(tags).map(([key, value]): [string, string] => [
    `aws:principaltag/${key.toLowerCase()}`,
    value,
  ]);
  return { principal, accessKeyId, context: new Map([...principalContext(principal), ...tagged]) };
}

function noPrincipal(name: string): UsageError {
  return new UsageError(
    `--principal \`${name}\` is neither the ARN of a user, role, session or account root, nor an access key id, a user name or \`anonymous\`.`,
  );
}
