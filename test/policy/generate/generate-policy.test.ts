import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  compilePolicy,
  evaluate,
  lintPolicy,
  parsePolicy,
  PolicyGenerator,
  type EvaluationRequest,
} from '../../../src/policy/index.ts';

const ACCOUNT = '111122223333';
const BUCKET = 'arn:aws:s3:::reports';

type Listing = readonly [prefix: string | undefined, delimiter?: string | undefined];

interface Use {
  readonly action: string;
  readonly resource: string;
  readonly prefix?: string | undefined;
  readonly delimiter?: string | undefined;
}

function generate(uses: readonly Use[]) {
  const generator = new PolicyGenerator();
  for (const [index, use] of uses.entries()) generator.add({ ...use, time: index, requestId: `R${index}` });
  return generator.generate();
}

function reads(...keys: readonly string[]): readonly Use[] {
  return keys.map((key) => ({ action: 's3:GetObject', resource: `${BUCKET}/${key}` }));
}

function lists(...listings: readonly Listing[]): readonly Use[] {
  return listings.map(([prefix, delimiter]) => ({
    action: 's3:ListBucket',
    resource: BUCKET,
    prefix,
    delimiter,
  }));
}

function keysOf(uses: readonly Use[]): readonly string[] {
  return generate(uses)
    .document.Statement.flatMap(({ Resource }) => Resource)
    .map((each) => each.replace(`${BUCKET}/`, ''));
}

const conditionsOf = (uses: readonly Use[]): readonly unknown[] =>
  generate(uses).document.Statement.map(({ Condition }) => Condition);

function requestOf({ action, resource, prefix, delimiter }: Use): EvaluationRequest {
  const context: Readonly<Record<string, string | undefined>> = {
    's3:prefix': prefix,
    's3:delimiter': delimiter,
  };
  return {
    action,
    resource,
    resourceAccount: ACCOUNT,
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

function compiled(uses: readonly Use[]) {
  const text = JSON.stringify(generate(uses).document);
  return compilePolicy(parsePolicy(text, { type: 'identity' }), { name: 'generated' });
}

describe('keys', () => {
  test.each<[string, readonly string[], readonly string[]]>([
    ['a few stay what they are', ['team/a', 'team/b', 'team/c'], ['team/a', 'team/b', 'team/c']],
    ['many of a folder become the folder', ['team/a', 'team/b', 'team/c', 'team/d'], ['team/*']],
    ['the deepest folder that has many', ['a/b/1a', 'a/b/2b', 'a/b/3c', 'a/b/4d', 'a/c'], ['a/b/*', 'a/c']],
    ['folders of a folder too', ['a/b/x', 'a/c/x', 'a/d/x', 'a/e/x'], ['a/*']],
    ['a day', ['logs/2026/11/21/app.log'], ['logs/*/app.log']],
    ['a date in a name', ['logs/app-2026-11-21.log'], ['logs/app-*.log']],
    ['a time', ['logs/2026-11-21T10:00:00Z.log'], ['logs/*.log']],
    ['a partition', ['t/year=2026/month=07/part-00001.parquet'], ['t/year=*/month=*/part-*.parquet']],
    ['a UUID', ['img/3f2504e0-4f89-41d3-9a0c-0305e82c3301/full.png'], ['img/*/full.png']],
    ['a hash', ['objects/d41d8cd98f00b204e9800998ecf8427e'], ['objects/*']],
    ['a ULID', ['events/01ARZ3NDEKTSV4RRFFQ69G5FAV.json'], ['events/*.json']],
    ['a version number is none of these', ['app/v1/index.html'], ['app/v1/index.html']],
    ['what a wider pattern covers is left out', ['logs/2026', 'logs/deep/x'], ['logs/*']],
    ['at the top, names stay', ['2026-11-21.log', '20261122.log'], ['2026-11-21.log', '20261122.log']],
    ['at the top, years stay', ['2025/a', '2026/a'], ['2025/a', '2026/a']],
    [
      'at the top, many names that are alike',
      ['db-2026-11-20.gz', 'db-2026-11-21.gz', 'db-2026-11-22.gz', 'db-2026-11-23.gz', 'x'],
      ['db-*.gz', 'x'],
    ],
    [
      'characters with a meaning are literal',
      ['a/what?', 'a/*', 'a/${x}'],
      ['a/${$}{x}', 'a/${*}', 'a/what${?}'],
    ],
    ['empty segments', ['a//b', '/c', 'd/'], ['/c', 'a//b', 'd/']],
  ])('%s', (_, keys, patterns) => {
    expect(keysOf(reads(...keys))).toEqual(patterns);
    expect(keysOf(reads(...keys.toReversed()))).toEqual(patterns);
  });

  test('with very many beginnings are the whole bucket, and that is told', () => {
    const keys = Array.from({ length: 21 }, (_, index) => `${String.fromCharCode(97 + index)}/file`);
    expect(keysOf(reads(...keys.slice(1)))).toHaveLength(20);
    const { document, remarks } = generate(reads(...keys));
    expect(document.Statement).toMatchObject([{ Resource: [`${BUCKET}/*`] }]);
    expect(remarks).toEqual([expect.stringContaining('granted for every key')]);
  });
});

test('keys that begin alike are told of when they become one pattern', () => {
  const tenants = [1001, 1002, 1003, 1004].map((tenant) => `tenant-${tenant}/settings.json`);
  expect(generate(reads(...tenants)).remarks).toEqual([
    expect.stringContaining('granted for tenant-*/settings.json.'),
  ]);
  expect(generate(reads('a*/b')).remarks).toEqual([]);
});

describe('listings', () => {
  test.each<[string, readonly Listing[], readonly unknown[]]>([
    ['of a folder', [['team/']], [{ StringLike: { 's3:prefix': ['team/*'] } }]],
    ['of the beginning of a name', [['team/a']], [{ StringLike: { 's3:prefix': ['team/a'] } }]],
    ['of a folder and in it', [['team/'], ['team/b/']], [{ StringLike: { 's3:prefix': ['team/*'] } }]],
    [
      'of what is at the top',
      [
        ['', '/'],
        [undefined, '/'],
      ],
      [{ Null: { 's3:prefix': 'true' }, StringEquals: { 's3:delimiter': '/' } }],
    ],
    ['of everything', [['team/'], [undefined, undefined]], [undefined]],
  ])('%s', (_, listings, conditions) => {
    expect(conditionsOf(lists(...listings))).toEqual(conditions);
  });

  test('of everything are told', () => {
    expect(generate(lists([''])).remarks).toEqual([
      expect.stringContaining('s3:ListBucket was used on arn:aws:s3:::reports without a prefix'),
    ]);
  });
});

test('actions that were used on the same keys are one statement; names are stable and unique', () => {
  const uses: readonly Use[] = [
    { action: 's3:PutObject', resource: `${BUCKET}/team/a` },
    { action: 's3:GetObject', resource: `${BUCKET}/team/a` },
    { action: 's3:DeleteObject', resource: `${BUCKET}/tmp/x` },
    { action: 's3:GetBucketLocation', resource: BUCKET },
    { action: 's3:GetObject', resource: 'arn:aws:s3:::a.b-c/k' },
    { action: 's3:ListAllMyBuckets', resource: 'arn:aws:s3:::*' },
  ];
  const { document, granted } = generate(uses);
  expect(document.Statement).toEqual([
    { Sid: 'Account', Effect: 'Allow', Action: ['s3:ListAllMyBuckets'], Resource: ['*'] },
    { Sid: 'ABCObjects', Effect: 'Allow', Action: ['s3:GetObject'], Resource: ['arn:aws:s3:::a.b-c/k'] },
    { Sid: 'ReportsBucket', Effect: 'Allow', Action: ['s3:GetBucketLocation'], Resource: [BUCKET] },
    { Sid: 'ReportsObjects', Effect: 'Allow', Action: ['s3:DeleteObject'], Resource: [`${BUCKET}/tmp/x`] },
    {
      Sid: 'ReportsObjects2',
      Effect: 'Allow',
      Action: ['s3:GetObject', 's3:PutObject'],
      Resource: [`${BUCKET}/team/a`],
    },
  ]);
  expect(generate(uses.toReversed()).document).toEqual(document);
  expect(granted).toContainEqual({
    action: 's3:PutObject',
    resource: `${BUCKET}/team/a`,
    count: 1,
    last: { time: 0, requestId: 'R0' },
  });
});

const segment = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      'a',
      'b',
      'team',
      'logs',
      'tenant-1001',
      'tenant-1002',
      '2026',
      '07',
      '',
      '..',
      '*',
      '?',
      '${x}',
      '${*}',
      '$',
      '}',
    ),
  },
  { weight: 1, arbitrary: fc.uuid() },
  { weight: 2, arbitrary: fc.string({ unit: 'grapheme', maxLength: 6 }) },
  {
    weight: 1,
    arbitrary: fc.string({
      unit: fc.constantFrom('0', '1', 'a', '-', '_', '=', '*', '?', '$', '{', '}', '\n'),
      maxLength: 16,
    }),
  },
);
const key = fc
  .array(segment, { minLength: 1, maxLength: 5 })
  .map((segments) => segments.join('/'))
  .filter((each) => each !== '');
const bucket = fc.constantFrom(BUCKET, 'arn:aws:s3:::reports-2', 'arn:aws:s3:::other.bucket');
const use: fc.Arbitrary<Use> = fc.oneof(
  fc.record({
    action: fc.constantFrom('s3:GetObject', 's3:PutObject', 's3:GetObjectVersion', 's3:DeleteObject'),
    resource: fc.tuple(bucket, key).map((parts) => parts.join('/')),
  }),
  fc.record({
    action: fc.constantFrom('s3:ListBucket', 's3:ListBucketVersions'),
    resource: bucket,
    prefix: fc.option(fc.oneof(fc.constant(''), key), { nil: undefined }),
    delimiter: fc.option(fc.constantFrom('/', '-'), { nil: undefined }),
  }),
  fc.record({
    action: fc.constantFrom('s3:GetBucketLocation', 's3:ListBucketMultipartUploads'),
    resource: bucket,
  }),
  fc.constant({ action: 's3:ListAllMyBuckets', resource: 'arn:aws:s3:::*' }),
);
const uses = fc.array(use, { minLength: 1, maxLength: 40 });

describe('whatever was used', () => {
  test('is allowed by the policy that is made of it', () => {
    fc.assert(
      fc.property(uses, (all) => {
        const identity = compiled(all);
        const refused = all.filter((each) => evaluate(requestOf(each), { identity }).effect !== 'Allow');
        expect(refused).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  test('nothing else is: no other action, and nothing in other buckets', () => {
    fc.assert(
      fc.property(uses, fc.array(use, { maxLength: 20 }), (all, others) => {
        const identity = compiled(all);
        const known = new Set(all.map(({ action, resource }) => `${action} ${bucketOf(resource)}`));
        const strange = others.filter(
          ({ action, resource }) => !known.has(`${action} ${bucketOf(resource)}`),
        );
        const allowed = strange.filter((each) => evaluate(requestOf(each), { identity }).effect === 'Allow');
        expect(allowed).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  test('lint finds no error in it, and the order makes no difference', () => {
    fc.assert(
      fc.property(uses, (all) => {
        const { document } = generate(all);
        const { findings } = lintPolicy(JSON.stringify(document), { type: 'identity' });
        expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
        expect(generate(all.toReversed()).document).toEqual(document);
      }),
      { numRuns: 100 },
    );
  });
});

function bucketOf(resource: string): string {
  return resource.split('/', 1)[0] ?? '';
}
