/** Condition keys out of headers, parameters and bodies, as a bucket policy sees them. */
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Signable } from '../sigv4/independent-signer.ts';
import { gatewayOver } from './gateway-over.ts';

type Condition = Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;

interface Case {
  readonly action: string;
  readonly request: Pick<Signable, 'method' | 'query' | 'headers'> & {
    readonly key?: string;
    readonly body?: string;
  };
  readonly holds: Condition;
  readonly fails: Condition;
}

const IN_TEN_DAYS = new Date(Date.now() + 10 * 86_400_000 - 60_000).toISOString();

function tagging(key: string, value: string): string {
  return `<Tagging><TagSet><Tag><Key>${key}</Key><Value>${value}</Value></Tag></TagSet></Tagging>`;
}

const RETENTION = `<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>${IN_TEN_DAYS}</RetainUntilDate></Retention>`;
const INVENTORY =
  '<InventoryConfiguration><Destination><S3BucketDestination><Bucket>arn:aws:s3:::elsewhere</Bucket><Format>CSV</Format></S3BucketDestination></Destination><IsEnabled>true</IsEnabled><Id>i</Id><IncludedObjectVersions>All</IncludedObjectVersions><OptionalFields><Field>Size</Field></OptionalFields><Schedule><Frequency>Daily</Frequency></Schedule></InventoryConfiguration>';
const REPLICATION =
  '<ReplicationConfiguration><Role>arn:aws:iam::111122223333:role/r</Role><Rule><Status>Enabled</Status><Priority>1</Priority><DeleteMarkerReplication><Status>Disabled</Status></DeleteMarkerReplication><Filter><Prefix></Prefix></Filter><Destination><Bucket>arn:aws:s3:::elsewhere</Bucket></Destination></Rule></ReplicationConfiguration>';

function equals(name: string, value: string): Condition {
  return { StringEquals: { [name]: value } };
}

function put(
  headers: Readonly<Record<string, string>>,
  condition: readonly [holds: Condition, fails: Condition],
): Case {
  const request = { method: 'PUT', key: 'k', headers, body: '' };
  return { action: 's3:PutObject', request, holds: condition[0], fails: condition[1] };
}

const retention = { method: 'PUT', key: 'k', query: [['retention', '']], body: RETENTION } as const;
const copied = { method: 'PUT', key: 'k', headers: { 'x-amz-copy-source': '/bucket/a%20b?versionId=v1' } };

const CASES: Readonly<Record<string, Case>> = {
  'aws:RequestTag': {
    action: 's3:PutBucketTagging',
    request: { method: 'PUT', query: [['tagging', '']], body: tagging('Team', 'blue') },
    holds: equals('aws:RequestTag/team', 'blue'),
    fails: equals('aws:RequestTag/team', 'Blue'),
  },
  'aws:TagKeys': {
    action: 's3:PutBucketTagging',
    request: { method: 'PUT', query: [['tagging', '']], body: tagging('Team', 'blue') },
    holds: { 'ForAnyValue:StringEquals': { 'aws:TagKeys': 'Team' } },
    fails: { 'ForAnyValue:StringEquals': { 'aws:TagKeys': 'team' } },
  },
  's3:RequestObjectTag': {
    action: 's3:PutObjectTagging',
    request: { method: 'PUT', key: 'k', query: [['tagging', '']], body: tagging('a', '1') },
    holds: equals('s3:RequestObjectTag/A', '1'),
    fails: { ...equals('s3:RequestObjectTag/a', '1'), Null: { 'aws:RequestTag/a': 'false' } },
  },
  's3:RequestObjectTagKeys': put({ 'x-amz-tagging': 'a=1&b=2' }, [
    { 'ForAllValues:StringEquals': { 's3:RequestObjectTagKeys': ['a', 'b'] } },
    { 'ForAllValues:StringEquals': { 's3:RequestObjectTagKeys': ['a'] } },
  ]),
  's3:object-lock-mode': {
    action: 's3:PutObjectRetention',
    request: retention,
    holds: equals('s3:object-lock-mode', 'GOVERNANCE'),
    fails: equals('s3:object-lock-mode', 'COMPLIANCE'),
  },
  's3:object-lock-remaining-retention-days': {
    action: 's3:PutObjectRetention',
    request: retention,
    holds: { NumericGreaterThanEquals: { 's3:object-lock-remaining-retention-days': '10' } },
    fails: { NumericGreaterThan: { 's3:object-lock-remaining-retention-days': '10' } },
  },
  's3:object-lock-retain-until-date': {
    action: 's3:PutObjectRetention',
    request: retention,
    holds: { DateEquals: { 's3:object-lock-retain-until-date': IN_TEN_DAYS } },
    fails: { DateGreaterThan: { 's3:object-lock-retain-until-date': IN_TEN_DAYS } },
  },
  's3:object-lock-legal-hold': {
    action: 's3:PutObjectLegalHold',
    request: {
      method: 'PUT',
      key: 'k',
      query: [['legal-hold', '']],
      body: '<LegalHold><Status>OFF</Status></LegalHold>',
    },
    holds: equals('s3:object-lock-legal-hold', 'OFF'),
    fails: equals('s3:object-lock-legal-hold', 'ON'),
  },
  's3:InventoryAccessibleOptionalFields': {
    action: 's3:PutInventoryConfiguration',
    request: {
      method: 'PUT',
      query: [
        ['inventory', ''],
        ['id', 'i'],
      ],
      body: INVENTORY,
    },
    holds: { 'ForAnyValue:StringEquals': { 's3:InventoryAccessibleOptionalFields': 'Size' } },
    fails: { 'ForAnyValue:StringEquals': { 's3:InventoryAccessibleOptionalFields': 'ETag' } },
  },
  's3:isReplicationPauseRequest': {
    action: 's3:PutReplicationConfiguration',
    request: { method: 'PUT', query: [['replication', '']], body: REPLICATION },
    holds: { Bool: { 's3:isReplicationPauseRequest': 'false' } },
    fails: { Bool: { 's3:isReplicationPauseRequest': 'true' } },
  },
  's3:if-match': {
    action: 's3:DeleteObject',
    request: { method: 'DELETE', key: 'k', headers: { 'if-match': '"e"' } },
    holds: equals('s3:if-match', '"e"'),
    fails: { Null: { 's3:if-match': 'true' } },
  },
  's3:x-amz-copy-source': {
    action: 's3:PutObject',
    request: copied,
    holds: equals('s3:x-amz-copy-source', 'bucket/a b'),
    fails: equals('s3:x-amz-copy-source', 'bucket/k'),
  },
  's3:versionid of a copy source': {
    action: 's3:GetObjectVersion',
    request: copied,
    holds: equals('s3:versionid', 'v1'),
    fails: equals('s3:versionid', 'null'),
  },
  's3:x-amz-metadata-directive': {
    action: 's3:PutObject',
    request: { ...copied, headers: { ...copied.headers, 'x-amz-metadata-directive': 'REPLACE' } },
    holds: equals('s3:x-amz-metadata-directive', 'REPLACE'),
    fails: equals('s3:x-amz-metadata-directive', 'COPY'),
  },
  's3:ObjectCreationOperation': {
    action: 's3:PutObject',
    request: { method: 'POST', key: 'k', query: [['uploads', '']] },
    holds: { Bool: { 's3:ObjectCreationOperation': 'false' } },
    fails: { Bool: { 's3:ObjectCreationOperation': 'true' } },
  },
  's3:prefix of versions': {
    action: 's3:ListBucketVersions',
    request: {
      method: 'GET',
      query: [
        ['versions', ''],
        ['prefix', 'a/é'],
      ],
    },
    holds: equals('s3:prefix', 'a/é'),
    fails: equals('s3:prefix', 'a/'),
  },
  's3:x-amz-storage-class': put({ 'x-amz-storage-class': 'STANDARD_IA' }, [
    equals('s3:x-amz-storage-class', 'STANDARD_IA'),
    equals('s3:x-amz-storage-class', 'STANDARD'),
  ]),
  's3:x-amz-server-side-encryption': put({ 'x-amz-server-side-encryption': 'AES256' }, [
    equals('s3:x-amz-server-side-encryption', 'AES256'),
    { StringNotEquals: { 's3:x-amz-server-side-encryption': 'AES256' } },
  ]),
  's3:x-amz-server-side-encryption-aws-kms-key-id': put(
    { 'x-amz-server-side-encryption': 'aws:kms', 'x-amz-server-side-encryption-aws-kms-key-id': 'key' },
    [
      equals('s3:x-amz-server-side-encryption-aws-kms-key-id', 'key'),
      { Null: { 's3:x-amz-server-side-encryption-aws-kms-key-id': 'true' } },
    ],
  ),
  's3:x-amz-website-redirect-location': put({ 'x-amz-website-redirect-location': '/x' }, [
    equals('s3:x-amz-website-redirect-location', '/x'),
    equals('s3:x-amz-website-redirect-location', '/y'),
  ]),
  's3:x-amz-acl': put({ 'x-amz-acl': 'bucket-owner-full-control' }, [
    equals('s3:x-amz-acl', 'bucket-owner-full-control'),
    equals('s3:x-amz-acl', 'private'),
  ]),
  's3:if-none-match': put({ 'if-none-match': '*' }, [
    equals('s3:if-none-match', '*'),
    { Null: { 's3:if-none-match': 'true' } },
  ]),
};

test('a Deny holds by each key, and by its value alone', async () => {
  const gateway = await gatewayOver(
    (incoming, response) => {
      incoming.resume().on('end', () => response.end());
    },
    {},
    'buckets: [{ name: bucket, operations: [inventory, kms-keys, replication, website] }]',
  );
  const call = (request: Case['request']) => {
    const { key, body = '', ...more } = request;
    const signable = {
      ...more,
      path: key === undefined ? '/bucket' : `/bucket/${key}`,
      headers: { 'content-length': String(Buffer.byteLength(body)), ...more.headers },
      payloadHash: createHash('sha256').update(body).digest('hex'),
    };
    return gateway.call(signable, { body });
  };
  const isDenied = async ({ action, request }: Case, Condition: Condition) => {
    const Resource = ['arn:aws:s3:::bucket', 'arn:aws:s3:::bucket/*'];
    const Statement = [{ Effect: 'Deny', Principal: '*', Action: action, Resource, Condition }];
    const policy = JSON.stringify({ Version: '2012-10-17', Statement });
    const written = await call({ method: 'PUT', query: [['policy', '']], body: policy });
    expect(written).toMatchObject({ status: 204 });
    return (await call(request)).status === 403;
  };
  const outcome: Record<string, unknown> = {};
  for (const [name, one] of Object.entries(CASES))
    outcome[name] = { holds: await isDenied(one, one.holds), fails: await isDenied(one, one.fails) };
  const expected = Object.keys(CASES).map((name) => [name, { holds: true, fails: false }]);
  expect(outcome).toEqual(Object.fromEntries(expected));
});

test('an entry of DeleteObjects has its own version and entity tag', async () => {
  const gateway = await gatewayOver((incoming, response) => {
    incoming.resume().on('end', () => response.end('<DeleteResult/>'));
  });
  const Statement = ['s3:versionid', 's3:if-match'].map((key) => ({
    Effect: 'Deny',
    Principal: '*',
    Action: key === 's3:versionid' ? 's3:DeleteObjectVersion' : 's3:DeleteObject',
    Resource: 'arn:aws:s3:::bucket/*',
    Condition: { StringEquals: { [key]: 'x' } },
  }));
  const send = (method: string, parameter: string, body: string) =>
    gateway.call(
      {
        method,
        path: '/bucket',
        query: [[parameter, '']],
        headers: { 'content-length': String(body.length) },
        payloadHash: createHash('sha256').update(body).digest('hex'),
      },
      { body },
    );
  await send('PUT', 'policy', JSON.stringify({ Version: '2012-10-17', Statement }));
  const entries = [
    '<Key>a</Key><VersionId>x</VersionId>',
    '<Key>b</Key><VersionId>y</VersionId>',
    '<Key>c</Key><ETag>x</ETag>',
    '<Key>d</Key><ETag>y</ETag>',
    '<Key>e</Key>',
  ];
  const objects = entries.map((entry) => `<Object>${entry}</Object>`).join('');
  const { body } = await send('POST', 'delete', `<Delete>${objects}</Delete>`);
  expect([...body.matchAll(/<Error><Key>(\w)<\/Key>/g)].map(([, key]) => key)).toEqual(['a', 'c']);
});
