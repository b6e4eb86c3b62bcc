import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { toJsonRecord, type AccessRecord, type RecordedDecision } from '../../src/audit/index.ts';
import { SAMPLE } from '../audit/sample-record.ts';
import { temporaryFolder } from '../identity/fixtures.ts';
import { policy, type CommandRun } from './command-run.ts';

const { decision: _, status: __, ...REQUEST } = SAMPLE;
const ID = 'DD6CC733AEXAMPLE';
const ARN = 'arn:aws:s3:::amzn-s3-demo-bucket1/s3-dg.pdf';

const lineOf = (record: Partial<AccessRecord>): string =>
  JSON.stringify({ level: 30, ...toJsonRecord({ ...REQUEST, ...record }), msg: 'access' });

/** The text about a record of the sample request. */
async function explain(record: Partial<AccessRecord>, ...args: readonly string[]): Promise<string> {
  const run = await policy(['explain', ID, '--audit', '-', ...args], { piped: `${lineOf(record)}\n` });
  return run.stdout;
}

function denied(decision: Partial<RecordedDecision>): Partial<AccessRecord> {
  return {
    status: 403,
    errorCode: 'AccessDenied',
    decision: {
      effect: 'Deny',
      action: 's3:PutObject',
      resource: ARN,
      resourceAccount: '123456789012',
      ...decision,
    },
  };
}

const BY = { policy: 'alice/scope', sid: 'Tls', index: 0 };

describe('a refusal by policy', () => {
  test('by an explicit Deny: which statement, by which values, and what undoes it', async () => {
    const held = [
      { operator: 'Bool', key: 'aws:SecureTransport', wanted: ['false'], actual: 'false' },
      {
        operator: 'NotIpAddress',
        key: 'aws:SourceIp',
        wanted: ['10.0.0.0/8', '192.0.2.0/24'],
        actual: '203.0.113.7',
      },
    ];
    const nearest = [{ by: BY, role: 'resource', effect: 'Deny', mismatches: [], held }] as const;
    const text = await explain(denied({ by: BY, nearest }));
    expect(text).toContain(
      `Request ${ID}: refused by policy, with 403 AccessDenied: refused by \`alice/scope\`, statement \`Tls\`.`,
    );
    expect(text).toContain(
      'The Deny in `alice/scope`, statement `Tls` (bucket policy) refuses it, since `aws:SecureTransport` is `false`, and `aws:SourceIp` is not in `10.0.0.0/8` or `192.0.2.0/24` (it is `203.0.113.7`).',
    );
    expect(text).toContain(
      'It would not, if `aws:SecureTransport` were not `false`, or `aws:SourceIp` were in `10.0.0.0/8` or `192.0.2.0/24`.',
    );
  });

  test('by a Deny without conditions', async () => {
    const nearest = [{ by: BY, role: 'identity', effect: 'Deny', mismatches: [], held: [] }] as const;
    expect(await explain(denied({ by: BY, nearest }))).toContain('refuses it under any condition');
  });

  test('because nothing allows it, and nothing comes near: where an Allow would have to be', async () => {
    const text = await explain(denied({ reason: 'no resource policy allows it' }));
    expect(text).toContain('no bucket policy allows it');
    expect(text).toContain(
      "It would take one in the bucket's policy, with the caller (or everybody) as its Principal.",
    );
  });

  test('between two accounts: that both have to allow', async () => {
    const mismatches = [
      { element: 'Principal', wanted: ['111122223333'], actual: 'arn:aws:iam::444455556666:user/bob' },
    ];
    const near = { by: BY, effect: 'Allow', mismatches, held: [] } as const;
    const nearest = [
      { ...near, role: 'resource' },
      { ...near, role: 'identity' },
    ] as const;
    const text = await explain(denied({ reason: 'no resource policy allows it', nearest }));
    expect(text).toContain(
      'if its Principal covered `arn:aws:iam::444455556666:user/bob`; it has `111122223333`.',
    );
    expect(text).toContain('each kind has to allow it: a bucket policy and an identity policy.');
  });

  test('between two accounts, and nothing comes near: whose accounts they are', async () => {
    const text = await explain({
      ...denied({ reason: 'no resource policy allows it' }),
      principal: 'arn:aws:iam::444455556666:user/bob',
    });
    expect(text).toContain('to the account 123456789012, and the caller to 444455556666: between two');
    const own = await explain({
      ...denied({ reason: 'no identity policy allows it' }),
      principal: 'arn:aws:iam::123456789012:user/bob',
    });
    expect(own).not.toContain('between two');
  });

  test('in a bucket that is not there: that it is not', async () => {
    const refused = denied({ reason: 'no identity policy allows it' });
    expect(await explain({ ...refused, bucketOwner: undefined })).toContain(
      'There was no bucket `amzn-s3-demo-bucket1` at the gateway',
    );
    expect(await explain(refused)).not.toContain('There was no bucket');
  });

  test('by RestrictPublicBuckets: which statement, and both ways out', async () => {
    const reason = 'the bucket policy is public, and RestrictPublicBuckets keeps it from other accounts';
    const nearest = [{ by: BY, role: 'resource', effect: 'Allow', mismatches: [], held: [] }] as const;
    const text = await explain(denied({ reason, nearest }));
    expect(text).toContain('statement `Tls` (bucket policy) makes the whole policy public. Without it, or');
    expect(text).toContain('without RestrictPublicBuckets.');
  });

  test('because a policy could not be evaluated', async () => {
    const text = await explain(denied({ reason: 'demo.json:1:1: Policies must be valid JSON' }));
    expect(text).toContain('a policy could not be evaluated: demo.json:1:1');
  });

  test('what the candidate policies of shadow mode made of it', async () => {
    const text = await explain(denied({ reason: 'no identity policy allows it', candidate: 'would_allow' }));
    expect(text).toContain('The candidate policies of shadow mode would have allowed it.');
  });

  test('of the source of a copy, and for the path that a key resolves to', async () => {
    const text = await explain({
      ...denied({
        action: 's3:GetObject',
        resource: 'arn:aws:s3:::source/b',
        reason: 'no identity policy allows it',
      }),
      copySource: { bucket: 'source', key: 'a/../b' },
    });
    expect(text).toContain('Copied from  source/a/../b');
    expect(text).toContain('The key is `a/../b`; some stores resolve it to this one');
  });
});

test('a path-like source of a copy is told, though the record of a refusal does not name the source', async () => {
  const source = { action: 's3:GetObject', resourceAccount: '123456789012' };
  const text = await explain({
    ...denied({ ...source, resource: 'arn:aws:s3:::source/b', reason: 'no identity policy allows it' }),
    otherDecisions: [{ ...source, effect: 'Allow', resource: 'arn:aws:s3:::source/a/../b', by: BY }],
  });
  expect(text).toContain('The key is `a/../b`; some stores resolve it to this one');
});

test('DeleteObjects of which nothing was refused lists no refused keys', async () => {
  const decision = {
    action: 's3:DeleteObject',
    resource: ARN,
    resourceAccount: '123456789012',
    by: BY,
  } as const;
  const text = await explain({
    status: 200,
    entries: [{ key: 'k', status: 204, decision: { ...decision, effect: 'Allow' } }],
  });
  expect(text).toContain('Every key was allowed (1)');
  expect(text).not.toMatch(/refused/i);
});

describe('what is no refusal by policy', () => {
  test.each<readonly [string, Partial<AccessRecord>, readonly string[]]>([
    ['an answer', { status: 200 }, ['allowed, and answered with 200']],
    [
      'a client that went away',
      { status: 200, outcome: 'aborted-by-client' },
      ['answered with 200; the client broke it off'],
    ],
    [
      'what never became a request',
      { status: 400, errorCode: 'BadRequest', outcome: 'malformed', errorReason: 'two Host headers' },
      ['never became a request: 400 BadRequest', 'Two Host headers.'],
    ],
    [
      'a signature whose fault was found',
      {
        status: 403,
        errorCode: 'SignatureDoesNotMatch',
        signatureCause: { kinds: ['host'], explanation: 'The client signed for the host `s3.example.com`.' },
      },
      ['before any policy was asked', 'The client signed for the host `s3.example.com`.'],
    ],
    [
      'a signature of which nothing is known',
      { status: 403, errorCode: 'SignatureDoesNotMatch' },
      ['`bucketwarden doctor request FILE`'],
    ],
    [
      'a disabled key',
      { status: 403, errorCode: 'InvalidAccessKeyId', errorReason: 'the access key is disabled' },
      ['The access key is disabled.', '`bucketwarden keys enable AKIAIOSFODNN7EXAMPLE`'],
    ],
    [
      'a setting of the bucket, after the policies allowed it',
      {
        status: 403,
        errorCode: 'AccessDenied',
        errorReason: "the bucket's setting `readOnly`",
        decision: SAMPLE.decision,
      },
      [
        'allowed by policy, and refused with 403 AccessDenied for something else',
        'Nothing in the bucket can be changed',
        'The policies allowed it',
      ],
    ],
    [
      'a part that is switched off',
      {
        status: 501,
        errorCode: 'NotImplemented',
        errorReason: 'the tiering needs `x` in the setting `operations` of the bucket `b`',
      },
      ['The tiering needs `x` in the setting `operations`', 'It is off until that setting has it'],
    ],
    [
      'a presigned URL past its time',
      { status: 403, errorCode: 'AccessDenied', errorReason: 'Request has expired' },
      ['The presigned URL is past its time'],
    ],
    [
      'a key that is not there, of a caller who may not list',
      {
        status: 403,
        errorCode: 'AccessDenied',
        decision: SAMPLE.decision,
        upstream: { status: 404, errorCode: 'NoSuchKey', requestId: 'UP1' },
      },
      [
        'The upstream answered 404 NoSuchKey. Its own id of the request is `UP1`.',
        'only who may s3:ListBucket',
      ],
    ],
    [
      'an upstream that refuses the gateway',
      {
        status: 403,
        errorCode: 'AccessDenied',
        decision: SAMPLE.decision,
        upstream: { status: 403, errorCode: 'AccessDenied' },
      },
      ['allowed, and failed upstream: 403 AccessDenied', "refused the gateway's own credentials"],
    ],
    [
      'an upstream that is down',
      {
        status: 503,
        errorCode: 'ServiceUnavailable',
        decision: SAMPLE.decision,
        upstream: { cause: 'ECONNREFUSED' },
      },
      ['The upstream did not answer: ECONNREFUSED.'],
    ],
    [
      'an error of which nothing else is known',
      { status: 400, errorCode: 'EntityTooSmall' },
      ['Your proposed upload is smaller than the minimum allowed size.'],
    ],
  ])('%s', async (_case, record, words) => {
    const text = await explain(record);
    for (const each of words) expect(text).toContain(each);
  });

  test('what clients send cannot steer a terminal', async () => {
    const text = await explain({ status: 200, key: 'a\u001B[2Jb', userAgent: 'x\r\ny\u202Ez' });
    for (const character of '\u001B\r\u202E') expect(text).not.toContain(character);
    expect(text).toContain(String.raw`a\u{1b}[2Jb`);
  });

  test('nor as JSON, which has them all the same', async () => {
    const userAgent = 'x\u009B2J\u202Ey\u{E0001}\u2028\u007F';
    const text = await explain({ status: 200, userAgent }, '--format', 'json');
    for (const character of '\u009B\u202E\u{E0001}\u2028\u007F') expect(text).not.toContain(character);
    expect(JSON.parse(text)).toMatchObject({ userAgent });
  });
});

const files = (): readonly [string, string] => {
  const folder = temporaryFolder();
  const old = join(folder, 'old.log.gz');
  writeFileSync(old, gzipSync(`${lineOf({ requestId: 'A'.repeat(16), status: 200 })}\n`));
  const current = join(folder, 'current.log');
  writeFileSync(current, `${lineOf({ status: 200, upstream: { status: 200, requestId: 'UPSTREAMID' } })}\n`);
  return [old, current];
};

const find = (id: string, [old, current] = files()): Promise<CommandRun> =>
  policy(['explain', id, '--audit', old, '--audit', current]);

describe('finding the record', () => {
  test('in one of several files, rotated and compressed ones too', async () => {
    expect((await find('A'.repeat(16))).stdout).toContain(`Request ${'A'.repeat(16)}: allowed`);
    expect((await find(ID)).stdout).toContain(`Request ${ID}: allowed`);
  });

  test('by the id that the upstream gave the same request', async () => {
    expect((await find('UPSTREAMID')).stdout).toContain(`Request ${ID}: allowed`);
  });

  test('an id that is only mentioned is none: exit code 1, and what to check', async () => {
    const { code, stderr } = await find('s3-dg.pdf');
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /No record of the request `s3-dg\.pdf` in `.*old\.log\.gz`, `.*current\.log`\. To check: is it the x-amz-request-id/,
    );
  });

  test('a file that is not there: exit code 2', async () => {
    const { code, stderr } = await find(ID, ['/nonexistent.log', '/nonexistent.log']);
    expect(code).toBe(2);
    expect(stderr).toContain('`/nonexistent.log` cannot be read. (ENOENT');
  });

  test('a damaged record is warned of, with its line', async () => {
    const piped = `{"level":30}\n${lineOf({}).slice(0, 300)}\n${lineOf({ status: 200 })}\n`;
    const { code, stderr } = await policy(['explain', ID, '--audit', '-'], { piped });
    expect(code).toBe(0);
    expect(stderr).toBe(
      'warning: standard input:2: a damaged record is left out: not a whole JSON object.\n',
    );
  });

  test.each([
    [[ID], '--audit FILE is missing'],
    [['--audit', '-'], 'REQUEST-ID missing. --last-denied shows the latest refusals'],
    [[ID, 'other', '--audit', '-'], '2 arguments given, 1 expected'],
    [[ID, '--last-denied', '--audit', '-'], 'exclude each other'],
    [[ID, '--bucket', 'b', '--audit', '-'], 'belong to --last-denied'],
    [[ID, '--audit', '-', '--audit', '-'], 'can be read once'],
    [['--last-denied', '--max', '0', '--audit', '-'], '--max is a number from 1'],
  ])('a wrong command line: %j', async (args, problem) => {
    const { code, stderr } = await policy(['explain', ...args]);
    expect(code).toBe(2);
    expect(stderr).toContain(problem);
  });
});

describe('--last-denied', () => {
  const log = [
    lineOf({ ...denied({ reason: 'no identity policy allows it' }), requestId: 'A', time: 3_000 }),
    lineOf({ status: 200, requestId: 'B', time: 4_000 }),
    lineOf({
      status: 403,
      errorCode: 'InvalidAccessKeyId',
      principal: undefined,
      bucket: 'other',
      requestId: 'C',
      time: 2_000,
    }),
    lineOf({ status: 404, errorCode: 'NoSuchBucket', requestId: 'D', time: 5_000 }),
    lineOf({
      status: 200,
      requestId: 'E',
      time: 1_000,
      entries: [
        {
          key: 'k',
          status: 403,
          errorCode: 'AccessDenied',
          decision: {
            effect: 'Deny',
            action: 's3:DeleteObject',
            resource: ARN,
            resourceAccount: '123456789012',
          },
        },
      ],
    }),
  ].join('\n');

  const list = async (...args: readonly string[]): Promise<string> => {
    const { stdout } = await policy(['explain', '--last-denied', '--audit', '-', ...args], { piped: log });
    return stdout
      .split('\n')
      .map((line) => line.slice(0, 1))
      .join('');
  };

  test('lists refusals, also of one key of many, by time, the last ones last', async () => {
    expect(await list()).toBe('ECA');
    expect(await list('--max', '1')).toBe('A');
  });

  test('of one principal or bucket', async () => {
    expect(await list('--principal', 'arn:aws:iam::123456789012:root')).toBe('EA');
    expect(await list('--principal', 'AKIAIOSFODNN7EXAMPLE', '--bucket', 'other')).toBe('C');
  });

  test('none: exit code 1', async () => {
    const { code, stderr } = await policy(['explain', '--last-denied', '--audit', '-', '--bucket', 'none'], {
      piped: log,
    });
    expect(code).toBe(1);
    expect(stderr).toContain('No refusal of this kind in standard input.');
  });
});
