/** What a decision costs at worst: bounds so wide that a busy machine keeps them, and exponential growth does not. */
import { describe, expect, test } from 'vitest';
import {
  compilePolicy,
  evaluate,
  mayAllowBelow,
  parsePolicy,
  type PolicySet,
} from '../../src/policy/index.ts';

const ACCOUNT = '111122223333';
const BUCKET = 'arn:aws:s3:::logs/';

const PATTERNS = [
  '*a*a*a*b',
  '*a*a*a*b*',
  '?*?*?*b',
  `${'*a'.repeat(30)}b`,
  `${'*?'.repeat(30)}b`,
  `*${'a'.repeat(200)}b*`,
  `*${'?a'.repeat(100)}b*`,
  '*${aws:username}*a*b',
  '*?${aws:username}*a?b',
];

/** Some 20 KB of resources. */
function policiesOf(pattern: string): PolicySet {
  const resource = BUCKET + pattern;
  const text = JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Action: 's3:GetObject',
        Resource: Array<string>(Math.floor(20_000 / (resource.length + 3))).fill(resource),
      },
    ],
  });
  return { identity: compilePolicy(parsePolicy(text, { type: 'identity' }), { name: 'identity' }) };
}

/** Milliseconds, the best of a few: what else the machine does only adds. */
function timeOf(policies: PolicySet, length: number): number {
  const request = {
    action: 's3:GetObject',
    resource: BUCKET + 'a'.repeat(length),
    resourceAccount: ACCOUNT,
    principal: { type: 'user', arn: `arn:aws:iam::${ACCOUNT}:user/alice`, accountId: ACCOUNT },
    context: (key: string) => (key === 'aws:username' ? 'a'.repeat(length / 2) : undefined),
  } as const;
  const times = [0, 1, 2, 3].map(() => {
    const start = performance.now();
    expect(evaluate(request, policies).effect).toBe('Deny');
    return performance.now() - start;
  });
  return Math.min(...times);
}

describe('patterns made to be expensive', () => {
  test.each(PATTERNS)(
    '`%s` in 20 KB of policy: eight times the text is not a hundred times the cost',
    (pattern) => {
      const policies = policiesOf(pattern);
      const long = timeOf(policies, 1024);
      expect(long).toBeLessThan(2000);
      expect(long).toBeLessThan(100 * Math.max(timeOf(policies, 128), 0.2));
    },
  );
});

/** Milliseconds, the best of a few. */
function leastTime(run: () => void): number {
  const times = [0, 1, 2].map(() => {
    const start = performance.now();
    run();
    return performance.now() - start;
  });
  return Math.min(...times);
}

test('what lies below a prefix is told in a pass over it, whatever the pattern', () => {
  const policies = policiesOf(`*${'a'.repeat(250)}b*`);
  const request = {
    action: 's3:GetObject',
    resource: BUCKET + 'a'.repeat(1000),
    resourceAccount: ACCOUNT,
    principal: { type: 'user', arn: `arn:aws:iam::${ACCOUNT}:user/alice`, accountId: ACCOUNT },
    context: () => undefined,
  } as const;
  const time = leastTime(() => {
    expect(mayAllowBelow(request, policies)).toBe(true);
  });
  expect(time).toBeLessThan(100);
});

describe('conditions on a header, which is longer than a key', () => {
  const header = 'a'.repeat(7000);

  test.each([
    ['a pattern that is longer than a key', [`*${'a'.repeat(3500)}?b*`]],
    ['patterns that hold the header itself', Array<string>(800).fill('*?${aws:referer}')],
  ])('%s', (_, patterns) => {
    const text = JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Action: 's3:GetObject',
          Resource: '*',
          Condition: { StringLike: { 'aws:useragent': patterns } },
        },
      ],
    });
    const policies = {
      identity: compilePolicy(parsePolicy(text, { type: 'identity' }), { name: 'identity' }),
    };
    const request = {
      action: 's3:GetObject',
      resource: `${BUCKET}key`,
      resourceAccount: ACCOUNT,
      principal: { type: 'user', arn: `arn:aws:iam::${ACCOUNT}:user/alice`, accountId: ACCOUNT },
      context: () => header,
    } as const;
    const time = leastTime(() => {
      expect(evaluate(request, policies).effect).toBe('Deny');
    });
    expect(time).toBeLessThan(200);
  });
});
