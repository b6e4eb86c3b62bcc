import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  compilePolicy,
  evaluate,
  parsePolicy,
  type CompiledPolicy,
  type ContextLookup,
  type Decision,
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

interface StatementJson {
  readonly Sid?: string;
  readonly Effect: string;
  readonly Principal?: unknown;
  readonly Action: unknown;
  readonly Resource: unknown;
  readonly Condition?: unknown;
}

function policy(
  statements: readonly StatementJson[],
  type: 'identity' | 'resource' = 'identity',
): CompiledPolicy {
  const text = JSON.stringify({ Version: '2012-10-17', Statement: statements });
  return compilePolicy(parsePolicy(text, { type }), { name: type });
}

interface Asked {
  readonly action?: string;
  readonly resource?: string;
  readonly context?: ContextLookup;
  readonly principal?: PolicyPrincipal;
}

function ask(policies: PolicySet, asked: Asked = {}): Decision {
  return evaluate(
    {
      action: asked.action ?? 's3:GetObject',
      resource: asked.resource ?? 'arn:aws:s3:::logs/a',
      resourceAccount: ACCOUNT,
      principal: asked.principal ?? ALICE,
      context: asked.context ?? (() => undefined),
    },
    policies,
  );
}

const allowAll: StatementJson = { Effect: 'Allow', Action: '*', Resource: '*' };

function missing(policies: PolicySet, principal?: PolicyPrincipal): unknown {
  const decision = ask(policies, principal ? { principal } : {});
  return decision.effect === 'Deny' && decision.because.kind === 'implicit'
    ? decision.because.missing
    : decision;
}

const failing: ContextLookup = () => {
  throw new Error('context is broken');
};

describe('the reason of a decision', () => {
  const read: StatementJson = { Sid: 'Read', Effect: 'Allow', Action: 's3:GetObject', Resource: '*' };
  const guard: StatementJson = {
    Sid: 'Guard',
    Effect: 'Deny',
    Action: 's3:*',
    Resource: 'arn:aws:s3:::logs/secret*',
  };

  test('is the statement that allows', () => {
    expect(ask({ identity: policy([guard, read]) })).toEqual({
      effect: 'Allow',
      by: { policy: 'identity', sid: 'Read', index: 1 },
    });
  });

  test('is the statement that denies', () => {
    expect(ask({ identity: policy([read, guard]) }, { resource: 'arn:aws:s3:::logs/secret' })).toEqual({
      effect: 'Deny',
      because: { kind: 'explicit', by: { policy: 'identity', sid: 'Guard', index: 1 } },
    });
  });

  test('is what is missing', () => {
    const nothing = policy([]);
    const open = policy([allowAll]);
    const stranger: PolicyPrincipal = {
      type: 'user',
      arn: 'arn:aws:iam::444455556666:user/bob',
      accountId: '444455556666',
    };
    expect(missing({})).toBe('identity');
    expect(missing({ identity: open, boundary: nothing })).toBe('boundary');
    expect(missing({ identity: open, session: nothing })).toBe('session');
    expect(missing({ identity: open }, stranger)).toBe('resource');
    expect(missing({ identity: open }, { type: 'anonymous' })).toBe('resource');
  });
});

describe('failure', () => {
  test('an error while evaluating denies, whatever would allow', () => {
    const conditional = policy([
      { ...allowAll, Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
      allowAll,
    ]);
    expect(ask({ identity: conditional }, { context: failing })).toEqual({
      effect: 'Deny',
      because: { kind: 'error', cause: new Error('context is broken') },
    });
  });

  test('the context is asked only for keys of statements that match so far', () => {
    const asked: string[] = [];
    const context: ContextLookup = (key) => {
      asked.push(key);
      return 'x';
    };
    const statements = [
      { ...allowAll, Action: 's3:PutObject', Condition: { StringEquals: { 'aws:Referer': 'x' } } },
      {
        ...allowAll,
        Resource: 'arn:aws:s3:::other/*',
        Condition: { StringEquals: { 'aws:SourceVpc': 'x' } },
      },
      { ...allowAll, Condition: { StringEquals: { 'AWS:UserAgent': 'x' } } },
    ];
    expect(ask({ identity: policy(statements) }, { context }).effect).toBe('Allow');
    expect(asked).toEqual(['aws:useragent']);
  });

  test.each([
    { 's3:ExistingObjectTag/class': 'open', 'aws:UserAgent': 'y' },
    { 'aws:Referer': '${s3:ExistingObjectTag/class}', 'aws:UserAgent': 'y' },
  ])('the context is asked for a tag of the object last, as that is looked up: %j', (keys) => {
    const asked: string[] = [];
    const context: ContextLookup = (key) => {
      asked.push(key);
      return 'x';
    };
    const identity = policy([{ ...allowAll, Condition: { StringEquals: keys } }]);
    expect(ask({ identity }, { context }).effect).toBe('Deny');
    expect(asked).toEqual(['aws:useragent']);
  });
});

test('a policy is labelled by its name and the digest of its text', () => {
  const text = '{"Statement":[]}';
  const digest = createHash('sha256').update(text).digest('hex');
  const compiled = compilePolicy(parsePolicy(text, { type: 'identity' }), { name: 'team' });
  expect(compiled.labels).toEqual([`team@${digest.slice(0, 12)}`]);
});
