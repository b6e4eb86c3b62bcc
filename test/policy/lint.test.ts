import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CONDITION_KEYS } from '../../src/gateway/condition-keys.ts';
import { isAbsent } from '../../src/gateway/condition-key.ts';
import { ABSENT_KEYS } from '../../src/policy/lint/check-absent-keys.ts';
import { compilePolicy, evaluate, lintPolicy, parsePolicy, type PolicyType } from '../../src/policy/index.ts';

const ROOT = join(import.meta.dirname, '../..');
const BUCKET = 'arn:aws:s3:::logs';
const OBJECTS = `${BUCKET}/*`;

const document = (...statements: readonly object[]): string =>
  JSON.stringify({ Version: '2012-10-17', Statement: statements });
const rules = (text: string, type?: PolicyType): readonly string[] =>
  lintPolicy(text, type === undefined ? {} : { type }).findings.map(({ rule }) => rule);
const allow = (fields: object): object => ({
  Effect: 'Allow',
  Action: 's3:GetObject',
  Resource: OBJECTS,
  ...fields,
});
const deny = (fields: object): object => allow({ Effect: 'Deny', ...fields });
const when = (condition: object): string => document(allow({ Condition: condition }));

const orNone = (values: readonly string[]) => fc.option(fc.constantFrom(...values), { nil: undefined });

describe('the type is told from the document', () => {
  test.each([
    ['identity', document(allow({}))],
    ['resource', document(allow({ Principal: '*' }))],
    ['resource', document({ Effect: 'Allow', Principal: '*', Action: 's3:GetObject' })],
    ['trust', document({ Effect: 'Allow', Principal: { AWS: '111122223333' }, Action: 'sts:AssumeRole' })],
    ['resource', document(allow({ Effect: 'Deny', NotPrincipal: { AWS: '111122223333' } }))],
    ['identity', 'no JSON'],
    ['identity', '{"Statement": "x"}'],
  ])('%s: %s', (type, text) => {
    expect(lintPolicy(text).type).toBe(type);
  });
});

describe('errors', () => {
  test('of several statements are all told, at their places', () => {
    const text = `{
  "Version": "2012-10-17",
  "Statement": [
    {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "x]}\\"{"},
    {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::logs/team*"},
    {"Sid": "Last", "Effect": "allow", "Action": "s3:GetObject", "Resource": "*"}
  ]
}`;
    expect(lintPolicy(text).findings).toMatchObject([
      { rule: 'invalid-resource', severity: 'error', line: 4, column: 63, statement: { index: 0 } },
      { rule: 'prefix-without-slash', severity: 'warning', line: 5, column: 63, statement: { index: 1 } },
      { rule: 'malformed', severity: 'error', line: 6, column: 31, statement: { index: 2 } },
    ]);
  });

  test('of the document around the statements are told once', () => {
    const text = JSON.stringify({ Version: '2012', Statement: [allow({}), allow({ Resource: BUCKET })] });
    expect(lintPolicy(text).findings).toMatchObject([{ rule: 'malformed', statement: undefined }]);
  });

  test('between statements are told: two statements with one Sid', () => {
    expect(rules(document(allow({ Sid: 'A' }), allow({ Sid: 'A', Action: 's3:PutObject' })))).toContain(
      'malformed',
    );
  });

  test('about actions of a bucket policy say what was meant', () => {
    const text = document(allow({ Principal: { AWS: '111122223333' }, Action: 's3:ListObjectsV2' }));
    expect(lintPolicy(text).findings).toMatchObject([
      { rule: 'unknown-action', severity: 'error', fix: 'write `s3:ListBucket`' },
    ]);
  });

  test('of a bucket policy for another bucket are seen with the bucket', () => {
    const text = document(allow({ Principal: { AWS: '111122223333' } }));
    expect(lintPolicy(text, { bucket: 'logs' }).findings).toEqual([]);
    expect(lintPolicy(text, { bucket: 'other' }).findings).toMatchObject([{ rule: 'invalid-resource' }]);
  });
});

describe('what is meant by a misspelled action', () => {
  test.each([
    ['s3:GetObjcet', 'write `s3:GetObject`'],
    ['s3:ListObjects', 'write `s3:ListBucket`'],
    ['s3:HeadBucket', 'write `s3:ListBucket`'],
    ['s3:ListBuckets', 'write `s3:ListAllMyBuckets`'],
    ['s3:UploadPart', 'write `s3:PutObject`'],
    ['s3:DeleteObjects', 'write `s3:DeleteObject`'],
    ['s3:ListMultipartUploads', 'write `s3:ListBucketMultipartUploads`'],
    ['s3:GetBucketEncryption', 'write `s3:GetEncryptionConfiguration`'],
    ['s3api:GetObject', 'write `s3:getobject`'],
    ['s3:Frobnicate', 'see the actions of each operation in docs/operations.md'],
  ])('%s: %s', (action, fix) => {
    const [finding] = lintPolicy(document(allow({ Action: action, Resource: '*' }))).findings;
    expect(finding?.rule).toBe('unknown-action');
    expect(finding?.fix.toLowerCase()).toBe(fix.toLowerCase());
  });
});

describe('resources', () => {
  test.each([
    ['s3:GetObject', BUCKET, true],
    ['s3:GetObject', OBJECTS, false],
    ['s3:GetObject', `${BUCKET}-*`, false],
    ['s3:ListBucket', OBJECTS, true],
    ['s3:ListBucket', '*', false],
    ['s3:ListAllMyBuckets', BUCKET, true],
    ['s3:ListAllMyBuckets', '*', false],
    ['s3:ListAllMyBuckets', 'arn:aws:s3:::*', false],
    ['s3:CreateJob', 'arn:aws:s3:eu-west-1:111122223333:job/*', false],
    ['s3:*', OBJECTS, false],
    ['s3:GetObject', 'arn:aws:ec2:eu-west-1:111122223333:instance/i-1', true],
  ])('%s never applies to %s: %s', (action, resource, fires) => {
    const found = rules(document(allow({ Action: action, Resource: resource })));
    expect(found.includes('action-without-resource')).toBe(fires);
  });

  test('a Deny of everything below a prefix is no half of a bucket', () => {
    const text = document(deny({ Action: 's3:*', Resource: `${BUCKET}/secret/*` }));
    expect(rules(text)).toEqual([]);
  });

  test('families of buckets and keys are meant', () => {
    const text = document(
      allow({ Resource: ['arn:aws:s3:::team-*/*', `${BUCKET}/report-*`, `${BUCKET}/*.csv`] }),
    );
    expect(rules(text)).toEqual([]);
  });

  test('a Deny may be wider than its prefix, an exception to it may not', () => {
    expect(rules(document(deny({ Resource: `${BUCKET}/team*` })))).toEqual([]);
    expect(rules(document(deny({ Resource: undefined, NotResource: `${BUCKET}/team*` })))).toContain(
      'prefix-without-slash',
    );
  });
});

describe('conditions', () => {
  test.each<[string, object]>([
    ['two operators', { StringEquals: { 'aws:userid': 'A' }, StringNotEquals: { 'aws:userid': ['A', 'B'] } }],
    [
      'a Bool of both',
      { Bool: { 'aws:SecureTransport': 'true' }, StringEquals: { 'AWS:securetransport': 'false' } },
    ],
    [
      'absent and a value',
      { Null: { 'aws:TokenIssueTime': 'true' }, DateLessThan: { 'aws:TokenIssueTime': '2026-01-01' } },
    ],
    ['numbers', { NumericLessThan: { 's3:max-keys': 10 }, NumericGreaterThan: { 's3:max-keys': [10, 20] } }],
    [
      'dates',
      {
        DateLessThan: { 'aws:CurrentTime': '2026-01-01' },
        DateGreaterThan: { 'aws:CurrentTime': '2026-02-01' },
      },
    ],
    ['below the least', { NumericLessThan: { 's3:TlsVersion': '1.0' } }],
    ['above the greatest', { NumericGreaterThan: { 's3:TlsVersion': '1.3' } }],
    ['equal to what is not there', { NumericEquals: { 's3:signatureAge': -1 } }],
    [
      'networks',
      { IpAddress: { 'aws:SourceIp': '10.1.0.0/16' }, NotIpAddress: { 'aws:SourceIp': '10.0.0.0/8' } },
    ],
    ['an address of nobody', { IpAddress: { 'aws:SourceIp': '0.0.0.0' } }],
  ])('never hold: %s', (_, condition) => {
    expect(rules(when(condition))).toContain('impossible-condition');
  });

  test.each<[string, object]>([
    ['a list', { StringEquals: { 'aws:userid': ['A', 'B'] }, StringNotEquals: { 'aws:userid': 'A' } }],
    [
      'without the key',
      { StringEqualsIfExists: { 'aws:userid': 'A' }, StringNotEquals: { 'aws:userid': 'A' } },
    ],
    [
      'a variable',
      { StringEquals: { 'aws:userid': 'A' }, StringLike: { 'aws:userid': '${aws:PrincipalType}' } },
    ],
    [
      'ends that meet',
      { NumericLessThanEquals: { 's3:max-keys': 10 }, NumericGreaterThanEquals: { 's3:max-keys': 10 } },
    ],
    [
      'one of two',
      { NumericLessThan: { 's3:max-keys': [5, 50] }, NumericGreaterThan: { 's3:max-keys': 10 } },
    ],
    [
      'one network of two',
      {
        IpAddress: { 'aws:SourceIp': ['10.1.0.0/16', '192.0.2.0/24'] },
        NotIpAddress: { 'aws:SourceIp': '10.0.0.0/8' },
      },
    ],
    ['everyone', { IpAddress: { 'aws:SourceIp': ['0.0.0.0/0', '::/0'] } }],
    [
      'another case of the value',
      { StringEqualsIgnoreCase: { 'aws:userid': 'a' }, StringEquals: { 'aws:userid': 'A' } },
    ],
  ])('may hold: %s', (_, condition) => {
    expect(rules(when(condition))).not.toContain('impossible-condition');
  });

  test.each<[string, object]>([
    ['Bool on an address', { Bool: { 'aws:SourceIp': 'true' } }],
    ['a number on text of a fixed form', { NumericEquals: { 's3:authType': '1' } }],
    ['an ARN operator on a date', { ArnLike: { 'aws:CurrentTime': '*' } }],
    ['an address on an ARN', { NotIpAddress: { 'aws:PrincipalArn': '192.0.2.1' } }],
  ])('cannot be compared: %s', (_, condition) => {
    expect(rules(when(condition))).toContain('operator-type');
  });

  test('a Deny of TLS versions is whole with one of plain HTTP', () => {
    const tls = deny({ Condition: { NumericLessThan: { 's3:TlsVersion': '1.2' } } });
    const plain = deny({ Condition: { Bool: { 'aws:SecureTransport': 'false' } } });
    expect(rules(document(tls))).toEqual(['deny-without-key']);
    expect(rules(document(tls, plain))).toEqual([]);
  });

  test('a Deny of what a request must not say is whole', () => {
    const text = document(
      deny({ Action: 's3:PutObject', Condition: { StringEquals: { 's3:x-amz-acl': 'public-read' } } }),
    );
    expect(rules(text)).toEqual([]);
  });
});

/** Some operators on one key, each with one or two values. */
function on(key: string, operators: readonly string[], value: fc.Arbitrary<string>) {
  const values = fc.array(value, { minLength: 1, maxLength: 2 });
  return fc.dictionary(
    fc.constantFrom(...operators),
    values.map((each) => ({ [key]: each })),
    { minKeys: 1, maxKeys: 3 },
  );
}

test('what is said never to hold holds for no request', () => {
  const numbers = fc.constantFrom('0', '1.0', '1.2', '1.3', '2', '12');
  const addresses = fc.constantFrom('10.0.0.0/8', '10.1.0.0/16', '0.0.0.0/0', '0.0.0.0', '192.0.2.7', '::/0');
  const flags = fc.constantFrom('true', 'false');
  const users = fc.constantFrom('a', 'b', 'ab', 'a*', '*', '${aws:PrincipalType}');
  const condition = fc.oneof(
    on(
      's3:TlsVersion',
      [
        'NumericLessThan',
        'NumericGreaterThan',
        'NumericEquals',
        'NumericNotEquals',
        'NumericGreaterThanEqualsIfExists',
      ],
      numbers,
    ),
    on('aws:SourceIp', ['IpAddress', 'NotIpAddress', 'StringEquals', 'StringNotLike'], addresses),
    on('aws:SecureTransport', ['Bool', 'StringEquals', 'StringNotEquals', 'BoolIfExists', 'Null'], flags),
    on(
      'aws:username',
      [
        'StringEquals',
        'StringLike',
        'StringNotEquals',
        'StringNotLike',
        'StringEqualsIfExists',
        'StringEqualsIgnoreCase',
      ],
      users,
    ),
  );
  const context = fc.record({
    's3:tlsversion': orNone(['1.0', '1.2', '1.3']),
    'aws:sourceip': orNone(['10.0.0.1', '10.1.2.3', '192.0.2.7', '2001:db8::1']),
    'aws:securetransport': orNone(['true', 'false']),
    'aws:username': orNone(['a', 'b', 'ab', 'User']),
    'aws:principaltype': fc.constant('User'),
  });
  let claims = 0;
  fc.assert(
    fc.property(condition, context, (conditions, given) => {
      const text = when(conditions);
      const { findings } = lintPolicy(text);
      const isImpossible = findings.some(
        ({ rule, message }) =>
          rule === 'impossible-condition' && !message.includes('no client has the address'),
      );
      if (!isImpossible) return;
      claims += 1;
      expect(decideWith(text, given)).toBe('Deny');
    }),
    { numRuns: 3000 },
  );
  expect(claims).toBeGreaterThan(100);
});

describe('who is let in', () => {
  test.each<[string, object, string]>([
    ['nothing', {}, 'public-access'],
    ['what is no identity', { StringEquals: { 's3:authType': 'REST-HEADER' } }, 'public-access'],
    ['a header', { StringEquals: { 'aws:UserAgent': 'x' } }, 'weak-narrowing'],
    ['half of the Internet', { IpAddress: { 'aws:SourceIp': '0.0.0.0/1' } }, 'weak-narrowing'],
    ['a wildcard', { StringLike: { 'aws:PrincipalAccount': '*' } }, 'weak-narrowing'],
    [
      'a key that may be absent',
      { StringEqualsIfExists: { 'aws:PrincipalAccount': '111122223333' } },
      'weak-narrowing',
    ],
    ['all but one', { StringNotEquals: { 'aws:PrincipalAccount': '111122223333' } }, 'weak-narrowing'],
  ])('narrowed by %s: %#', (_, condition, rule) => {
    expect(rules(document(allow({ Principal: '*', Condition: condition })))).toEqual([rule]);
  });

  test('one narrow condition is enough', () => {
    const condition = {
      StringLike: { 'aws:Referer': '*' },
      StringEquals: { 'aws:PrincipalAccount': '111122223333' },
    };
    expect(rules(document(allow({ Principal: { AWS: '*' }, Condition: condition })))).toEqual([]);
  });
});

describe('statements that others cover', () => {
  const alice = { Principal: { AWS: 'arn:aws:iam::111122223333:user/alice' } };
  const account = { Principal: { AWS: '111122223333' } };

  test.each<[string, readonly object[], string | undefined]>([
    ['a later one that is wider', [allow({}), allow({ Action: 's3:*' })], 'shadowed-statement'],
    [
      'a condition more',
      [allow({ Condition: { Bool: { 'aws:SecureTransport': 'true' } } }), allow({})],
      'shadowed-statement',
    ],
    [
      'a condition less',
      [
        allow({ Resource: `${BUCKET}/a/*` }),
        allow({ Condition: { Bool: { 'aws:SecureTransport': 'true' } } }),
      ],
      undefined,
    ],
    [
      'fewer values',
      [
        allow({ Condition: { StringEquals: { 'aws:userid': 'A' } } }),
        allow({ Condition: { StringEquals: { 'aws:userid': ['A', 'B'] } } }),
      ],
      'shadowed-statement',
    ],
    [
      'fewer exceptions',
      [
        allow({ Condition: { StringNotEquals: { 'aws:userid': 'A' } } }),
        allow({ Condition: { StringNotEquals: { 'aws:userid': ['A', 'B'] } } }),
      ],
      'shadowed-statement',
    ],
    [
      'another pattern',
      [allow({ Resource: `${BUCKET}/a/*` }), allow({ Resource: `${BUCKET}/b/*` })],
      undefined,
    ],
    ['all but one action', [allow({}), deny({ NotAction: 's3:PutObject', Action: undefined })], undefined],
    [
      'a Deny for some',
      [allow({}), deny({ Condition: { Bool: { 'aws:SecureTransport': 'false' } } })],
      undefined,
    ],
    [
      'a Deny under the same condition',
      [
        allow({ Condition: { Bool: { 'aws:SecureTransport': 'true' } } }),
        deny({ Condition: { Bool: { 'aws:SecureTransport': 'true' } } }),
      ],
      'never-grants',
    ],
    ['a grant to the account', [allow(alice), allow(account)], undefined],
    ['a Deny for the account', [allow(alice), deny(account)], 'never-grants'],
    ['a Deny for the user', [allow(account), deny(alice)], undefined],
    [
      'a variable',
      [allow({ Resource: `${BUCKET}/\${aws:username}/a` }), allow({ Resource: `${BUCKET}/*/a` })],
      'shadowed-statement',
    ],
    [
      'a text of a variable',
      [allow({ Resource: `${BUCKET}/x/a` }), allow({ Resource: `${BUCKET}/\${aws:username}/a` })],
      undefined,
    ],
  ])('%s', (_, statements, rule) => {
    const found = rules(document(...statements)).filter((each) => /^(?:shadowed|never|duplicate)/.test(each));
    expect(found).toEqual(rule === undefined ? [] : [rule]);
  });

  test('change no decision when they are left out', () => {
    const pattern = fc.constantFrom('*', 'a', 'a*', '?', 'a/*', '*b', '${aws:username}', '${aws:username}/*');
    const statement = fc.record({
      Effect: fc.constantFrom('Allow', 'Allow', 'Deny'),
      Action: fc.constantFrom('s3:GetObject', 's3:Get*', 's3:*Object', 's3:PutObject'),
      Resource: fc.array(
        pattern.map((each) => `arn:aws:s3:::b/${each}`),
        { minLength: 1, maxLength: 2 },
      ),
      Condition: fc.constantFrom(
        {},
        { Bool: { 'aws:SecureTransport': 'true' } },
        { StringEquals: { 'aws:username': ['a', 'b'] } },
        { StringEquals: { 'aws:username': 'a' } },
        { StringNotEquals: { 'aws:username': 'b' } },
        { StringNotEquals: { 'aws:username': ['a', 'b'] } },
      ),
    });
    const request = fc.record({
      action: fc.constantFrom('s3:GetObject', 's3:PutObject'),
      key: fc.constantFrom('a', 'b', 'ab', 'a/b', 'b/', 'c'),
      userName: fc.constantFrom('a', 'b', 'c'),
      secure: fc.constantFrom('true', 'false'),
    });
    fc.assert(
      fc.property(fc.array(statement, { minLength: 2, maxLength: 3 }), request, (statements, asked) => {
        const text = document(...statements);
        const covered = lintPolicy(text).findings.find(({ rule }) =>
          /^(?:shadowed|never|duplicate)/.test(rule),
        );
        const without = statements.filter((_, index) => index !== covered?.statement?.index);
        const [before, after] = [text, document(...without)].map((each) => decide(each, asked));
        expect(after).toBe(before);
      }),
      { numRuns: 500 },
    );
  });
});

interface Asked {
  readonly action: string;
  readonly key: string;
  readonly userName: string;
  readonly secure: string;
}

function decideWith(text: string, context: Readonly<Record<string, string | undefined>>): string {
  return evaluate(
    {
      action: 's3:GetObject',
      resource: 'arn:aws:s3:::logs/a',
      resourceAccount: '111122223333',
      principal: { type: 'user', arn: 'arn:aws:iam::111122223333:user/a', accountId: '111122223333' },
      context: (name) => context[name],
    },
    { identity: compilePolicy(parsePolicy(text, { type: 'identity' }), { name: 'p' }) },
  ).effect;
}

function decide(text: string, { action, key, userName, secure }: Asked): string {
  const context: Readonly<Record<string, string>> = {
    'aws:username': userName,
    'aws:securetransport': secure,
  };
  const arn = `arn:aws:iam::111122223333:user/${userName}`;
  return evaluate(
    {
      action,
      resource: `arn:aws:s3:::b/${key}`,
      resourceAccount: '111122223333',
      principal: { type: 'user', arn, accountId: '111122223333', userName },
      context: (name) => context[name],
    },
    { identity: compilePolicy(parsePolicy(text, { type: 'identity' }), { name: 'p' }) },
  ).effect;
}

describe('policies that are taken', () => {
  test.each(globSync('policies/*/*.json', { cwd: ROOT }).toSorted())(
    '%s: nothing that is not meant',
    (file) => {
      const { findings } = lintPolicy(readFileSync(join(ROOT, file), 'utf8'));
      const meant = file.endsWith('public-read.json') ? ['public-access'] : [];
      expect(findings.map(({ rule }) => rule)).toEqual(meant);
    },
  );

  test('are no errors of lint, and refused ones are: the documents of the policy cases', () => {
    const cases = globSync('test/policy/cases/validation.jsonl', { cwd: ROOT })
      .flatMap((file) => readFileSync(join(ROOT, file), 'utf8').split('\n').filter(Boolean))
      .map((line) => JSON.parse(line) as ValidationCase)
      .filter(({ policyType }) => policyType !== undefined);
    expect(cases.length).toBeGreaterThan(90);
    for (const { id, document: policy, policyType, bucket, expected } of cases) {
      const text = typeof policy === 'string' ? policy : JSON.stringify(policy);
      const { findings } = lintPolicy(text, {
        type: policyType ?? 'resource',
        ...(bucket === undefined ? {} : { bucket }),
      });
      const isRefused = findings.some(({ severity }) => severity === 'error');
      expect({ id, isRefused }).toEqual({ id, isRefused: expected !== 'Valid' });
    }
  });

  test('in decision cases are no errors either', () => {
    const documents = globSync('test/policy/cases/*.jsonl', { cwd: ROOT })
      .flatMap((file) => readFileSync(join(ROOT, file), 'utf8').split('\n').filter(Boolean))
      .map((line) => JSON.parse(line) as DecisionCase)
      .filter(({ kind }) => kind === undefined || kind === 'decision')
      .flatMap(({ identityPolicies = [], resourcePolicy }) =>
        [
          identityPolicies.map((each) => [each, 'identity'] as const),
          [resourcePolicy ?? []].flat().map((each) => [each, 'resource'] as const),
        ].flat(),
      );
    expect(documents.length).toBeGreaterThan(200);
    for (const [policy, type] of documents) {
      const text = typeof policy === 'string' ? policy : JSON.stringify(policy);
      const errors = lintPolicy(text, { type }).findings.filter(({ severity }) => severity === 'error');
      expect({ text, errors }).toEqual({ text, errors: [] });
    }
  });
});

interface ValidationCase {
  readonly id: string;
  readonly document: unknown;
  readonly policyType?: PolicyType;
  readonly bucket?: string;
  readonly expected: string;
}

interface DecisionCase {
  readonly kind?: string;
  readonly identityPolicies?: readonly unknown[];
  readonly resourcePolicy?: unknown;
}

test('whatever the document, lint says something or nothing, and never fails', () => {
  const word = fc.oneof(
    fc.constantFrom(
      '*',
      's3:*',
      's3:GetObject',
      'S3:get*',
      'arn:aws:s3:::b/*',
      'arn:aws:s3:::b',
      'arn:',
      '${',
    ),
    fc.constantFrom('${aws:username}', 'true', '10', '10.0.0.0/8', '2026-01-01', '', '😀', '\u0000'),
    fc.string({ maxLength: 6 }),
  );
  const words = fc.oneof(word, fc.array(word, { maxLength: 3 }));
  const condition = fc.dictionary(
    fc.constantFrom(
      'StringEquals',
      'ForAllValues:StringLike',
      'NumericLessThan',
      'IpAddress',
      'Bool',
      'Null',
      'ArnLike',
      'DateGreaterThanIfExists',
    ),
    fc.dictionary(
      fc.constantFrom(
        'aws:SourceIp',
        's3:prefix',
        'aws:TagKeys',
        's3:TlsVersion',
        'aws:SecureTransport',
        'aws:x',
        'S3:MAX-KEYS',
      ),
      words,
      { maxKeys: 2 },
    ),
    { maxKeys: 2 },
  );
  const statement = fc.record(
    {
      Effect: fc.constantFrom('Allow', 'Deny'),
      Principal: fc.oneof(fc.constant('*'), fc.record({ AWS: words })),
      NotPrincipal: fc.record({ AWS: words }),
      Action: words,
      NotAction: words,
      Resource: words,
      NotResource: words,
      Condition: condition,
    },
    { requiredKeys: ['Effect'] },
  );
  const statements = fc.oneof(fc.array(statement, { maxLength: 4 }), statement, fc.jsonValue());
  const type = fc.constantFrom<PolicyType>('resource', 'identity', 'session', 'boundary', 'trust');
  fc.assert(
    fc.property(statements, type, fc.constantFrom('2012-10-17', '2008-10-17'), (Statement, kind, Version) => {
      const text = JSON.stringify({ Version, Statement });
      for (const options of [{}, { type: kind }]) {
        for (const { line, column } of lintPolicy(text, options).findings) {
          expect(line).toBe(1);
          expect(column).toBeGreaterThan(0);
        }
      }
    }),
    { numRuns: 1000 },
  );
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(lintPolicy(text).findings.length).toBeGreaterThan(0);
    }),
  );
});

describe('keys that no request here has', () => {
  test('are those of docs/condition-keys.md, but for what sessions and other services have', () => {
    const never = CONDITION_KEYS.filter(isAbsent).map(({ name }) => name);
    const listed = Object.values(ABSENT_KEYS).flat();
    expect(listed.filter((key) => !never.includes(key))).toEqual([]);
    const left = never.filter((key) => !listed.includes(key) && !key.startsWith('s3'));
    expect(left.toSorted()).toEqual([
      'aws:AssumedRoot',
      'aws:FederatedProvider',
      'aws:MultiFactorAuthAge',
      'aws:MultiFactorAuthPresent',
      'aws:SourceIdentity',
      'aws:TokenIssueTime',
      'identitystore:UserId',
    ]);
  });

  test.each([
    ['Allow', { StringEquals: { 'aws:PrincipalOrgID': 'o-1' } }, 'never holds, and the Allow never applies'],
    ['Allow', { StringNotLike: { 'AWS:sourcevpce': 'v' } }, 'always holds, and the Allow is not narrowed'],
    ['Deny', { StringNotEqualsIfExists: { 'aws:SourceVpc': 'v' } }, 'always holds, and the Deny refuses all'],
    ['Deny', { Null: { 'aws:SourceVpce': 'false' } }, 'never holds, and the Deny never applies'],
    ['Deny', { Null: { 'aws:ResourceTag/a': 'true' } }, 'always holds, and the Deny refuses all'],
  ])('%s if %j', (Effect, Condition, words) => {
    const { findings } = lintPolicy(document(allow({ Effect, Condition })));
    expect(findings.find(({ rule }) => rule === 'condition-key-absent')?.message).toContain(words);
  });
});

describe('wildcards that are none', () => {
  test.each([
    ['StringEquals', 'aws:PrincipalArn', 'arn:aws:iam::111122223333:user/*', true],
    ['StringNotEqualsIgnoreCase', 'aws:username', 'adm*', true],
    ['ForAnyValue:StringEquals', 'aws:TagKeys', 'a*', true],
    ['StringLike', 'aws:username', 'adm*', false],
    ['ArnEquals', 'aws:PrincipalArn', 'arn:aws:iam::111122223333:user/*', false],
    ['StringEquals', 'aws:username', 'adm${*}', false],
    ['StringEquals', 's3:if-none-match', '*', false],
  ])('%s on %s with `%s`: %s', (operator, key, value, isSaid) => {
    const found = rules(when({ [operator]: { [key]: value } }));
    expect(found.includes('literal-wildcard')).toBe(isSaid);
  });
});

describe('half of a bucket', () => {
  test.each([
    [[allow({ Action: 's3:*', Resource: BUCKET })], true],
    [[allow({ Action: '*', Resource: [BUCKET] })], true],
    [[allow({ Action: 's3:*', Resource: [BUCKET, OBJECTS] })], false],
    [[allow({ Action: 's3:*', Resource: BUCKET }), allow({ Action: 's3:Get*' })], false],
    [[allow({ Action: 's3:List*', Resource: BUCKET })], false],
    [[allow({ Action: 's3:*', Resource: '*' })], false],
  ])('an Allow of everything on the bucket alone: %#', (statements, isSaid) => {
    expect(rules(document(...statements)).includes('allow-one-level')).toBe(isSaid);
  });

  test.each([
    [`${BUCKET}/team/`, true],
    [`${BUCKET}/`, true],
    [[`${BUCKET}/team/`, `${BUCKET}/team/*`], false],
    [`${BUCKET}/team/*`, false],
    [`${BUCKET}/team`, false],
  ])('a folder without what is in it: %j', (Resource, isSaid) => {
    expect(rules(document(allow({ Resource }))).includes('folder-without-wildcard')).toBe(isSaid);
  });
});

describe('variables', () => {
  test('a wildcard right behind one also names neighbours: `al` would read what is of `alice`', () => {
    const Resource = `${BUCKET}/home/\${aws:username}*`;
    expect(lintPolicy(document(allow({ Resource }))).findings).toMatchObject([
      { rule: 'prefix-without-slash', fix: `write \`${BUCKET}/home/\${aws:username}/*\`` },
    ]);
    const Condition = { StringLike: { 's3:prefix': 'home/${aws:username}*' } };
    expect(rules(document(allow({ Action: 's3:ListBucket', Resource: BUCKET, Condition })))).toEqual([
      'prefix-without-slash',
    ]);
    expect(rules(document(allow({ Resource: `${BUCKET}/home/\${*}*` })))).toEqual([]);
  });

  test('of a name that no key has are told, with the one that is meant', () => {
    expect(lintPolicy(document(allow({ Resource: `${BUCKET}/\${aws:usernam}/*` }))).findings).toMatchObject([
      { rule: 'unknown-condition-key', fix: 'write `aws:username`' },
    ]);
  });

  test('are named as they are written; no default is advised where it would let somebody in', () => {
    const Resource = `${BUCKET}/\${aws:PrincipalTag/team}/*`;
    const [finding] = lintPolicy(document(allow({ Resource }))).findings;
    expect(finding?.message).toContain('no `aws:PrincipalTag/team`');
    expect(finding?.fix).toMatch(/^leave it/);
    expect(lintPolicy(document(deny({ Resource }))).findings).toMatchObject([
      { severity: 'warning', fix: expect.stringMatching(/^give it a default/) },
    ]);
  });
});

test.each([
  ['', 'is empty', 'write a policy, or remove the file'],
  [' \r\n', 'is empty', 'write a policy, or remove the file'],
  ['\u{feff}{}', 'starts with a byte order mark', 'save it without one'],
  ['[]', 'does not start with `{`', 'remove what stands before it'],
])('a document that is none says what it is: %j', (text, problem, fix) => {
  expect(lintPolicy(text).findings).toMatchObject([{ message: expect.stringContaining(problem), fix }]);
});

test('a dot for the colon of an action is told with the action that is meant', () => {
  expect(lintPolicy(document(allow({ Action: 's3.GetObject' }))).findings).toMatchObject([
    { severity: 'error', fix: 'write `s3:GetObject`' },
  ]);
});
