import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ConfigError, loadConfig, type Config } from '../../src/config/index.ts';

const SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
const KEYS = `accessKeyId: AKIAIOSFODNN7EXAMPLE, secretAccessKey: ${SECRET}`;
const TWO = `
upstreams:
  - { name: aws, endpoint: 'https://s3.eu-central-1.amazonaws.com', credentials: default, buckets: ['logs-*'], default: true }
  - { name: minio, endpoint: 'http://127.0.0.1:9100', ${KEYS}, buckets: [exact] }
`;

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'bucketwarden-config-'));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

function load(yaml: string): Config {
  const file = join(folder, 'settings.yaml');
  writeFileSync(file, yaml);
  return loadConfig({ env: {}, file });
}

/** Each problem as `path: expected …, found …`. */
function problems(yaml: string): readonly string[] {
  try {
    load(yaml);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message
      .split('\n')
      .filter((line) => line.includes('expected'))
      .map((line) => line.replace(/^.*?settings\.yaml:\d+: /, ''));
  }
  throw new Error('nothing is wrong');
}

describe('several upstreams', () => {
  test('each has its settings, its secrets and its name; the default is the one marked', () => {
    const { upstreams } = load(TWO);
    expect(
      upstreams.map(({ name, isDefault, integrity, style }) => ({ name, isDefault, integrity, style })),
    ).toEqual([
      { name: 'aws', isDefault: true, integrity: 'trailer', style: 'path' },
      { name: 'minio', isDefault: false, integrity: 'trailer', style: 'path' },
    ]);
    expect(upstreams[0]?.credentials).toEqual({ kind: 'provider', provider: 'default', profile: undefined });
    expect(JSON.stringify(upstreams)).not.toContain(SECRET);
  });

  test('an only one is the default, of several none is unless it is marked', () => {
    const one = `upstreams: [{ name: a, endpoint: 'http://127.0.0.1:1', ${KEYS} }]`;
    expect(load(one).upstreams[0]?.isDefault).toBe(true);
    const two = `${one.slice(0, -1)}, { name: b, endpoint: 'http://127.0.0.1:2', ${KEYS} }]`;
    expect(load(two).upstreams.map(({ isDefault }) => isDefault)).toEqual([false, false]);
  });

  test('a secret can come from a file, for each of them', () => {
    const file = join(folder, 'secret');
    writeFileSync(file, `${SECRET}\n`);
    const { upstreams } = load(
      `upstreams: [{ name: a, endpoint: 'http://127.0.0.1:1', accessKeyId: AKIAIOSFODNN7EXAMPLE, secretAccessKeyFile: ${file} }]`,
    );
    const credentials = upstreams[0]?.credentials;
    expect(credentials?.kind === 'static' && credentials.secretAccessKey.expose()).toBe(SECRET);
  });

  test.each([
    [
      'both forms at once',
      `upstream: { endpoint: 'http://127.0.0.1:1', ${KEYS} }${TWO}`,
      'upstreams: expected either `upstream` or `upstreams`, found both',
    ],
    [
      'a name twice',
      `upstreams: [{ name: a, endpoint: 'http://127.0.0.1:1', ${KEYS} }, { name: a, endpoint: 'http://127.0.0.1:2', ${KEYS} }]`,
      'upstreams.1.name: expected a name of its own, found a second `a`',
    ],
    [
      'two defaults',
      `upstreams: [{ name: a, endpoint: 'http://127.0.0.1:1', ${KEYS}, default: true }, { name: b, endpoint: 'http://127.0.0.1:2', ${KEYS}, default: true }]`,
      'upstreams.1.default: expected one default upstream, found a second one',
    ],
    [
      'no credentials',
      `upstreams: [{ name: a, endpoint: 'http://127.0.0.1:1', accessKeyId: AKIAIOSFODNN7EXAMPLE }]`,
      'upstreams.0.endpoint: expected `upstreams.0.secretAccessKey` beside it, found nothing',
    ],
    [
      'a source of credentials and keys',
      `upstream: { endpoint: 'http://127.0.0.1:1', credentials: instance, ${KEYS} }`,
      'upstream.credentials: expected either a source of credentials, or `accessKeyId` and `secretAccessKey`, found both',
    ],
    [
      'a profile that nobody reads',
      `upstream: { endpoint: 'http://127.0.0.1:1', credentials: instance, profile: x }`,
      'upstream.profile: expected `credentials` to be one of default, profile, process, sso, found `instance`',
    ],
    [
      'credentials for no proxy',
      `upstream: { endpoint: 'http://127.0.0.1:1', ${KEYS}, proxyCredentials: 'a:b' }`,
      'upstream.proxyCredentials: expected `proxy` beside it, found nothing',
    ],
    [
      'a client certificate without its key',
      `upstream: { endpoint: 'http://127.0.0.1:1', ${KEYS}, tls: { cert: /dev/null } }`,
      'upstream.tls.cert: expected `upstream.tls.key` beside it, found nothing',
    ],
    [
      'an authority that is not there',
      `upstream: { endpoint: 'http://127.0.0.1:1', ${KEYS}, tls: { ca: /nowhere/ca.pem } }`,
      'upstream.tls.ca: expected the path of a readable file, found `/nowhere/ca.pem` (ENOENT)',
    ],
    [
      'bodies that nobody could notice to be changed',
      `upstream: { endpoint: 'http://store.example.com', ${KEYS}, integrity: unsigned }`,
      'upstream.integrity: expected an https endpoint beside `unsigned`, or `signed-chunks`, found `http://store.example.com`',
    ],
    [
      'the PROXY protocol from nobody',
      'proxyProtocol: true',
      'proxyProtocol: expected `trustedProxies` beside it, found nothing',
    ],
    [
      'a spool that no body fits into',
      'spool: { maxBodySize: 2GiB, maxTotalSize: 1GiB }',
      'spool.maxBodySize: expected at most `spool.maxTotalSize`, found 2147483648 bytes',
    ],
  ])('%s is refused', (_, yaml, problem) => {
    expect(problems(yaml)).toContain(problem);
  });

  test.each([
    `upstreams: [{ name: a, endpoint: 'https://me:hunter2@h', ${KEYS} }]`,
    `upstreams: [{ name: a, endpoint: 'https://h', proxy: 'http://me:hunter2@p', ${KEYS} }]`,
    `upstreams: [{ name: a, endpoint: 'https://h', ${KEYS}, redirects: ['http://me:hunter2@p'] }]`,
    `upstreams: [{ name: a, endpoint: 'https://h', accessKeyId: A1A, secretAccessKey: 'hunter2 x' }]`,
    `upstreams: hunter2`,
    `upstreams: [hunter2]`,
  ])('no message shows what may be a password: %s', (yaml) => {
    expect(problems(yaml).join()).not.toContain('hunter2');
  });
});

describe('virtual buckets', () => {
  test('have a place in the default upstream, or in the one that is named', () => {
    const { buckets } = load(`${TWO}
buckets:
  - { name: team-a, target: shared-data/teams/a/ }
  - { name: team-b, target: other, upstream: minio, readOnly: true, maxObjectSize: 5GiB }
  - { name: '*' }`);
    expect(buckets.map(({ target }) => target)).toEqual([
      { bucket: 'shared-data', prefix: 'teams/a/', upstream: 'aws' },
      { bucket: 'other', prefix: '', upstream: 'minio' },
      undefined,
    ]);
    expect(buckets[1]).toMatchObject({ readOnly: true, maxObjectBytes: 5 * 1024 ** 3 });
  });

  test.each([
    ['a prefix inside of another one', ['shared-data/a/', 'shared-data/a/b/'], 'overlaps with `v0`'],
    ['a bucket around a prefix', ['shared-data/a/', 'shared-data'], 'overlaps with `v0`'],
    ['the same place twice', ['shared-data/a/', 'shared-data/a/'], 'overlaps with `v0`'],
    [
      'a prefix in a bucket that clients see',
      ['logs-1/a/'],
      'one in `logs-1`, which `buckets` of aws gives to clients',
    ],
    ['another name of a bucket that clients see', ['logs-1'], 'one in `logs-1`'],
  ])('%s is refused', (_, targets, found) => {
    const rules = targets.map((target, index) => `{ name: v${index}, target: ${target} }`);
    expect(problems(`${TWO}buckets: [${rules.join(', ')}]`).join('\n')).toContain(found);
  });

  test('prefixes beside each other, and the same name in another upstream, are not', () => {
    const { buckets } = load(`${TWO}buckets:
  - { name: v0, target: shared-data/a/ }
  - { name: v1, target: shared-data/ab/ }
  - { name: v2, target: shared-data/a/, upstream: minio }
  - { name: v3, target: logs-1/a/, upstream: minio }`);
    expect(buckets).toHaveLength(4);
  });

  test.each([
    [
      '{ name: "v*", target: shared-data }',
      'buckets.0.target: expected a `name` without `*` beside it, found `v*`',
    ],
    [
      '{ name: "*" }, { name: vvv, target: shared-data }',
      'buckets.1.name: expected an entry before `*`, the first that matches holds, found one behind it',
    ],
    [
      '{ name: vvv, target: shared-data, upstream: absent }',
      'buckets.0.upstream: expected the name of an upstream, found `absent`',
    ],
    ['{ name: vvv, upstream: aws }', 'buckets.0.upstream: expected `target` beside it, found nothing'],
  ])('%s is refused', (rules, problem) => {
    expect(problems(`${TWO}buckets: [${rules}]`)).toContain(problem);
  });

  test.each([
    'shared-data/',
    '/shared-data',
    'shared-data/a',
    'shared-data//',
    'shared-data/../',
    'shared-data/a/../b/',
    'shared-data/./',
    'Shared/a/',
  ])('`%s` is no target', (target) => {
    expect(problems(`${TWO}buckets: [{ name: vvv, target: '${target}' }]`).join()).toMatch(
      /buckets\.0\.target: expected a bucket upstream, or a prefix/,
    );
  });
});

describe('the edge', () => {
  test('public URLs and trusted proxies are understood', () => {
    const config = load(`
publicUrls: ['https://S3.example.com:443/', 'http://example.com:80/a/b', 'https://[::1]:8443']
trustedProxies: [10.0.0.0/8, 192.0.2.1, '2001:db8::/32']`);
    expect(config.publicUrls).toEqual([
      { secure: true, host: 's3.example.com', prefix: '' },
      { secure: false, host: 'example.com', prefix: '/a/b' },
      { secure: true, host: '[::1]:8443', prefix: '' },
    ]);
    expect(config.trustedProxies).toEqual(['10.0.0.0/8', '192.0.2.1/32', '2001:db8::/32']);
  });

  test.each([
    's3.example.com',
    'https://h/a//b',
    'https://h/../a',
    'https://h/?x',
    'https://me@h',
    'ftp://h',
  ])('`%s` is no public URL', (url) => {
    expect(problems(`publicUrls: ['${url}']`).join()).toContain('expected an http or https URL');
  });

  test.each(['10.0.0.0/33', '10.0.0', '::/129', 'proxy.example.com', '10.0.0.1-9'])(
    '`%s` is no network',
    (network) => {
      expect(problems(`trustedProxies: ['${network}']`).join()).toContain('expected an address or network');
    },
  );
});

describe('the spool', () => {
  test('is in the data folder, within bounds, unless it is switched off', () => {
    expect(loadConfig({ env: { BUCKETWARDEN_DATA_DIR: '/var/lib/bw' } }).spool).toEqual({
      directory: '/var/lib/bw/spool',
      maxBodyBytes: 1024 ** 3,
      maxTotalBytes: 4 * 1024 ** 3,
    });
    expect(load('spool: { enabled: false }').spool).toBeUndefined();
    expect(loadConfig({ env: { BUCKETWARDEN_SPOOL_ENABLED: 'false' } }).spool).toBeUndefined();
    expect(problems('spool: { enabled: no }')).toEqual([
      'spool.enabled: expected `true` or `false`, found `"no"`',
    ]);
  });
});
