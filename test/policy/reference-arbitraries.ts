/**
 * Requests and policies for the comparison with the reference: everything comes from small pools of values that lie
 * near each other, so that statements of one kind of policy meet those of another.
 */
import * as fc from 'fast-check';
import type { PolicyPrincipal } from '../../src/policy/index.ts';
import { conditionBlock, contextValues, type ContextEntry } from './reference-condition-arbitraries.ts';

export interface RequestCase {
  readonly action: string;
  readonly resource: string;
  readonly resourceAccount: string;
  readonly principal: PolicyPrincipal;
  readonly context: readonly ContextEntry[];
}

/** Documents as JSON text. */
export interface PolicyTexts {
  readonly identity: readonly string[];
  readonly resource: string | undefined;
  readonly boundary: string | undefined;
  readonly session: readonly string[] | undefined;
}

/** Several requests to the same policies: what is kept from one of them must not show in the next. */
export interface EvaluationCase {
  readonly policies: PolicyTexts;
  readonly requests: readonly RequestCase[];
}

/** On average the most requests and one, halved. */
export function evaluationCases(options: { readonly mostRequests: number }): fc.Arbitrary<EvaluationCase> {
  return fc.record({
    policies: policyTexts,
    requests: fc.array(requestCase, { minLength: 1, maxLength: options.mostRequests, size: 'max' }),
  });
}

/** A statement as JSON.parse gives it. */
export interface StatementJson extends Readonly<Record<string, unknown>> {
  readonly Effect: 'Allow' | 'Deny';
}

const ACCOUNT = '111122223333';
const OTHER_ACCOUNT = '444455556666';
const CANONICAL_ID = '79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be';
const PROVIDER = 'cognito-identity.amazonaws.com';

const pick = fc.constantFrom;

function sometimes<Value>(value: fc.Arbitrary<Value>, weight: number): fc.Arbitrary<Value | undefined> {
  return fc.oneof({ weight: 2, arbitrary: fc.constant(undefined) }, { weight, arbitrary: value });
}

const PRINCIPALS: readonly PolicyPrincipal[] = [
  {
    type: 'user',
    arn: `arn:aws:iam::${ACCOUNT}:user/alice`,
    accountId: ACCOUNT,
    userName: 'alice',
    userId: 'AIDACKCEVSQ6C2EXAMPLE',
    canonicalUserId: CANONICAL_ID,
  },
  { type: 'user', arn: `arn:aws:iam::${ACCOUNT}:user/team/alice`, accountId: ACCOUNT, userName: 'alice' },
  { type: 'user', arn: `arn:aws:iam::${ACCOUNT}:user/a*`, accountId: ACCOUNT, userName: 'a*' },
  {
    type: 'role-session',
    arn: `arn:aws:sts::${ACCOUNT}:assumed-role/app/run1`,
    accountId: ACCOUNT,
    roleArn: `arn:aws:iam::${ACCOUNT}:role/team/app`,
    userId: 'AROADBQP57FF2AEXAMPLE:run1',
  },
  {
    type: 'role-session',
    arn: `arn:aws:sts::${ACCOUNT}:assumed-role/app/run2`,
    accountId: ACCOUNT,
    roleArn: `arn:aws:iam::${ACCOUNT}:role/app`,
    userId: 'AROAQ7EXAMPLE7EXAMPLE:run2',
    federatedProvider: PROVIDER,
  },
  {
    // The role itself, without a session.
    type: 'role-session',
    arn: `arn:aws:iam::${ACCOUNT}:role/app`,
    accountId: ACCOUNT,
    roleArn: `arn:aws:iam::${ACCOUNT}:role/app`,
  },
  {
    type: 'federated',
    arn: `arn:aws:sts::${ACCOUNT}:federated-user/fred`,
    accountId: ACCOUNT,
    userId: `${ACCOUNT}:fred`,
  },
  { type: 'root', arn: `arn:aws:iam::${ACCOUNT}:root`, accountId: ACCOUNT, userId: ACCOUNT },
];

const STRANGERS: readonly PolicyPrincipal[] = [
  { type: 'anonymous' },
  {
    type: 'user',
    arn: `arn:aws:iam::${OTHER_ACCOUNT}:user/alice`,
    accountId: OTHER_ACCOUNT,
    userName: 'alice',
    canonicalUserId: CANONICAL_ID,
  },
  {
    type: 'role-session',
    arn: `arn:aws:sts::${OTHER_ACCOUNT}:assumed-role/app/run1`,
    accountId: OTHER_ACCOUNT,
    roleArn: `arn:aws:iam::${OTHER_ACCOUNT}:role/app`,
  },
  { type: 'root', arn: `arn:aws:iam::${OTHER_ACCOUNT}:root`, accountId: OTHER_ACCOUNT },
];

const oftenOwnAccount = fc.oneof(
  { weight: 3, arbitrary: pick(...PRINCIPALS) },
  { weight: 1, arbitrary: pick(...STRANGERS) },
);

function impliedContext(principal: PolicyPrincipal): ContextEntry[] {
  if (principal.type === 'anonymous') return [['aws:principaltype', 'Anonymous']];
  const entries: ContextEntry[] = [
    ['aws:principalarn', principal.roleArn ?? principal.arn],
    ['aws:principalaccount', principal.accountId],
  ];
  if (principal.userName !== undefined) entries.push(['aws:username', principal.userName]);
  return entries;
}

const bucket = pick('logs', 'logs-2', 'log');
const keyPieces = pick(
  'a',
  'b',
  'c',
  'abcc',
  '*',
  '?',
  '/',
  '\n',
  '\u2028',
  ':',
  '.',
  '😀',
  'alice',
  '$',
  '{',
  '}',
);
const key = fc.oneof(
  pick(
    'a',
    'a/b',
    'abc',
    'abcc',
    'a*c',
    'a\nc',
    'a😀c',
    '../a',
    'a//b',
    './a',
    'alice/x',
    '*/x',
    'A',
    'a%2Fb',
  ),
  pick('${aws:username}/x', 'é', 'e\u0301', 'red/x', 'a:b'),
  fc.string({ unit: keyPieces, minLength: 1, maxLength: 6 }),
);

const mixedCase = (names: readonly string[]): fc.Arbitrary<string> =>
  fc
    .tuple(pick(...names), fc.nat(5))
    .map(([name, style]) => (style === 0 ? name.toLowerCase() : style === 1 ? name.toUpperCase() : name));

const objectRequest = fc
  .tuple(mixedCase(['s3:GetObject', 's3:PutObject', 's3:DeleteObject']), bucket, key)
  .map(([action, name, path]) => ({ action, resource: `arn:aws:s3:::${name}/${path}` }));
const bucketRequest = fc
  .tuple(
    mixedCase(['s3:ListBucket', 's3:GetBucketPolicy', 's3:PutBucketPolicy', 's3:DeleteBucketPolicy']),
    bucket,
  )
  .map(([action, name]) => ({ action, resource: `arn:aws:s3:::${name}` }));
const serviceRequest = fc.constant({ action: 's3:ListAllMyBuckets', resource: 'arn:aws:s3:::*' });

const actionPattern = mixedCase([
  '*',
  '*',
  's3:*',
  's3:*',
  's3:Get*',
  's3:GetObject',
  's3:PutObject',
  's3:?etObject',
  's3:*Object',
  's3:*t*t',
  's3:ListBucket',
  's3:*Bucket*',
  's3:*BucketPolicy',
]);
const actionOfIdentity = fc.oneof(
  { weight: 6, arbitrary: actionPattern },
  {
    weight: 1,
    arbitrary: pick('s3:ListAllMyBuckets', 'ec2:*', '*:GetObject', 's3:Get', 's?:*', 'S3:getobject'),
  },
);

const keyPattern = fc.oneof(
  pick('*', 'a*', '*c', 'a*c', 'a?c', '?', '*/*', 'a/*', '*a*b*', 'abc', 'abcc', '../*', 'é', '😀*', '?😀*'),
  pick(
    '${aws:username}/*',
    '${AWS:UserName}/x',
    "${aws:PrincipalTag/Team, 'red'}/*",
    "${aws:PrincipalTag/team,'*'}/x",
    '${aws:PrincipalTag/Team}*',
    '${aws:TagKeys}*',
    'a${*}c',
    '${?}',
    '${$}{aws:username}/x',
    '*${aws:PrincipalTag/Team}',
  ),
  fc.string({
    unit: fc.oneof(keyPieces, pick('*', '?', '${aws:username}', '${*}', '${aws:PrincipalTag/Team}')),
    minLength: 1,
    maxLength: 5,
  }),
);
const bucketPattern = pick('logs', 'logs', 'log*', 'log?', '*', 'logs-?', '*s', '?ogs', 'l*g*');
const s3Arn = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(bucketPattern, keyPattern).map(([name, path]) => `arn:aws:s3:::${name}/${path}`),
  },
  { weight: 2, arbitrary: bucketPattern.map((name) => `arn:aws:s3:::${name}`) },
  { weight: 2, arbitrary: pick('*', 'arn:aws:s3:::*') },
);
const anyArn = fc.oneof(
  { weight: 12, arbitrary: s3Arn },
  {
    weight: 1,
    arbitrary: pick(
      'arn:aws:s3',
      'arn:aws:s3:*',
      'arn:*:s3:::logs/*',
      'arn:aws:s?:::logs*',
      'arn:aws:*:*:*:*',
      'arn:aws:s3:us-east-1::logs/*',
      'arn:aws:s3:${aws:PrincipalTag/Team}::logs/*',
      'arn:aws:sqs:::logs/*',
      'arn:aws:s3:::${aws:PrincipalTag/Team}',
      'arn:aws:s3:::logs/a:b*',
    ),
  },
);

const PRINCIPAL_ENTRIES: readonly (readonly [type: string, value: string])[] = [
  ['AWS', '*'],
  ['AWS', '*'],
  ['AWS', ACCOUNT],
  ['AWS', `arn:aws:iam::${ACCOUNT}:root`],
  ['AWS', OTHER_ACCOUNT],
  ['AWS', `arn:aws:iam::${ACCOUNT}:user/alice`],
  ['AWS', `arn:aws:iam::${ACCOUNT}:user/team/alice`],
  ['AWS', `arn:aws:iam::${ACCOUNT}:role/team/app`],
  ['AWS', `arn:aws:iam::${ACCOUNT}:role/app`],
  ['AWS', `arn:aws:sts::${ACCOUNT}:assumed-role/app/run1`],
  ['AWS', `arn:aws:sts::${ACCOUNT}:assumed-role/app/run2`],
  ['AWS', `arn:aws:sts::${ACCOUNT}:federated-user/fred`],
  ['AWS', `arn:aws:iam::${OTHER_ACCOUNT}:user/alice`],
  ['AWS', `arn:aws:sts::${OTHER_ACCOUNT}:assumed-role/app/run1`],
  ['AWS', 'AIDACKCEVSQ6C2EXAMPLE'],
  ['AWS', 'AROADBQP57FF2AEXAMPLE'],
  ['CanonicalUser', CANONICAL_ID],
  ['Federated', PROVIDER],
  ['Service', 's3.amazonaws.com'],
];

/** `"*"`, or an object of types with a value or a list of values. */
const principalElement = fc.oneof(
  { weight: 2, arbitrary: fc.constant('*') },
  {
    weight: 5,
    arbitrary: fc
      .array(pick(...PRINCIPAL_ENTRIES), { minLength: 1, maxLength: 5, size: 'max' })
      .map((entries) => {
        const element: Record<string, string | string[]> = {};
        for (const [type, value] of entries) {
          const before = element[type];
          element[type] = before === undefined ? value : [before, value].flat();
        }
        return element;
      }),
  },
);

const oneOrMore = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | Value[]> =>
  fc.oneof(value, fc.array(value, { minLength: 1, maxLength: 2 }));

function statementOf(kind: 'identity' | 'resource' | 'limit'): fc.Arbitrary<StatementJson> {
  return fc
    .record({
      Effect:
        kind === 'limit' ? pick('Allow', 'Allow', 'Allow', 'Allow', 'Deny') : pick('Allow', 'Allow', 'Deny'),
      actions: oneOrMore(kind === 'resource' ? actionPattern : actionOfIdentity),
      resources: oneOrMore(kind === 'resource' ? s3Arn : anyArn),
      principals: principalElement,
      Condition: conditionBlock,
      negated: fc.record({ action: fc.nat(9), resource: fc.nat(9), principal: fc.nat(3) }),
      limitless: fc.nat(3),
    })
    .map(({ Effect, actions, resources, principals, Condition, negated, limitless }) => {
      const statement: { Effect: 'Allow' | 'Deny'; [element: string]: unknown } = { Effect };
      if (kind === 'resource') {
        statement[negated.principal === 0 && Effect === 'Deny' ? 'NotPrincipal' : 'Principal'] = principals;
      }
      const isWide = limitless > 0;
      statement[negated.action === 0 ? 'NotAction' : 'Action'] = kind === 'limit' && isWide ? '*' : actions;
      statement[negated.resource === 0 ? 'NotResource' : 'Resource'] =
        kind === 'resource' && isWide ? [resources, UNUSED].flat() : resources;
      if (Condition !== undefined) statement['Condition'] = Condition;
      return statement;
    });
}

/** A bucket policy's actions must apply to its resources; these take every action and no request is for them. */
const UNUSED = ['arn:aws:s3:::unused', 'arn:aws:s3:::unused/*'];

function policyOf(kind: 'identity' | 'resource' | 'limit'): fc.Arbitrary<string> {
  return fc
    .record({
      version: pick('2012-10-17', '2012-10-17', '2012-10-17', '2008-10-17', undefined),
      statements: fc.array(statementOf(kind), {
        minLength: 1,
        maxLength: kind === 'limit' ? 2 : 3,
        size: 'max',
      }),
      alone: fc.boolean(),
    })
    .map(({ version, statements, alone }) =>
      JSON.stringify({
        ...(version !== undefined && { Version: version }),
        Statement: alone && statements.length === 1 ? statements[0] : statements,
      }),
    );
}

export const policyTexts: fc.Arbitrary<PolicyTexts> = fc.record({
  identity: fc.array(policyOf('identity'), { maxLength: 2, size: 'max' }),
  resource: sometimes(policyOf('resource'), 3),
  boundary: sometimes(policyOf('limit'), 1),
  session: sometimes(fc.array(policyOf('limit'), { minLength: 1, maxLength: 2 }), 1),
});

export const requestCase: fc.Arbitrary<RequestCase> = fc
  .record({
    asked: fc.oneof(
      { weight: 6, arbitrary: objectRequest },
      { weight: 2, arbitrary: bucketRequest },
      { weight: 1, arbitrary: serviceRequest },
    ),
    principal: oftenOwnAccount,
    overridden: contextValues,
  })
  .map(({ asked: { action, resource }, principal, overridden }) => ({
    action,
    resource,
    resourceAccount: ACCOUNT,
    principal,
    context: [...impliedContext(principal), ...overridden],
  }));

/** A statement that may stand in a policy of the kind. */
export const statementToAdd = fc.oneof(
  fc.record({ kind: fc.constant('identity' as const), statement: statementOf('identity') }),
  fc.record({ kind: fc.constant('resource' as const), statement: statementOf('resource') }),
  fc.record({ kind: pick('boundary' as const, 'session' as const), statement: statementOf('limit') }),
);
