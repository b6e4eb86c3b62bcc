import { describe, expect, test } from 'vitest';
import {
  compilePolicy,
  evaluate,
  explain,
  parsePolicy,
  type CompiledPolicy,
  type ContextLookup,
  type EvaluationRequest,
  type PolicyPrincipal,
  type StatementReport,
} from '../../src/policy/index.ts';

const ACCOUNT = '111122223333';
const ALICE: PolicyPrincipal = {
  type: 'user',
  arn: `arn:aws:iam::${ACCOUNT}:user/alice`,
  accountId: ACCOUNT,
};
const BOB: PolicyPrincipal = {
  type: 'user',
  arn: 'arn:aws:iam::444455556666:user/bob',
  accountId: '444455556666',
};
const ROOT: PolicyPrincipal = { type: 'root', arn: `arn:aws:iam::${ACCOUNT}:root`, accountId: ACCOUNT };

type Type = 'identity' | 'resource' | 'boundary' | 'session';

function policy(statements: readonly unknown[], type: Type = 'identity'): CompiledPolicy {
  const text = JSON.stringify({ Version: '2012-10-17', Statement: statements });
  return compilePolicy(parsePolicy(text, { type }), { name: type });
}

function statement(Sid: string, Action: string, Resource: string, Condition?: unknown) {
  return { Sid, Effect: 'Allow', Action, Resource, Condition };
}

function request(given: Partial<EvaluationRequest> = {}): EvaluationRequest {
  return {
    action: 's3:GetObject',
    resource: 'arn:aws:s3:::logs/2026/a.gz',
    resourceAccount: ACCOUNT,
    principal: ALICE,
    context: () => undefined,
    ...given,
  };
}

const OUTSIDE: ReadonlyMap<string, string> = new Map([
  ['aws:sourceip', '198.51.100.7'],
  ['aws:securetransport', 'true'],
]);
const outside: ContextLookup = (key) => OUTSIDE.get(key);

const sids = (reports: readonly StatementReport[]): unknown[] => reports.map(({ by }) => by.sid);

describe('what comes nearest to allowing', () => {
  test('fails in a condition, then in the resource that agrees longest, then in the action', () => {
    const identity = policy([
      statement('OtherBucket', 's3:GetObject', 'arn:aws:s3:::data/*'),
      statement('OtherYear', 's3:GetObject', 'arn:aws:s3:::logs/2025/*'),
      statement('Write', 's3:PutObject', 'arn:aws:s3:::logs/*'),
      statement('OtherBoth', 's3:PutObject', 'arn:aws:s3:::data/*'),
      statement('Office', 's3:GetObject', 'arn:aws:s3:::logs/*', {
        IpAddress: { 'aws:SourceIp': '203.0.113.0/24' },
        Bool: { 'aws:SecureTransport': 'true' },
      }),
    ]);
    const { nearest, statements } = explain(request({ context: outside }), { identity });
    expect(sids(nearest)).toEqual(['Office', 'OtherYear', 'OtherBucket']);
    expect(nearest[0]).toEqual({
      by: { policy: 'identity', sid: 'Office', index: 4 },
      role: 'identity',
      effect: 'Allow',
      mismatches: [
        {
          element: 'Condition',
          operator: 'IpAddress',
          key: 'aws:SourceIp',
          wanted: ['203.0.113.0/24'],
          actual: '198.51.100.7',
        },
      ],
      held: [{ operator: 'Bool', key: 'aws:SecureTransport', wanted: ['true'], actual: 'true' }],
    });
    expect(statements).toHaveLength(5);
    expect(statements[3]?.mismatches.map(({ element }) => element)).toEqual(['Action', 'Resource']);
  });

  test('between accounts is in the bucket policy, and in the identity policy too if that does not allow either', () => {
    const resource = policy(
      [{ ...statement('Insiders', 's3:GetObject', 'arn:aws:s3:::logs/*'), Principal: { AWS: ALICE.arn } }],
      'resource',
    );
    const narrow = policy([statement('Other', 's3:GetObject', 'arn:aws:s3:::data/*')]);
    const both = explain(request({ principal: BOB }), { identity: narrow, resource });
    expect(both.decision).toMatchObject({ because: { kind: 'implicit', missing: 'resource' } });
    expect(sids(both.nearest)).toEqual(['Insiders', 'Other']);
    expect(both.nearest[0]?.mismatches).toEqual([
      { element: 'Principal', wanted: [ALICE.arn], actual: BOB.arn },
    ]);
    const wide = policy([statement('Wide', 's3:*', '*')]);
    expect(sids(explain(request({ principal: BOB }), { identity: wide, resource }).nearest)).toEqual([
      'Insiders',
    ]);
  });

  test('is in each limit that does not allow either', () => {
    const identity = policy([statement('Wide', 's3:*', '*')]);
    const boundary = policy([statement('Boundary', 's3:GetObject', 'arn:aws:s3:::data/*')], 'boundary');
    const session = policy([statement('Session', 's3:PutObject', 'arn:aws:s3:::logs/*')], 'session');
    const { decision, nearest } = explain(request(), { identity, boundary, session });
    expect(decision).toMatchObject({ because: { kind: 'implicit', missing: 'boundary' } });
    expect(sids(nearest)).toEqual(['Boundary', 'Session']);
  });

  test('is told of a thousand statements', () => {
    const many = Array.from({ length: 1000 }, (_, index) =>
      statement(`S${index}`, 's3:GetObject', `arn:aws:s3:::logs/${1500 + index}/*`),
    );
    const { nearest } = explain(request({ resource: 'arn:aws:s3:::logs/20x/a' }), {
      identity: policy(many),
    });
    expect(sids(nearest)).toEqual(['S500', 'S501', 'S502']);
  });
});

describe('what decided', () => {
  test('is the statement that allows', () => {
    const identity = policy([
      statement('No', 's3:GetObject', 'arn:aws:s3:::data/*'),
      statement('Yes', 's3:GetObject', 'arn:aws:s3:::logs/*'),
      statement('Also', 's3:*', '*'),
    ]);
    expect(sids(explain(request(), { identity }).nearest)).toEqual(['Yes']);
  });

  test('is the Deny that decided, then the others that would have', () => {
    const deny = { Effect: 'Deny', Action: 's3:*', Resource: 'arn:aws:s3:::logs/*' };
    const identity = policy([
      { ...deny, Sid: 'First' },
      { ...deny, Sid: 'Elsewhere', Resource: 'arn:aws:s3:::data/*' },
    ]);
    const resource = policy([{ ...deny, Sid: 'Guard', Principal: '*' }], 'resource');
    const { decision, nearest } = explain(request(), { identity, resource });
    expect(decision).toMatchObject({ because: { by: { sid: 'Guard' } } });
    expect(sids(nearest)).toEqual(['Guard', 'First']);
  });

  test('a Deny of the bucket policy does not apply to the root user who repairs it', () => {
    const resource = policy(
      [{ Sid: 'All', Effect: 'Deny', Principal: '*', Action: 's3:*', Resource: 'arn:aws:s3:::logs' }],
      'resource',
    );
    const asked = { resource: 'arn:aws:s3:::logs', principal: ROOT };
    const repair = explain(request({ ...asked, action: 's3:PutBucketPolicy' }), { resource });
    expect(repair.decision.effect).toBe('Allow');
    expect(repair.statements[0]?.mismatches.map(({ element }) => element)).toEqual(['Principal']);
    const list = explain(request({ ...asked, action: 's3:ListBucket' }), { resource });
    expect(list.decision.effect).toBe('Deny');
    expect(list.statements[0]?.mismatches).toEqual([]);
  });
});

describe('a context that fails', () => {
  const problem = new Error('the tags are not known');
  const context: ContextLookup = (key) => {
    if (key.startsWith('s3:existingobjecttag/')) throw problem;
    return undefined;
  };
  const broken: ContextLookup = () => {
    throw problem;
  };
  const tagged = policy([
    statement('Other', 's3:GetObject', 'arn:aws:s3:::data/*'),
    statement('Tagged', 's3:GetObject', 'arn:aws:s3:::logs/*', {
      StringEquals: { 's3:ExistingObjectTag/class': 'open' },
    }),
    statement('Home', 's3:GetObject', 'arn:aws:s3:::home/${s3:ExistingObjectTag/owner}/*'),
  ]);

  test('denies, and what it threw is the cause', () => {
    const decision = evaluate(request({ context }), { identity: tagged });
    expect(decision.effect === 'Deny' && decision.because.kind === 'error' && decision.because.cause).toBe(
      problem,
    );
  });

  test('is asked only where the decision hangs on the key', () => {
    const earlier = policy([
      statement('Plain', 's3:GetObject', 'arn:aws:s3:::logs/2026/*'),
      statement('Tagged', 's3:GetObject', '*', { StringEquals: { 's3:ExistingObjectTag/class': 'open' } }),
    ]);
    expect(evaluate(request({ context }), { identity: earlier }).effect).toBe('Allow');
  });

  test('is explained by the statement that asked', () => {
    const { nearest, statements } = explain(request({ context }), { identity: tagged });
    expect(sids(nearest)).toEqual(['Tagged']);
    expect(nearest[0]?.mismatches).toEqual([
      {
        element: 'Condition',
        operator: 'StringEquals',
        key: 's3:ExistingObjectTag/class',
        wanted: ['open'],
        actual: undefined,
      },
    ]);
    expect(sids(statements)).toEqual(['Other', 'Tagged', 'Home']);
  });

  test('that throws at everything is explained too', () => {
    for (const principal of [ALICE, BOB, ROOT, { type: 'anonymous' } as const]) {
      const { decision, policies } = explain(request({ context: broken, principal }), {
        identity: tagged,
        resource: policy(
          [
            {
              ...statement('Open', 's3:GetObject', 'arn:aws:s3:::logs/*', {
                Null: { 'aws:Referer': 'true' },
              }),
              Principal: '*',
            },
          ],
          'resource',
        ),
      });
      expect(decision).toEqual({ effect: 'Deny', because: { kind: 'error', cause: problem } });
      expect(policies).toHaveLength(2);
    }
  });
});
