import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  compilePolicy,
  evaluate,
  mayAllowBelow,
  parsePolicy,
  type CompiledPolicy,
  type ContextLookup,
  type EvaluationRequest,
  type PolicyPrincipal,
  type PolicySet,
} from '../../src/policy/index.ts';

const ACCOUNT = '111122223333';
const ALICE: PolicyPrincipal = {
  type: 'user',
  arn: `arn:aws:iam::${ACCOUNT}:user/alice`,
  accountId: ACCOUNT,
  userName: 'alice',
};
const ROOT: PolicyPrincipal = { type: 'root', arn: `arn:aws:iam::${ACCOUNT}:root`, accountId: ACCOUNT };
const STRANGER: PolicyPrincipal = {
  type: 'user',
  arn: 'arn:aws:iam::444455556666:user/bob',
  accountId: '444455556666',
  userName: 'bob',
};
const ANYBODY: PolicyPrincipal = { type: 'anonymous' };

function policy(
  statements: readonly unknown[],
  type: 'identity' | 'resource' | 'boundary' | 'session' = 'identity',
): CompiledPolicy {
  const text = JSON.stringify({ Version: '2012-10-17', Statement: statements });
  return compilePolicy(parsePolicy(text, { type }), { name: type });
}

const failing: ContextLookup = () => {
  throw new Error('each object has its own');
};

const allow = (...resources: string[]) => ({ Effect: 'Allow', Action: 's3:GetObject', Resource: resources });
const deny = (...resources: string[]) => ({ Effect: 'Deny', Action: 's3:GetObject', Resource: resources });

function request(
  resource: string,
  principal: PolicyPrincipal = ALICE,
  context: ContextLookup = (key) => (key === 'aws:username' ? 'alice' : undefined),
): EvaluationRequest {
  return { action: 's3:GetObject', resource, resourceAccount: ACCOUNT, principal, context };
}

const below = (prefix: string, policies: PolicySet, principal?: PolicyPrincipal): boolean =>
  mayAllowBelow(request(`arn:aws:s3:::logs/${prefix}`, principal), policies);

describe('an Allow', () => {
  test.each([
    ['arn:aws:s3:::logs/*', 'a/', true],
    ['arn:aws:s3:::logs/a/b/c', 'a/', true],
    ['arn:aws:s3:::logs/a/b/c', 'b/', false],
    ['arn:aws:s3:::logs/a', 'a/', false],
    ['arn:aws:s3:::logs/*.csv', 'a/', true],
    ['arn:aws:s3:::logs/?/x', 'a/', true],
    ['arn:aws:s3:::logs/?/x', 'aa/', false],
    ['arn:aws:s3:::logs/${aws:username}/*', 'alice/', true],
    ['arn:aws:s3:::logs/${aws:username}/*', 'bob/', false],
    ['arn:aws:s3:::logs/${aws:PrincipalTag/none}*', 'bob/', false],
    ['arn:*:s3:::logs/*', 'a/', true],
    ['arn:aws:s3:::other/*', 'a/', false],
    ['arn:aws:s3', 'a/', true],
    ['arn:aws:*:eu-west-1::logs/*', 'a/', false],
    ['arn:aws:s3:${aws:PrincipalTag/none}::logs/*', 'a/', false],
  ])('of %s reaches below `%s`: %s', (resource, prefix, expected) => {
    expect(below(prefix, { identity: policy([allow(resource)]) })).toBe(expected);
  });

  test('is none that a Deny stands for', () => {
    expect(below('a/', { identity: policy([deny('arn:aws:s3:::logs/*.csv')]) })).toBe(false);
  });

  test('of everything but what covers the prefix does not reach below it', () => {
    const identity = policy([
      {
        Effect: 'Allow',
        Action: 's3:*',
        NotResource: ['arn:aws:s3:::logs/secret*', 'arn:aws:s3:::logs/a/b'],
      },
    ]);
    expect(below('secret/', { identity })).toBe(false);
    expect(below('a/', { identity })).toBe(true);
    expect(below('b/', { identity })).toBe(true);
  });

  test('whose condition does not hold does not count, and counts where that cannot be known', () => {
    const tagged = { ...allow('*'), Condition: { StringEquals: { 's3:ExistingObjectTag/class': 'open' } } };
    const identity = policy([tagged]);
    expect(below('a/', { identity })).toBe(false);
    expect(mayAllowBelow(request('arn:aws:s3:::logs/a/', ALICE, failing), { identity })).toBe(true);
  });

  test('counts within the limits on the identity, and of the bucket policy for those outside', () => {
    const identity = policy([allow('*')]);
    const limit = policy([allow('arn:aws:s3:::logs/a/*')], 'boundary');
    expect(below('a/', { identity, boundary: limit })).toBe(true);
    expect(below('b/', { identity, boundary: limit })).toBe(false);
    expect(below('b/', { identity, session: limit })).toBe(false);
    expect(below('b/', { identity }, STRANGER)).toBe(false);
    const open = policy([{ ...allow('arn:aws:s3:::logs/b/*'), Principal: '*' }], 'resource');
    expect(below('b/', { identity, resource: open }, STRANGER)).toBe(true);
    expect(below('b/', { resource: open }, STRANGER)).toBe(false);
    expect(below('b/', { resource: open }, ANYBODY)).toBe(true);
    expect(below('a/', { resource: open }, ANYBODY)).toBe(false);
  });
});

describe('a Deny', () => {
  test.each([
    ['arn:aws:s3:::logs/*', 'a/', false],
    ['arn:aws:s3:::logs/a*', 'a/', false],
    ['arn:aws:s3:::logs/a/*', 'a/', false],
    ['arn:aws:s3:::logs/a/?*', 'a/', true],
    ['arn:aws:s3:::logs/?/', 'a/', true],
    ['arn:aws:s3:::logs/a/secret/*', 'a/', true],
    ['arn:aws:s3:::logs/*.csv', 'a/', true],
    ['arn:aws:s3:::logs/${aws:username}/*', 'alice/', false],
  ])('of %s leaves something below `%s`: %s', (resource, prefix, expected) => {
    expect(below(prefix, { identity: policy([allow('*'), deny(resource)]) })).toBe(expected);
    const guard = policy([{ ...deny(resource), Principal: '*' }], 'resource');
    expect(below(prefix, { resource: guard }, ROOT)).toBe(expected);
  });

  test.each([
    ['arn:aws:s3:::logs/a/*', 'a/', true],
    ['arn:aws:s3:::logs/a/*', 'b/', false],
    ['arn:aws:s3:::logs/a/b', 'a/', true],
  ])('of everything but %s leaves something below `%s`: %s', (resource, prefix, expected) => {
    const guard = { Effect: 'Deny', Action: 's3:GetObject', NotResource: resource };
    expect(below(prefix, { identity: policy([allow('*'), guard]) })).toBe(expected);
  });

  test('of everything but what cannot be known leaves something', () => {
    const own = 'arn:aws:s3:::logs/${s3:ExistingObjectTag/folder}/*';
    const identity = policy([allow('*'), { Effect: 'Deny', Action: 's3:GetObject', NotResource: own }]);
    expect(mayAllowBelow(request('arn:aws:s3:::logs/a/', ALICE, failing), { identity })).toBe(true);
  });

  test('that may not hold leaves something', () => {
    const conditional = {
      ...deny('*'),
      Condition: { StringEquals: { 's3:ExistingObjectTag/class': 'secret' } },
    };
    const identity = policy([allow('*'), conditional]);
    expect(mayAllowBelow(request('arn:aws:s3:::logs/a/', ALICE, failing), { identity })).toBe(true);
  });
});

test('the root user may, without any policy', () => {
  expect(below('a/', {}, ROOT)).toBe(true);
});

const resourceText = fc
  .string({ unit: fc.constantFrom('a', 'b', '/', '*', '?', '${aws:username}'), maxLength: 5 })
  .map((text) => `arn:aws:s3:::logs/${text}`);
const resources = fc.array(resourceText, { minLength: 1, maxLength: 2 });
const effect = fc.constantFrom('Allow', 'Allow', 'Deny');
const action = fc.constant('s3:GetObject');
const condition = fc.constantFrom(
  undefined,
  { StringEquals: { 'aws:username': 'a' } },
  { StringNotEquals: { 'aws:username': 'a' } },
);
const statement = fc.oneof(
  fc.record({ Effect: effect, Action: action, Resource: resources, Condition: condition }),
  fc.record({ Effect: effect, Action: action, NotResource: resources, Condition: condition }),
);
const statements = fc.array(statement, { minLength: 1, maxLength: 4 });
const callers = fc.constantFrom('*', { AWS: STRANGER.arn }, { AWS: ACCOUNT }, { AWS: ALICE.arn });
const bucketStatements = fc.array(
  fc.tuple(statement, callers).map(([each, Principal]) => Object.assign({ Principal }, each)),
  { minLength: 1, maxLength: 3 },
);
const keyText = fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 4 });

test('a key below that is allowed makes it true', () => {
  fc.assert(
    fc.property(
      statements,
      fc.option(bucketStatements, { nil: undefined }),
      fc.option(statements, { nil: undefined }),
      fc.constantFrom(ALICE, ROOT, STRANGER, ANYBODY),
      fc.constantFrom('a', 'b', 'a/', '*', undefined),
      keyText,
      fc.array(keyText, { minLength: 1, maxLength: 6 }),
      (identity, resource, boundary, principal, userName, prefix, rests) => {
        const policies: PolicySet = {
          identity: policy(identity),
          resource: resource && policy(resource, 'resource'),
          boundary: boundary && policy(boundary, 'boundary'),
        };
        const ask = (key: string): EvaluationRequest =>
          request(`arn:aws:s3:::logs/${key}`, principal, (name) =>
            name === 'aws:username' ? userName : undefined,
          );
        const anyAllowed = rests.some((rest) => evaluate(ask(prefix + rest), policies).effect === 'Allow');
        expect(!anyAllowed || mayAllowBelow(ask(prefix), policies)).toBe(true);
      },
    ),
    { numRuns: 1000 },
  );
});
