/** From the ARN of a caller, as a record or a command line has it, to the principal that policies decide about. */

import type { PolicyPrincipal } from './principal.ts';

const PRINCIPAL =
  /^arn:([a-z-]+):(iam|sts)::(\d{12}):(root|user|role|assumed-role|federated-user)(?:\/(.+))?$/;

/**
 * Undefined for what is neither the ARN of a user, role, session or account root nor `anonymous`. The unique id is not
 * in an ARN: the name stands for it.
 * @param roleArn of an assumed-role session, whose own ARN leaves out the path of the role.
 */
export function parsePrincipalArn(text: string, roleArn?: string): PolicyPrincipal | undefined {
  if (text === 'anonymous') return { type: 'anonymous' };
  const [, partition = '', , accountId = '', kind, rest = ''] = PRINCIPAL.exec(text) ?? [];
  const lastName = rest.slice(rest.lastIndexOf('/') + 1);
  switch (kind) {
    case 'root':
      return { type: 'root', arn: text, accountId, userId: accountId };
    case 'user':
      return { type: 'user', arn: text, accountId, userName: lastName, userId: lastName };
    case 'role':
      return { type: 'role-session', arn: text, accountId, roleArn: text, userId: lastName };
    case 'assumed-role': {
      const [role = '', session = ''] = rest.split('/');
      const ofRole = roleArn ?? `arn:${partition}:iam::${accountId}:role/${role}`;
      return { type: 'role-session', arn: text, accountId, roleArn: ofRole, userId: `${role}:${session}` };
    }
    case 'federated-user':
      return { type: 'federated', arn: text, accountId, userId: `${accountId}:${rest}` };
    case undefined:
    default:
      return undefined;
  }
}

const PRINCIPAL_TYPES = {
  user: 'User',
  root: 'Account',
  'role-session': 'AssumedRole',
  federated: 'FederatedUser',
} as const;

/**
 * The condition keys that follow from the caller, by lower-case name.
 * Source: IAM User Guide, "IAM policy elements: Variables and tags", "Where you can use policy variables".
 */
export function principalContext(principal: PolicyPrincipal): ReadonlyMap<string, string> {
  if (principal.type === 'anonymous')
    return new Map([
      ['aws:principaltype', 'Anonymous'],
      ['aws:userid', 'anonymous'],
    ]);
  const context = new Map([
    ['aws:principaltype', PRINCIPAL_TYPES[principal.type]],
    ['aws:principalarn', principal.roleArn ?? principal.arn],
    ['aws:principalaccount', principal.accountId],
  ]);
  if (principal.userId !== undefined) context.set('aws:userid', principal.userId);
  if (principal.userName !== undefined) context.set('aws:username', principal.userName);
  return context;
}
