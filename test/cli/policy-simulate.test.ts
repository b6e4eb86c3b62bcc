import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../identity/fixtures.ts';
import { keys, policy, type CommandRun, type RunOptions } from './command-run.ts';

const BUCKET = 'arn:aws:s3:::demo';
const ALICE = 'arn:aws:iam::111122223333:user/alice';

const allow = (Action: string | readonly string[], Resource: string, more: object = {}): object => ({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action, Resource, ...more }],
});

/** A file of the given name in a folder of its own. */
function file(name: string, content: object | string): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

/** A folder with these files. */
function folder(files: Readonly<Record<string, object | string>>): string {
  const root = temporaryFolder();
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return root;
}

interface Asked {
  readonly principal?: string;
  readonly action?: string;
  readonly resource?: string;
  readonly more?: readonly string[];
  readonly options?: Partial<RunOptions>;
}

function ask({
  principal = ALICE,
  action = 's3:GetObject',
  resource = `${BUCKET}/a`,
  more = [],
  options,
}: Asked): Promise<CommandRun> {
  return policy(
    ['simulate', '--principal', principal, '--action', action, '--resource', resource, ...more],
    options,
  );
}

interface Printed {
  readonly EvaluationResults: readonly (Record<string, unknown> & { readonly EvalDecision: string })[];
}

async function decisions(asked: Asked): Promise<readonly string[]> {
  const { stdout } = await ask({ ...asked, more: [...(asked.more ?? []), '--format', 'json'] });
  return (JSON.parse(stdout) as Printed).EvaluationResults.map(({ EvalDecision }) => EvalDecision);
}

test('an unknown caller is a wrong command line, and no decision', async () => {
  const options = { dataDir: temporaryFolder() };
  await keys(['issue', '--user', 'alice', '--bucket', 'demo'], options);
  const { code, stderr } = await ask({ principal: 'alcie', more: ['--expect', 'deny'], options });
  expect(code).toBe(2);
  expect(stderr).toContain('`alcie` is neither an access key nor a user');
});

describe('policies from files alone', () => {
  const read = allow('s3:GetObject', `${BUCKET}/\${aws:username}/*`, {
    Sid: 'Read',
    Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } },
  });

  test('an Allow is said once', async () => {
    const more = ['--identity-policy', file('read.json', read), '--context', 'aws:SourceIp=10.1.2.3'];
    const { stdout } = await ask({ resource: `${BUCKET}/alice/x`, more });
    expect(stdout).toMatch(/: allowed, by `.*read\.json`, statement `Read`\n/);
  });

  test('need no gateway: decision, reason, what would change it, and which keys were not given', async () => {
    const more = ['--identity-policy', file('read.json', read)];
    const { code, stdout, stderr } = await ask({ resource: `${BUCKET}/alice/x`, more });
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(stdout.split('\n')).toEqual([
      `s3:GetObject on ${BUCKET}/alice/x: implicitDeny, no identity policy allows it`,
      expect.stringMatching(
        /^ {4}The Allow in `.*read\.json`, statement `Read` \(identity policy\) would allow it if `aws:SourceIp` were in `10\.0\.0\.0\/8`; the request has none\.$/,
      ),
      '    Without a value by --context: aws:SourceIp',
      '',
    ]);
  });

  test('are IAM in JSON: one result for each action on each resource', async () => {
    const path = file('read.json', read);
    const { code, stdout } = await ask({
      resource: `${BUCKET}/alice/x`,
      more: [
        '--action',
        's3:PutObject',
        '--resource',
        `${BUCKET}/bob/x`,
        '--identity-policy',
        path,
        '--context',
        'AWS:sourceIP=10.1.2.3',
        '--format',
        'json',
      ],
    });
    expect(code).toBe(1);
    const results = (JSON.parse(stdout) as Printed).EvaluationResults;
    expect(
      results.map((each) => [each['EvalActionName'], each['EvalResourceName'], each.EvalDecision]),
    ).toEqual([
      ['s3:GetObject', `${BUCKET}/alice/x`, 'allowed'],
      ['s3:PutObject', `${BUCKET}/alice/x`, 'implicitDeny'],
      ['s3:GetObject', `${BUCKET}/bob/x`, 'implicitDeny'],
      ['s3:PutObject', `${BUCKET}/bob/x`, 'implicitDeny'],
    ]);
    expect(results[0]).toMatchObject({
      MatchedStatements: [
        {
          SourcePolicyId: path,
          SourcePolicyType: 'user',
          Sid: 'Read',
          StartPosition: { Line: 1, Column: 38 },
        },
      ],
      MissingContextValues: [],
    });
  });

  test('a bucket policy for the same and for another account', async () => {
    const grant = { ...allow('s3:GetObject', `${BUCKET}/*`, { Principal: { AWS: ALICE } }) };
    const more = ['--resource-policy', file('demo.json', grant)];
    expect(await decisions({ more })).toEqual(['allowed']);
    expect(await decisions({ principal: 'arn:aws:iam::111122223333:user/bob', more })).toEqual([
      'implicitDeny',
    ]);
    const elsewhere = [...more, '--resource-account', '444455556666'];
    expect(await decisions({ more: elsewhere })).toEqual(['implicitDeny']);
    const both = [...elsewhere, '--identity-policy', file('all.json', allow('s3:*', '*'))];
    expect(await decisions({ more: both })).toEqual(['allowed']);
  });

  test('a boundary and session policies limit; an explicit Deny beats all', async () => {
    const all = ['--identity-policy', file('all.json', allow('s3:*', '*'))];
    const reading = file('reading.json', allow('s3:Get*', '*'));
    const writing = file('writing.json', allow('s3:Put*', '*'));
    const limited = (...more: readonly string[]): Promise<readonly string[]> =>
      decisions({ more: [...all, '--action', 's3:PutObject', ...more] });
    expect(await limited()).toEqual(['allowed', 'allowed']);
    expect(await limited('--boundary', reading)).toEqual(['allowed', 'implicitDeny']);
    expect(await limited('--session-policy', reading)).toEqual(['allowed', 'implicitDeny']);
    // What any of the session's policies allows, all of them together allow.
    expect(await limited('--session-policy', reading, '--session-policy', writing)).toEqual([
      'allowed',
      'allowed',
    ]);
    const deny = file('deny.json', {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Deny', Action: 's3:Put*', Resource: '*' }],
    });
    expect(await limited('--identity-policy', deny)).toEqual(['allowed', 'explicitDeny']);
  });
  test('a folder: of the user, of the key and of the bucket, by their names', async () => {
    const directory = folder({
      'users/alice/read.json': allow('s3:GetObject', `${BUCKET}/*`),
      'keys/AKIAIOSFODNN7EXAMPLE/list.json': allow('s3:ListBucket', BUCKET),
      'demo.json': allow('s3:GetObject', `${BUCKET}/public/*`, { Principal: '*' }),
      'other.json': '',
    });
    const more = ['--policy-dir', directory];
    expect(await decisions({ principal: 'alice', more })).toEqual(['allowed']);
    expect(await decisions({ principal: 'anonymous', resource: `${BUCKET}/public/x`, more })).toEqual([
      'allowed',
    ]);
    const list = { principal: 'alice', action: 's3:ListBucket', resource: BUCKET };
    expect(await decisions({ ...list, more })).toEqual(['implicitDeny']);
    expect(await decisions({ ...list, more: [...more, '--access-key', 'AKIAIOSFODNN7EXAMPLE'] })).toEqual([
      'allowed',
    ]);
  });

  test('a key given twice has two values', async () => {
    const tagged = allow('s3:PutObject', '*', {
      Condition: { 'ForAllValues:StringEquals': { 's3:RequestObjectTagKeys': ['a', 'b'] } },
    });
    const more = [
      '--identity-policy',
      file('tags.json', tagged),
      '--context',
      's3:RequestObjectTagKeys=a',
      '--context',
    ];
    expect(await decisions({ action: 's3:PutObject', more: [...more, 's3:RequestObjectTagKeys=b'] })).toEqual(
      ['allowed'],
    );
    expect(await decisions({ action: 's3:PutObject', more: [...more, 's3:RequestObjectTagKeys=c'] })).toEqual(
      ['implicitDeny'],
    );
  });
});

const everything = (): readonly string[] => ['--identity-policy', file('all.json', allow('s3:*', '*'))];

describe('for CI', () => {
  test.each([
    ['allow', 0],
    ['deny', 1],
  ])('--expect %s of what is allowed: exit code %i', async (expected, code) => {
    expect((await ask({ more: [...everything(), '--expect', expected] })).code).toBe(code);
  });

  test('an action on the wrong kind of resource is told of', async () => {
    const { stdout } = await ask({ action: 's3:ListBucket', more: everything() });
    expect(stdout).toContain('s3:ListBucket is about buckets: --resource arn:aws:s3:::demo is meant.');
    const object = await ask({ resource: BUCKET, more: everything() });
    expect(object.stdout).toContain(
      's3:GetObject is about objects: --resource arn:aws:s3:::demo/KEY is meant.',
    );
  });

  test.each([
    [{ action: 's3:GetObjekt' }, '--action `s3:GetObjekt` is no action of S3.'],
    [{ action: 's3:Get*' }, 'without wildcards'],
    [{ resource: 'demo/a' }, '--resource `demo/a` is no ARN of S3'],
    [{ principal: 'arn:aws:iam::1:user/x' }, '--principal `arn:aws:iam::1:user/x` is neither'],
    [{ more: ['--context', 'SourceIp'] }, '--context `SourceIp` is not of the form KEY=VALUE'],
    [{ more: ['--expect', 'maybe'] }, '--expect is `allow` or `deny`'],
    [{ more: ['--resource-account', '1'] }, '12 digits are expected'],
    [{ more: ['--format', 'xml'] }, '--format is `text` or `json`'],
    [
      { more: ['--identity-policy', '/nonexistent.json'] },
      'The policy file `/nonexistent.json` cannot be read.',
    ],
    [{ more: ['--policy-dir', '/nonexistent'] }, 'The folder `/nonexistent` cannot be read.'],
  ] satisfies readonly (readonly [Asked, string])[])(
    '%j is refused with exit code 2',
    async (asked, problem) => {
      const { code, stdout, stderr } = await ask({ more: everything(), ...asked });
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toContain(problem);
    },
  );

  test('a policy that would be refused, with file, line and column', async () => {
    const path = file('bad.json', '{"Version":"2012-10-17",\n "Statement":[{"Effect":"Alow"}]}');
    const { code, stderr } = await ask({ more: ['--identity-policy', path] });
    expect(code).toBe(2);
    expect(stderr).toContain(`${path}:2:`);
  });

  test.each([
    ['another folder in it', { 'user/alice/a.json': '' }, 'is no folder of policies'],
    ['a policy of nobody', { 'users/a.json': '' }, 'belongs to nobody'],
    ['no policies', { 'readme.txt': '' }, 'holds no policies'],
  ])('a folder with %s shows the layout that is expected', async (_, files, problem) => {
    const { code, stderr } = await ask({ more: ['--policy-dir', folder(files)] });
    expect(code).toBe(2);
    expect(stderr).toContain(problem);
    expect(stderr).toContain('users/USERNAME/POLICY.json');
  });

  test('a bucket policy for resources of several buckets is refused', async () => {
    const grant = file('demo.json', allow('s3:GetObject', `${BUCKET}/*`, { Principal: '*' }));
    const { code, stderr } = await ask({
      more: ['--resource-policy', grant, '--resource', 'arn:aws:s3:::other/a'],
    });
    expect(code).toBe(2);
    expect(stderr).toContain('--resource-policy is the policy of one bucket');
  });
});

describe('policies in force', () => {
  test('without a store: what to give', async () => {
    const { code, stderr } = await ask({});
    expect(code).toBe(1);
    expect(stderr).toContain(
      "There is no store at `/nonexistent/bucketwarden/bucketwarden.db`. Give the gateway's configuration with -c",
    );
  });

  test('of a key and of its user; with --enforced, files add to them and stand in for those of their names', async () => {
    const dataDir = temporaryFolder();
    const issue = [
      'issue',
      '--user',
      'alice',
      '--tag',
      'team=red',
      '--bucket',
      'demo',
      '--read-only',
      '--output',
      'json',
    ];
    const { AccessKeyId = '' } = JSON.parse((await keys(issue, { dataDir })).stdout) as Record<
      string,
      string
    >;
    const options = { dataDir };
    const key = { principal: AccessKeyId, options };
    expect(await decisions(key)).toEqual(['allowed']);
    expect(await decisions({ ...key, action: 's3:PutObject' })).toEqual(['implicitDeny']);

    const tagged = file('more.json', allow('s3:PutObject', `${BUCKET}/\${aws:PrincipalTag/team}/*`));
    const put = { ...key, action: 's3:PutObject', resource: `${BUCKET}/red/x` };
    expect(await decisions({ ...put, more: ['--identity-policy', tagged, '--enforced'] })).toEqual([
      'allowed',
    ]);
    expect(await decisions({ ...key, more: ['--identity-policy', tagged, '--enforced'] })).toEqual([
      'allowed',
    ]);

    const replaced = folder({ [`keys/${AccessKeyId}/scope.json`]: '' });
    expect(await decisions({ ...key, more: ['--policy-dir', replaced, '--enforced'] })).toEqual([
      'implicitDeny',
    ]);
  });
});
