import { describe, expect, test } from 'vitest';
import {
  compilePolicy,
  evaluate,
  explain,
  parsePolicy,
  type EvaluationRequest,
  type PolicyPrincipal,
} from '../../src/policy/index.ts';

const OWNER = '111122223333';
const OTHER = '444455556666';

const compile = (statements: readonly object[], type: 'identity' | 'resource') =>
  compilePolicy(parsePolicy(JSON.stringify({ Version: '2012-10-17', Statement: statements }), { type }), {
    name: `${type} policy`,
  });

const READ = { Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::logs/*' };
const EVERYONE = { ...READ, Sid: 'Everyone', Principal: '*' };
const NAMED = { ...READ, Sid: 'Named', Principal: { AWS: OTHER } };

function userOf(accountId: string, type: 'user' | 'root' = 'user'): PolicyPrincipal {
  return { type, arn: `arn:aws:iam::${accountId}:user/alice`, accountId };
}

const ANONYMOUS: PolicyPrincipal = { type: 'anonymous' };

function requestOf(principal: PolicyPrincipal, restrictPublicBuckets = true): EvaluationRequest {
  return {
    action: 's3:GetObject',
    resource: 'arn:aws:s3:::logs/k',
    resourceAccount: OWNER,
    principal,
    context: () => undefined,
    restrictPublicBuckets,
  };
}

const identity = compile([READ], 'identity');
const PUBLIC = { identity, resource: compile([NAMED, EVERYONE], 'resource') };
const SHARED = { identity, resource: compile([NAMED], 'resource') };

// Source: S3 User Guide, "How Amazon S3 evaluates a bucket policy that contains both public and non-public access grants".
describe('RestrictPublicBuckets', () => {
  test.each([
    ['an anonymous caller', ANONYMOUS],
    ['another account, also one that a statement names', userOf(OTHER)],
    ['the root user of another account', userOf(OTHER, 'root')],
  ])('takes a public policy from %s', (_, principal) => {
    const publicBy = { policy: 'resource policy', sid: 'Everyone', index: 1 };
    expect(evaluate(requestOf(principal), PUBLIC)).toEqual({
      effect: 'Deny',
      because: { kind: 'restricted', publicBy },
    });
    expect(evaluate(requestOf(principal, false), PUBLIC).effect).toBe('Allow');
    expect(explain(requestOf(principal), PUBLIC).nearest).toMatchObject([{ by: publicBy, mismatches: [] }]);
  });

  test('leaves a policy alone that is not public', () => {
    expect(evaluate(requestOf(userOf(OTHER)), SHARED)).toMatchObject({
      effect: 'Allow',
      by: { sid: 'Named' },
    });
    expect(evaluate(requestOf(ANONYMOUS), SHARED)).toMatchObject({ because: { kind: 'implicit' } });
  });

  test('leaves the account of the owner what a public policy gives it', () => {
    const { resource } = PUBLIC;
    expect(evaluate(requestOf(userOf(OWNER)), { resource })).toMatchObject({
      effect: 'Allow',
      by: { sid: 'Everyone' },
    });
  });

  test('leaves an explicit Deny its name', () => {
    const denied = { resource: compile([EVERYONE, { ...EVERYONE, Sid: 'No', Effect: 'Deny' }], 'resource') };
    expect(evaluate(requestOf(ANONYMOUS), denied)).toMatchObject({
      because: { kind: 'explicit', by: { sid: 'No' } },
    });
  });

  test('has nothing to say of a bucket without a policy', () => {
    expect(evaluate(requestOf(userOf(OTHER)), { identity })).toMatchObject({ because: { kind: 'implicit' } });
  });
});
