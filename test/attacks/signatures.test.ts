/** Requests that are not what somebody signed. Source: S3 API reference, "Authenticating Requests (SigV4)". */
import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Header, SignedRequest } from '../support/raw-signer.ts';
import type { Credentials } from '../support/running-gateway.ts';
import { BUCKET, openArena, type Arena, type Refusal } from './arena.ts';

let arena: Arena;

beforeAll(async () => {
  arena = await openArena();
  await arena.put('secret', 'classified');
});

afterAll(async () => {
  await arena.finish();
});

const MISMATCH: Refusal = {
  status: 403,
  code: 'SignatureDoesNotMatch',
  message:
    'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
  elements: { StringToSign: /^AWS4-HMAC-SHA256\n/, SignatureProvided: /^[0-9a-f]{64}$/ },
};
const TARGET = `/${BUCKET}/secret`;

const get = (): SignedRequest => arena.sign({ target: TARGET });
const presigned = (): SignedRequest => arena.presign({ target: TARGET });

function replace(request: SignedRequest, name: string, change: (value: string) => string): SignedRequest {
  return {
    ...request,
    headers: request.headers.map(([field, value]): Header => [
      field,
      field.toLowerCase() === name ? change(value) : value,
    ]),
  };
}

function add(request: SignedRequest, ...headers: readonly Header[]): SignedRequest {
  return { ...request, headers: [...request.headers, ...headers] };
}

/** The same request on another target. */
function query(request: SignedRequest, change: (target: string) => string): SignedRequest {
  return { ...request, target: change(request.target) };
}

function malformed(message: RegExp): Refusal {
  return { status: 400, code: 'AuthorizationHeaderMalformed', message };
}

function nobody({ accessKeyId }: Credentials): Refusal {
  return {
    status: 403,
    code: 'InvalidAccessKeyId',
    message: 'The AWS Access Key Id you provided does not exist in our records.',
    elements: { AWSAccessKeyId: accessKeyId },
  };
}

/** Refused by header and by presigned URL. */
async function refusesBoth(credentials: Credentials, refusal: Refusal): Promise<void> {
  await arena.refuses(arena.sign({ target: TARGET, credentials }), refusal);
  await arena.refuses(arena.presign({ target: TARGET, credentials }), refusal);
}

function anonymous(target: string, method = 'GET'): SignedRequest {
  return {
    ...arena.sign({ target, method }),
    headers: [['Host', arena.host], ...(method === 'GET' ? [] : ([['Content-Length', '0']] as const))],
  };
}

describe.each([
  ['header', get],
  ['presigned URL', presigned],
] as const)('a request signed by %s', (form, make) => {
  const more = form === 'header' ? '?' : '&';

  test.each<[string, (request: SignedRequest) => SignedRequest]>([
    ['another method', (request) => ({ ...request, method: 'DELETE' })],
    ['another key', (request) => query(request, (target) => target.replace('/secret', '/Secret'))],
    ['another bucket', (request) => query(request, (target) => target.replace(BUCKET, `${BUCKET}2`))],
    ['a slash more', (request) => query(request, (target) => target.replace('/secret', '//secret'))],
    ['a dot segment', (request) => query(request, (target) => target.replace('/secret', '/./secret'))],
    ['a parameter more', (request) => query(request, (target) => `${target}${more}response-expires=x`)],
    ['a sub-resource more', (request) => query(request, (target) => `${target}${more}tagging`)],
    ['a version more', (request) => query(request, (target) => `${target}${more}versionId=null`)],
    ['another host', (request) => replace(request, 'host', () => 'elsewhere.example.com')],
  ])('with %s is refused', async (_, change) => {
    await arena.refuses(change(make()), MISMATCH);
  });

  test.each<Header>([
    ['x-amz-copy-source', `/${BUCKET}/secret`],
    ['x-amz-tagging', 'a=b'],
    ['x-amz-meta-a', 'b'],
    ['x-amz-acl', 'public-read'],
    ['x-amz-storage-class', 'GLACIER'],
    ['Content-MD5', 'XUFAKrxLKna5cZ2REBfFkg=='],
    ['X-AMZ-Meta-A', 'b'],
  ])('with an injected header %s is refused', async (name, value) => {
    const signed =
      form === 'header'
        ? arena.sign({ method: 'PUT', target: `/${BUCKET}/copy`, body: 'hello' })
        : arena.presign({ method: 'PUT', target: `/${BUCKET}/copy`, body: 'hello' });
    const injected = add(name === 'x-amz-copy-source' ? { ...signed, body: Buffer.alloc(0) } : signed, [
      name,
      value,
    ]);
    const request = name === 'x-amz-copy-source' ? replace(injected, 'content-length', () => '0') : injected;
    await arena.refuses(request, {
      status: 403,
      code: 'AccessDenied',
      message: 'There were headers present in the request which were not signed',
      elements: { HeadersNotSigned: name.toLowerCase() },
    });
  });

  test('with a signature that is nearly right is refused', async () => {
    for (const change of [
      (text: string) => text.slice(0, -1) + (text.endsWith('0') ? '1' : '0'),
      (text: string) => text.slice(0, -1),
      (text: string) => `${text}0`,
      (text: string) => text.slice(0, -64) + text.slice(-64).toUpperCase(),
    ]) {
      const request = make();
      const changed = form === 'header' ? replace(request, 'authorization', change) : query(request, change);
      await arena.refuses(changed, { status: 403, code: 'SignatureDoesNotMatch' });
    }
  });

  test('never tells the signature that would be right', async () => {
    const request = make();
    const wrong = (options: Parameters<Arena['sign']>[0]): SignedRequest =>
      form === 'header' ? arena.sign(options) : arena.presign(options);
    const at = Date.now();
    const right = wrong({ target: TARGET, at });
    const forged = wrong({
      target: TARGET,
      at,
      credentials: { ...arena.gateway.root, secretAccessKey: 'x' },
    });
    const response = await arena.refuses(forged, MISMATCH);
    expect(response.body).not.toContain(right.chain.signature);
    const record = await arena.gateway.record(response.headers['x-amz-request-id'] ?? '');
    expect(JSON.stringify(record)).not.toContain(forged.chain.signature);
    expect(record['accessKeyId']).toBe(arena.gateway.root.accessKeyId);
    expect(record['principal']).toBeUndefined();
    expect(request.chain.signature).not.toBe(forged.chain.signature);
  });
});

describe('signed header values', () => {
  test.each<[string, string, string]>([
    ['x-amz-meta-a', 'one', 'two'],
    ['x-amz-tagging', 'a=1', 'a=2'],
    ['x-amz-storage-class', 'STANDARD', 'STANDARD_IA'],
    ['Content-Type', 'text/plain', 'text/html'],
    ['if-none-match', '*', '"x"'],
  ])('%s cannot be changed', async (name, before, after) => {
    const request = arena.sign({
      method: 'PUT',
      target: `/${BUCKET}/changed`,
      body: 'x',
      headers: [[name, before]],
    });
    await arena.refuses(
      replace(request, name.toLowerCase(), () => after),
      MISMATCH,
    );
  });

  test('a signed header cannot be taken away, nor come twice', async () => {
    const request = arena.sign({
      method: 'PUT',
      target: `/${BUCKET}/changed`,
      body: 'x',
      headers: [['x-amz-meta-a', 'one']],
    });
    const without = request.headers.filter(([name]) => name !== 'x-amz-meta-a');
    await arena.refuses({ ...request, headers: without }, MISMATCH);
    await arena.refuses(add(request, ['x-amz-meta-a', 'two']), MISMATCH);
  });

  test('a copy source cannot come twice, whatever was signed', async () => {
    for (const header of ['x-amz-copy-source', 'X-Amz-Copy-Source'])
      await arena.refuses(
        arena.sign({
          method: 'PUT',
          target: `/${BUCKET}/copy`,
          headers: [
            ['x-amz-copy-source', `/${BUCKET}/secret`],
            [header, `/${BUCKET}/other`],
          ],
        }),
        { status: 400, code: 'InvalidArgument' },
      );
  });

  test('the declared hash cannot be changed to UNSIGNED-PAYLOAD', async () => {
    const request = arena.sign({ method: 'PUT', target: `/${BUCKET}/changed`, body: 'x' });
    const changed = replace(request, 'x-amz-content-sha256', () => 'UNSIGNED-PAYLOAD');
    await arena.refuses({ ...changed, body: Buffer.from('y') }, MISMATCH);
  });

  test.each<[string, Refusal]>([
    ['', { status: 400, code: 'InvalidArgument' }],
    ['STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD', { status: 400, code: 'InvalidArgument' }],
    ['streaming-unsigned-payload-trailer', { status: 400, code: 'InvalidArgument' }],
    ['STREAMING-UNSIGNED-PAYLOAD', { status: 400, code: 'InvalidArgument' }],
    [`${'0'.repeat(63)}g`, { status: 400, code: 'InvalidArgument' }],
  ])('a payload line `%s` is refused', async (payloadHash, refusal) => {
    await arena.refuses(
      arena.sign({ method: 'PUT', target: `/${BUCKET}/p`, body: 'x', payloadHash }),
      refusal,
    );
  });

  test('no payload line is refused', async () => {
    await arena.refuses(arena.sign({ target: TARGET, payloadHash: null }), {
      status: 400,
      code: 'InvalidRequest',
      message: 'Missing required header for this request: x-amz-content-sha256',
    });
  });
});

describe('an Authorization header', () => {
  const THREE = /requires three components: Credential, SignedHeaders, and Signature\.$/;
  test.each<[string, (value: string) => string, Refusal]>([
    [
      'without a space',
      (v) => v.replaceAll(' ', ''),
      { status: 400, code: 'InvalidArgument', message: /one and only one ' '/ },
    ],
    [
      'of another scheme',
      () => 'Bearer abc',
      { status: 400, code: 'InvalidArgument', message: 'Unsupported Authorization Type' },
    ],
    [
      'of Basic',
      () => 'Basic YTpi',
      { status: 400, code: 'InvalidArgument', message: 'Unsupported Authorization Type' },
    ],
    ['that is empty', () => '', { status: 400, code: 'InvalidArgument' }],
    [
      'of SigV2',
      () => 'AWS AKIAIOSFODNN7EXAMPLE:frJIUN8DYpKDtOLCwo//yllqDzg=',
      {
        status: 400,
        code: 'InvalidRequest',
        message:
          'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.',
      },
    ],
    ['without a signature', (v) => v.replace(/, Signature=.*/, ''), malformed(THREE)],
    ['with a component twice', (v) => `${v}, Signature=${'0'.repeat(64)}`, malformed(THREE)],
    ['with a component more', (v) => `${v}, Extra=1`, malformed(THREE)],
    ['without terminal', (v) => v.replace('/aws4_request', ''), malformed(/the Credential is mal-formed/)],
    [
      'for another service',
      (v) => v.replace('/s3/', '/ec2/'),
      malformed(/incorrect service "ec2"\. This endpoint belongs to "s3"\.$/),
    ],
    [
      'for another terminal',
      (v) => v.replace('/aws4_request', '/aws5_request'),
      malformed(/incorrect terminal/),
    ],
    [
      'of another day',
      (v) => v.replace(/\/\d{8}\//, '/20200101/'),
      malformed(/Date is not the same as X-Amz-Date\.$/),
    ],
    [
      'with a date that is none',
      (v) => v.replace(/\/\d{8}\//, '/today/'),
      malformed(/incorrect date format "today"/),
    ],
    ['with a hundred thousand components', (v) => `${v}${','.repeat(5000)}`, malformed(THREE)],
    [
      'that does not sign Host',
      (v) => v.replace('SignedHeaders=host;', 'SignedHeaders='),
      { status: 403, code: 'AccessDenied', elements: { HeadersNotSigned: 'host' } },
    ],
    [
      'that does not sign the payload line',
      (v) => v.replace(';x-amz-content-sha256', ''),
      { status: 403, code: 'AccessDenied', elements: { HeadersNotSigned: 'x-amz-content-sha256' } },
    ],
    [
      'that signs a header twice',
      (v) => v.replace('SignedHeaders=host;', 'SignedHeaders=host;host;'),
      malformed(THREE),
    ],
  ])('%s is refused', async (_, change, refusal) => {
    await arena.refuses(replace(get(), 'authorization', change), refusal);
  });

  test('for another region is told the right one', async () => {
    await arena.refuses(arena.sign({ target: TARGET, region: 'eu-west-1' }), {
      ...malformed(/the region "eu-west-1" is wrong; expecting "us-east-1"$/),
      elements: { Region: 'us-east-1' },
    });
  });

  test('that comes twice is refused, in either order', async () => {
    const other = arena.sign({
      target: TARGET,
      credentials: { accessKeyId: 'AKIANOBODY', secretAccessKey: 'x' },
    });
    const authorization = other.headers.find(([name]) => name === 'Authorization') as Header;
    await arena.refuses(add(get(), authorization), malformed(THREE));
    await arena.refuses({ ...get(), headers: [authorization, ...get().headers] }, malformed(THREE));
  });

  test('beside a presigned URL is one mechanism too many', async () => {
    const authorization = get().headers.find(([name]) => name === 'Authorization') as Header;
    await arena.refuses(add(presigned(), authorization), {
      status: 400,
      code: 'InvalidArgument',
      message: /^Only one auth mechanism allowed/,
    });
  });

  test('is not replaced by a parameter of SigV2', async () => {
    const refusal = { status: 400, code: 'InvalidRequest', message: /Please use AWS4-HMAC-SHA256\.$/ };
    const expires = Math.floor(Date.now() / 1000) + 60;
    const signature = encodeURIComponent(
      createHmac('sha1', arena.gateway.root.secretAccessKey)
        .update(`GET\n\n\n${expires}\n${TARGET}`)
        .digest('base64'),
    );
    const target = `${TARGET}?AWSAccessKeyId=${arena.gateway.root.accessKeyId}&Expires=${expires}&Signature=${signature}`;
    const headers: readonly Header[] = [['Host', arena.host]];
    await arena.refuses({ ...get(), target, headers }, refusal);
  });
});

describe('time', () => {
  const MINUTE = 60_000;

  test.each([-16, 16, -60 * 24 * 365, 60 * 24])(
    'a request signed %i minutes away is skewed',
    async (minutes) => {
      await arena.refuses(arena.sign({ target: TARGET, at: Date.now() + minutes * MINUTE }), {
        status: 403,
        code: 'RequestTimeTooSkewed',
        message: 'The difference between the request time and the current time is too large.',
        elements: { MaxAllowedSkewMilliseconds: '900000', RequestTime: /^\d{8}T\d{6}Z$/, ServerTime: /Z$/ },
      });
    },
  );

  test('a date that is none, or missing, is refused', async () => {
    const refusal = {
      status: 403,
      code: 'AccessDenied',
      message: 'AWS authentication requires a valid Date or x-amz-date header.',
    };
    for (const date of ['yesterday', '', '20260230T000000Z', new Date().toUTCString()])
      await arena.refuses(
        replace(get(), 'x-amz-date', () => date),
        refusal,
      );
    const without = get().headers.filter(([name]) => name !== 'x-amz-date');
    await arena.refuses({ ...get(), headers: without }, refusal);
  });

  test('a presigned URL ends when it says, and does not begin in the future', async () => {
    await arena.refuses(arena.presign({ target: TARGET, at: Date.now() - 61_000, expires: 60 }), {
      status: 403,
      code: 'AccessDenied',
      message: 'Request has expired',
      elements: { 'X-Amz-Expires': '60', Expires: /Z$/, ServerTime: /Z$/ },
    });
    await arena.refuses(arena.presign({ target: TARGET, at: Date.now() + 16 * MINUTE }), {
      status: 403,
      code: 'AccessDenied',
      message: 'Request is not valid yet.',
    });
    await arena.refuses(arena.presign({ target: TARGET, expires: 0 }), {
      status: 403,
      code: 'AccessDenied',
      message: 'Request has expired',
    });
  });

  test.each([
    ['604801', /must be less than a week/],
    ['99999999999999999999', /should be a number/],
    ['-1', 'X-Amz-Expires must be non-negative'],
    ['1e3', 'X-Amz-Expires should be a number'],
    ['', 'X-Amz-Expires should be a number'],
    ['0x10', 'X-Amz-Expires should be a number'],
  ])('a presigned URL for `%s` seconds is refused', async (expires, message) => {
    await arena.refuses(arena.presign({ target: TARGET, expires }), {
      status: 400,
      code: 'AuthorizationQueryParametersError',
      message,
    });
  });

  test('604800 seconds are allowed', async () => {
    expect((await arena.send(arena.presign({ target: TARGET, expires: 604_800 }))).body).toBe('classified');
  });
});

describe('the parameters of a presigned URL', () => {
  const names = ['Algorithm', 'Credential', 'Date', 'Expires', 'SignedHeaders', 'Signature'];
  const ERROR = { status: 400, code: 'AuthorizationQueryParametersError' };

  test.each(names)('X-Amz-%s cannot come twice', async (name) => {
    const { target, ...rest } = presigned();
    const value = new RegExp(`X-Amz-${name}=([^&]*)`).exec(target)?.[1] ?? '';
    await arena.refuses({ ...rest, target: `${target}&X-Amz-${name}=${value}` }, ERROR);
    await arena.refuses({ ...rest, target: target.replace('?', `?X-Amz-${name}=other&`) }, ERROR);
  });

  test.each(names)('X-Amz-%s cannot be missing', async (name) => {
    const { target, ...rest } = presigned();
    await arena.refuses(
      { ...rest, target: target.replace(new RegExp(`X-Amz-${name}=[^&]*&?`), '').replace(/&$/, '') },
      { ...ERROR, message: /^Query-string authentication version 4 requires/ },
    );
  });

  test.each(names)('X-Amz-%s in other letters is not understood', async (name) => {
    const { target, ...rest } = presigned();
    const response = await arena.send({
      ...rest,
      target: target.replace(`X-Amz-${name}=`, `x-amz-${name.toLowerCase()}=`),
    });
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(response.body).not.toContain('classified');
  });

  test('another algorithm is refused', async () => {
    const { target, ...rest } = presigned();
    await arena.refuses(
      { ...rest, target: target.replace('AWS4-HMAC-SHA256', 'AWS4-ECDSA-P256-SHA256') },
      ERROR,
    );
  });

  test('a URL for GET is none for PUT, DELETE or HEAD', async () => {
    for (const method of ['PUT', 'DELETE'])
      await arena.refuses(
        { ...presigned(), method, headers: [...presigned().headers, ['Content-Length', '0']] },
        MISMATCH,
      );
    await arena.refuses({ ...presigned(), method: 'HEAD' }, MISMATCH);
  });
});

describe('keys', () => {
  const allowAll = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 's3:*', Resource: '*' }] };

  test('that are unknown, prototypes included, are refused', async () => {
    for (const accessKeyId of ['AKIANOBODY', '__proto__', 'constructor', 'AKIA%00', "' OR 1=1 --"]) {
      const credentials = { accessKeyId, secretAccessKey: '' };
      await refusesBoth(credentials, nobody(credentials));
    }
    const known = arena.gateway.root.accessKeyId;
    const close = { accessKeyId: known.toLowerCase(), secretAccessKey: arena.gateway.root.secretAccessKey };
    await refusesBoth(close, nobody(close));
    expect(arena.accessRecords().length).toBeGreaterThan(0);
  });

  test('that are disabled or deleted are refused within a second', async () => {
    for (const command of ['disable', 'delete']) {
      const credentials = await arena.gateway.keyWithPolicy('leaver', allowAll);
      expect((await arena.send(arena.sign({ target: TARGET, credentials }))).status).toBe(200);
      await arena.gateway.keys([command, credentials.accessKeyId]);
      const since = Date.now();
      for (;;) {
        const response = await arena.send(arena.sign({ target: TARGET, credentials }));
        if (response.status === 403) break;
        expect(Date.now() - since).toBeLessThan(1000);
      }
      await refusesBoth(credentials, nobody(credentials));
    }
  });

  test('are refused once their time is over', async () => {
    const expiresAt = Date.now() + 700;
    const issued = await arena.gateway.keys([
      'issue',
      '--user=guest',
      `--bucket=${BUCKET}`,
      '--read-only',
      '--output=json',
      `--expires=${new Date(expiresAt).toISOString()}`,
    ]);
    const { AccessKeyId, SecretAccessKey } = JSON.parse(issued) as Record<string, string>;
    const credentials = { accessKeyId: AccessKeyId ?? '', secretAccessKey: SecretAccessKey ?? '' };
    const statuses = new Set<number>();
    while (Date.now() < expiresAt) {
      const before = await arena.send(arena.sign({ target: TARGET, credentials }));
      statuses.add(Date.now() < expiresAt ? before.status : 200);
    }
    expect([...statuses]).toEqual([200]);
    await refusesBoth(credentials, nobody(credentials));
  });

  test('with a session token beside them are refused', async () => {
    const token = ['x-amz-security-token', 'FwoGZXIvYXdzEXAMPLE'] as const;
    const refusal = {
      status: 400,
      code: 'InvalidToken',
      message: 'The provided token is malformed or otherwise invalid.',
    };
    await arena.refuses(arena.sign({ target: TARGET, headers: [token] }), refusal);
    await arena.refuses(arena.presign({ target: TARGET, headers: [token] }), refusal);
    const response = await arena.refuses(
      arena.presign({ target: TARGET, parameters: [['X-Amz-Security-Token', token[1]]] }),
      refusal,
    );
    const record = await arena.gateway.record(response.headers['x-amz-request-id'] ?? '');
    expect(JSON.stringify(record)).not.toContain(token[1]);
  });

  test('of the upstream are nobody at the gateway', async () => {
    const credentials = { accessKeyId: 'UPSTREAMKEY', secretAccessKey: 'x' };
    await refusesBoth(credentials, nobody(credentials));
    expect(arena.accessRecords().at(-1)?.['principal']).toBeUndefined();
  });
});

describe('nobody', () => {
  test.each([
    ['GET', '/'],
    ['GET', `/${BUCKET}`],
    ['GET', TARGET],
    ['GET', '/no-such-bucket/key'],
    ['PUT', `/${BUCKET}/new`],
    ['PUT', '/new-bucket'],
    ['DELETE', TARGET],
    ['DELETE', `/${BUCKET}`],
  ])('may not %s %s', async (method, target) => {
    await arena.refuses(anonymous(target, method), {
      status: 403,
      code: 'AccessDenied',
      message: 'Access Denied',
    });
  });

  test('may choose headers of the answer', async () => {
    await arena.refuses(anonymous(`${TARGET}?response-content-type=text/html`), {
      status: 400,
      code: 'InvalidRequest',
      message: 'Request specific response headers cannot be used for anonymous GET requests.',
    });
  });
});
