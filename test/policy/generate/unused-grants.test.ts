import { describe, expect, test } from 'vitest';
import { GrantUse, parsePolicy, type EvaluationRequest } from '../../../src/policy/index.ts';

const ACCOUNT = '111122223333';

function grantsOf(...statements: readonly object[]): GrantUse {
  const document = parsePolicy(JSON.stringify({ Version: '2012-10-17', Statement: statements }), {
    type: 'identity',
  });
  return new GrantUse([{ name: 'alice/scope', document }]);
}

function request(
  action: string,
  resource: string,
  context: Readonly<Record<string, string>> = {},
): EvaluationRequest {
  return {
    action,
    resource,
    // Whose the bucket is does not matter.
    resourceAccount: '444455556666',
    principal: {
      type: 'user',
      arn: `arn:aws:iam::${ACCOUNT}:user/alice`,
      accountId: ACCOUNT,
      userName: 'alice',
      userId: 'A',
    },
    context: (key) => context[key],
  };
}

const OBJECTS = {
  Sid: 'Objects',
  Effect: 'Allow',
  Action: ['s3:GetObject', 's3:PutObject', 's3:DeleteObject*'],
  Resource: ['arn:aws:s3:::reports/team/*', 'arn:aws:s3:::reports/shared/*'],
};

describe('what policies grant and nobody used', () => {
  test('is every action and every resource at first', () => {
    const grants = grantsOf(OBJECTS, { Effect: 'Deny', Action: '*', Resource: 'arn:aws:s3:::secret/*' });
    expect(grants.unused()).toEqual([
      {
        by: { policy: 'alice/scope', sid: 'Objects', index: 0 },
        isWhole: true,
        actions: [
          's3:DeleteObject',
          's3:DeleteObjectAnnotation',
          's3:DeleteObjectTagging',
          's3:DeleteObjectVersion',
          's3:DeleteObjectVersionAnnotation',
          's3:DeleteObjectVersionTagging',
          's3:GetObject',
          's3:PutObject',
        ],
        resources: OBJECTS.Resource,
      },
    ]);
  });

  test('shrinks with each use', () => {
    const grants = grantsOf(OBJECTS);
    grants.add(request('s3:GetObject', 'arn:aws:s3:::reports/team/a'));
    expect(grants.unused()).toMatchObject([{ isWhole: false, resources: ['arn:aws:s3:::reports/shared/*'] }]);
    expect(grants.unused()[0]?.actions).not.toContain('s3:GetObject');
  });

  test('is nothing when all of it was used', () => {
    const grants = grantsOf({ Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::reports/*' });
    grants.add(request('s3:GetObject', 'arn:aws:s3:::reports/a'));
    expect(grants.unused()).toEqual([]);
  });

  test('stays what conditions kept from being used', () => {
    const grants = grantsOf({
      Effect: 'Allow',
      Action: 's3:ListBucket',
      Resource: 'arn:aws:s3:::reports',
      Condition: { StringLike: { 's3:prefix': 'team/*' } },
    });
    grants.add(request('s3:ListBucket', 'arn:aws:s3:::reports', { 's3:prefix': 'other/' }));
    expect(grants.unused()).toMatchObject([{ isWhole: true }]);
    grants.add(request('s3:ListBucket', 'arn:aws:s3:::reports', { 's3:prefix': 'team/a' }));
    expect(grants.unused()).toEqual([]);
  });

  test('of NotAction and NotResource is what they leave', () => {
    const grants = grantsOf({
      Effect: 'Allow',
      NotAction: ['s3:Put*', 's3:Delete*'],
      NotResource: 'arn:aws:s3:::secret/*',
    });
    grants.add(request('s3:GetObject', 'arn:aws:s3:::reports/a'));
    const [unused] = grants.unused();
    expect(unused?.resources).toEqual([]);
    expect(unused?.actions).toContain('s3:ListBucket');
    expect(unused?.actions).not.toContain('s3:GetObject');
    expect(unused?.actions).not.toContain('s3:PutObject');
  });
});
