import { describe, expect, test } from 'vitest';
import {
  compilePolicy,
  evaluate,
  parsePolicy,
  PolicyError,
  type CompiledPolicy,
  type PolicyPrincipal,
} from '../../src/policy/index.ts';

const ACCOUNT = '111122223333';
const CANONICAL_ID = '79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be';

function documentOf(element: object): string {
  const resources = { Action: 's3:GetObject', Resource: 'arn:aws:s3:::logs/*' };
  return JSON.stringify({ Statement: { Effect: 'Allow', ...resources, ...element } });
}

function isAccepted(type: string, value: string): boolean {
  try {
    parsePolicy(documentOf({ Principal: { [type]: value } }), { type: 'resource' });
    return true;
  } catch (error) {
    if (error instanceof PolicyError) return false;
    throw error;
  }
}

describe('a Principal element takes', () => {
  test.each([
    ['AWS', ACCOUNT],
    ['AWS', `arn:aws:iam::${ACCOUNT}:root`],
    ['AWS', `arn:aws-us-gov:iam::${ACCOUNT}:root`],
    ['AWS', `arn:aws-cn:iam::${ACCOUNT}:user/team/alice`],
    ['AWS', `arn:aws:iam::${ACCOUNT}:role/app`],
    ['AWS', `arn:aws-cn:sts::${ACCOUNT}:assumed-role/app/run1`],
    ['AWS', `arn:aws:sts::${ACCOUNT}:federated-user/fred`],
    ['AWS', 'arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity EH1HDMB1FH2TC'],
    ['AWS', 'AIDACKCEVSQ6C2EXAMPLE'],
    ['AWS', 'AROADBQP57FF2AEXAMPLE'],
    ['CanonicalUser', CANONICAL_ID],
    ['Federated', 'cognito-identity.amazonaws.com'],
    ['Federated', `arn:aws:iam::${ACCOUNT}:saml-provider/provider-name`],
    ['Service', 'logging.s3.amazonaws.com'],
  ])('%s %s', (type, value) => {
    expect(isAccepted(type, value)).toBe(true);
  });
});

describe('a Principal element refuses', () => {
  test.each([
    ['AWS', `x${ACCOUNT}`],
    ['AWS', `${ACCOUNT}1`],
    ['AWS', `xarn:aws:iam::${ACCOUNT}:root`],
    ['AWS', `arn:aws:iam::${ACCOUNT}:root/x`],
    ['AWS', `arn:aws:iam::${ACCOUNT}1:root`],
    ['AWS', `arn::iam::${ACCOUNT}:root`],
    ['AWS', `arn:AWS:iam::${ACCOUNT}:root`],
    ['AWS', `xarn:aws:iam::${ACCOUNT}:user/alice`],
    ['AWS', `arn:aws:iam::${ACCOUNT}:user/`],
    ['AWS', `arn:aws:iam::${ACCOUNT}:user/alice*`],
    ['AWS', `arn:aws:iam::${ACCOUNT}:user/alic?`],
    ['AWS', 'arn:aws:iam::1111:user/alice'],
    ['AWS', `arn:aws:iam::${ACCOUNT}:policy/alice`],
    ['AWS', `arn::iam::${ACCOUNT}:user/alice`],
    ['AWS', `xarn:aws:sts::${ACCOUNT}:assumed-role/app/run1`],
    ['AWS', `arn:aws:sts::${ACCOUNT}:assumed-role/app`],
    ['AWS', `arn:aws:sts::${ACCOUNT}:assumed-role/app/run1/x`],
    ['AWS', `arn:aws:sts::${ACCOUNT}:assumed-role/app/run*`],
    ['AWS', `arn:aws:sts::${ACCOUNT}:assumed-role/a?p/run1`],
    ['AWS', `arn:aws:sts::${ACCOUNT}:federated-user/fred/x`],
    ['AWS', `arn:aws:sts::${ACCOUNT}:federated-user/`],
    ['AWS', 'arn:aws:sts::1111:assumed-role/app/run1'],
    ['AWS', 'xarn:aws:iam::cloudfront:user/CloudFront Origin Access Identity EH1HDMB1FH2TC'],
    ['AWS', 'arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity '],
    ['AWS', 'arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity EH1*'],
    ['AWS', 'xAIDACKCEVSQ6C2EXAMPLE'],
    ['AWS', 'AIDACKCEVSQ6C2EXAMPLEx'],
    ['AWS', 'AIDASHORT'],
    ['AWS', 'AKIAIOSFODNN7EXAMPLE'],
    ['CanonicalUser', CANONICAL_ID.slice(1)],
    ['CanonicalUser', `${CANONICAL_ID}0`],
    ['CanonicalUser', CANONICAL_ID.toUpperCase()],
    ['Federated', ''],
    ['Federated', 'x y'],
    ['Federated', 'accounts.*'],
    ['Federated', '*'],
    ['Service', 's3'],
    ['Service', 's3.'],
    ['Service', '.amazonaws.com'],
    ['Service', 's3.amazonaws.com '],
    ['Service', '*.amazonaws.com'],
    ['Everyone', '*'],
  ])('%s `%s`', (type, value) => {
    expect(isAccepted(type, value)).toBe(false);
  });
});

const USER: PolicyPrincipal = {
  type: 'user',
  arn: `arn:aws:iam::${ACCOUNT}:user/alice`,
  accountId: ACCOUNT,
  userId: 'AIDACKCEVSQ6C2EXAMPLE',
  canonicalUserId: CANONICAL_ID,
};
const SESSION: PolicyPrincipal = {
  type: 'role-session',
  arn: `arn:aws:sts::${ACCOUNT}:assumed-role/app/run1`,
  accountId: ACCOUNT,
  roleArn: `arn:aws:iam::${ACCOUNT}:role/app`,
  userId: 'AROADBQP57FF2AEXAMPLE:run1',
  federatedProvider: 'cognito-identity.amazonaws.com',
};
/** Without what a policy might name it by. */
const BARE: PolicyPrincipal = { type: 'user', arn: `arn:aws:iam::${ACCOUNT}:user/bob`, accountId: ACCOUNT };

function allowing(action: string): CompiledPolicy {
  const text = JSON.stringify({ Statement: { Effect: 'Allow', Action: action, Resource: '*' } });
  return compilePolicy(parsePolicy(text, { type: 'identity' }), { name: 'own' });
}

function decide(
  element: object,
  principal: PolicyPrincipal,
  limits: { readonly session?: boolean; readonly account?: string; readonly identity?: boolean } = {},
): string {
  const resource = compilePolicy(parsePolicy(documentOf(element), { type: 'resource' }), { name: 'bucket' });
  const decision = evaluate(
    {
      action: 's3:GetObject',
      resource: 'arn:aws:s3:::logs/a',
      resourceAccount: limits.account ?? ACCOUNT,
      principal,
      context: () => undefined,
    },
    {
      resource,
      ...(limits.session === true && { session: allowing('s3:PutObject') }),
      ...(limits.identity === true && { identity: allowing('*') }),
    },
  );
  return decision.effect;
}

describe('a grant', () => {
  test('to a unique id is one to the user that bears it, and to no other', () => {
    const grant = { Principal: { AWS: 'AIDACKCEVSQ6C2EXAMPLE' } };
    expect(decide(grant, USER)).toBe('Allow');
    expect(decide(grant, USER, { session: true })).toBe('Allow');
    expect(decide(grant, BARE)).toBe('Deny');
    expect(decide(grant, SESSION)).toBe('Deny');
  });

  test("to a role's unique id is one to the role, limited as the role is", () => {
    const grant = { Principal: { AWS: 'AROADBQP57FF2AEXAMPLE' } };
    expect(decide(grant, SESSION)).toBe('Allow');
    expect(decide(grant, SESSION, { session: true })).toBe('Deny');
    expect(decide(grant, { ...SESSION, userId: 'AROADBQP57FF2AEXAMPLEX:run1' })).toBe('Deny');
    expect(decide(grant, BARE)).toBe('Deny');
  });

  test('to a canonical user only delegates to the account that it stands for', () => {
    const grant = { Principal: { CanonicalUser: CANONICAL_ID } };
    expect(decide(grant, USER)).toBe('Deny');
    expect(decide(grant, USER, { account: '444455556666' })).toBe('Deny');
    expect(decide(grant, USER, { account: '444455556666', identity: true })).toBe('Allow');
    expect(decide(grant, BARE, { account: '444455556666', identity: true })).toBe('Deny');
  });

  test('to an identity provider is one to the sessions that it began', () => {
    const grant = { Principal: { Federated: 'cognito-identity.amazonaws.com' } };
    expect(decide(grant, SESSION)).toBe('Allow');
    expect(decide(grant, SESSION, { session: true })).toBe('Allow');
    expect(decide(grant, USER)).toBe('Deny');
    expect(decide(grant, { type: 'anonymous' })).toBe('Deny');
  });

  test('to the role is limited for a caller that is the role itself', () => {
    const roleArn = `arn:aws:iam::${ACCOUNT}:role/app`;
    const grant = { Principal: { AWS: roleArn } };
    const role: PolicyPrincipal = { type: 'role-session', arn: roleArn, accountId: ACCOUNT, roleArn };
    expect(decide(grant, role)).toBe('Allow');
    expect(decide(grant, role, { session: true })).toBe('Deny');
  });

  test('to a service is one to nobody here', () => {
    expect(decide({ Principal: { Service: 's3.amazonaws.com' } }, BARE)).toBe('Deny');
  });
});

function denies(listed: object, principal: PolicyPrincipal): boolean {
  return decide({ Effect: 'Deny', NotPrincipal: listed }, principal, { identity: true }) === 'Deny';
}

describe('NotPrincipal', () => {
  test('knows a user by its unique id', () => {
    expect(denies({ AWS: 'AIDACKCEVSQ6C2EXAMPLE' }, USER)).toBe(false);
    expect(denies({ AWS: 'AIDACKCEVSQ6C2EXAMPLE' }, BARE)).toBe(true);
  });

  test('asks for session, role and account, in any of their forms', () => {
    const provider = 'cognito-identity.amazonaws.com';
    const list = { AWS: ['AROADBQP57FF2AEXAMPLE', ACCOUNT], Federated: provider };
    expect(denies(list, SESSION)).toBe(false);
    expect(denies({ ...list, AWS: 'AROADBQP57FF2AEXAMPLE' }, SESSION)).toBe(true);
    expect(denies({ ...list, AWS: ACCOUNT }, SESSION)).toBe(true);
    expect(denies({ AWS: list.AWS }, SESSION)).toBe(true);
  });
});
