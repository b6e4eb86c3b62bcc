import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runDoctorCommand } from '../../src/cli/index.ts';
import { NOW } from '../identity/fixtures.ts';
import { presign, render, sha256, signHeader, type RawRequest } from '../support/raw-signer.ts';
import { keys, type CommandRun } from './command-run.ts';

const CREDENTIALS = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
};
const HOST = 's3.internal.example:9000';
const OPTIONS = { credentials: CREDENTIALS, host: HOST, target: '/bucket/a%20b', at: NOW };

let dataDir: string;
let file: string;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'bucketwarden-doctor-'));
  file = join(dataDir, 'request.txt');
});

afterEach(async () => {
  await rm(dataDir, { recursive: true, force: true });
});

async function importKey(): Promise<void> {
  const { code, stderr } = await keys(
    ['import', '--access-key-id', CREDENTIALS.accessKeyId, '--user', 'alice', '--bucket', 'bucket'],
    { dataDir, piped: CREDENTIALS.secretAccessKey },
  );
  expect({ code, stderr }).toMatchObject({ code: 0 });
}

async function doctor(
  request: RawRequest | string | Buffer,
  options: {
    readonly args?: readonly string[];
    readonly piped?: string;
    readonly now?: number;
    readonly settings?: string;
  } = {},
): Promise<CommandRun> {
  await writeFile(file, typeof request === 'string' || Buffer.isBuffer(request) ? request : render(request));
  const written = { stdout: '', stderr: '' };
  const settings = join(dataDir, 'settings.yaml');
  await writeFile(settings, options.settings ?? '{}\n');
  const code = await runDoctorCommand(['request', file, '-c', settings, ...(options.args ?? [])], {
    stdout: { write: (text) => (written.stdout += text) },
    stderr: { write: (text) => (written.stderr += text) },
    stdin: Readable.from(options.piped === undefined ? [] : [Buffer.from(options.piped)]),
    env: { BUCKETWARDEN_DATA_DIR: dataDir },
    now: () => options.now ?? NOW,
    randomBytes,
  });
  return { code, ...written };
}

function withHost(request: RawRequest, host: string): RawRequest {
  return {
    ...request,
    headers: request.headers.map(([name, value]) => [name, name === 'Host' ? host : value] as const),
  };
}

const FROM_STDIN = { args: ['--secret-stdin'], piped: `${CREDENTIALS.secretAccessKey}\n` };

describe('doctor request', () => {
  test.each([
    ['header', signHeader(OPTIONS)],
    ['presigned URL', presign(OPTIONS)],
    ['SigV4A', signHeader({ ...OPTIONS, regionSet: '*' })],
  ])('says that the signature is right: %s', async (_, request) => {
    await importKey();
    const { code, stdout, stderr } = await doctor(request);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^Signature {7}right$/m);
    expect(stdout).not.toContain('Cause');
  });

  test('prints canonical request and string to sign as AWS has them', async () => {
    const { code, stdout } = await doctor(signHeader(OPTIONS), FROM_STDIN);
    expect(code).toBe(0);
    const timestamp = new Date(NOW).toISOString().replaceAll(/[-:]|\.\d+/g, '');
    const canonical = [
      'GET',
      '/bucket/a%20b',
      '',
      `host:${HOST}`,
      `x-amz-content-sha256:${sha256('')}`,
      `x-amz-date:${timestamp}`,
      '',
      'host;x-amz-content-sha256;x-amz-date',
      sha256(''),
    ].join('\n');
    const text = [
      'AWS4-HMAC-SHA256',
      timestamp,
      `${timestamp.slice(0, 8)}/us-east-1/s3/aws4_request`,
      sha256(canonical),
    ].join('\n');
    expect(stdout).toContain(
      `Canonical request, as the gateway sees it:\n${canonical}\n\nString to sign:\n${text}\n`,
    );
  });

  test('takes LF for CRLF, an empty line at the start, and no HTTP version', async () => {
    const bytes = render(signHeader(OPTIONS)).toString('latin1');
    for (const text of [
      bytes.replaceAll('\r\n', '\n'),
      `\n\n${bytes}`,
      bytes.trimEnd(),
      bytes.replace(' HTTP/1.1', ''),
      `${bytes.replaceAll('\r\n', '\n')}\n`,
    ])
      expect((await doctor(text, FROM_STDIN)).code).toBe(0);
  });

  test('says why it is not, and nothing of the secret', async () => {
    await importKey();
    const { code, stdout, stderr } = await doctor(withHost(signHeader(OPTIONS), 's3.internal.example'));
    expect(code).toBe(1);
    expect(stdout).toMatch(/^Signature {7}does not match$/m);
    expect(stdout).toMatch(/^Cause {11}The client signed for the host `s3\.internal\.example:9000`/m);
    expect(stderr).toBe('bucketwarden doctor request: The signature does not match; the cause is above.\n');
    const right = signHeader({ ...OPTIONS, host: 's3.internal.example' }).chain.signature;
    for (const text of [CREDENTIALS.secretAccessKey, right]) expect(stdout + stderr).not.toContain(text);
  });

  test('says so when nothing explains it', async () => {
    const { code, stdout, stderr } = await doctor(signHeader(OPTIONS), {
      ...FROM_STDIN,
      piped: 'EXAMPLEKEY',
    });
    expect(code).toBe(1);
    expect(stdout).toContain('does not match');
    expect(stderr).toContain('nothing that usually goes wrong explains it');
  });

  test('prints JSON', async () => {
    const { code, stdout } = await doctor(withHost(signHeader(OPTIONS), 's3.internal.example'), {
      ...FROM_STDIN,
      args: ['--secret-stdin', '--output', 'json'],
    });
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      Method: 'GET',
      AccessKeyId: CREDENTIALS.accessKeyId,
      Algorithm: 'AWS4-HMAC-SHA256',
      Form: 'header',
      Matches: false,
      Causes: [{ kind: 'host', signed: HOST }],
      Problems: [],
    });
  });

  test('knows the public URLs', async () => {
    const request = withHost(
      signHeader({ ...OPTIONS, host: 'files.example.com', target: '/storage/bucket/a%20b' }),
      '10.0.0.5:9000',
    );
    const { code, stdout } = await doctor(
      { ...request, target: '/bucket/a%20b' },
      { ...FROM_STDIN, settings: 'publicUrls:\n  - https://files.example.com/storage\n' },
    );
    expect(code).toBe(0);
    expect(stdout).toContain('Signed for      files.example.com/storage/bucket/a b');
  });

  test('looks at the body, where it is there whole', async () => {
    const signed = signHeader({ ...OPTIONS, method: 'PUT', body: 'hello', target: '/bucket/key' });
    expect((await doctor(signed, FROM_STDIN)).code).toBe(0);
    const cut = render(signed).subarray(0, -2);
    expect((await doctor(cut, FROM_STDIN)).code).toBe(0);
    const other = await doctor({ ...signed, body: Buffer.from('jello') }, FROM_STDIN);
    expect(other.code).toBe(1);
    expect(other.stderr).toContain(
      `The signature is right, and the request is refused: XAmzContentSHA256Mismatch: the body that was captured has the sha256 ${sha256('jello')}.`,
    );
  });

  test('judges by the clock of the request, and says that it is too old now', async () => {
    const { code, stdout, stderr } = await doctor(signHeader(OPTIONS), {
      ...FROM_STDIN,
      now: NOW + 3_600_000,
    });
    expect(code).toBe(1);
    expect(stdout).toMatch(/^Signature {7}right$/m);
    expect(stderr).toContain('RequestTimeTooSkewed, if it came now');
  });

  test('names headers that must be signed', async () => {
    const { code, stderr } = await doctor(
      signHeader({ ...OPTIONS, unsigned: [['x-amz-acl', 'public-read']] }),
      FROM_STDIN,
    );
    expect(code).toBe(1);
    expect(stderr).toContain(
      'AccessDenied: There were headers present in the request which were not signed: x-amz-acl.',
    );
  });

  test.each<[string, (text: string) => string, string]>([
    [
      'without a signature',
      (text) => text.replace(/Authorization: .*\r\n/, ''),
      'The request carries no signature',
    ],
    [
      'for another region',
      (text) => text.replace('/us-east-1/', '/us-west-2/'),
      'Refused before its signature is looked at: AuthorizationHeaderMalformed',
    ],
    [
      'with a broken escape',
      (text) => text.replace('%20', '%zz'),
      'Refused before its signature is looked at: InvalidURI',
    ],
    ['without a request line', (text) => text.replace(/^.*\r\n/, ''), 'Line 1 is no request line'],
    [
      'with a line that is no header',
      (text) => text.replace('\r\n\r\n', '\r\nno header\r\n\r\n'),
      'Line 6 is no header',
    ],
    ['that is empty', () => '', 'Line 1 is no request line'],
  ])('refuses a request %s', async (_, change, message) => {
    const { code, stdout, stderr } = await doctor(
      change(render(signHeader(OPTIONS)).toString('latin1')),
      FROM_STDIN,
    );
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain(message);
    expect(stderr).not.toMatch(/[0-9a-f]{64}/);
  });

  test('says which key it misses, and which is disabled', async () => {
    const unknown = await doctor(signHeader(OPTIONS));
    expect(unknown.code).toBe(1);
    expect(unknown.stderr).toContain(`There is no access key \`${CREDENTIALS.accessKeyId}\``);
    await importKey();
    await keys(['disable', CREDENTIALS.accessKeyId], { dataDir });
    const disabled = await doctor(signHeader(OPTIONS));
    expect(disabled.stderr).toContain(`warning: the access key \`${CREDENTIALS.accessKeyId}\` is disabled.`);
  });

  test('takes no secret from the command line, and needs a file that it can read', async () => {
    const wrong = await doctor(signHeader(OPTIONS), { args: ['--secret', CREDENTIALS.secretAccessKey] });
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).not.toContain(CREDENTIALS.secretAccessKey);
    await writeFile(file, 'x');
    const { code, stderr } = await doctor('x', { args: [join(dataDir, 'absent')] });
    expect(code).toBe(2);
    expect(stderr).toContain('1 expected');
  });

  test('prints nothing that steers a terminal', async () => {
    const request = signHeader({ ...OPTIONS, headers: [['x-amz-meta-a', '\u001b[31m\u009b\u00e9']] });
    const { stdout } = await doctor(request, FROM_STDIN);
    expect(stdout).toContain(String.raw`x-amz-meta-a:\x1b[31m\x9b\xe9`);
    expect(stdout).toMatch(/^[\n\x20-\x7e]*$/);
  });
});
