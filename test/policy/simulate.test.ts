/** The shape of the results is IAM's: IAM API reference, "SimulateCustomPolicy", "EvaluationResult". */
import { describe, expect, test } from 'vitest';
import {
  compilePolicies,
  parsePolicy,
  parsePrincipalArn,
  simulatePolicies,
  type PolicySet,
  type SimulationResult,
} from '../../src/policy/index.ts';

const BUCKET = 'arn:aws:s3:::amzn-s3-demo-bucket';

function compiled(type: 'identity' | 'resource', ...statements: readonly object[]): PolicySet['identity'] {
  const text = JSON.stringify({ Version: '2012-10-17', Statement: statements });
  return compilePolicies([{ name: type, document: parsePolicy(text, { type }) }]);
}

function simulate(
  policies: PolicySet,
  asked: {
    readonly actions?: readonly string[];
    readonly resources?: readonly string[];
    readonly context?: Readonly<Record<string, string>>;
  } = {},
): readonly SimulationResult[] {
  const { actions = ['s3:GetObject'], resources = [`${BUCKET}/a`], context = {} } = asked;
  const principal = parsePrincipalArn('arn:aws:iam::111122223333:user/alice');
  if (principal === undefined) throw new Error('no principal');
  return simulatePolicies(
    { principal, actions, resources, resourceAccount: '111122223333', context: (key) => context[key] },
    policies,
  );
}

const statement = (Sid: string, Effect: string, Action: string, more: object = {}): object => ({
  Sid,
  Effect,
  Action,
  Resource: `${BUCKET}/*`,
  ...more,
});

test('each action on each resource has a result', () => {
  const identity = compiled('identity', statement('Read', 'Allow', 's3:Get*'));
  const results = simulate(
    { identity },
    { actions: ['s3:GetObject', 's3:PutObject'], resources: [`${BUCKET}/a`, 'arn:aws:s3:::b/a'] },
  );
  expect(results.map(({ action, resource, decision }) => `${action} ${resource} ${decision}`)).toEqual([
    `s3:GetObject ${BUCKET}/a allowed`,
    `s3:PutObject ${BUCKET}/a implicitDeny`,
    's3:GetObject arn:aws:s3:::b/a implicitDeny',
    's3:PutObject arn:aws:s3:::b/a implicitDeny',
  ]);
});

describe('matched statements', () => {
  const everyone = { Principal: '*' };

  test('of what is allowed: every Allow that applies, with where it begins', () => {
    const [result] = simulate({
      identity: compiled(
        'identity',
        statement('One', 'Allow', 's3:*'),
        statement('Other', 'Allow', 's3:PutObject'),
        statement('Two', 'Allow', 's3:GetObject'),
      ),
      resource: compiled('resource', statement('Three', 'Allow', 's3:GetObject', everyone)),
    });
    expect(result?.matchedStatements.map(({ sid, role, position }) => [sid, role, position.line])).toEqual([
      ['One', 'identity', 1],
      ['Two', 'identity', 1],
      ['Three', 'resource', 1],
    ]);
  });

  test('of an explicit Deny: the Denies alone', () => {
    const [result] = simulate({
      identity: compiled('identity', statement('One', 'Allow', 's3:*'), statement('No', 'Deny', 's3:Get*')),
      resource: compiled('resource', statement('Never', 'Deny', 's3:*', everyone)),
    });
    expect(result?.decision).toBe('explicitDeny');
    expect(result?.matchedStatements.map(({ sid }) => sid)).toEqual(['No', 'Never']);
  });
});

const asks = (key: string): object => ({ Condition: { StringEquals: { [key]: 'x' } } });

const missing = (
  policies: PolicySet,
  context: Readonly<Record<string, string>> = {},
): readonly string[] | undefined => simulate(policies, { context })[0]?.missingContextValues;

describe('missing context values', () => {
  test('are the keys that statements about the action ask for, as they are written', () => {
    const identity = compiled(
      'identity',
      statement('Asked', 'Allow', 's3:GetObject', asks('aws:SourceVpc')),
      statement('Denied', 'Deny', 's3:*', asks('AWS:SourceIdentity')),
      statement('OtherAction', 'Allow', 's3:PutObject', asks('s3:x-amz-acl')),
      statement('OtherPlace', 'Allow', 's3:GetObject', {
        ...asks('aws:UserAgent'),
        Resource: 'arn:aws:s3:::other/*',
      }),
    );
    expect(missing({ identity })).toEqual(['aws:SourceVpc', 'AWS:SourceIdentity']);
    expect(missing({ identity }, { 'aws:sourcevpc': 'y', 'aws:sourceidentity': 'y' })).toEqual([]);
  });

  test('also in variables, and not those of a statement about another caller', () => {
    const identity = compiled(
      'identity',
      statement('Home', 'Allow', 's3:GetObject', { Resource: `${BUCKET}/\${aws:PrincipalTag/Team}/*` }),
    );
    const resource = compiled(
      'resource',
      statement('Bob', 'Allow', 's3:GetObject', {
        ...asks('aws:SourceVpc'),
        Principal: { AWS: 'arn:aws:iam::111122223333:user/bob' },
      }),
    );
    expect(missing({ identity, resource })).toEqual(['aws:PrincipalTag/Team']);
  });
});
