import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  compilePolicies,
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

function source(statements: readonly StatementJson[]) {
  const text = JSON.stringify({ Version: '2012-10-17', Statement: statements });
  return { document: parsePolicy(text, { type: 'identity' }), name: 'identity' };
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
});

const pick = fc.constantFrom;
const statement: fc.Arbitrary<StatementJson> = fc.record(
  {
    Effect: pick('Allow', 'Deny'),
    Action: fc.array(pick('s3:GetObject', 's3:Get*', 's3:*', '*', 's3:PutObject', 's3:?etObject'), {
      minLength: 1,
      maxLength: 2,
    }),
    Resource: fc.array(
      pick(
        '*',
        'arn:aws:s3:::logs/*',
        'arn:aws:s3:::logs/a*c',
        'arn:aws:s3:::*/a?c',
        'arn:aws:s3:::logs/${aws:username}/*',
        'arn:aws:s3:::other/*',
      ),
      { minLength: 1, maxLength: 2 },
    ),
    Condition: pick(
      { StringEquals: { 'aws:UserAgent': ['x', 'y'] } },
      { StringNotEquals: { 'aws:UserAgent': 'x' } },
      { StringLikeIfExists: { 'aws:UserAgent': '?' } },
      { Null: { 'aws:UserAgent': 'true' } },
      { 'ForAllValues:StringEquals': { 'aws:TagKeys': ['a', 'b'] } },
      { 'ForAnyValue:StringNotEquals': { 'aws:TagKeys': ['a'] } },
      { Bool: { 'aws:SecureTransport': 'true' }, StringEquals: { 'aws:UserAgent': 'x' } },
    ),
  },
  { requiredKeys: ['Effect', 'Action', 'Resource'] },
);
const statements = fc.array(statement, { maxLength: 6 });
const request = fc
  .record({
    action: pick('s3:GetObject', 's3:PutObject', 's3:DeleteObject'),
    resource: pick(
      'arn:aws:s3:::logs/abc',
      'arn:aws:s3:::logs/alice/x',
      'arn:aws:s3:::other/a/c',
      'arn:aws:s3:::logs',
    ),
    values: fc.record(
      {
        'aws:useragent': pick('x', 'y', 'z', ''),
        'aws:tagkeys': fc.subarray(['a', 'b', 'c']),
        'aws:securetransport': pick('true', 'false'),
        'aws:username': pick('alice', '*'),
      },
      { requiredKeys: [] },
    ),
  })
  .map(({ action, resource, values }) => {
    const context = new Map<string, string | readonly string[]>(Object.entries(values));
    return { action, resource, context: (key: string) => context.get(key) };
  });

const effectOf = (list: readonly StatementJson[], asked: Asked): string =>
  ask({ identity: policy(list) }, asked).effect;

const swap = (text: string): string =>
  Array.from(text, (letter) =>
    letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase(),
  ).join('');

const swapKeys = (value: unknown): unknown =>
  Object.fromEntries(
    Object.entries(value as Record<string, Record<string, unknown>>).map(([operator, keys]) => [
      operator,
      Object.fromEntries(Object.entries(keys).map(([key, values]) => [swap(key), values])),
    ]),
  );

describe('properties', () => {
  test('a Deny that matches is never overridden', () => {
    fc.assert(
      fc.property(statements, request, (list, asked) => {
        const deny: StatementJson = { Effect: 'Deny', Action: asked.action, Resource: asked.resource };
        expect(effectOf([...list, deny], asked)).toBe('Deny');
        expect(effectOf([allowAll, deny, ...list], asked)).toBe('Deny');
      }),
    );
  });

  test('adding an Allow never denies more, adding a Deny never allows more', () => {
    fc.assert(
      fc.property(statements, statement, request, (list, extra, asked) => {
        const before = effectOf(list, asked);
        const after = effectOf([...list, extra], asked);
        expect([before, extra.Effect]).toContain(after);
      }),
      { numRuns: 500 },
    );
  });

  test('the order of statements and of policies does not matter', () => {
    fc.assert(
      fc.property(statements, request, (list, asked) => {
        const expected = effectOf(list, asked);
        const alone = list.map((each) => source([each]));
        expect(effectOf(list.toReversed(), asked)).toBe(expected);
        expect(ask({ identity: compilePolicies(alone) }, asked).effect).toBe(expected);
        expect(ask({ identity: compilePolicies(alone.toReversed()) }, asked).effect).toBe(expected);
      }),
      { numRuns: 300 },
    );
  });

  test('the case of actions and condition keys does not matter', () => {
    fc.assert(
      fc.property(statements, request, (list, asked) => {
        const swapped = list.map((each) => ({
          ...each,
          Action: (each.Action as string[]).map(swap),
          ...(each.Condition !== undefined && { Condition: swapKeys(each.Condition) }),
        }));
        expect(effectOf(swapped, asked)).toBe(effectOf(list, asked));
        expect(effectOf(list, { ...asked, action: swap(asked.action) })).toBe(effectOf(list, asked));
      }),
      { numRuns: 300 },
    );
  });

  test('a boundary or session policy never allows more', () => {
    fc.assert(
      fc.property(statements, statements, request, (list, limit, asked) => {
        const identity = policy(list);
        const limited = [
          ask({ identity, boundary: policy(limit) }, asked).effect,
          ask({ identity, session: policy(limit) }, asked).effect,
        ];
        const both =
          effectOf(list, asked) === 'Allow' && effectOf(limit, asked) === 'Allow' ? 'Allow' : 'Deny';
        expect(limited).toEqual([both, both]);
      }),
      { numRuns: 300 },
    );
  });
});
