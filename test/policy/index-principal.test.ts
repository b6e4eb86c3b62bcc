import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  compilePolicy,
  evaluate,
  explain,
  parsePolicy,
  type CompiledPolicy,
  type PolicyPrincipal,
} from '../../src/policy/index.ts';

const OWNER = '111122223333';
const STRANGERS = '444455556666';
const HASH = 'ab'.repeat(32);

const USER = `arn:aws:iam::${STRANGERS}:user/bob`;
const ROLE = `arn:aws:iam::${STRANGERS}:role/team/app`;
const SESSION = `arn:aws:sts::${STRANGERS}:assumed-role/app/run1`;

const CALLERS: readonly PolicyPrincipal[] = [
  { type: 'anonymous' },
  { type: 'user', arn: USER, accountId: STRANGERS, userId: 'AIDAEXAMPLEUSERID', canonicalUserId: HASH },
  { type: 'root', arn: `arn:aws:iam::${STRANGERS}:root`, accountId: STRANGERS },
  {
    type: 'role-session',
    arn: SESSION,
    accountId: STRANGERS,
    roleArn: ROLE,
    userId: 'AROAEXAMPLEROLEID:run1',
  },
  {
    type: 'federated',
    arn: `arn:aws:sts::${STRANGERS}:federated-user/carol`,
    accountId: STRANGERS,
    federatedProvider: 'accounts.example.com',
  },
];

const named = fc.constantFrom(
  { AWS: USER },
  { AWS: ROLE },
  { AWS: SESSION },
  { AWS: STRANGERS },
  { AWS: 'AIDAEXAMPLEUSERID' },
  { AWS: 'AROAEXAMPLEROLEID' },
  { CanonicalUser: HASH },
  { Federated: 'accounts.example.com' },
  { AWS: [USER, `arn:aws:sts::${STRANGERS}:federated-user/carol`] },
  { Service: 'logging.s3.amazonaws.com' },
  { AWS: `arn:aws:iam::${STRANGERS}:user/nobody` },
  { AWS: `arn:aws:iam::777788889999:user/nobody` },
);
const rest = {
  Action: fc.constant('s3:GetObject'),
  Resource: fc.constantFrom('arn:aws:s3:::logs/*', 'arn:aws:s3:::logs/a', 'arn:aws:s3:::logs/b'),
};
const statement = fc.oneof(
  { weight: 12, arbitrary: fc.record({ Effect: fc.constant('Allow'), Principal: named, ...rest }) },
  { weight: 4, arbitrary: fc.record({ Effect: fc.constant('Deny'), Principal: named, ...rest }) },
  { weight: 1, arbitrary: fc.record({ Effect: fc.constant('Deny'), NotPrincipal: named, ...rest }) },
  {
    weight: 1,
    arbitrary: fc.record({ Effect: fc.constantFrom('Allow', 'Deny'), Principal: fc.constant('*'), ...rest }),
  },
);

function policy(statements: readonly unknown[], type: 'identity' | 'resource'): CompiledPolicy {
  const text = JSON.stringify({ Version: '2012-10-17', Statement: statements });
  return compilePolicy(parsePolicy(text, { type }), { name: type });
}

const EVERYTHING = policy([{ Effect: 'Allow', Action: '*', Resource: '*' }], 'identity');

test('a bucket policy of many statements decides as each of them in its turn would', () => {
  fc.assert(
    fc.property(fc.array(statement, { minLength: 1, maxLength: 60, size: 'max' }), (list) => {
      const policies = { identity: EVERYTHING, resource: policy(list, 'resource') };
      for (const principal of CALLERS) {
        const { decision, statements } = explain(
          {
            action: 's3:GetObject',
            resource: 'arn:aws:s3:::logs/a',
            resourceAccount: OWNER,
            principal,
            context: () => undefined,
          },
          policies,
        );
        const applying = statements.filter(
          (each) => each.role === 'resource' && each.mismatches.length === 0,
        );
        const deny = applying.find(({ effect }) => effect === 'Deny');
        // From another account, where the identity policy allows, any grant is enough.
        const isAllowed = deny === undefined && applying.length > 0;
        expect(decision.effect).toBe(isAllowed ? 'Allow' : 'Deny');
        expect(deny === undefined || decision).toEqual(
          deny === undefined || { effect: 'Deny', because: { kind: 'explicit', by: deny.by } },
        );
      }
    }),
    { numRuns: 100 },
  );
});

const [ANONYMOUS, BOB, ROOT, RUN, CAROL] = CALLERS as [
  PolicyPrincipal,
  PolicyPrincipal,
  PolicyPrincipal,
  PolicyPrincipal,
  PolicyPrincipal,
];

/** Every way to name a caller. */
const NAMES: readonly (readonly [string, PolicyPrincipal, unknown])[] = [
  ['anybody', ANONYMOUS, '*'],
  ['a user, by its ARN', BOB, { AWS: USER }],
  ['a user, by its account', BOB, { AWS: STRANGERS }],
  ["a user, by its account's root", BOB, { AWS: `arn:aws:iam::${STRANGERS}:root` }],
  ['a user, by its unique id', BOB, { AWS: 'AIDAEXAMPLEUSERID' }],
  ['a user, by its canonical id', BOB, { CanonicalUser: HASH }],
  ['a user, as anybody', BOB, { AWS: '*' }],
  ['a root user', ROOT, { AWS: STRANGERS }],
  ['a session, by its ARN', RUN, { AWS: SESSION }],
  ['a session, by its role', RUN, { AWS: ROLE }],
  ["a session, by its role's unique id", RUN, { AWS: 'AROAEXAMPLEROLEID' }],
  ['a session, by its account', RUN, { AWS: STRANGERS }],
  ['a federated user, by its ARN', CAROL, { AWS: `arn:aws:sts::${STRANGERS}:federated-user/carol` }],
  ['a federated user, by its provider', CAROL, { Federated: 'accounts.example.com' }],
];

const OBJECTS = { Action: 's3:GetObject', Resource: 'arn:aws:s3:::logs/*' };
const EVERYONE = { Effect: 'Allow', Principal: '*', ...OBJECTS };

/** Statements about others, each by a name of its own. */
function others(count: number): readonly unknown[] {
  return Array.from({ length: count }, (_, index) => ({
    Effect: index % 2 === 0 ? 'Allow' : 'Deny',
    Principal: { AWS: `arn:aws:iam::777788889999:user/other-${index}` },
    ...OBJECTS,
  }));
}

function decide(statements: readonly unknown[], principal: PolicyPrincipal) {
  return evaluate(
    {
      action: 's3:GetObject',
      resource: 'arn:aws:s3:::logs/a',
      resourceAccount: OWNER,
      principal,
      context: () => undefined,
    },
    { identity: EVERYTHING, resource: policy(statements, 'resource') },
  );
}

describe.each([0, 14, 15, 16, 17, 40])('beside %d statements about others', (count) => {
  const around = others(count);
  const half = around.slice(0, count / 2);
  const remaining = around.slice(count / 2);

  test.each(NAMES)('a statement finds %s', (_, principal, Principal) => {
    const allow = { Effect: 'Allow', Principal, ...OBJECTS };
    expect(decide([...half, allow, ...remaining], principal)).toMatchObject({
      effect: 'Allow',
      by: { index: half.length },
    });
    const deny = { Effect: 'Deny', Principal, ...OBJECTS };
    expect(decide([EVERYONE, ...half, deny, ...remaining], principal)).toMatchObject({
      effect: 'Deny',
      because: { kind: 'explicit', by: { index: half.length + 1 } },
    });
  });

  test.each(NAMES)('the second statement that finds %s counts as well', (_, principal, Principal) => {
    const elsewhere = { StringEquals: { 'aws:UserAgent': 'none' } };
    const first = { Effect: 'Deny', Principal, ...OBJECTS, Condition: elsewhere };
    const second = { Effect: 'Deny', Principal, ...OBJECTS };
    expect(decide([EVERYONE, first, ...around, second], principal)).toMatchObject({
      because: { kind: 'explicit', by: { index: count + 2 } },
    });
  });

  test.each(NAMES)('and beside as many about everyone, it finds %s', (_, principal, Principal) => {
    const everyone = Array.from({ length: count }, () => EVERYONE);
    const deny = { Effect: 'Deny', Principal, ...OBJECTS };
    expect(decide([...everyone, ...around, deny], principal)).toMatchObject({
      because: { kind: 'explicit', by: { index: 2 * count } },
    });
  });

  test.each(CALLERS)('and beside as many about everyone, one of those denies $type', (principal) => {
    const deny = { Effect: 'Deny', Principal: '*', ...OBJECTS };
    const Condition = { StringEquals: { 'aws:UserAgent': 'none' } };
    const everyone = Array.from({ length: count }, () => ({ ...deny, Condition }));
    expect(decide([EVERYONE, ...everyone, ...around, deny], principal)).toMatchObject({
      because: { kind: 'explicit', by: { index: 2 * count + 1 } },
    });
  });

  test.each(CALLERS)('none of them is about $type', (principal) => {
    expect(decide([...around, EVERYONE], principal)).toMatchObject({
      effect: 'Allow',
      by: { index: count },
    });
    expect(
      decide(count === 0 ? [{ ...EVERYONE, Resource: 'arn:aws:s3:::logs/b' }] : around, principal),
    ).toMatchObject({
      effect: 'Deny',
      because: { kind: 'implicit' },
    });
  });

  test.each(CALLERS)('a Deny on all others but one finds $type', (principal) => {
    const NotPrincipal = { AWS: 'arn:aws:iam::777788889999:user/other-0' };
    const deny = { Effect: 'Deny', NotPrincipal, ...OBJECTS };
    expect(decide([EVERYONE, ...around, deny], principal)).toMatchObject({
      because: { kind: 'explicit', by: { index: count + 1 } },
    });
  });

  test.each(NAMES)('of two that find %s the first one of the document decides', (_, principal, Principal) => {
    const byName = { Effect: 'Deny', Principal, ...OBJECTS };
    const forAll = { Effect: 'Deny', Principal: '*', ...OBJECTS };
    for (const pair of [
      [byName, forAll],
      [forAll, byName],
      [byName, byName],
    ])
      expect(decide([...pair, ...around], principal)).toMatchObject({ because: { by: { index: 0 } } });
  });
});
