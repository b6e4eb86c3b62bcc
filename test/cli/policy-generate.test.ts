import { describe, expect, test } from 'vitest';
import { toJsonRecord, type AccessRecord, type RecordedDecision } from '../../src/audit/index.ts';
import { SAMPLE } from '../audit/sample-record.ts';
import { policy, type CommandRun } from './command-run.ts';

const ALICE = 'arn:aws:iam::123456789012:user/alice';
const ALLOW: RecordedDecision = {
  effect: 'Allow',
  action: 's3:GetObject',
  resource: 'arn:aws:s3:::reports/team/a',
  resourceAccount: '123456789012',
  by: { policy: 'alice/scope', sid: 'Read', index: 0 },
};

function line(record: Partial<AccessRecord>): string {
  const { principal = ALICE, ...fields } = record;
  const evaluation = { context: {}, policies: [] };
  return JSON.stringify({
    ...toJsonRecord({ ...SAMPLE, operation: 'GetObject', principal, decision: ALLOW, evaluation, ...fields }),
    msg: 'access',
  });
}

/** With the records on standard input. */
function generate(
  records: readonly Partial<AccessRecord>[],
  ...args: readonly string[]
): Promise<CommandRun> {
  const piped = records.map((record) => `${line(record)}\n`).join('');
  return policy(['generate', '--principal', 'alice', '--audit', '-', ...args], { piped });
}

/** What is said about the proposal, line by line. */
async function remarks(...records: readonly Partial<AccessRecord>[]): Promise<readonly string[]> {
  return (await generate(records)).stderr.split('\n');
}

interface Printed {
  readonly document: { readonly Statement: readonly { readonly Resource: readonly string[] }[] };
  readonly basedOn: unknown;
  readonly leftOut: unknown;
}

async function json(...records: readonly Partial<AccessRecord>[]): Promise<Printed> {
  return JSON.parse((await generate(records, '--format', 'json')).stdout) as Printed;
}

const onDay = (day: number): Partial<AccessRecord> => ({
  time: Date.UTC(2026, 1, day),
  decision: { ...ALLOW, resource: `arn:aws:s3:::reports/day${day}` },
});

const readOf = (name: string, fields: Partial<AccessRecord>): Partial<AccessRecord> => ({
  ...fields,
  decision: { ...ALLOW, resource: `arn:aws:s3:::${name}/k` },
});

const deletionOf = (key: string, effect: 'Allow' | 'Deny') => ({
  key,
  status: effect === 'Allow' ? 204 : 403,
  decision: { ...ALLOW, effect, action: 's3:DeleteObject', resource: `arn:aws:s3:::reports/${key}` },
});

describe('a proposal', () => {
  test('is the document alone on standard output, and the rest beside it', async () => {
    const { code, stdout, stderr } = await generate([{}, {}]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      Version: '2012-10-17',
      Statement: [
        {
          Sid: 'ReportsObjects',
          Effect: 'Allow',
          Action: ['s3:GetObject'],
          Resource: ['arn:aws:s3:::reports/team/a'],
        },
      ],
    });
    expect(stderr).toContain(
      'Proposed for `alice` with the keys AKIAIOSFODNN7EXAMPLE: based on 2 decisions of 2 requests, 2019-02-06T00:01:57Z to 2019-02-06T00:01:57Z.',
    );
    const text = await generate([{}, {}], '--format', 'text');
    expect(text).toEqual({ code: 0, stdout: `${stderr}\n${stdout}`, stderr: '' });
  });

  test('is of one caller: by its user name, its ARN or its key', async () => {
    const others = [
      { principal: 'arn:aws:iam::123456789012:user/malice', accessKeyId: 'AKIAI44QH8DHBEXAMPLE' },
      { principal: 'arn:aws:iam::123456789012:user/bob', userAgent: 'alice', accessKeyId: undefined },
    ];
    expect((await json({}, ...others)).basedOn).toMatchObject({ requests: 1, principals: [ALICE] });
    for (const who of [ALICE, 'AKIAIOSFODNN7EXAMPLE']) {
      const piped = [{}, ...others].map((record) => `${line(record)}\n`).join('');
      const { stdout } = await policy(['generate', '--principal', who, '--format', 'json', '-'], { piped });
      expect((JSON.parse(stdout) as Printed).basedOn).toMatchObject({ requests: 1 });
    }
  });

  test('is of a span of time', async () => {
    const { stdout } = await generate(
      [onDay(1), onDay(2), onDay(3)],
      '--since',
      '2026-02-02',
      '--until',
      '2026-02-03',
    );
    expect(JSON.parse(stdout)).toMatchObject({ Statement: [{ Resource: ['arn:aws:s3:::reports/day2'] }] });
  });

  test('is made of what was done', async () => {
    const { document, leftOut } = await json(
      readOf('done', { status: 206 }),
      readOf('missing', { status: 404 }),
      readOf('hidden', { status: 403, upstream: { status: 404 } }),
      readOf('failed', { status: 503 }),
      readOf('wrong', { status: 400 }),
      readOf('broken-off', { outcome: 'aborted-by-client' }),
      readOf('refused-upstream', { status: 403, upstream: { status: 403 } }),
    );
    expect(document.Statement.map(({ Resource }) => Resource[0])).toEqual([
      'arn:aws:s3:::done/k',
      'arn:aws:s3:::hidden/k',
      'arn:aws:s3:::missing/k',
    ]);
    expect(leftOut).toMatchObject({ failed: 4, refused: [], unused: null });
  });

  test('takes each key of a DeleteObjects', async () => {
    const record: Partial<AccessRecord> = {
      operation: 'DeleteObjects',
      decision: undefined,
      entries: [deletionOf('a', 'Allow'), deletionOf('b', 'Deny')],
    };
    const { document, leftOut } = await json(record);
    expect(document.Statement).toMatchObject([
      { Action: ['s3:DeleteObject'], Resource: ['arn:aws:s3:::reports/a'] },
    ]);
    expect(leftOut).toMatchObject({ refused: [{ action: 's3:DeleteObject', where: 'reports', count: 1 }] });
  });
});

describe('what is said about it', () => {
  test('what was used once', async () => {
    expect(await remarks({})).toContain(
      '  s3:GetObject on arn:aws:s3:::reports/team/a: 2019-02-06T00:01:57Z, request DD6CC733AEXAMPLE',
    );
    expect((await remarks({}, {})).join('\n')).not.toContain('once');
  });

  test('what other policies allowed', async () => {
    const by = { policy: 'bucket policy of reports', index: 0 };
    expect(await remarks({}, { decision: { ...ALLOW, by } })).toContain(
      '  `bucket policy of reports`: 1 time',
    );
  });

  test('that versions are all versions', async () => {
    expect(await remarks({ decision: { ...ALLOW, action: 's3:GetObjectVersion' } })).toContain(
      '  s3:GetObjectVersion on arn:aws:s3:::reports/team/a: 1 time',
    );
  });

  test('that what is missing will be hidden', async () => {
    const missing = { status: 404, bucket: 'reports', key: 'team/a' };
    const about = expect.stringContaining('1 request for keys of reports that are not there got 404');
    expect(await remarks(missing)).toContainEqual(about);
    const listing: Partial<AccessRecord> = {
      decision: { ...ALLOW, action: 's3:ListBucket', resource: 'arn:aws:s3:::reports' },
    };
    expect(await remarks(missing, listing)).not.toContainEqual(about);
  });

  test('which listings are not known', async () => {
    const evaluation = { context: {}, leftOut: ['s3:prefix'], policies: [] };
    const listing: Partial<AccessRecord> = {
      decision: { ...ALLOW, action: 's3:ListBucket', resource: 'arn:aws:s3:::reports' },
      evaluation,
    };
    expect(await remarks({}, listing)).toContain('1 listing left out: the prefix is not in the record.');
  });

  test('that the policies of now are not at hand', async () => {
    expect((await remarks({})).join('\n')).toMatch(
      /never used, and left out:\n {2}not known: There is no store at /,
    );
    const run = await generate([{}], '--config', '/nonexistent/bucketwarden.yaml');
    expect(run).toMatchObject({ code: 1, stdout: '' });
  });

  test('without what could steer a terminal', async () => {
    const record = { decision: { ...ALLOW, resource: 'arn:aws:s3:::reports/\u001B[2J' } };
    expect((await generate([record])).stderr).not.toContain('\u001B');
  });
});
