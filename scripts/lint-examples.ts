/** For each rule of `policy lint` a policy on which it fires, and the same policy put right: for docs/policy-lint.md and its test. */
import type { LintFinding } from '../src/policy/index.ts';

/** A whole document as text, or the statements of one of version 2012-10-17. */
type Example = string | object | readonly object[];

interface RuleExamples {
  readonly bad: Example;
  readonly good: Example;
}

/** The text of the document. */
export function exampleText(example: Example): string {
  if (typeof example === 'string') return example;
  const statements = Array.isArray(example) ? (example as readonly object[]) : [example];
  return JSON.stringify({ Version: '2012-10-17', Statement: statements }, undefined, 2);
}

const BUCKET = 'arn:aws:s3:::amzn-s3-demo-bucket';
const OBJECTS = `${BUCKET}/*`;
const ALICE = { AWS: 'arn:aws:iam::111122223333:user/alice' };
const BOTH = [BUCKET, OBJECTS];

const read = { Effect: 'Allow', Action: 's3:GetObject', Resource: OBJECTS };
const list = { Effect: 'Allow', Action: 's3:ListBucket', Resource: BUCKET };
const write = { Effect: 'Allow', Action: 's3:PutObject', Resource: OBJECTS };
const deny = { Effect: 'Deny', Action: 's3:*', Resource: BOTH };
const listed = (prefix: string | readonly string[], operator = 'StringLike') => ({
  ...list,
  Condition: { [operator]: { 's3:prefix': prefix } },
});

export const RULE_EXAMPLES: Readonly<Record<LintFinding['rule'], RuleExamples>> = {
  'invalid-json': {
    bad: '{\n  "Version": "2012-10-17",\n  "Statement": [],\n}',
    good: '{\n  "Version": "2012-10-17",\n  "Statement": []\n}',
  },
  malformed: {
    bad: { Effect: 'allow', Action: 's3:GetObject', Resource: OBJECTS },
    good: read,
  },
  'invalid-principal': {
    bad: { ...read, Principal: { AWS: 'arn:aws:iam::111122223333:user/*' } },
    good: { ...read, Principal: ALICE },
  },
  'invalid-resource': {
    bad: { ...read, Resource: 'amzn-s3-demo-bucket/*' },
    good: read,
  },
  'unknown-action': {
    bad: { ...read, Action: ['s3:HeadObject', 's3:GetObjectTaging'] },
    good: { ...read, Action: ['s3:GetObject', 's3:GetObjectTagging'] },
  },
  'other-service': {
    bad: { ...read, Action: ['s3:GetObject', 'kms:Decrypt'] },
    good: read,
  },
  'action-without-resource': {
    bad: { ...list, Action: ['s3:ListBucket', 's3:GetObject'] },
    good: { ...list, Action: ['s3:ListBucket', 's3:GetObject'], Resource: BOTH },
  },
  'deny-one-level': {
    bad: { ...deny, Resource: OBJECTS, Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
    good: { ...deny, Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
  },
  'allow-one-level': {
    bad: { ...read, Action: 's3:*', Resource: BUCKET },
    good: { ...read, Action: 's3:*', Resource: BOTH },
  },
  'unknown-condition-key': {
    bad: { ...read, Condition: { IpAddress: { 'aws:SourceIP4': '203.0.113.0/24' } } },
    good: { ...read, Condition: { IpAddress: { 'aws:SourceIp': '203.0.113.0/24' } } },
  },
  'condition-key-not-carried': {
    bad: { ...read, Condition: { StringLike: { 's3:prefix': 'team/*' } } },
    good: listed('team/*'),
  },
  'condition-key-absent': {
    bad: { ...deny, Condition: { StringNotEquals: { 'aws:SourceVpce': 'vpce-1a2b3c4d' } } },
    good: { ...deny, Condition: { NotIpAddress: { 'aws:SourceIp': '203.0.113.0/24' } } },
  },
  'multivalued-key': {
    bad: { ...write, Condition: { StringEquals: { 's3:RequestObjectTagKeys': 'team' } } },
    good: { ...write, Condition: { 'ForAnyValue:StringEquals': { 's3:RequestObjectTagKeys': 'team' } } },
  },
  'single-valued-key': {
    bad: { ...read, Condition: { 'ForAnyValue:StringEquals': { 'aws:username': 'alice' } } },
    good: { ...read, Condition: { StringEquals: { 'aws:username': 'alice' } } },
  },
  'operator-type': {
    bad: { ...read, Condition: { StringEquals: { 'aws:SourceIp': '203.0.113.0/24' } } },
    good: { ...read, Condition: { IpAddress: { 'aws:SourceIp': '203.0.113.0/24' } } },
  },
  'value-case': {
    bad: { ...read, Condition: { StringEquals: { 'aws:SecureTransport': 'True' } } },
    good: { ...read, Condition: { Bool: { 'aws:SecureTransport': 'true' } } },
  },
  'literal-wildcard': {
    bad: { ...read, Condition: { StringEquals: { 'aws:PrincipalTag/team': 'red-*' } } },
    good: { ...read, Condition: { StringLike: { 'aws:PrincipalTag/team': 'red-*' } } },
  },
  'value-unit': {
    bad: { ...deny, Condition: { NumericGreaterThan: { 's3:signatureAge': '600' } } },
    good: { ...deny, Condition: { NumericGreaterThan: { 's3:signatureAge': '600000' } } },
  },
  'impossible-condition': {
    bad: {
      ...read,
      Condition: {
        StringEquals: { 'aws:PrincipalTag/team': 'red' },
        StringLike: { 'aws:PrincipalTag/team': 'blue-*' },
      },
    },
    good: { ...read, Condition: { StringLike: { 'aws:PrincipalTag/team': ['red', 'blue-*'] } } },
  },
  'public-access': {
    bad: { ...read, Principal: '*' },
    good: { ...read, Principal: ALICE },
  },
  'weak-narrowing': {
    bad: {
      ...read,
      Principal: '*',
      Condition: { StringLike: { 'aws:Referer': 'https://www.example.com/*' } },
    },
    good: { ...read, Principal: '*', Condition: { IpAddress: { 'aws:SourceIp': '203.0.113.0/24' } } },
  },
  'allow-by-exclusion': {
    bad: { Effect: 'Allow', NotAction: 's3:DeleteObject', Resource: BOTH },
    good: { Effect: 'Allow', Action: ['s3:GetObject', 's3:ListBucket', 's3:PutObject'], Resource: BOTH },
  },
  'deny-by-principal-exclusion': {
    bad: { ...deny, NotPrincipal: ALICE },
    good: {
      ...deny,
      Principal: '*',
      Condition: { ArnNotEquals: { 'aws:PrincipalArn': ALICE.AWS } },
    },
  },
  'service-principal': {
    bad: { ...write, Principal: { Service: 'logging.s3.amazonaws.com' } },
    good: { ...write, Principal: ALICE },
  },
  'for-all-values-allow': {
    bad: { ...write, Condition: { 'ForAllValues:StringEquals': { 's3:RequestObjectTagKeys': ['team'] } } },
    good: {
      ...write,
      Condition: {
        'ForAllValues:StringEquals': { 's3:RequestObjectTagKeys': ['team'] },
        Null: { 's3:RequestObjectTagKeys': 'false' },
      },
    },
  },
  'deny-without-key': {
    bad: { ...deny, Condition: { Bool: { 'aws:MultiFactorAuthPresent': 'false' } } },
    good: { ...deny, Condition: { BoolIfExists: { 'aws:MultiFactorAuthPresent': 'false' } } },
  },
  'variable-in-2008': {
    bad: JSON.stringify({ Statement: { ...read, Resource: `${BUCKET}/\${aws:username}/*` } }, undefined, 2),
    good: { ...read, Resource: `${BUCKET}/\${aws:username}/*` },
  },
  'variable-multivalued': {
    bad: { ...read, Resource: `${BUCKET}/\${aws:TagKeys}/*` },
    good: { ...read, Resource: `${BUCKET}/\${aws:username}/*` },
  },
  'variable-without-default': {
    bad: { ...deny, Action: 's3:DeleteObject', Resource: `${BUCKET}/\${aws:PrincipalTag/team}/*` },
    good: {
      ...deny,
      Action: 's3:DeleteObject',
      Resource: `${BUCKET}/\${aws:PrincipalTag/team, 'shared'}/*`,
    },
  },
  'bucket-wildcard': {
    bad: { ...read, Action: ['s3:GetObject', 's3:ListBucket'], Resource: `${BUCKET}*` },
    good: { ...read, Action: ['s3:GetObject', 's3:ListBucket'], Resource: BOTH },
  },
  'prefix-without-slash': {
    bad: { ...read, Resource: `${BUCKET}/team*` },
    good: { ...read, Resource: `${BUCKET}/team/*` },
  },
  'folder-without-wildcard': {
    bad: { ...read, Resource: `${BUCKET}/team/` },
    good: { ...read, Resource: `${BUCKET}/team/*` },
  },
  'prefix-leading-slash': {
    bad: { ...read, Resource: `${BUCKET}//team/*` },
    good: { ...read, Resource: `${BUCKET}/team/*` },
  },
  'listing-without-prefix': {
    bad: listed('*'),
    good: list,
  },
  'listing-of-everything': {
    bad: listed(['', 'team/'], 'StringEquals'),
    good: {
      ...list,
      Condition: { StringEquals: { 's3:prefix': ['', 'team/'], 's3:delimiter': '/' } },
    },
  },
  'listing-around-deny': {
    bad: { ...list, Effect: 'Deny', Condition: { StringLike: { 's3:prefix': 'secret/*' } } },
    good: { ...list, Effect: 'Deny', Condition: { StringNotLike: { 's3:prefix': 'team/*' } } },
  },
  'several-buckets': {
    bad: { ...read, Principal: ALICE, Resource: [OBJECTS, 'arn:aws:s3:::amzn-s3-demo-bucket1/*'] },
    good: { ...read, Principal: ALICE },
  },
  'empty-element': {
    bad: { ...read, Resource: [] },
    good: read,
  },
  'duplicate-statement': {
    bad: [read, list, read],
    good: [read, list],
  },
  'shadowed-statement': {
    bad: [
      { ...read, Action: 's3:Get*' },
      { ...read, Resource: `${BUCKET}/team/*` },
    ],
    good: [{ ...read, Resource: `${BUCKET}/team/*` }],
  },
  'never-grants': {
    bad: [read, { ...deny, Action: 's3:*Object' }],
    good: [read, { ...deny, Action: ['s3:PutObject', 's3:DeleteObject'] }],
  },
  'redundant-pattern': {
    bad: { ...read, Action: ['s3:GetObject', 's3:Get*'] },
    good: { ...read, Action: 's3:Get*' },
  },
};
