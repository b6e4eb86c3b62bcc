/** Candidate policies beside those in force: in shadow mode while requests come, and in a replay of what was recorded. */
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runPolicyCommand } from '../../src/cli/index.ts';
import {
  runGateway,
  type Credentials,
  type LogLine,
  type RunningGateway,
} from '../support/running-gateway.ts';
import { sendRaw } from './support/signed-request.ts';

interface Statement {
  readonly [element: string]: unknown;
}

const policyOf = (...statements: readonly Statement[]): string =>
  JSON.stringify({ Version: '2012-10-17', Statement: statements });

const PUBLIC_PART = {
  Sid: 'PublicPart',
  Effect: 'Allow',
  Principal: '*',
  Action: 's3:GetObject',
  Resource: 'arn:aws:s3:::reports/public/*',
};
const NO_SECRETS = {
  Sid: 'NoSecrets',
  Effect: 'Deny',
  Principal: '*',
  Action: 's3:*',
  Resource: 'arn:aws:s3:::reports/secret/*',
};
const REPORTS = policyOf(PUBLIC_PART, NO_SECRETS);
const ALICE = policyOf(
  {
    Sid: 'Objects',
    Effect: 'Allow',
    Action: ['s3:GetObject', 's3:PutObject', 's3:*Tagging', 's3:DeleteObject'],
    Resource: ['arn:aws:s3:::reports/team/*', 'arn:aws:s3:::reports/secret/*'],
  },
  {
    Sid: 'List',
    Effect: 'Allow',
    Action: 's3:ListBucket',
    Resource: 'arn:aws:s3:::reports',
    Condition: { StringLike: { 's3:prefix': 'team/*' } },
  },
);
const BOB = policyOf({
  Sid: 'FromHere',
  Effect: 'Allow',
  Action: 's3:GetObject',
  Resource: 'arn:aws:s3:::reports/*',
  Condition: {
    IpAddress: { 'aws:SourceIp': '127.0.0.0/8' },
    StringLike: { 'aws:UserAgent': 'aws-sdk-js/*' },
  },
});

const DORA = policyOf({
  Effect: 'Allow',
  Action: ['s3:GetObject', 's3:PutObject'],
  Resource: 'arn:aws:s3:::reports/*',
  Condition: { StringEqualsIfExists: { 's3:ExistingObjectTag/team': 'a' } },
});

let parent: string;
let gateway: RunningGateway;
let alice: Credentials;
let bob: Credentials;
let dora: Credentials;
/** Where candidates are that are as what is in force. */
let unchanged: string;
let shadowed: string;
let audit: string;
let records: readonly LogLine[];

beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), 'bucketwarden-candidates-'));
  shadowed = join(parent, 'shadowed');
  unchanged = join(parent, 'unchanged');
  await write(join(parent, 'data', 'policies', 'damaged.json'), '{');
  await write(join(shadowed, 'other.json'), '');
  gateway = await runGateway({
    dataDir: join(parent, 'data'),
    env: { CANDIDATE_POLICIES_DIR: shadowed, UPSTREAM_BUCKETS: 'damaged,reports' },
  });
  alice = await keyOf('alice', ALICE);
  bob = await keyOf('bob', BOB);
  dora = await keyOf('dora', DORA);
  await write(join(shadowed, 'reports.json'), policyOf(NO_SECRETS));
  await write(join(shadowed, 'keys', alice.accessKeyId, 'scope.json'), ALICE.replace('team/*', 'team/a*'));
  await gateway.line(
    ({ msg, bucket, candidate }) =>
      msg === 'candidate policy loaded' && bucket === undefined && String(candidate).startsWith('keys/'),
  );
  await write(join(unchanged, 'reports.json'), REPORTS);
  await write(join(unchanged, 'keys', alice.accessKeyId, 'scope.json'), ALICE);
  records = await playAll();
  audit = join(parent, 'audit.log');
  await writeAudit(audit, gateway.lines);
});

afterAll(async () => {
  await gateway.stop();
  await rm(parent, { recursive: true, force: true });
});

/** Of a new user, with a policy `scope` of its own. */
async function keyOf(user: string, document: string): Promise<Credentials> {
  const file = join(parent, user, 'scope.json');
  await write(file, document);
  const issued = await gateway.keys(['issue', '--user', user, '--policy-file', file, '--output', 'json']);
  const { AccessKeyId = '', SecretAccessKey = '' } = JSON.parse(issued) as Record<string, string>;
  return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey };
}

function writeAudit(file: string, lines: readonly LogLine[]): Promise<void> {
  return write(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
}

async function write(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}

/** A broad mix: each line is one request. Resolves to their records. */
async function playAll(): Promise<readonly LogLine[]> {
  const Bucket = 'reports';
  const root = gateway.client();
  const asAlice = gateway.client(alice);
  const asBob = gateway.client(bob);
  const asDora = gateway.client(dora);
  const ids: string[] = [];
  const asked = async (
    answer: Promise<{ readonly $metadata: { readonly requestId?: string } }>,
  ): Promise<void> => {
    try {
      ids.push((await answer).$metadata.requestId ?? '');
    } catch (error) {
      // A refusal is as good as an answer here: its record counts.
      ids.push(
        (error as { readonly $metadata?: { readonly requestId?: string } }).$metadata?.requestId ?? '',
      );
    }
  };
  const put = (client: S3Client, Key: string) =>
    asked(client.send(new PutObjectCommand({ Bucket, Key, Body: 'x' })));
  const get = (client: S3Client, Key: string) => asked(client.send(new GetObjectCommand({ Bucket, Key })));
  await asked(root.send(new CreateBucketCommand({ Bucket })));
  await gateway.upstreamClient().send(new PutObjectCommand({ Bucket, Key: 'secret/a', Body: 'x' }));
  await asked(root.send(new PutBucketPolicyCommand({ Bucket, Policy: REPORTS })));
  await put(root, 'public/a');
  await put(root, 'secret/b');
  await put(root, 'team/a1');
  await put(asAlice, 'team/a2');
  await put(asAlice, 'team/b');
  await put(asAlice, 'elsewhere');
  await get(asAlice, 'team/a1');
  await get(asAlice, 'team/b');
  await get(asAlice, 'secret/a');
  await get(asAlice, 'public/a');
  await get(asBob, 'team/b');
  await get(asBob, 'secret/a');
  await put(asDora, 'team/d');
  await get(asDora, 'team/d');
  await asked(asAlice.send(new HeadObjectCommand({ Bucket, Key: 'team/none' })));
  await asked(asAlice.send(new ListObjectsV2Command({ Bucket, Prefix: 'team/' })));
  await asked(asAlice.send(new ListObjectsV2Command({ Bucket })));
  await asked(root.send(new ListBucketsCommand({})));
  await asked(asAlice.send(new ListBucketsCommand({})));
  await asked(
    asAlice.send(
      new PutObjectTaggingCommand({ Bucket, Key: 'team/b', Tagging: { TagSet: [{ Key: 'k', Value: 'v' }] } }),
    ),
  );
  await get(asDora, 'team/b');
  await asked(asAlice.send(new GetObjectTaggingCommand({ Bucket, Key: 'team/a1' })));
  await asked(asAlice.send(new CopyObjectCommand({ Bucket, Key: 'team/a3', CopySource: 'reports/team/a1' })));
  await asked(
    asAlice.send(new CopyObjectCommand({ Bucket, Key: 'team/a4', CopySource: 'reports/secret/a' })),
  );
  await asked(asAlice.send(new CopyObjectCommand({ Bucket, Key: 'team/c', CopySource: 'reports/public/a' })));
  await asked(
    asAlice.send(
      new DeleteObjectsCommand({
        Bucket,
        Delete: { Objects: ['team/a2', 'team/b', 'secret/a', 'other'].map((Key) => ({ Key })) },
      }),
    ),
  );
  await asked(asAlice.send(new GetObjectCommand({ Bucket: 'damaged', Key: 'x' })));
  await asked(root.send(new GetObjectCommand({ Bucket: 'nowhere', Key: 'x' })));
  const url = new URL(await getSignedUrl(asAlice, new GetObjectCommand({ Bucket, Key: 'team/b' })));
  for (const raw of [
    { path: '/reports/public/a' },
    { path: '/reports/secret/a' },
    { path: '/reports/public/../team/b', credentials: alice },
    { path: '/reports/team//a1', credentials: alice },
    { path: url.pathname, query: Object.fromEntries(url.searchParams), headers: { host: url.host } },
  ]) {
    const { headers } = await sendRaw(gateway, raw);
    ids.push(String(headers['x-amz-request-id']));
  }
  return Promise.all(ids.map((id) => gateway.record(id)));
}

interface CommandRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function replay(candidate: string, ...more: readonly string[]): Promise<CommandRun> {
  return policy(['replay', '--candidate', candidate, '--audit', audit, ...more]);
}

/** `bucketwarden policy …` on this gateway's data. */
async function policy(args: readonly string[]): Promise<CommandRun> {
  const written = { stdout: '', stderr: '' };
  const code = await runPolicyCommand(args, {
    stdout: { write: (text) => (written.stdout += text) },
    stderr: { write: (text) => (written.stderr += text) },
    stdin: Readable.from([]),
    env: {
      BUCKETWARDEN_DATA_DIR: join(parent, 'data'),
      BUCKETWARDEN_UPSTREAM_BUCKETS: 'damaged,reports',
      // Of the upstream its buckets alone count.
      BUCKETWARDEN_UPSTREAM_ENDPOINT: 'http://127.0.0.1:1',
      BUCKETWARDEN_UPSTREAM_ACCESS_KEY_ID: 'NOBODY',
      BUCKETWARDEN_UPSTREAM_SECRET_ACCESS_KEY: 'nothing',
    },
    now: Date.now,
    randomBytes: () => Buffer.alloc(0),
  });
  return { code, ...written };
}

interface ReportedGroup {
  readonly principal: string;
  readonly action: string;
  readonly bucket: string;
  readonly candidate: string;
  readonly inForce: string;
  readonly count: number;
  readonly examples: readonly Statement[];
}

interface Reported {
  readonly requests: number;
  readonly decisions: number;
  readonly same: number;
  readonly wouldAllow: number;
  readonly wouldDeny: number;
  readonly differences: readonly ReportedGroup[];
  readonly undecidable: readonly unknown[];
}

async function inJson(candidate: string, file = audit): Promise<Reported> {
  const { stdout } = await policy(['replay', '--candidate', candidate, '--format', 'json', file]);
  return JSON.parse(stdout) as Reported;
}

/** `Deny alice s3:GetObject reports 8`, sorted. */
function groupsOf({ differences }: Reported): readonly string[] {
  return differences
    .map(({ principal, action, bucket, candidate, count }) =>
      [candidate, principal.replace(/^.*[:/]/, ''), action, bucket, count].join(' '),
    )
    .toSorted();
}

/** What the shadowed candidate refuses, and those in force allow. */
const REFUSED = [
  'Deny alice s3:DeleteObject reports 1',
  // A copy's source, a presigned URL, HEAD, and keys that are decided as a path too are among them.
  'Deny alice s3:GetObject reports 8',
  'Deny alice s3:PutObject reports 2',
  'Deny alice s3:PutObjectTagging reports 1',
  'Deny anonymous s3:GetObject reports 1',
];

describe('a replay', () => {
  test('of policies that are as those in force has no differences', async () => {
    const report = await inJson(unchanged);
    expect(report).toMatchObject({ wouldAllow: 0, wouldDeny: 0, differences: [], undecidable: [] });
    expect(report.same).toBe(report.decisions);
    // Of the others there is no decision: the bucket was not there.
    expect(report.requests).toBe(records.filter(({ decision, entries }) => decision ?? entries).length);
    expect(await replay(unchanged, '--strict')).toMatchObject({ code: 0, stderr: '' });
  });

  test('tells exactly what would be refused, and why', async () => {
    const report = await inJson(shadowed);
    expect(report).toMatchObject({ wouldAllow: 0, wouldDeny: 13, undecidable: [] });
    expect(report.same + report.wouldDeny).toBe(report.decisions);
    expect(groupsOf(report)).toEqual(REFUSED);
    const ofAnonymous = report.differences.find(({ principal }) => principal === 'anonymous');
    expect(ofAnonymous).toMatchObject({
      inForce: 'Allow',
      examples: [
        {
          resource: 'arn:aws:s3:::reports/public/a',
          recorded: { effect: 'Allow', by: { policy: 'bucket policy of reports', sid: 'PublicPart' } },
          candidate: { effect: 'Deny', reason: 'no resource policy allows it' },
        },
      ],
    });
    const { code, stdout } = await replay(shadowed);
    expect(code).toBe(1);
    expect(stdout).toContain('  would be refused        13\n');
    expect(stdout).toContain(
      'Allow -> Deny  8 times: s3:GetObject in `reports` by `arn:aws:iam::000000000000:user/alice`',
    );
  });

  test('tells exactly what would be allowed', async () => {
    const candidate = join(parent, 'without-deny');
    await write(join(candidate, 'reports.json'), policyOf(PUBLIC_PART));
    expect(groupsOf(await inJson(candidate))).toEqual([
      'Allow alice s3:DeleteObject reports 1',
      'Allow alice s3:GetObject reports 2',
      'Allow bob s3:GetObject reports 1',
      'Allow root s3:PutObject reports 1',
    ]);
  });

  test('takes conditions as they were recorded', async () => {
    const candidate = join(parent, 'from-elsewhere');
    await write(
      join(candidate, 'keys', bob.accessKeyId, 'scope.json'),
      BOB.replace('127.0.0.0/8', '192.0.2.0/24'),
    );
    expect(groupsOf(await inJson(candidate))).toEqual(['Deny bob s3:GetObject reports 1']);
    expect((await replay(candidate)).stdout).toContain(
      '`aws:SourceIp` were in `192.0.2.0/24`; it is `127.0.0.1`',
    );
  });

  test('says what cannot be decided again; --strict makes that a failure', async () => {
    const candidate = join(parent, 'by-tags');
    const byTag = { StringEquals: { 's3:ExistingObjectTag/team': 'a' } };
    await write(
      join(candidate, 'keys', bob.accessKeyId, 'scope.json'),
      policyOf({ Effect: 'Allow', Action: 's3:GetObject', Resource: '*', Condition: byTag }),
    );
    const report = await inJson(candidate);
    expect(report).toMatchObject({
      differences: [],
      undecidable: [{ count: 1, problem: expect.stringContaining('s3:existingobjecttag/team') }],
    });
    expect(await replay(candidate)).toMatchObject({ code: 0 });
    expect(await replay(candidate, '--strict')).toMatchObject({ code: 1 });
  });

  test('warns of files that stand for nothing', async () => {
    const candidate = join(parent, 'typos');
    await write(join(candidate, 'report.json'), '');
    await write(join(candidate, 'users', 'alicia', 'scope.json'), '');
    await write(join(candidate, 'users', 'alice', 'scope.json'), '');
    await write(join(candidate, 'keys', alice.accessKeyId, 'scop.json'), ALICE);
    const { code, stderr } = await replay(candidate);
    expect(code).toBe(0);
    expect(stderr.split('\n')).toEqual([
      'warning: in the candidate, the gateway has no bucket `report`.',
      'warning: in the candidate, `users/alice/scope.json` takes away a policy that is not there.',
      'warning: in the candidate, `users/alicia` stands for no user with a key that is in the store.',
      `warning: in the candidate, \`keys/${alice.accessKeyId}/scop.json\` is new: it comes beside \`scope\`.`,
      '',
    ]);
  });

  test('tells apart what the policies in force have changed to since', async () => {
    const carol = await keyOf('carol', BOB);
    await gateway.client(carol).send(new GetObjectCommand({ Bucket: 'reports', Key: 'team/a1' }));
    const line = await gateway.line(({ accessKeyId }) => accessKeyId === carol.accessKeyId);
    const file = join(parent, 'carol.log');
    await writeAudit(file, [line]);
    const candidate = join(parent, 'of-carol');
    await write(join(candidate, 'users', 'carol', 'more.json'), BOB);
    expect(groupsOf(await inJson(candidate, file))).toEqual([]);

    const live = join(parent, 'data', 'policies', 'reports.json');
    await write(live, policyOf({ ...NO_SECRETS, Resource: 'arn:aws:s3:::reports/team/*' }));
    const { differences } = await inJson(candidate, file);
    await rm(live);
    expect(differences).toMatchObject([{ candidate: 'Deny', inForce: 'Deny', count: 1 }]);

    await gateway.keys(['delete', carol.accessKeyId]);
    expect(await inJson(candidate, file)).toMatchObject({
      differences: [],
      undecidable: [{ count: 1, problem: expect.stringContaining('is not in the store (any more)') }],
    });
  });

  test.each([
    ['without a candidate', ['--audit', '-']],
    ['with a folder that is not there', ['--candidate', '/nonexistent', '--audit', '-']],
    ['with a number that is none', ['--candidate', '.', '--audit', '-', '--max', '0']],
    ['with another format', ['--candidate', '.', '--audit', '-', '--format', 'xml']],
  ])('%s is a mistake', async (_, args) => {
    expect(await policy(['replay', ...args])).toMatchObject({ code: 2, stdout: '' });
  });
});

describe('shadow mode', () => {
  test('says of each decision what a replay says', () => {
    const differing = records
      .flatMap(({ principal, ...record }) =>
        decisionsOf(record).map(({ candidate, action }) => ({
          principal: String(principal),
          candidate,
          action,
        })),
      )
      .filter(({ candidate }) => candidate !== undefined)
      .map(({ principal, candidate, action }) =>
        [candidate, principal.replace(/^.*[:/]/, ''), action].join(' '),
      );
    expect(new Set(differing.filter((each) => !each.startsWith('would_deny')))).toEqual(new Set());
    expect(differing).toHaveLength(13);
  });

  test('changes nothing: what it would refuse was answered', () => {
    const alices = records.filter(({ key, operation }) => key === 'team/b' && operation === 'PutObject');
    expect(alices).toMatchObject([{ status: 200, decision: { effect: 'Allow', candidate: 'would_deny' } }]);
  });

  test('logs each difference, and counts it', async () => {
    const lines = gateway.lines.filter(({ msg }) => msg === 'candidate differs');
    expect(lines).toHaveLength(13);
    expect(lines[0]).toMatchObject({
      outcome: 'would_deny',
      action: 's3:PutObject',
      resource: 'arn:aws:s3:::reports/team/b',
    });
    const metrics = await (await fetch(`http://127.0.0.1:${gateway.adminPort}/metrics`)).text();
    expect(metrics).toContain(
      'bucketwarden_candidate_decisions_total{outcome="would_deny",action="s3:PutObject"} 2\n',
    );
    expect(metrics).toContain('bucketwarden_candidate_files{state="usable"} 3\n');
  });
});

describe('a generated policy', () => {
  test('allows all that was done, and no more than was done', async () => {
    const { code, stdout, stderr } = await policy(['generate', '--principal', alice.accessKeyId, audit]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      Version: '2012-10-17',
      Statement: [
        {
          Sid: 'ReportsList',
          Action: ['s3:ListBucket'],
          Resource: ['arn:aws:s3:::reports'],
          Condition: { StringLike: { 's3:prefix': ['team/*'] } },
        },
        { Sid: 'ReportsObjects', Action: ['s3:DeleteObject'] },
        { Sid: 'ReportsObjects2', Action: ['s3:GetObject'] },
        {
          Sid: 'ReportsObjects3',
          Action: ['s3:GetObjectTagging'],
          Resource: ['arn:aws:s3:::reports/team/a1'],
        },
        { Sid: 'ReportsObjects4', Action: ['s3:PutObject'], Resource: ['arn:aws:s3:::reports/team/*'] },
        {
          Sid: 'ReportsObjects5',
          Action: ['s3:PutObjectTagging'],
          Resource: ['arn:aws:s3:::reports/team/a3', 'arn:aws:s3:::reports/team/b'],
        },
      ],
    });
    expect(stderr).toContain('`bucket policy of reports`: ');
    expect(stderr).toContain('statement `Objects`: on arn:aws:s3:::reports/secret/*');
    expect(stderr).toMatch(
      /s3:GetObject on reports, 2 times: refused by `bucket policy of reports`, statement `NoSecrets`/,
    );

    const candidate = join(parent, 'generated');
    await write(join(candidate, 'keys', alice.accessKeyId, 'scope.json'), stdout);
    expect(groupsOf(await inJson(candidate))).toEqual([]);
  });

  test('is what lint finds no fault with', async () => {
    const file = join(parent, 'generated.json');
    await write(file, (await policy(['generate', '--principal', 'alice', '--audit', audit])).stdout);
    expect(await policy(['lint', '--type', 'identity', file])).toMatchObject({
      code: 0,
      stdout: 'nothing to say in 1 file\n',
    });
  });

  test('is made of the time that was asked for', async () => {
    expect(await policy(['generate', '--principal', 'alice', '--since', '1h', audit])).toMatchObject({
      code: 0,
    });
    expect(await policy(['generate', '--principal', 'alice', '--until', '1h', audit])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('there is nothing to propose'),
    });
  });

  test.each([
    ['without a caller', ['--audit', '-']],
    ['for anonymous callers', ['--principal', 'anonymous', '--audit', '-']],
    ['without files', ['--principal', 'alice']],
    ['of a time that is none', ['--principal', 'alice', '--since', 'yesterday', '--audit', '-']],
    [
      'that ends before it begins',
      ['--principal', 'alice', '--since', '1d', '--until', '2d', '--audit', '-'],
    ],
  ])('%s is a mistake', async (_, args) => {
    expect(await policy(['generate', ...args])).toMatchObject({ code: 2, stdout: '' });
  });
});

interface LoggedDecision {
  readonly action: string;
  readonly candidate?: string;
}

function decisionsOf(record: LogLine): readonly LoggedDecision[] {
  const {
    decision,
    otherDecisions = [],
    entries = [],
  } = record as {
    readonly decision?: LoggedDecision;
    readonly otherDecisions?: readonly LoggedDecision[];
    readonly entries?: readonly LogLine[];
  };
  return [...(decision === undefined ? [] : [decision]), ...otherDecisions, ...entries.flatMap(decisionsOf)];
}
