import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Bucket } from '../../src/gateway/buckets.ts';
import type { Decided } from '../../src/gateway/decide.ts';
import { openShadow } from '../../src/gateway/index.ts';
import type { ResolvedKey } from '../../src/identity/index.ts';
import {
  compilePolicies,
  compilePolicy,
  evaluate,
  parsePolicy,
  type PolicyPrincipal,
  type PolicySet,
} from '../../src/policy/index.ts';
import { createLogger, createMetrics } from '../../src/telemetry/index.ts';
import { KEY } from './stages.ts';

const READ = 's3:GetObject';
const WRITE = 's3:PutObject';
const ACCOUNT = '111122223333';

interface Statement {
  readonly [element: string]: unknown;
}

const document = (...statements: readonly Statement[]): string =>
  JSON.stringify({ Version: '2012-10-17', Statement: statements });
const allow = (Action: string, Resource = '*', more: Statement = {}): string =>
  document({ Sid: 'Given', Effect: 'Allow', Action, Resource, ...more });
const forAll = (Effect: 'Allow' | 'Deny', Action = READ): string =>
  document({ Effect, Principal: '*', Action, Resource: 'arn:aws:s3:::reports/*' });

/** Of the user `alice`, with one policy of hers and one of the key. */
function keyWith(ofUser: string | undefined, ofKey?: string): ResolvedKey {
  const attached = [...attach('user', 'alice', ofUser), ...attach('key', KEY.accessKeyId, ofKey)];
  return { ...KEY, attached, policies: compilePolicies(attached) };
}

function attach(owner: 'user' | 'key', name: string, text: string | undefined) {
  return text === undefined
    ? []
    : [{ owner, ownName: 'scope', name: `${name}/scope`, document: parsePolicy(text, { type: 'identity' }) }];
}

function bucketWith(policy: string | undefined): Bucket {
  const state =
    policy === undefined
      ? { kind: 'none' }
      : policy === 'broken'
        ? { kind: 'broken', problem: 'the stored policy of `reports` cannot be read', file: undefined }
        : {
            kind: 'policy',
            policy: compilePolicy(parsePolicy(policy, { type: 'resource', bucket: 'reports' }), {
              name: 'bucket policy of reports',
            }),
            text: policy,
            file: undefined,
          };
  // Of a bucket the name and the policy alone count here.
  return { name: 'reports', policy: state } as unknown as Bucket;
}

interface Situation {
  readonly key?: ResolvedKey | undefined;
  /** Of the bucket; `broken` for one that cannot be evaluated. */
  readonly bucketPolicy?: string;
  readonly action?: string;
  readonly context?: Readonly<Record<string, string>>;
}

/** What the gateway has decided: a request for `reports/2026/july.csv`. */
function decided({ key, bucketPolicy, action = READ, context = {} }: Situation): Decided {
  const bucket = bucketWith(bucketPolicy);
  const principal: PolicyPrincipal =
    key === undefined ? { type: 'anonymous' } : { ...key.principal, type: 'user' };
  const evaluated = {
    action,
    resource: 'arn:aws:s3:::reports/2026/july.csv',
    resourceAccount: ACCOUNT,
    principal,
    context: (name: string) => {
      if (name.startsWith('s3:existingobjecttag/')) throw new Error('the tags were not looked up');
      return context[name];
    },
  };
  const policies: PolicySet = {
    identity: key?.policies ?? compilePolicies([]),
    resource: bucket.policy.kind === 'policy' ? bucket.policy.policy : undefined,
  };
  const decision =
    bucket.policy.kind === 'broken'
      ? ({ effect: 'Deny', because: { kind: 'error', cause: bucket.policy.problem } } as const)
      : evaluate(evaluated, policies);
  return {
    required: { action, resource: evaluated.resource, bucket: 'reports' },
    decision,
    evaluated,
    policies,
    context: { lookup: evaluated.context, entries: () => Object.entries(context) },
    key,
    bucket,
    tagsKnown: false,
  };
}

interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** @param files undefined: there is no folder. */
async function shadowOf(files: Readonly<Record<string, string>> | undefined) {
  const parent = await mkdtemp(join(tmpdir(), 'bucketwarden-candidate-'));
  const directory = join(parent, 'candidate');
  const write = async (name: string, text: string): Promise<void> => {
    await mkdir(dirname(join(directory, name)), { recursive: true });
    await writeFile(join(directory, name), text);
  };
  if (files !== undefined) await mkdir(directory);
  for (const [name, text] of Object.entries(files ?? {})) await write(name, text);
  const lines: LogLine[] = [];
  const { log } = createLogger({
    level: 'info',
    destination: { write: (line) => lines.push(JSON.parse(line) as LogLine) },
  });
  const metrics = createMetrics();
  const shadow = await openShadow({ directory, metrics, log, pollInterval: 0 });
  onTestFinished(async () => {
    shadow.close();
    metrics.close();
    await rm(parent, { recursive: true, force: true });
  });
  const metric = (name: string): readonly string[] =>
    metrics
      .render()
      .split('\n')
      .filter((line) => line.startsWith(`bucketwarden_candidate_${name}`));
  return {
    shadow,
    directory,
    write,
    lines,
    metric,
    compare: (one: Decided) => shadow.compare(one, 'REQUEST'),
  };
}

const USER_FILE = 'users/alice/scope.json';
const KEY_FILE = `keys/${KEY.accessKeyId}/scope.json`;

afterEach(() => {
  vi.useRealTimers();
});

describe('a candidate', () => {
  test.each<[string, Situation, Record<string, string>, string | undefined]>([
    ['nothing at all changes nothing', { key: keyWith(allow(READ)) }, {}, undefined],
    [
      'the same again changes nothing',
      { key: keyWith(allow(READ)) },
      { [USER_FILE]: allow(READ) },
      undefined,
    ],
    [
      'a policy of the user takes its place',
      { key: keyWith(allow(READ)) },
      { [USER_FILE]: allow(WRITE) },
      'would_deny',
    ],
    [
      'a policy of the key takes its place',
      { key: keyWith(undefined, allow(READ)) },
      { [KEY_FILE]: allow(WRITE) },
      'would_deny',
    ],
    [
      'what has no file stays',
      { key: keyWith(allow(READ), allow(WRITE)) },
      { [KEY_FILE]: allow('s3:ListBucket') },
      undefined,
    ],
    [
      'a policy of another name comes beside those that are enforced',
      { key: keyWith(allow(READ)), action: WRITE },
      { 'users/alice/more.json': allow(WRITE) },
      'would_allow',
    ],
    ['an empty file takes one away', { key: keyWith(allow(READ)) }, { [USER_FILE]: ' \n' }, 'would_deny'],
    ['other users have their own', { key: keyWith(allow(READ)) }, { 'users/bob/scope.json': '' }, undefined],
    ['a bucket policy allows', {}, { 'reports.json': forAll('Allow') }, 'would_allow'],
    [
      'a bucket policy denies',
      { key: keyWith(allow(READ)) },
      { 'reports.json': forAll('Deny') },
      'would_deny',
    ],
    [
      'a bucket policy is taken away',
      { bucketPolicy: forAll('Allow') },
      { 'reports.json': '' },
      'would_deny',
    ],
    ['other buckets have their own', {}, { 'others.json': '' }, undefined],
    [
      'where the bucket policy is broken, a caller’s policy changes nothing',
      { key: keyWith(undefined), bucketPolicy: 'broken' },
      { [USER_FILE]: allow('*') },
      undefined,
    ],
    [
      'a broken bucket policy is mended',
      { key: keyWith(allow(READ)), bucketPolicy: 'broken' },
      { 'reports.json': '' },
      'would_allow',
    ],
    [
      'what is not known of the request leaves it undecidable',
      { key: keyWith(allow(READ)) },
      {
        [USER_FILE]: allow(READ, '*', { Condition: { StringEquals: { 's3:ExistingObjectTag/team': 'a' } } }),
      },
      'undecidable',
    ],
    [
      'a broken file leaves undecidable what it is about',
      { key: keyWith(allow(READ)) },
      { [USER_FILE]: '{' },
      'undecidable',
    ],
    [
      'a broken file of others changes nothing',
      { key: keyWith(allow(READ)) },
      { 'others.json': '{' },
      undefined,
    ],
  ])('%s', async (_, situation, files, outcome) => {
    const { compare, metric } = await shadowOf(files);
    const one = decided(situation);
    expect(compare(one)).toBe(outcome);
    expect(compare(one)).toBe(outcome);
    expect(metric('decisions_total')).toEqual([
      `bucketwarden_candidate_decisions_total{outcome="${outcome ?? 'same'}",action="${situation.action ?? READ}"} 2`,
    ]);
  });

  test('is taken up when it changes, the caller’s policies too', async () => {
    const { compare, shadow, write } = await shadowOf({ [USER_FILE]: allow(WRITE) });
    const before = keyWith(allow(READ));
    expect(compare(decided({ key: before }))).toBe('would_deny');
    await write(USER_FILE, allow(READ, '*', { Sid: 'Mended' }));
    await shadow.refresh();
    expect(compare(decided({ key: before }))).toBeUndefined();
    await write(USER_FILE, '');
    await shadow.refresh();
    expect(compare(decided({ key: before }))).toBe('would_deny');
    expect(compare(decided({ key: keyWith(allow(READ), allow(READ)) }))).toBeUndefined();
  });

  test('that breaks is told with line and column, and the last good one stays', async () => {
    const { compare, shadow, write, lines, metric, directory } = await shadowOf({
      [USER_FILE]: allow(WRITE),
    });
    await write(USER_FILE, '{\n  "Version": 1 }');
    await shadow.refresh();
    await shadow.refresh();
    expect(compare(decided({ key: keyWith(allow(READ)) }))).toBe('would_deny');
    expect(lines.filter(({ level }) => level === 'error')).toMatchObject([
      {
        msg: 'candidate policy file is broken',
        effect: 'the last good candidate stays',
        problem: expect.stringMatching(/scope\.json:2:14: /),
        file: join(directory, USER_FILE),
      },
    ]);
    expect(metric('files')).toContain('bucketwarden_candidate_files{state="usable"} 1');
  });

  test('without a folder is undecidable, until there is one', async () => {
    const { compare, shadow, directory, lines } = await shadowOf(undefined);
    const one = decided({ key: keyWith(allow(READ)) });
    expect(compare(one)).toBe('undecidable');
    await shadow.refresh();
    expect(lines.filter(({ level }) => level === 'error')).toMatchObject([{ directory }]);
    await mkdir(directory);
    await shadow.refresh();
    expect(compare(one)).toBeUndefined();
  });

  test('that fails in another way is undecidable too', async () => {
    const { compare, lines } = await shadowOf({ [USER_FILE]: allow(READ) });
    const key = {
      ...keyWith(allow(READ)),
      get attached(): ResolvedKey['attached'] {
        throw new Error('a bug');
      },
    };
    expect(compare({ ...decided({}), key })).toBe('undecidable');
    expect(lines.at(-1)).toMatchObject({ requestId: 'REQUEST', problem: 'Error: a bug' });
  });

  test('in a folder of another name is told once', async () => {
    const { lines, shadow, compare } = await shadowOf({ 'user/alice/scope.json': '', '.git/x.json': '{' });
    await shadow.refresh();
    expect(lines).toMatchObject([{ level: 'warn', folders: ['user'] }]);
    expect(compare(decided({ key: keyWith(allow(READ)) }))).toBeUndefined();
  });

  test('in the wrong place is told', async () => {
    const { lines, metric } = await shadowOf({ 'users/alice.json': allow(READ) });
    expect(lines).toMatchObject([
      {
        level: 'error',
        problem: expect.stringContaining('identity policies are in users/alice/POLICY.json'),
      },
    ]);
    expect(metric('files')).toContain('bucketwarden_candidate_files{state="broken"} 1');
  });
});

describe('a difference in the log', () => {
  test('has both reasons, with the condition that failed', async () => {
    const { compare, lines, directory } = await shadowOf({
      [USER_FILE]: allow(READ, '*', { Condition: { IpAddress: { 'aws:SourceIp': '192.0.2.0/24' } } }),
    });
    compare(decided({ key: keyWith(allow(READ)), context: { 'aws:sourceip': '198.51.100.7' } }));
    expect(lines.filter(({ msg }) => msg === 'candidate differs')).toMatchObject([
      {
        level: 'info',
        requestId: 'REQUEST',
        outcome: 'would_deny',
        principal: 'arn:aws:iam::111122223333:user/alice',
        accessKeyId: KEY.accessKeyId,
        action: READ,
        resource: 'arn:aws:s3:::reports/2026/july.csv',
        enforced: { effect: 'Allow', by: { policy: 'alice/scope', sid: 'Given', index: 0 } },
        candidate: {
          effect: 'Deny',
          reason: 'no identity policy allows it',
          nearest: [
            {
              by: { policy: join(directory, USER_FILE), sid: 'Given', index: 0 },
              mismatches: [
                {
                  element: 'Condition',
                  operator: 'IpAddress',
                  key: 'aws:SourceIp',
                  wanted: ['192.0.2.0/24'],
                  actual: '198.51.100.7',
                },
              ],
            },
          ],
        },
      },
    ]);
  });

  test('says why nothing can be decided', async () => {
    const { compare, lines } = await shadowOf({ 'reports.json': '{' });
    compare(decided({}));
    expect(lines.find(({ msg }) => msg === 'candidate differs')).toMatchObject({
      outcome: 'undecidable',
      principal: 'anonymous',
      enforced: { effect: 'Deny' },
      problem: expect.stringContaining('reports.json:1:'),
    });
  });

  test('finds room sixty times a minute; the others are counted', async () => {
    vi.useFakeTimers();
    const { compare, lines, metric } = await shadowOf({ 'reports.json': forAll('Allow') });
    const one = decided({});
    for (let time = 0; time < 100; time++) compare(one);
    const differences = (): number => lines.filter(({ msg }) => msg === 'candidate differs').length;
    expect(differences()).toBe(60);
    vi.advanceTimersByTime(60_000);
    expect(lines.at(-1)).toMatchObject({ level: 'info', suppressed: 40 });
    compare(one);
    expect(differences()).toBe(61);
    expect(metric('suppressed_total')).toEqual(['bucketwarden_candidate_suppressed_total 40']);
    expect(metric('decisions_total')).toEqual([
      'bucketwarden_candidate_decisions_total{outcome="would_allow",action="s3:GetObject"} 101',
    ]);
  });

  test('of the last minute is told of at the end', async () => {
    const { compare, shadow, lines } = await shadowOf({ 'reports.json': forAll('Allow') });
    const one = decided({});
    for (let time = 0; time < 61; time++) compare(one);
    shadow.close();
    expect(lines.at(-1)).toMatchObject({ suppressed: 1 });
  });
});
