import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ConfigError, loadConfig } from '../../src/config/index.ts';

const ACCESS_KEY_ID = 'AKIAIOSFODNN7EXAMPLE';
const SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bucketwarden-config-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function write(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

function load(yaml: string, env: Record<string, string> = {}) {
  return loadConfig({ env, file: write('bucketwarden.yaml', yaml) });
}

/** The lines of the refusal, with the folder's name taken out. */
function refusal(action: () => unknown): readonly string[] {
  try {
    action();
  } catch (error) {
    if (error instanceof ConfigError) return error.message.replaceAll(join(folder, '/'), '').split('\n');
    throw error;
  }
  throw new Error('the configuration was accepted');
}

describe('defaults', () => {
  test('with nothing configured the gateway listens on loopback over its embedded store', () => {
    const config = loadConfig({ env: { PATH: '/usr/bin', HOME: undefined } });
    expect(config).toMatchObject({
      listen: { host: '127.0.0.1', port: 9000 },
      adminListen: { host: '127.0.0.1', port: 9001 },
      region: 'us-east-1',
      accountId: '000000000000',
      baseDomains: [],
      tls: undefined,
      dataDir: resolve('data'),
      store: { kind: 'sqlite', path: resolve('data/bucketwarden.db') },
      policiesDir: resolve('data/policies'),
      candidatePoliciesDir: undefined,
      publicAccessBlock: { blockPublicPolicy: false, restrictPublicBuckets: false },
      root: undefined,
      masterKey: undefined,
      upstreams: [],
      accessLog: undefined,
      logLevel: 'info',
      limits: { headerBytes: 8192, userMetadataBytes: 2048, shutdownTimeoutMs: 30_000 },
    });
  });

  test('store and policies follow the data folder', () => {
    const config = loadConfig({ env: { BUCKETWARDEN_DATA_DIR: '/var/lib/bw' } });
    expect(config.store.path).toBe('/var/lib/bw/bucketwarden.db');
    expect(config.policiesDir).toBe('/var/lib/bw/policies');
  });

  test('an empty file is the same as none', () => {
    expect(load('# nothing\n')).toEqual(loadConfig({ env: {} }));
  });

  test('the region of the upstream is the one of the gateway, the owner of a bucket the configured account', () => {
    const config = load(`
region: eu-central-1
accountId: '123456789012'
buckets: [{ name: 'a*' }]
upstream: { endpoint: 'http://127.0.0.1:7480', accessKeyId: ${ACCESS_KEY_ID}, secretAccessKey: ${SECRET} }`);
    expect(config.upstreams[0]).toMatchObject({ region: 'eu-central-1', buckets: [] });
    expect(config.buckets).toMatchObject([{ pattern: 'a*', bodies: 'any', owner: '123456789012' }]);
  });
});

describe('values', () => {
  test.each([
    ['0.0.0.0:80', { host: '0.0.0.0', port: 80 }],
    ['[::1]:9000', { host: '::1', port: 9000 }],
    [':0', { host: undefined, port: 0 }],
    ['localhost:65535', { host: 'localhost', port: 65_535 }],
  ])('`%s` is an address to listen on', (text, address) => {
    expect(loadConfig({ env: { BUCKETWARDEN_LISTEN: text } }).listen).toEqual(address);
  });

  test.each(['9000', '127.0.0.1', '::1:9000', 'host:65536', 'host:-1', 'http://host:80', 'a b:80'])(
    '`%s` is no address to listen on',
    (text) => {
      expect(refusal(() => loadConfig({ env: { BUCKETWARDEN_LISTEN: text } }))).toEqual([
        `BUCKETWARDEN_LISTEN: listen: expected an address such as \`127.0.0.1:9000\`, \`[::1]:9000\` or \`:9000\`, found \`${JSON.stringify(text)}\``,
      ]);
    },
  );

  test.each([
    ['https://s3.example.com/', 'https://s3.example.com'],
    ['https://s3.example.com:443', 'https://s3.example.com'],
    ['http://[::1]:7480', 'http://[::1]:7480'],
  ])('the upstream `%s` is the origin %s', (endpoint, origin) => {
    const config = loadConfig({ env: upstreamEnvironment(endpoint) });
    expect(config.upstreams[0]?.endpoint).toBe(origin);
  });

  test.each([
    'ftp://s3.example.com',
    's3.example.com',
    'https://s3.example.com/path',
    'https://h?x',
    'https://',
  ])('`%s` is no upstream endpoint', (endpoint) => {
    expect(refusal(() => loadConfig({ env: upstreamEnvironment(endpoint) }))[0]).toMatch(
      /^BUCKETWARDEN_UPSTREAM_ENDPOINT: upstream\.endpoint: expected an http or https origin/,
    );
  });

  test('a password in the endpoint is refused and not shown', () => {
    const message = refusal(() => loadConfig({ env: upstreamEnvironment('https://me:hunter2@h') })).join();
    expect(message).toContain('found a value that is not shown');
    expect(message).not.toContain('hunter2');
  });

  test('durations have a unit and become milliseconds', () => {
    const { limits } = load('limits: { idleTimeout: 500ms, headersTimeout: 2m, shutdownTimeout: 1h }');
    expect(limits).toMatchObject({
      idleTimeoutMs: 500,
      headersTimeoutMs: 120_000,
      shutdownTimeoutMs: 3_600_000,
    });
    expect(refusal(() => load('limits:\n  idleTimeout: 30\n  keepAliveTimeout: 0s'))).toEqual([
      'bucketwarden.yaml:2: limits.idleTimeout: expected a duration such as `500ms`, `30s` or `5m`, found `30`',
      'bucketwarden.yaml:3: limits.keepAliveTimeout: expected a duration such as `500ms`, `30s` or `5m`, found `"0s"`',
    ]);
  });

  test('lists in variables are separated by commas', () => {
    const env = {
      ...upstreamEnvironment('https://h'),
      BUCKETWARDEN_UPSTREAM_BUCKETS: 'a-*, shared,*',
      BUCKETWARDEN_BASE_DOMAINS: 'S3.Example.com,localhost',
    };
    const config = loadConfig({ env });
    expect(config.upstreams[0]?.buckets).toEqual(['a-*', 'shared', '*']);
    expect(config.baseDomains).toEqual(['s3.example.com', 'localhost']);
  });

  test('headers that may stay unsigned are narrowed; the rest must be signed', () => {
    expect(loadConfig({ env: {} }).headersToSign).toEqual(new Set());
    const { headersToSign } = load('unsignedHeaders: [content-type, cache-control]');
    expect(headersToSign.has('range')).toBe(true);
    expect(headersToSign.has('content-type')).toBe(false);
    expect(load('unsignedHeaders: []').headersToSign.size).toBe(11);
  });

  test('only SQLite is a store', () => {
    expect(refusal(() => loadConfig({ env: { BUCKETWARDEN_STORE: 'postgres://db/x' } }))).toEqual([
      'BUCKETWARDEN_STORE: store: expected `sqlite:` and a path, found `"postgres://db/x"`',
    ]);
  });

  test('an account id that lost its zeros to YAML is refused with the remedy', () => {
    expect(refusal(() => load('accountId: 000000000001'))).toEqual([
      'bucketwarden.yaml:1: accountId: expected 12 digits in quotes, found `1`',
    ]);
  });
});

describe('file and environment together', () => {
  test('a variable beats the file, also a wrong value in it', () => {
    const config = load('region: eu-west-1\nlisten: nonsense', {
      BUCKETWARDEN_REGION: 'eu-north-1',
      BUCKETWARDEN_LISTEN: ':80',
    });
    expect(config.region).toBe('eu-north-1');
    expect(config.listen.port).toBe(80);
  });

  test('all problems are reported at once, with file, line, path, expected and found', () => {
    const yaml = `
regoin: us-east-1
limits:
  headerBytes: many
  idleTimout: 5s
buckets:
  - name: ok
  - name: Team A
    bodies: sometimes
tls:
  cert: /nowhere/tls.crt
`;
    const env = { BUCKETWARDEN_LISTN: ':1', BUCKETWARDEN_LOG_LEVEL: 'loud', BUCKETWARDEN_REGION: '' };
    expect([...refusal(() => load(yaml, env))].sort()).toEqual(
      [
        'BUCKETWARDEN_LISTN: expected a variable that exists (did you mean `BUCKETWARDEN_LISTEN`?), found an unknown one',
        'BUCKETWARDEN_REGION: region: expected a value, or the variable unset, found nothing',
        'BUCKETWARDEN_LOG_LEVEL: logLevel: expected one of `trace`, `debug`, `info`, `warn`, `error`, `fatal`, `silent`, found `"loud"`',
        'bucketwarden.yaml:2: regoin: expected a setting that exists (did you mean `region`?), found an unknown one',
        'bucketwarden.yaml:4: limits.headerBytes: expected a whole number from 1024 to 65536, found `"many"`',
        'bucketwarden.yaml:5: limits.idleTimout: expected a setting that exists (did you mean `idleTimeout`?), found an unknown one',
        'bucketwarden.yaml:8: buckets.1.name: expected a bucket name of lower-case letters, digits, `.`, `-` and `_`, in which `*` stands for any characters, found `"Team A"`',
        'bucketwarden.yaml:9: buckets.1.bodies: expected one of `signed`, `checksummed`, `any`, found `"sometimes"`',
        'bucketwarden.yaml:11: tls.cert: expected `tls.key` (BUCKETWARDEN_TLS_KEY) beside it, found nothing',
      ].sort(),
    );
  });

  test("variables that Kubernetes makes for a service of this name are nobody's settings", () => {
    const env = {
      BUCKETWARDEN_SERVICE_HOST: '10.0.0.1',
      BUCKETWARDEN_SERVICE_PORT_HTTP: '9000',
      BUCKETWARDEN_PORT: 'tcp://10.0.0.1:9000',
      BUCKETWARDEN_PORT_9000_TCP_ADDR: '10.0.0.1',
      BUCKETWARDEN_ADMIN_SERVICE_HOST: '10.0.0.2',
    };
    expect(loadConfig({ env })).toEqual(loadConfig({ env: {} }));
  });

  test('two listeners on one address are refused', () => {
    expect(refusal(() => load('listen: :9000\nadminListen: :9000'))).toEqual([
      'bucketwarden.yaml:2: adminListen: expected an address of its own, found the one of `listen`',
    ]);
  });

  test('a missing TLS file stops the start', () => {
    const key = write('tls.key', 'key');
    expect(
      refusal(() =>
        loadConfig({ env: { BUCKETWARDEN_TLS_CERT: '/nowhere/tls.crt', BUCKETWARDEN_TLS_KEY: key } }),
      ),
    ).toEqual([
      'BUCKETWARDEN_TLS_CERT: tls.cert: expected the path of a readable file, found `/nowhere/tls.crt` (ENOENT)',
    ]);
  });

  test.each([
    ['BUCKETWARDEN_ROOT_ACCESS_KEY_ID', ACCESS_KEY_ID, ['root.secretAccessKey']],
    ['BUCKETWARDEN_ROOT_SECRET_ACCESS_KEY', SECRET, ['root.accessKeyId']],
    ['BUCKETWARDEN_UPSTREAM_ENDPOINT', 'https://h', ['upstream.accessKeyId', 'upstream.secretAccessKey']],
    [
      'BUCKETWARDEN_UPSTREAM_REGION',
      'us-east-1',
      ['upstream.endpoint', 'upstream.accessKeyId', 'upstream.secretAccessKey'],
    ],
  ])('%s alone is refused', (variable, value, missing) => {
    const lines = refusal(() => loadConfig({ env: { [variable]: value } }));
    expect(lines).toHaveLength(missing.length);
    for (const [i, line] of lines.entries()) {
      expect(line).toContain(`expected \`${missing[i]}\``);
      expect(line.startsWith(`${variable}: `)).toBe(true);
    }
  });
});

describe('secrets', () => {
  test('are of the type that prints as [secret]', () => {
    const config = loadConfig({
      env: {
        ...upstreamEnvironment('https://h'),
        BUCKETWARDEN_ROOT_ACCESS_KEY_ID: ACCESS_KEY_ID,
        BUCKETWARDEN_ROOT_SECRET_ACCESS_KEY: SECRET,
        BUCKETWARDEN_MASTER_KEY: 'ab'.repeat(32),
      },
    });
    expect(config.root?.secretAccessKey.expose()).toBe(SECRET);
    const [upstream] = config.upstreams;
    expect(upstream?.credentials.kind === 'static' && upstream.credentials.secretAccessKey.expose()).toBe(
      SECRET,
    );
    const printed = JSON.stringify(config);
    expect(printed).not.toContain(SECRET);
    expect(printed).not.toContain('abab');
  });

  test('come from files, without the line end', () => {
    const env = {
      BUCKETWARDEN_ROOT_ACCESS_KEY_ID_FILE: write('id', `${ACCESS_KEY_ID}\n`),
      BUCKETWARDEN_ROOT_SECRET_ACCESS_KEY_FILE: write('secret', `${SECRET}\r\n`),
    };
    const { root, masterKey } = load(`masterKeyFile: ${write('master', `${'A'.repeat(43)}=\n`)}`, env);
    expect(root?.accessKeyId).toBe(ACCESS_KEY_ID);
    expect(root?.secretAccessKey.expose()).toBe(SECRET);
    expect(masterKey?.expose()).toBe(`${'A'.repeat(43)}=`);
  });

  test('a value and its file at once are refused, from one source', () => {
    const file = write('master', 'ab'.repeat(32));
    const both = { BUCKETWARDEN_MASTER_KEY: 'cd'.repeat(32), BUCKETWARDEN_MASTER_KEY_FILE: file };
    const expected = 'masterKeyFile: expected either this or `masterKey`, found both';
    expect(refusal(() => loadConfig({ env: both }))).toEqual([`BUCKETWARDEN_MASTER_KEY_FILE: ${expected}`]);
    const yaml = `masterKey: ${'cd'.repeat(32)}\nmasterKeyFile: ${file}`;
    expect(refusal(() => load(yaml))).toEqual([`bucketwarden.yaml:2: ${expected}`]);
  });

  test('a variable replaces the other form in the file', () => {
    const file = write('master', 'ab'.repeat(32));
    const key = 'cd'.repeat(32);
    expect(load(`masterKeyFile: ${file}`, { BUCKETWARDEN_MASTER_KEY: key }).masterKey?.expose()).toBe(key);
    expect(load(`masterKey: ${key}`, { BUCKETWARDEN_MASTER_KEY_FILE: file }).masterKey?.expose()).toBe(
      'ab'.repeat(32),
    );
  });

  test.each([
    ['a wrong form', { BUCKETWARDEN_MASTER_KEY: 'hunter2' }],
    ['a secret put where its file belongs', { BUCKETWARDEN_MASTER_KEY_FILE: 'hunter2' }],
    [
      'white space in a secret',
      {
        BUCKETWARDEN_ROOT_ACCESS_KEY_ID: 'id-of-root',
        BUCKETWARDEN_ROOT_SECRET_ACCESS_KEY: 'hunter2 hunter2',
      },
    ],
    [
      'id and secret exchanged',
      { BUCKETWARDEN_ROOT_ACCESS_KEY_ID: 'hunter2/', BUCKETWARDEN_ROOT_SECRET_ACCESS_KEY: 'AKIAEXAMPLE' },
    ],
  ])('%s is refused without showing it', (_, env) => {
    const message = refusal(() => loadConfig({ env })).join('\n');
    expect(message).toContain('expected');
    expect(message).not.toContain('hunter2');
  });

  test.each([
    ['unclosed quote', 'masterKey: "hunter2'],
    ['anchor that does not exist', 'masterKey: *hunter2'],
    ['tag', 'masterKey: !hunter2 x'],
    ['reserved character', 'masterKey: @hunter2'],
    ['section that is a scalar', 'root: hunter2'],
    ['whole file a scalar', 'hunter2'],
    ['key given twice', 'masterKey: hunter2\nmasterKey: hunter2'],
    ['bad indentation', 'root:\n  accessKeyId: hunter2\n secretAccessKey: hunter2'],
  ])('a broken file (%s) is refused with its line, without quoting it', (_, yaml) => {
    const lines = refusal(() => load(yaml));
    for (const line of lines) expect(line).toMatch(/^bucketwarden\.yaml:\d+: /);
    expect(lines.join()).not.toContain('hunter2');
  });
});

test('a file that does not exist is named', () => {
  expect(refusal(() => loadConfig({ env: {}, file: '/nowhere/bucketwarden.yaml' }))).toEqual([
    '/nowhere/bucketwarden.yaml: expected a readable file, found none (ENOENT)',
  ]);
});

function upstreamEnvironment(endpoint: string): Record<string, string> {
  return {
    BUCKETWARDEN_UPSTREAM_ENDPOINT: endpoint,
    BUCKETWARDEN_UPSTREAM_ACCESS_KEY_ID: ACCESS_KEY_ID,
    BUCKETWARDEN_UPSTREAM_SECRET_ACCESS_KEY: SECRET,
  };
}
