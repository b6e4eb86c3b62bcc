import { describe, expect, test } from 'vitest';
import { isKnownS3Action, isPublic, parsePolicy, PolicyError } from '../../src/policy/index.ts';

function refusal(text: string): PolicyError {
  try {
    parsePolicy(text, { type: 'resource', bucket: 'logs' });
  } catch (error) {
    if (error instanceof PolicyError) return error;
    throw error;
  }
  throw new Error('the policy was accepted');
}

const lines = (...statement: readonly string[]): string =>
  ['{', '  "Version": "2012-10-17",', '  "Statement": [{', ...statement, '  }]', '}'].join('\n');

const padded = (padding: number): string =>
  `{"Id":"${'x'.repeat(padding)}","Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"*"}}`;

const grant = (principal: string): string =>
  `{"Statement":{"Effect":"Allow","Principal":${principal},"Action":"s3:GetObject","Resource":"*"}}`;

describe('parsePolicy', () => {
  test.each([
    [
      'the action',
      [
        '"Effect": "Allow", "Principal": "*",',
        '    "Action": ["s3:GetObject", "s3:Foo"],',
        '"Resource": "*"',
      ],
      { line: 5, column: 32, message: 'Policy has invalid action' },
    ],
    [
      'the resource',
      [
        '"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",',
        '"Resource": "arn:aws:s3:::other/*"',
      ],
      { line: 5, column: 13, message: 'Policy has invalid resource' },
    ],
    [
      'the principal',
      ['"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*",', '"Principal": {"AWS": ["bob"]}'],
      { line: 5, column: 23, message: 'Invalid principal in policy' },
    ],
    [
      'the operator',
      [
        '"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*",',
        '"Condition": {"StringMatches": {"aws:UserAgent": "x"}}',
      ],
      { line: 5, column: 15, message: 'Invalid Condition type : StringMatches' },
    ],
    [
      'the condition value',
      [
        '"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*",',
        '"Condition": {"IpAddress": {"aws:SourceIp": ["10.0.0.1", "10.0.0"]}}',
      ],
      { line: 5, column: 58, message: 'Invalid policy syntax.' },
    ],
    [
      'the second of two equal keys',
      ['"Effect": "Allow",', '  "effect": "Deny"'],
      { line: 5, column: 3, message: "Policies must be valid JSON and the first byte must be '{'" },
    ],
  ])('points at %s', (_, statement, expected) => {
    const error = refusal(lines(...statement));
    expect({ line: error.line, column: error.column, message: error.message }).toEqual(expected);
    expect(error.code).toBe('MalformedPolicy');
    expect(error.detail).toMatch(/`/);
  });

  test('a policy of an identity is refused with another code', () => {
    expect(() => parsePolicy('{', { type: 'identity' })).toThrow(
      expect.objectContaining({ code: 'MalformedPolicyDocument' }),
    );
  });

  test('20 KB are accepted and one byte more is not', () => {
    const padding = 20 * 1024 - padded(0).length;
    expect(parsePolicy(padded(padding), { type: 'resource' }).statements).toHaveLength(1);
    expect(() => parsePolicy(padded(padding + 1), { type: 'resource' })).toThrow(
      /maximum allowed document size/,
    );
    expect(() => parsePolicy(padded(padding - 1).replace('x', 'é'), { type: 'resource' })).not.toThrow();
    expect(() => parsePolicy(padded(padding).replace('x', 'é'), { type: 'resource' })).toThrow(
      /document size/,
    );
  });

  test('tells whether a document is public', () => {
    expect(isPublic(parsePolicy(grant('"*"'), { type: 'resource' }))).toBe(true);
    expect(isPublic(parsePolicy(grant('{"AWS":"111122223333"}'), { type: 'resource' }))).toBe(false);
  });

  test('knows the actions of S3 in any case, and no others', () => {
    expect(['s3:GetObject', 's3:listallmybuckets', 'S3:PutBucketPolicy'].map(isKnownS3Action)).toEqual([
      true,
      true,
      true,
    ]);
    expect(['s3:HeadObject', 'GetObject', 's3:*', 'ec2:RunInstances'].map(isKnownS3Action)).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });
});
