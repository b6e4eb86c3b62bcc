import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  compilePolicy,
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
