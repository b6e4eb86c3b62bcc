import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  compilePolicies,
  compilePolicy,
  evaluate,
  explain,
  parsePolicy,
  type CompiledPolicy,
  type Decision,
  type EvaluationRequest,
  type PolicySet,
  type StatementReport,
} from '../../src/policy/index.ts';

const ACCOUNT = '111122223333';
const ALICE = `arn:aws:iam::${ACCOUNT}:user/alice`;

/** Short, of few characters, so that the beginnings of the patterns are each other's beginnings. */
const resource = fc.oneof(
  fc
    .string({ unit: fc.constantFrom('a', 'b', '/', '*', '?', '${aws:username}', '😀', '😁'), maxLength: 5 })
    .map((text) => `arn:aws:s3:::${text}`),
  fc.constantFrom(
    '*',
    'arn:aws:s3:::*',
    'arn:aws:s3',
    'arn:*:s3:::a*',
    'arn:aws:s3:*:*:ab',
    'arn:aws:s?:::*',
  ),
);
const resources = fc.array(resource, { minLength: 1, maxLength: 3 });
const condition = fc.constantFrom(
  undefined,
  undefined,
  { StringEquals: { 'aws:username': 'a' } },
  { Null: { 'aws:username': 'true' } },
);
const element = fc.constantFrom('Resource', 'Resource', 'Resource', 'NotResource');
const statement = fc
  .tuple(
    fc.constantFrom('Allow', 'Allow', 'Deny'),
    fc.constantFrom('s3:GetObject', 's3:Get*', 's3:PutObject'),
    element,
    resources,
    condition,
  )
  .map(([Effect, Action, name, list, Condition]) => ({ Effect, Action, [name]: list, Condition }));
const statements = fc.array(statement, { minLength: 1, maxLength: 12 });
const asked = fc.record({
  action: fc.constantFrom('s3:GetObject', 's3:PutObject', 'S3:getobject'),
  key: fc.string({ unit: fc.constantFrom('a', 'b', '/', '😀', '😁'), maxLength: 5 }),
  userName: fc.constantFrom('a', 'b', '*', undefined),
});
interface Asked {
  readonly action: string;
  readonly key: string;
  readonly userName: string | undefined;
}

function identity(list: readonly unknown[]): CompiledPolicy {
  const text = JSON.stringify({ Version: '2012-10-17', Statement: list });
  return compilePolicy(parsePolicy(text, { type: 'identity' }), { name: 'identity' });
}

function request({ action, key, userName }: Asked): EvaluationRequest {
  return {
    action,
    resource: `arn:aws:s3:::${key}`,
    resourceAccount: ACCOUNT,
    principal: { type: 'user', arn: ALICE, accountId: ACCOUNT },
    context: (name) => (name === 'aws:username' ? userName : undefined),
  };
}

/** By trying each statement in its turn. */
function naive(reports: readonly StatementReport[]): Decision {
  const first = (effect: 'Allow' | 'Deny') =>
    reports.find((each) => each.effect === effect && each.mismatches.length === 0);
  const deny = first('Deny');
  if (deny !== undefined) return { effect: 'Deny', because: { kind: 'explicit', by: deny.by } };
  const allow = first('Allow');
  return allow === undefined
    ? { effect: 'Deny', because: { kind: 'implicit', missing: 'identity' } }
    : { effect: 'Allow', by: allow.by };
}

describe('the index', () => {
  test('decides as each statement in its turn would, and by the first one that applies', () => {
    fc.assert(
      fc.property(statements, fc.array(asked, { minLength: 1, maxLength: 6 }), (list, requests) => {
        // One compiled set for all requests: what is kept for one must not show in another.
        const policies: PolicySet = { identity: identity(list) };
        for (const each of requests) {
          const { decision, statements: reports } = explain(request(each), policies);
          expect(decision).toEqual(naive(reports));
        }
      }),
      { numRuns: 500 },
    );
  });

  test('decides alike when it has become too large to keep what it puts together', () => {
    const nested = Array.from({ length: 600 }, (_, depth) => ({
      Effect: 'Allow',
      Action: 's3:GetObject',
      Resource: `arn:aws:s3:::${'a'.repeat(depth)}*`,
      Condition: { StringEquals: { 'aws:username': `user-${depth}` } },
    }));
    const policies: PolicySet = { identity: identity(nested) };
    for (let depth = 599; depth >= 0; depth -= 1) {
      const ask = { action: 's3:GetObject', key: 'a'.repeat(depth), userName: `user-${depth}` };
      expect(evaluate(request(ask), policies)).toEqual({
        effect: 'Allow',
        by: { policy: 'identity', index: depth },
      });
    }
    const other = { action: 's3:GetObject', key: 'a'.repeat(599), userName: 'user-3' };
    expect(evaluate(request(other), policies)).toMatchObject({ by: { index: 3 } });
  });

  test('asks a condition once, however many resources of its statement match', () => {
    let asks = 0;
    const policies: PolicySet = {
      identity: identity([
        {
          Effect: 'Allow',
          Action: 's3:GetObject',
          Resource: ['*', 'arn:aws:s3:::*', 'arn:aws:s3:::a*', 'arn:aws:s3:::aa', 'arn:aws:s3:::*a'],
          Condition: { StringEquals: { 'aws:username': 'nobody' } },
        },
      ]),
    };
    const counting: EvaluationRequest = {
      ...request({ action: 's3:GetObject', key: 'aa', userName: 'a' }),
      context: () => {
        asks += 1;
        return 'a';
      },
    };
    expect(evaluate(counting, policies).effect).toBe('Deny');
    expect(asks).toBe(1);
  });

  test('spans documents: the first that allows is the one that is named', () => {
    const allow = { Effect: 'Allow', Action: 's3:GetObject' };
    const source = (name: string, Resource: string) => ({
      name,
      document: parsePolicy(JSON.stringify({ Statement: [{ ...allow, Resource }] }), { type: 'identity' }),
    });
    const policies = {
      identity: compilePolicies([
        source('narrow', 'arn:aws:s3:::aa'),
        source('wide', '*'),
        source('a', 'arn:aws:s3:::a*'),
      ]),
    };
    const by = (key: string): unknown => {
      const decision = evaluate(request({ action: 's3:GetObject', key, userName: undefined }), policies);
      return decision.effect === 'Allow' && decision.by.policy;
    };
    expect(by('aa')).toBe('narrow');
    expect(by('ab')).toBe('wide');
  });
});
