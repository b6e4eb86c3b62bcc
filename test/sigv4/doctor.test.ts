/** The signature doctor: a request is signed as a client sees it, and arrives as a proxy or a mistake makes it. */
import { createHash, createHmac } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { GatewayNames } from '../../src/s3/index.ts';
import {
  createSigningKeys,
  diagnoseSignature,
  explainCause,
  parseSignatureClaim,
  Secret,
  type SignatureCause,
} from '../../src/sigv4/index.ts';
import { presign as presignRaw, signHeader, type Header } from '../support/raw-signer.ts';
import {
  ACCESS_KEY_ID,
  HOST,
  NOW,
  parse,
  presign,
  REGION,
  SECRET_ACCESS_KEY,
  signByHeader,
  UNSIGNED,
  type Signable,
  type WireParts,
} from './independent-signer.ts';

const NAMES: GatewayNames = {
  baseDomains: ['s3.example.com'],
  publicUrls: [{ secure: true, host: 'files.example.com', prefix: '/storage' }],
};

/** A secret with everything in it that goes wrong when secrets are copied. */
const SECRET = SECRET_ACCESS_KEY;

function diagnose(
  parts: WireParts,
  options: { readonly secret?: string; readonly names?: GatewayNames; readonly bodySha256?: string } = {},
): readonly SignatureCause[] | undefined {
  const request = parse(parts);
  const claim = parseSignatureClaim(request, { region: REGION, now: NOW });
  if (claim === undefined) throw new Error('the request is not signed');
  const secret = new Secret(options.secret ?? SECRET);
  const credentials = { accessKeyId: claim.accessKeyId, secretAccessKey: secret, secretVersion: '1' };
  const key = createSigningKeys({ max: 1 }).verificationKey(credentials, claim.scope);
  return diagnoseSignature(
    { request, claim, secret, key, bodySha256: options.bodySha256 },
    { names: options.names ?? NAMES, region: REGION },
  );
}

const REQUEST: Signable = {
  method: 'GET',
  path: '/bucket/a b/c+d',
  query: [
    ['prefix', 'x y'],
    ['versionId', 'null'],
  ],
  headers: { 'accept-encoding': 'identity', 'content-type': 'text/plain', 'user-agent': 'client/1.0' },
};

const FORMS = [
  ['header', (request: Signable) => signByHeader(request)],
  ['presigned URL', (request: Signable) => presign(request, { expiresIn: 300 })],
] as const;

/** Another value for a header; undefined takes it away. */
function header(parts: WireParts, name: string, value: string | undefined): WireParts {
  const others = parts.headers.filter(([field]) => field.toLowerCase() !== name);
  return { ...parts, headers: value === undefined ? others : [...others, [name, value]] };
}

function withTarget(parts: WireParts, change: (target: string) => string): WireParts {
  return { ...parts, target: change(parts.target) };
}

describe.each(FORMS)('of a request signed by %s', (form, sign) => {
  test('that is right, it says nothing', async () => {
    expect(diagnose(await sign(REQUEST))).toBeUndefined();
  });

  test('with another secret altogether, it says nothing', async () => {
    expect(diagnose(await sign(REQUEST), { secret: 'EXAMPLEKEYfromSomebodyElse' })).toBeUndefined();
  });

  test.each<[string, string, string | undefined]>([
    ['the port went', 'gateway.example', HOST],
    ['the host is the upstream of a proxy', '10.0.0.5:8080', undefined],
    ['the letter case changed', 'GATEWAY.example:9000', HOST],
  ])('when %s, it names the host', async (_, received, signed) => {
    const found = diagnose(header(await sign(REQUEST), 'host', received));
    expect(found).toEqual(signed === undefined ? undefined : [{ kind: 'host', signed }]);
  });

  test.each([
    ['x-forwarded-host', HOST],
    ['forwarded', `for=1.2.3.4;host="${HOST}";proto=https`],
  ])('it reads %s', async (name, value) => {
    const arrived = header(header(await sign(REQUEST), 'host', '10.0.0.5:8080'), name, value);
    expect(diagnose(arrived)).toEqual([{ kind: 'host', signed: HOST }]);
  });

  test('whose method changed, it names the method', async () => {
    expect(diagnose({ ...(await sign(REQUEST)), method: 'HEAD' })).toEqual([
      { kind: 'method', signed: 'GET' },
    ]);
  });

  test('with a parameter more, it names the parameter', async () => {
    const arrived = withTarget(await sign(REQUEST), (target) => `${target}&utm_source=mail`);
    expect(diagnose(arrived)).toEqual([{ kind: 'parameter', name: 'utm_source' }]);
  });

  test('with `+` for a space in the query, it says so', async () => {
    const arrived = withTarget(await sign(REQUEST), (target) => target.replace('prefix=x%20y', 'prefix=x+y'));
    expect(diagnose(arrived)).toEqual([{ kind: 'query', how: 'plus-for-space' }]);
  });

  test('whose path lost a prefix, it names the path', async () => {
    const arrived = await sign({ ...REQUEST, path: `/storage${REQUEST.path}` });
    expect(diagnose(withTarget(arrived, (target) => target.replace('/storage', '')))).toEqual([
      { kind: 'path', how: 'prefix', signed: '/storage/bucket/a%20b/c%2Bd' },
    ]);
    const names = { ...NAMES, publicUrls: [] };
    const told = header(
      withTarget(arrived, (target) => target.replace('/storage', '')),
      'x-forwarded-prefix',
      '/storage/',
    );
    expect(diagnose(told, { names })?.[0]).toMatchObject({ kind: 'path', how: 'prefix' });
  });

  test.each<[string, string, string]>([
    ['/bucket//a', '/bucket/a', 'slash'],
    ['/bucket/a/', '/bucket/a', 'slash'],
  ])('of the path %s that arrives as %s, it names the slash', async (signed, received, how) => {
    const arrived = withTarget(await sign({ ...REQUEST, path: signed }), (target) =>
      target.replace(signed, received),
    );
    expect(diagnose(arrived)).toEqual([{ kind: 'path', how, signed }]);
  });

  test('whose path was decoded on the way, it says that it was encoded twice', async () => {
    const arrived = withTarget(await sign({ ...REQUEST, path: '/bucket/a%20b' }), (target) =>
      target.replace('a%2520b', 'a%20b'),
    );
    expect(diagnose(arrived)).toEqual([{ kind: 'path', how: 'encoded-twice', signed: '/bucket/a%2520b' }]);
  });

  test('that was addressed below a bucket’s own host, it names the address', async () => {
    const signed = header(await sign({ ...REQUEST, path: '/a b' }), 'host', HOST);
    const arrived = withTarget(signed, (target) => target.replace('/a%20b', '/gateway/a%20b'));
    expect(diagnose(header(arrived, 'host', 'example:9000'))).toEqual([
      { kind: 'address', signed: 'gateway.example:9000/a%20b' },
    ]);
  });

  test('with two things changed by one proxy, it names both', async () => {
    const arrived = withTarget(header(await sign(REQUEST), 'host', 'gateway.example'), (target) =>
      target.replace('prefix=x%20y', 'prefix=x+y'),
    );
    expect(diagnose(arrived)).toEqual([
      { kind: 'host', signed: HOST },
      { kind: 'query', how: 'plus-for-space' },
    ]);
  });

  test.each<[string, (secret: string) => string, string]>([
    ['a line feed', (secret) => `${secret}\n`, 'line-break-at-end'],
    ['a carriage return and a line feed', (secret) => `${secret}\r\n`, 'line-break-at-end'],
    ['a carriage return', (secret) => `${secret}\r`, 'line-break-at-end'],
    ['a space after it', (secret) => `${secret} `, 'space-at-end'],
    ['a space before it', (secret) => ` ${secret}`, 'space-at-start'],
    ['double quotes', (secret) => `"${secret}"`, 'quotes'],
    ['single quotes', (secret) => `'${secret}'`, 'quotes'],
    ['percent-encoding', encodeURIComponent, 'url-encoded'],
    ['its last character missing', (secret) => secret.slice(0, -1), 'truncated'],
    ['its first character missing', (secret) => secret.slice(1), 'first-character-missing'],
    [
      'its end after the first slash missing',
      (secret) => secret.split('/')[0] ?? '',
      'cut-at-special-character',
    ],
    ['backslashes before its slashes', (secret) => secret.replaceAll('/', '\\/'), 'escaped'],
    ['lower case', (secret) => secret.toLowerCase(), 'letter-case'],
    ['itself again', (secret) => secret + secret, 'twice'],
    ['the access key id in its place', () => ACCESS_KEY_ID, 'access-key-id'],
  ])('with a secret of %s, it says so, and nothing of the secret', async (_, spoil, how) => {
    const [target, host] = ['/bucket/key', HOST];
    const credentials = { accessKeyId: ACCESS_KEY_ID, secretAccessKey: spoil(SECRET) };
    const make = form === 'header' ? signHeader : presignRaw;
    for (const regionSet of [undefined, REGION]) {
      const found = diagnose(
        make({ credentials, host, target, at: NOW, region: REGION, ...(regionSet && { regionSet }) }),
      );
      expect(found).toEqual([{ kind: 'secret', how }]);
      expect(JSON.stringify(found) + found?.map(explainCause).join('')).not.toContain(SECRET.slice(0, 8));
    }
  });
});

describe('of headers', () => {
  test.each<[string, string, string | undefined, string]>([
    ['accept-encoding', 'identity', 'gzip', 'changed'],
    ['accept-encoding', 'gzip, deflate', 'gzip, deflate, br', 'changed'],
    ['accept-encoding', 'gzip', undefined, 'missing'],
    ['expect', '100-continue', undefined, 'missing'],
    ['transfer-encoding', 'chunked', undefined, 'missing'],
    ['te', 'trailers', undefined, 'missing'],
    ['amz-sdk-request', 'attempt=1; max=3', undefined, 'missing'],
    ['content-length', '0', undefined, 'missing'],
    ['content-type', 'text/plain', 'text/plain; charset=utf-8', 'changed'],
    ['content-type', 'text/plain; charset=UTF-8', 'text/plain', 'changed'],
    ['content-type', 'application/octet-stream', 'text/html', 'changed'],
    ['user-agent', 'client/1.0', 'client/1.0 (via proxy)', 'changed'],
    ['x-forwarded-for', '1.2.3.4', '1.2.3.4, 10.0.0.1', 'changed'],
    ['cache-control', '', 'no-cache', 'changed'],
    ['if-none-match', '"abc"', 'W/"abc"', 'changed'],
  ])('%s signed as `%s` that arrives as `%s`, it names the header', (name, signed, received, how) => {
    // Not by the SDK's signer, which leaves headers out that proxies change.
    const sent = signHeader({
      credentials: { accessKeyId: ACCESS_KEY_ID, secretAccessKey: SECRET },
      host: HOST,
      target: '/bucket/key',
      at: NOW,
      region: REGION,
      headers: [[name, signed]],
    });
    expect(diagnose(header(sent, name, received))).toEqual([{ kind: 'header', name, how, signed }]);
  });

  test('two of them, it names both', () => {
    const sent = byHand([
      ['accept-encoding', 'identity'],
      ['connection', 'keep-alive'],
    ]);
    const arrived = header(header(sent, 'accept-encoding', 'gzip'), 'connection', 'close');
    expect(diagnose(arrived)).toEqual([
      { kind: 'header', name: 'accept-encoding', how: 'changed', signed: 'identity' },
      { kind: 'header', name: 'connection', how: 'changed', signed: 'keep-alive' },
    ]);
  });

  test('of a secret value, it names the header alone', () => {
    const name = 'x-amz-server-side-encryption-customer-key';
    const sent = byHand([[name, 'U0VDUkVU']]);
    const arrived = header(sent, name, 'U0VDUkVU,x');
    expect(diagnose(arrived)).toEqual([{ kind: 'header', name, how: 'changed', signed: undefined }]);
  });

  test('signed with all their spaces, it says so', () => {
    expect(diagnose(computed({ headers: [['x-amz-meta-a', 'a  b']], fold: false }))).toEqual([
      { kind: 'header', name: 'x-amz-meta-a', how: 'not-folded', signed: 'a  b' },
    ]);
  });
});

describe('of the rest', () => {
  test('a payload hash that was replaced, it names the one that was signed', () => {
    const sent = byHand([], 'a'.repeat(64));
    expect(diagnose(header(sent, 'x-amz-content-sha256', UNSIGNED), { bodySha256: 'a'.repeat(64) })).toEqual([
      { kind: 'payload', signed: 'a'.repeat(64) },
    ]);
    expect(diagnose(header(sent, 'x-amz-content-sha256', UNSIGNED))).toBeUndefined();
    expect(diagnose(header(byHand([], UNSIGNED), 'x-amz-content-sha256', 'b'.repeat(64)))).toEqual([
      { kind: 'payload', signed: UNSIGNED },
    ]);
  });

  test.each<[string, Parameters<typeof computed>[0], SignatureCause]>([
    [
      'a key of another region',
      { keyScope: ['20260228', 'us-west-2', 's3'] },
      { kind: 'region', signed: 'us-west-2' },
    ],
    [
      'a key of another service',
      { keyScope: ['20260228', REGION, 'execute-api'] },
      { kind: 'service', signed: 'execute-api' },
    ],
    ['a key of another day', { keyScope: ['20260301', REGION, 's3'] }, { kind: 'date', signed: '20260301' }],
    [
      'another date in the string to sign',
      { timestamp: '20260301T005959Z' },
      { kind: 'date', signed: '20260301T005959Z' },
    ],
    ['the secret for a key', { key: Buffer.from(SECRET) }, { kind: 'key', how: 'not-derived' }],
    ['no AWS4 before the secret', { secret: SECRET, prefix: '' }, { kind: 'key', how: 'without-prefix' }],
    [
      'the path not encoded',
      { path: '/bucket/a b=' },
      { kind: 'path', how: 'not-encoded', signed: '/bucket/a b=' },
    ],
    [
      'the path encoded twice',
      { path: '/bucket/a%2520b%253D' },
      { kind: 'path', how: 'encoded-twice', signed: '/bucket/a%2520b%253D' },
    ],
    [
      'the path in lower-case escapes',
      { path: '/bucket/a%20b%3d' },
      { kind: 'path', how: 'encoded-otherwise', signed: '/bucket/a%20b%3d' },
    ],
    ['the query unsorted', { query: 'b=2&a=1' }, { kind: 'query', how: 'unsorted' }],
    [
      'parameters without `=`',
      { target: '/bucket/a%20b%3D?acl', query: 'acl' },
      { kind: 'query', how: 'no-equals' },
    ],
    ['no query', { query: '' }, { kind: 'query', how: 'dropped' }],
    ['a signature in upper case', { form: (hex) => hex.toUpperCase() }, { kind: 'form', how: 'upper-case' }],
    [
      'a signature in base64',
      { form: (hex) => Buffer.from(hex, 'hex').toString('base64') },
      { kind: 'form', how: 'base64' },
    ],
    [
      'a header listed and not signed',
      { leaveOut: 'x-amz-date' },
      { kind: 'header', name: 'x-amz-meta-a', how: 'left-out', signed: undefined },
    ],
  ])('%s, it says so', (_, options, cause) => {
    const changed =
      options.leaveOut === undefined
        ? options
        : { headers: [['x-amz-meta-a', 'b']] as const, leaveOut: 'x-amz-meta-a' };
    expect(diagnose(computed(changed))).toEqual([cause]);
  });
});

test('every cause has a sentence on one line, whatever the client sent', () => {
  const text = 'a\n`b`\u0000é'.repeat(200);
  const causes: readonly SignatureCause[] = [
    { kind: 'host', signed: text },
    { kind: 'address', signed: text },
    { kind: 'path', how: 'prefix', signed: text },
    { kind: 'parameter', name: text },
    { kind: 'header', name: 'accept', how: 'changed', signed: text },
    { kind: 'method', signed: text },
  ];
  for (const cause of causes) expect(explainCause(cause)).toMatch(/^[\x20-\x7e…]{20,800}$/);
});

describe('any request', () => {
  const path = fc.stringMatching(/^\/bucket\/[ -~]{0,20}$/).filter((text) => !/[#?]/.test(text));
  const signature = fc.stringMatching(/^[0-9a-f]{64}$/);

  test('with a signature out of nowhere has no cause', async () => {
    await fc.assert(
      fc.asyncProperty(path, signature, async (key, forged) => {
        const sent = await signByHeader({ ...REQUEST, path: key });
        const arrived = header(
          sent,
          'authorization',
          sent.headers.find(([name]) => name === 'authorization')?.[1].replace(/[0-9a-f]{64}$/, forged),
        );
        expect(diagnose(arrived)).toBeUndefined();
      }),
      { numRuns: 15 },
    );
  });

  test('that lost its port is explained, and the host put back makes it right', async () => {
    await fc.assert(
      fc.asyncProperty(path, async (key) => {
        const arrived = header(await signByHeader({ ...REQUEST, path: key }), 'host', 'gateway.example');
        const [cause] = diagnose(arrived) ?? [];
        if (cause?.kind !== 'host') throw new Error('no host');
        // Nothing to be found any more: the signature is right.
        expect(diagnose(header(arrived, 'host', cause.signed))).toBeUndefined();
      }),
      { numRuns: 50 },
    );
  });
});

test('the number of signatures tried is bounded, whatever was sent', () => {
  const many: Header[] = Array.from({ length: 60 }, (_, index) => [
    `x-amz-meta-${index}`,
    'a  b, c "d"; e=f',
  ]);
  const query = Array.from({ length: 60 }, (_, index) => `p${index}=a+b`).join('&');
  const sent = byHand(many, UNSIGNED, `/bucket${'/a%20b'.repeat(100)}?${query}`);
  const forged = header(
    sent,
    'authorization',
    sent.headers.find(([name]) => name === 'Authorization')?.[1].replace(/.$/, 'x'),
  );
  const started = process.cpuUsage();
  expect(diagnose(forged)).toBeUndefined();
  const { user } = process.cpuUsage(started);
  // Some 2,000 HMACs over 10 KB; far more than that is a loop without an end.
  expect(user).toBeLessThan(2_000_000);
});

/** CPU time of five diagnoses that find nothing, in microseconds; the best of a few, since what else runs only adds. */
function costOf(target: string, headers: readonly Header[] = []): number {
  const sent = byHand(headers, UNSIGNED, target);
  const right = sent.headers.find(([name]) => name === 'Authorization')?.[1] ?? '';
  const forged = header(sent, 'authorization', right.replace(/.$/, 'x'));
  const times = [0, 1, 2].map(() => {
    const started = process.cpuUsage();
    for (let i = 0; i < 5; i++) diagnose(forged);
    return process.cpuUsage(started).user;
  });
  return Math.min(...times);
}

test.for<[string, string, readonly Header[]]>([
  [
    'parameters',
    `/bucket/key?${Array.from({ length: 4_000 }, (_, index) => index.toString(36)).join('&')}`,
    [],
  ],
  ['its path', `/bucket/${'%20'.repeat(5_000)}`, []],
  ['a header', '/bucket/key', [['user-agent', 'b'.repeat(7_000)]]],
])('a request that is large by %s costs hardly more than any other', ([, target, headers]) => {
  costOf('/bucket/key');
  const usual = costOf('/bucket/key');
  // What grew with the size would cost a hundred times as much.
  expect(costOf(target, headers)).toBeLessThan(8 * usual);
});

function byHand(headers: readonly Header[], payloadHash = UNSIGNED, target = '/bucket/key') {
  return signHeader({
    credentials: { accessKeyId: ACCESS_KEY_ID, secretAccessKey: SECRET },
    host: HOST,
    target,
    at: NOW,
    region: REGION,
    headers,
    payloadHash,
  });
}

/** A request whose signature is computed by other rules; what arrives is always `target`. */
function computed(options: {
  readonly target?: string;
  readonly path?: string;
  readonly query?: string;
  readonly headers?: readonly Header[];
  readonly fold?: boolean;
  readonly leaveOut?: string;
  readonly timestamp?: string;
  readonly keyScope?: readonly [date: string, region: string, service: string];
  readonly key?: Buffer;
  readonly secret?: string;
  readonly prefix?: string;
  readonly form?: (hex: string) => string;
}): WireParts {
  const scope = ['20260228', REGION, 's3', 'aws4_request'];
  const target = options.target ?? '/bucket/a%20b%3D?b=2&a=1';
  const [path = '', query = ''] = target.split('?');
  const headers: Header[] = [
    ['host', HOST],
    ['x-amz-content-sha256', UNSIGNED],
    ['x-amz-date', '20260228T235959Z'],
    ...(options.headers ?? []),
  ];
  const names = headers.map(([name]) => name).join(';');
  const lines = headers
    .filter(([name]) => name !== options.leaveOut)
    .map(([name, value]) => `${name}:${options.fold === false ? value : value.replaceAll(/ +/g, ' ')}\n`)
    .join('');
  const sorted = options.target === undefined ? query.split('&').toSorted().join('&') : query;
  const canonical = ['GET', options.path ?? path, options.query ?? sorted, lines, names, UNSIGNED].join('\n');
  const text = [
    'AWS4-HMAC-SHA256',
    options.timestamp ?? '20260228T235959Z',
    scope.join('/'),
    createHash('sha256').update(canonical).digest('hex'),
  ].join('\n');
  const chain = [...(options.keyScope ?? scope.slice(0, 3)), 'aws4_request'];
  const derived = chain.reduce<Buffer>(
    (key, part) => createHmac('sha256', key).update(part).digest(),
    Buffer.from(`${options.prefix ?? 'AWS4'}${options.secret ?? SECRET}`),
  );
  const hex = createHmac('sha256', options.key ?? derived)
    .update(text)
    .digest('hex');
  const authorization = `AWS4-HMAC-SHA256 Credential=${ACCESS_KEY_ID}/${scope.join('/')}, SignedHeaders=${names}, Signature=${options.form?.(hex) ?? hex}`;
  return { method: 'GET', target, headers: [...headers, ['authorization', authorization]] };
}
