import { describe, expect, test } from 'vitest';
import type { LoggedRecord, RecordedDecision } from '../../src/audit/index.ts';
import {
  bucketOf,
  recordedPrincipal,
  recordedRequests,
  UnrecordedKeyError,
} from '../../src/cli/policy/recorded-request.ts';

const ALLOW: RecordedDecision = {
  effect: 'Allow',
  action: 's3:PutObject',
  resource: 'arn:aws:s3:::b/k',
  resourceAccount: '111122223333',
};
const DENY: RecordedDecision = { ...ALLOW, effect: 'Deny', action: 's3:PutObjectTagging' };

function record(fields: Partial<LoggedRecord>): LoggedRecord {
  return {
    time: 0,
    requestId: 'A',
    remoteAddress: '203.0.113.7',
    principal: 'arn:aws:iam::111122223333:user/team/alice',
    evaluation: {
      context: { 'aws:SourceIp': '203.0.113.7', 'aws:userid': 'AIDAEXAMPLE', 'aws:username': 'alice' },
      policies: [],
    },
    bytesReceived: 0,
    bytesSent: 0,
    totalTimeMs: 0,
    outcome: 'completed',
    ...fields,
  };
}

const actions = (fields: Partial<LoggedRecord>): readonly string[] =>
  recordedRequests(record(fields)).map(({ request }) => request.action);

describe('the decisions of a record', () => {
  test('come in the order in which they were made', () => {
    expect(actions({ decision: ALLOW, otherDecisions: [{ ...ALLOW, action: 's3:PutObjectAcl' }] })).toEqual([
      's3:PutObject',
      's3:PutObjectAcl',
    ]);
    expect(actions({ decision: DENY, otherDecisions: [ALLOW] })).toEqual([
      's3:PutObject',
      's3:PutObjectTagging',
    ]);
  });

  test('of each key of a DeleteObjects come with the key', () => {
    const entries = [
      { key: 'a', status: 204, decision: ALLOW },
      { key: 'b', status: 403, decision: DENY, otherDecisions: [ALLOW] },
    ];
    expect(
      recordedRequests(record({ entries })).map(({ entry, decision }) => [entry?.key, decision.effect]),
    ).toEqual([
      ['a', 'Allow'],
      ['b', 'Allow'],
      ['b', 'Deny'],
    ]);
  });

  test('are none where nobody was authenticated, or nothing was decided', () => {
    expect(recordedRequests(record({ decision: ALLOW, principal: undefined }))).toEqual([]);
    expect(recordedRequests(record({ evaluation: undefined }))).toEqual([]);
  });

  test('are about a bucket, but for one that is only made, and for all', () => {
    expect(recordedRequests(record({ decision: ALLOW }))[0]?.bucket).toBe('b');
    expect(
      recordedRequests(record({ decision: ALLOW, operation: 'CreateBucket' }))[0]?.bucket,
    ).toBeUndefined();
    expect(bucketOf('arn:aws:s3:::*')).toBeUndefined();
    expect(bucketOf('arn:aws:s3:::b')).toBe('b');
  });
});

const contextOf = (decision: Partial<RecordedDecision>, leftOut?: readonly string[]) => {
  const evaluation = {
    context: { 'aws:SourceIp': '203.0.113.7', 's3:VersionId': 'v1' },
    leftOut,
    policies: [],
  };
  const [first] = recordedRequests(record({ evaluation, decision: { ...ALLOW, ...decision } }));
  if (first === undefined) throw new Error('no decision');
  return first.request.context;
};

describe('the context', () => {
  test('is asked by lower-case keys, with what differs for the decision: other values, and none', () => {
    const context = contextOf({ context: { 's3:versionid': null, 'aws:ResourceAccount': '444455556666' } });
    expect(context('aws:sourceip')).toBe('203.0.113.7');
    expect(context('s3:versionid')).toBeUndefined();
    expect(context('aws:resourceaccount')).toBe('444455556666');
    expect(context('aws:useragent')).toBeUndefined();
  });

  test('does not take a key that was too long for the record for an absent one', () => {
    const context = contextOf({}, ['aws:UserAgent']);
    expect(() => context('aws:useragent')).toThrow(UnrecordedKeyError);
    expect(context('aws:referer')).toBeUndefined();
  });
});

describe('the principal', () => {
  test('has the id and name of the context', () => {
    expect(recordedPrincipal(record({}))).toEqual({
      type: 'user',
      arn: 'arn:aws:iam::111122223333:user/team/alice',
      accountId: '111122223333',
      userName: 'alice',
      userId: 'AIDAEXAMPLE',
    });
  });

  test('of a session has the role with its path', () => {
    const principal = 'arn:aws:sts::111122223333:assumed-role/app/session';
    const context = { 'aws:PrincipalArn': 'arn:aws:iam::111122223333:role/team/app' };
    expect(recordedPrincipal({ principal, evaluation: { context, policies: [] } })).toMatchObject({
      type: 'role-session',
      roleArn: 'arn:aws:iam::111122223333:role/team/app',
    });
  });

  test('may be nobody', () => {
    expect(recordedPrincipal({ principal: 'anonymous', evaluation: undefined })).toEqual({
      type: 'anonymous',
    });
    expect(recordedPrincipal({ principal: undefined, evaluation: undefined })).toBeUndefined();
  });
});
