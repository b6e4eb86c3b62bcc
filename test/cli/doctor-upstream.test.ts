/** `doctor upstream` against the embedded store, and against servers that break what the gateway promises. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, onTestFinished, test } from 'vitest';
import { runDoctorCommand } from '../../src/cli/index.ts';
import { loadConfig } from '../../src/config/index.ts';
import { createDevStore } from '../../src/devstore/index.ts';
import { Secret } from '../../src/sigv4/index.ts';
import { createUpstream } from '../../src/upstream/index.ts';

const ACCESS_KEY_ID = 'AKIAIOSFODNN7EXAMPLE';
const SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'bucketwarden-doctor-'));
  onTestFinished(() => {
    rmSync(path, { recursive: true, force: true });
  });
  return path;
}

async function doctor(args: readonly string[], env: Readonly<Record<string, string>>) {
  const written = { stdout: '', stderr: '' };
  const sink = (name: 'stdout' | 'stderr') => ({
    write: (text: string) => {
      written[name] += text;
    },
  });
  const code = await runDoctorCommand(['upstream', ...args], {
    stdout: sink('stdout'),
    stderr: sink('stderr'),
    stdin: Readable.from([]),
    env,
    now: Date.now,
    randomBytes,
  });
  return { code, ...written };
}

function environment(endpoint: string): Record<string, string> {
  return {
    BUCKETWARDEN_UPSTREAM_ENDPOINT: endpoint,
    BUCKETWARDEN_UPSTREAM_ACCESS_KEY_ID: ACCESS_KEY_ID,
    BUCKETWARDEN_UPSTREAM_SECRET_ACCESS_KEY: SECRET,
  };
}

/** Result by check. */
function verdicts(stdout: string): Record<string, string> {
  return Object.fromEntries(
    stdout
      .split('\n')
      .map((line) => /^(.+?) {2,}(yes|no|BAD)(?: |$)/.exec(line))
      .flatMap((match) => (match === null ? [] : [[match[1], match[2]]])),
  ) as Record<string, string>;
}

/** The embedded store with an empty bucket `trials`; lists what is in it. */
async function embedded() {
  const store = createDevStore({
    directory: folder(),
    credentials: { accessKeyId: ACCESS_KEY_ID, secretAccessKey: new Secret(SECRET) },
    region: 'us-east-1',
    now: Date.now,
  });
  const { endpoint } = await store.listen();
  onTestFinished(() => store.close());
  const [target] = loadConfig({ env: environment(endpoint) }).upstreams;
  if (target === undefined) throw new Error('no upstream');
  const upstream = await createUpstream({
    ...target,
    now: Date.now,
    random: () => 0,
    onEvent: () => undefined,
  });
  onTestFinished(() => upstream.close());
  const call = async (method: string, query: readonly { name: string; value: string }[] = []) => {
    const signal = new AbortController().signal;
    const request = {
      method,
      bucket: 'trials',
      query,
      headers: [],
      payload: { kind: 'none' },
      signal,
    } as const;
    return String(await (await upstream.send(request)).body.read(1_000_000));
  };
  await call('PUT');
  return { endpoint, list: () => call('GET', [{ name: 'list-type', value: '2' }]) };
}

describe('the embedded store', () => {
  test('passes, is left as it was, and the settings that are printed can be read', async () => {
    const { endpoint, list } = await embedded();
    const { code, stdout, stderr } = await doctor(['--bucket', 'trials'], environment(endpoint));
    expect(stderr).toContain(`Examining \`default\` at ${endpoint}, in bucket \`trials\``);
    expect({ code, bad: stdout.match(/^.*BAD.*$/gm) }).toEqual({ code: 0, bad: null });
    expect(verdicts(stdout)).toMatchObject({
      connection: 'yes',
      clock: 'yes',
      credentials: 'yes',
      'write and read': 'yes',
      'path style': 'yes',
      'virtual-hosted style': 'no',
      'integrity hash': 'yes',
      'integrity unsigned': 'yes',
      'integrity signed-chunks': 'yes',
      'integrity trailer': 'yes',
      integrity: 'yes',
      'a wrong SHA-256 is refused': 'yes',
      'an upload cut off is not stored (hash)': 'yes',
      'an upload cut off is not stored (unsigned)': 'yes',
      'an upload cut off is not stored (signed-chunks)': 'yes',
      'an upload cut off is not stored (trailer)': 'yes',
      'checksum CRC32': 'yes',
      'checksum SHA256': 'yes',
      'checksum CRC64NVME': 'yes',
      'If-None-Match: * on writes': 'yes',
      'multipart uploads': 'yes',
      'aborted multipart uploads': 'yes',
      ListObjectsV2: 'yes',
      'keys with `..` stay as they are': 'yes',
    });
    expect(await list()).not.toContain('<Key>');

    const file = join(folder(), 'settings.yaml');
    writeFileSync(file, stdout.slice(stdout.indexOf('# Settings')));
    const { BUCKETWARDEN_UPSTREAM_ENDPOINT: _, ...credentials } = environment(endpoint);
    const [read] = loadConfig({ file, env: credentials }).upstreams;
    expect(read).toMatchObject({ name: 'default', endpoint, style: 'path', integrity: 'trailer' });
  });

  test('with a wrong secret fails with what the upstream says', async () => {
    const { endpoint } = await embedded();
    const { code, stdout, stderr } = await doctor(['--bucket', 'trials'], {
      ...environment(endpoint),
      BUCKETWARDEN_UPSTREAM_SECRET_ACCESS_KEY: 'wrong',
    });
    expect(code).toBe(1);
    expect(stdout).toMatch(/^credentials +BAD +listing the bucket: 403 SignatureDoesNotMatch$/m);
    expect(stdout).not.toContain('multipart');
    expect(stderr).toContain('not fit to stand behind the gateway');
  });

  test('without that bucket says so', async () => {
    const { endpoint } = await embedded();
    const { code, stdout } = await doctor(['--bucket', 'missing'], environment(endpoint));
    expect(code).toBe(1);
    expect(stdout).toContain('404 NoSuchBucket');
  });
});

/** Objects in memory, stored however they come, and whatever is declared about them. */
async function careless(): Promise<{ readonly endpoint: string; readonly keys: () => readonly string[] }> {
  const objects = new Map<string, Buffer>();
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const [path = '', query = ''] = (request.url ?? '').split('?');
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    } catch {
      // Kept, though it was cut off.
    }
    if (query.startsWith('list-type=2')) response.end('<ListBucketResult></ListBucketResult>');
    else if (request.method === 'PUT') {
      objects.set(path, Buffer.concat(chunks));
      response.end();
    } else if (request.method === 'DELETE') {
      objects.delete(path);
      response.writeHead(204).end();
    } else {
      const found = objects.get(path);
      response.writeHead(found === undefined || query !== '' ? 404 : 200).end(found);
    }
  };
  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { endpoint, keys: () => [...objects.keys()] };
}

test('an upstream that stores what was cut off is not fit, and is cleaned up all the same', async () => {
  const { endpoint, keys } = await careless();
  const { code, stdout, stderr } = await doctor(['--bucket', 'trials'], environment(endpoint));
  expect(code).toBe(1);
  expect(verdicts(stdout)).toMatchObject({
    'an upload cut off is not stored (unsigned)': 'no',
    integrity: 'BAD',
    'a wrong SHA-256 is refused': 'no',
    'integrity trailer': 'no',
    'integrity signed-chunks': 'no',
    'checksum CRC32': 'no',
  });
  expect(stdout).toContain('the framing is stored as data');
  expect(stdout).not.toContain('# Settings');
  expect(stderr).toContain('integrity: not fit to stand behind the gateway');
  expect(keys()).toEqual([]);
});

test('an upstream that cannot be reached is told as such', async () => {
  const { code, stdout } = await doctor(['--bucket', 'trials'], environment('http://127.0.0.1:9'));
  expect(code).toBe(1);
  expect(stdout).toMatch(/^connection +BAD +the upstream gave no answer: ECONNREFUSED/m);
});

test.each([
  [['--bucket', 'b'], {}, 1, 'No upstream is configured'],
  [[], environment('http://127.0.0.1:9'), 2, '--bucket is missing'],
  [['--bucket', 'b', '--upstream', 'x'], environment('http://127.0.0.1:9'), 2, 'There are: `default`.'],
] as const)('%j is refused with a word about why', async (args, env, expected, words) => {
  const { code, stderr } = await doctor(args, env);
  expect(code).toBe(expected);
  expect(stderr).toContain(words);
});
