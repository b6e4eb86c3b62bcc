/** Names that the ARN of a caller does not tell: of them a case file cannot speak. */
import { describe, expect, test } from 'vitest';
import {
  compilePolicy,
  evaluate,
  parsePolicy,
  type CompiledPolicy,
  type PolicyPrincipal,
} from '../../src/policy/index.ts';

const ACCOUNT = '111122223333';
const CANONICAL = '79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be';
const ROLE = `arn:aws:iam::${ACCOUNT}:role/app`;
const SESSION = `arn:aws:sts::${ACCOUNT}:assumed-role/app/run1`;

const USER: PolicyPrincipal = {
  type: 'user',
  arn: `arn:aws:iam::${ACCOUNT}:user/alice`,
  accountId: ACCOUNT,
  userId: 'AIDACKCEVSQ6C2EXAMPLE',
  canonicalUserId: CANONICAL,
};
const WEB_IDENTITY: PolicyPrincipal = {
  type: 'role-session',
  arn: SESSION,
  accountId: ACCOUNT,
  roleArn: ROLE,
  userId: 'AROADBQP57FF2AEXAMPLE:run1',
  federatedProvider: 'cognito-identity.amazonaws.com',
};

const statement = { Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::logs/*' };

function policy(
  type: 'resource' | 'identity' | 'session',
  given: Readonly<Record<string, unknown>> = {},
): CompiledPolicy {
  const text = JSON.stringify({ Version: '2012-10-17', Statement: { ...statement, ...given } });
  return compilePolicy(parsePolicy(text, { type }), { name: type });
}

const OPEN = policy('identity');
const ELSEWHERE = policy('session', { Resource: 'arn:aws:s3:::other/*' });

function decide(
  principal: PolicyPrincipal,
  resource: CompiledPolicy,
  others: { readonly identity?: CompiledPolicy; readonly session?: CompiledPolicy } = {},
  resourceAccount = ACCOUNT,
): string {
  const request = {
    action: 's3:GetObject',
    resource: 'arn:aws:s3:::logs/a',
    resourceAccount,
    principal,
    context: () => undefined,
  };
  return evaluate(request, { resource, ...others }).effect;
}

const allowing = (Principal: unknown): CompiledPolicy => policy('resource', { Principal });
const sparing = (NotPrincipal: unknown): CompiledPolicy =>
  policy('resource', { NotPrincipal, Effect: 'Deny' });

describe('a unique id', () => {
  test('names the user itself', () => {
    expect(decide(USER, allowing({ AWS: 'AIDACKCEVSQ6C2EXAMPLE' }), { session: ELSEWHERE })).toBe('Allow');
    expect(decide(USER, allowing({ AWS: 'AIDACKCEVSQ6C2OTHERID' }))).toBe('Deny');
  });

  test('of a role names it like its ARN: within the limits of the session', () => {
    const resource = allowing({ AWS: 'AROADBQP57FF2AEXAMPLE' });
    expect(decide(WEB_IDENTITY, resource)).toBe('Allow');
    expect(decide(WEB_IDENTITY, resource, { session: ELSEWHERE })).toBe('Deny');
  });

  test('of a role stands for it in NotPrincipal', () => {
    const all = ['AROADBQP57FF2AEXAMPLE', SESSION, ACCOUNT];
    expect(decide(WEB_IDENTITY, sparing({ AWS: all }), { identity: OPEN })).toBe('Allow');
    expect(decide(WEB_IDENTITY, sparing({ AWS: all.slice(1) }), { identity: OPEN })).toBe('Deny');
  });
});

describe('a canonical user', () => {
  test('is the account, which only delegates', () => {
    const resource = allowing({ CanonicalUser: CANONICAL });
    expect(decide(USER, resource)).toBe('Deny');
    expect(decide(USER, resource, { identity: OPEN })).toBe('Allow');
    expect(decide(USER, resource, { identity: OPEN }, '444455556666')).toBe('Allow');
    expect(decide(USER, resource, {}, '444455556666')).toBe('Deny');
  });

  test('of somebody else names nobody here', () => {
    const resource = allowing({ CanonicalUser: CANONICAL.replace('7', '8') });
    expect(decide(USER, resource, { identity: OPEN }, '444455556666')).toBe('Deny');
  });
});

describe('an identity provider', () => {
  test('names the sessions that it has vouched for', () => {
    const resource = allowing({ Federated: 'cognito-identity.amazonaws.com' });
    expect(decide(WEB_IDENTITY, resource)).toBe('Allow');
    expect(decide(USER, resource)).toBe('Deny');
  });

  test('is compared whole', () => {
    expect(decide(WEB_IDENTITY, allowing({ Federated: 'cognito-identity' }))).toBe('Deny');
  });

  test('in NotPrincipal names the session; the role and the account must stand beside it', () => {
    const Federated = 'cognito-identity.amazonaws.com';
    expect(decide(WEB_IDENTITY, sparing({ Federated, AWS: [ROLE, ACCOUNT] }), { identity: OPEN })).toBe(
      'Allow',
    );
    expect(decide(WEB_IDENTITY, sparing({ Federated, AWS: ACCOUNT }), { identity: OPEN })).toBe('Deny');
  });
});

test('a caller given as a role, without a session, is what a grant to the role names', () => {
  const role: PolicyPrincipal = { type: 'role-session', arn: ROLE, accountId: ACCOUNT, roleArn: ROLE };
  expect(decide(role, allowing({ AWS: ROLE }))).toBe('Allow');
  expect(decide(role, allowing({ AWS: ROLE }), { session: ELSEWHERE })).toBe('Deny');
});
