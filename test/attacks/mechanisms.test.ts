/**
 * One request, one mechanism: what counts when there are several, an old one, a foreign one, or none at all. Source: S3
 * API reference, "Authenticating Requests (AWS Signature Version 4)", and answers of S3.
 */
import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sha256, type Header, type SignedRequest } from '../support/raw-signer.ts';
import { BUCKET, openArena, type Arena, type Refusal } from './arena.ts';
import { FORMS, framedUpload, UNSIGNED_TRAILER } from './framed-upload.ts';

let arena: Arena;

beforeAll(async () => {
  arena = await openArena();
  await arena.put('secret', 'classified');
  await arena.put('public/page', 'for everybody');
  const allow = { Effect: 'Allow', Principal: '*' };
  const policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { ...allow, Action: 's3:GetObject', Resource: `arn:aws:s3:::${BUCKET}/public/*` },
      { ...allow, Action: 's3:PutObject', Resource: `arn:aws:s3:::${BUCKET}/drop/*` },
    ],
  });
  await arena.send(arena.sign({ method: 'PUT', target: `/${BUCKET}?policy`, body: policy }));
});

afterAll(async () => {
  await arena.finish();
});

const TARGET = `/${BUCKET}/secret`;
const PUBLIC = `/${BUCKET}/public/page`;

const TWO_MECHANISMS: Refusal = {
  status: 400,
  code: 'InvalidArgument',
  message:
    'Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified',
  elements: { ArgumentName: 'Authorization' },
};
const VERSION_2: Refusal = {
  status: 400,
  code: 'InvalidRequest',
  message: 'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.',
};
const UNSUPPORTED: Refusal = {
  status: 400,
  code: 'InvalidArgument',
  message: 'Unsupported Authorization Type',
  elements: { ArgumentName: 'Authorization' },
};
const DENIED: Refusal = { status: 403, code: 'AccessDenied', message: 'Access Denied' };

const presigned = (): SignedRequest => arena.presign({ target: TARGET });
const signed = (): SignedRequest => arena.sign({ target: TARGET });

function authorized(request: SignedRequest, ...values: readonly string[]): SignedRequest {
  const { headers } = withoutSignature(request);
  return { ...request, headers: [...headers, ...values.map((value): Header => ['Authorization', value])] };
}

function anonymous(target: string, options: Partial<SignedRequest> = {}): SignedRequest {
  return { ...signed(), target, headers: [['Host', arena.host]], ...options };
}

function withoutSignature(request: SignedRequest): SignedRequest {
  return { ...request, headers: request.headers.filter(([name]) => name !== 'Authorization') };
}

const headerOf = (request: SignedRequest): string =>
  request.headers.find(([name]) => name === 'Authorization')?.[1] ?? '';

/** Query and header of Signature Version 2, right in every respect. */
function version2(target: string): {
  readonly query: string;
  readonly header: string;
  readonly date: string;
} {
  const { accessKeyId, secretAccessKey } = arena.gateway.root;
  const sign = (text: string): string => createHmac('sha1', secretAccessKey).update(text).digest('base64');
  const expires = Math.floor(Date.now() / 1000) + 60;
  const date = new Date().toUTCString();
  const signature = encodeURIComponent(sign(`GET\n\n\n${expires}\n${target}`));
  return {
    query: `AWSAccessKeyId=${accessKeyId}&Expires=${expires}&Signature=${signature}`,
    header: `AWS ${accessKeyId}:${sign(`GET\n\n\n${date}\n${target}`)}`,
    date,
  };
}

describe('a presigned URL', () => {
  test.each(['Basic dXNlcjpwYXNz', 'Bearer eyJhbGciOiJub25lIn0', 'Negotiate YII=', 'bearer x', ''])(
    'beside a proxy\'s own "Authorization: %s" holds, and that header goes nowhere',
    async (value) => {
      arena.gateway.upstream.clear();
      const response = await arena.send(authorized(presigned(), value));
      expect([response.status, response.body]).toEqual([200, 'classified']);
      const token = value.split(' ')[1] ?? '';
      if (token.length < 4) return;
      expect(arena.gateway.upstream.sent.join('')).not.toContain(token);
      const record = await arena.gateway.record(response.headers['x-amz-request-id'] ?? '');
      expect(JSON.stringify(record)).not.toContain(token);
    },
  );

  test("beside a proxy's own header is verified all the same", async () => {
    const request = authorized(presigned(), 'Bearer abc');
    const target = request.target.replace(/.$/, (digit) => (digit === '0' ? '1' : '0'));
    await arena.refuses({ ...request, target }, { status: 403, code: 'SignatureDoesNotMatch' });
    const expired = arena.presign({ target: TARGET, at: Date.now() - 61_000, expires: 60 });
    await arena.refuses(authorized(expired, 'Basic dXNlcjpwYXNz'), {
      status: 403,
      code: 'AccessDenied',
      message: 'Request has expired',
      elements: { 'X-Amz-Expires': '60', Expires: /Z$/, ServerTime: /Z$/ },
    });
  });

  test('beside a header signature, right or wrong, old or new, is one mechanism too many', async () => {
    const { header } = version2(TARGET);
    for (const value of [
      headerOf(signed()),
      'AWS4-HMAC-SHA256 nonsense',
      header,
      'AWS a:b',
      'aws4-hmac-sha256 x',
    ]) {
      const response = await arena.refuses(authorized(presigned(), value), TWO_MECHANISMS);
      expect(response.body).not.toContain(value);
    }
  });

  test('with parameters of SigV2 is one mechanism too many', async () => {
    const request = presigned();
    const { query } = version2(TARGET);
    for (const more of [query, 'Signature=x', 'AWSAccessKeyId=x'])
      await arena.refuses({ ...request, target: `${request.target}&${more}` }, TWO_MECHANISMS);
  });
});

describe('Signature Version 2', () => {
  test("in the query is refused, beside a proxy's own header too", async () => {
    const { query } = version2(TARGET);
    const request = anonymous(`${TARGET}?${query}`);
    await arena.refuses(request, VERSION_2);
    await arena.refuses(authorized(request, 'Basic dXNlcjpwYXNz'), VERSION_2);
    for (const part of query.split('&').filter((parameter) => !parameter.startsWith('Expires')))
      await arena.refuses(anonymous(`${TARGET}?${part}`), VERSION_2);
    // Of itself `Expires` claims nothing.
    await arena.refuses(anonymous(`${TARGET}?Expires=1`), DENIED);
  });

  test('in the header is refused', async () => {
    const { header, date } = version2(TARGET);
    const request = anonymous(TARGET, {
      headers: [
        ['Host', arena.host],
        ['Date', date],
      ],
    });
    await arena.refuses(authorized(request, header), VERSION_2);
    await arena.refuses(authorized(anonymous(TARGET), 'AWS'), VERSION_2);
    await arena.refuses(authorized(anonymous(TARGET), 'AWS '), VERSION_2);
  });

  test('in both places, or beside a new signature, is one mechanism too many', async () => {
    const { query, header } = version2(TARGET);
    await arena.refuses(authorized(anonymous(`${TARGET}?${query}`), header), TWO_MECHANISMS);
    await arena.refuses(authorized(anonymous(`${TARGET}?${query}`), headerOf(signed())), TWO_MECHANISMS);
  });

  test('is refused for what everybody may read', async () => {
    await arena.refuses(anonymous(`${PUBLIC}?${version2(PUBLIC).query}`), VERSION_2);
    await arena.refuses(authorized(anonymous(PUBLIC), version2(PUBLIC).header), VERSION_2);
  });
});

describe('a header of another scheme alone', () => {
  test.each(['Basic dXNlcjpwYXNz', 'Bearer abc', 'AWS4-HMAC-SHA512 x', 'AWS5 x', 'Negotiate YII='])(
    '%s is not supported, not even for what everybody may read',
    async (value) => {
      const elements = { ArgumentName: 'Authorization', ArgumentValue: value };
      for (const target of [TARGET, PUBLIC])
        await arena.refuses(authorized(anonymous(target), value), { ...UNSUPPORTED, elements });
    },
  );

  test.each(['Basic', '', 'Bearer  two'])('%j is malformed', async (value) => {
    await arena.refuses(authorized(anonymous(PUBLIC), value), {
      status: 400,
      code: 'InvalidArgument',
      message: "Authorization header is invalid -- one and only one ' ' (space) required.",
      elements: { ArgumentName: 'Authorization' },
    });
  });

  test('before or behind a right one is not skipped', async () => {
    await arena.refuses(authorized(signed(), 'Bearer abc', headerOf(signed())), {
      status: 400,
      code: 'InvalidArgument',
    });
    await arena.refuses(authorized(signed(), headerOf(signed()), 'Bearer abc'), {
      status: 400,
      code: 'AuthorizationHeaderMalformed',
    });
  });
});

describe('nobody', () => {
  test('gets what a bucket policy grants everybody', async () => {
    for (const method of ['GET', 'HEAD']) {
      const response = await arena.send(anonymous(PUBLIC, { method }));
      expect([response.status, response.body]).toEqual([200, method === 'GET' ? 'for everybody' : '']);
      const record = await arena.gateway.record(response.headers['x-amz-request-id'] ?? '');
      expect(record).toMatchObject({ principal: 'anonymous', decision: { effect: 'Allow' } });
    }
  });

  test.each([
    ['GET', TARGET],
    ['GET', `/${BUCKET}/drop/x`],
    ['GET', `/${BUCKET}/public`],
    ['GET', `/${BUCKET}/public/page?versionId=null`],
    ['GET', `/${BUCKET}/public/page?tagging`],
    ['GET', `/${BUCKET}?list-type=2`],
    ['GET', `/${BUCKET}?policy`],
    ['GET', '/'],
    ['DELETE', PUBLIC],
    ['DELETE', `/${BUCKET}/drop/x`],
  ])('gets nothing else: %s %s', async (method, target) => {
    await arena.refuses(anonymous(target, { method }), DENIED);
  });

  test('may not choose headers of the answer, whatever is granted', async () => {
    for (const name of ['content-type', 'content-disposition', 'cache-control', 'expires'])
      await arena.refuses(anonymous(`${PUBLIC}?response-${name}=x`), {
        status: 400,
        code: 'InvalidRequest',
        message: 'Request specific response headers cannot be used for anonymous GET requests.',
      });
  });

  test('cannot sign chunks, even where a policy lets everybody write', async () => {
    const refusal = {
      status: 400,
      code: 'InvalidRequest',
      message:
        "Anonymous requests don't support this x-amz-content-sha256 value. Please use UNSIGNED-PAYLOAD or STREAMING-UNSIGNED-PAYLOAD-TRAILER.",
    };
    for (const form of FORMS.filter((candidate) => candidate !== UNSIGNED_TRAILER)) {
      const request = await framedUpload(arena, { form, key: 'drop/chunks', chunks: [Buffer.from('x')] });
      await arena.refuses(withoutSignature(request), refusal);
      const ecdsa = form.replace('HMAC', 'ECDSA-P256');
      const headers = withoutSignature(request).headers.map(([name, value]): Header => [
        name,
        name === 'x-amz-content-sha256' ? ecdsa : value,
      ]);
      await arena.refuses({ ...request, headers }, refusal);
    }
    await arena.checkAbsent('drop/chunks');
  });

  test('writes what a policy lets everybody write, and as it was declared only', async () => {
    const unsigned = async (algorithm: 'CRC32' | 'XXHASH3', trailerValue?: string): Promise<SignedRequest> =>
      withoutSignature(
        await framedUpload(arena, {
          form: UNSIGNED_TRAILER,
          key: 'drop/chunks',
          chunks: [Buffer.from('hello')],
          algorithm,
          ...(trailerValue !== undefined && { trailerValue }),
        }),
      );
    await arena.storesNothing('drop/chunks', await unsigned('CRC32', 'AAAAAA=='), {
      status: 400,
      code: 'BadDigest',
      message: 'The CRC32 you specified did not match the calculated checksum.',
    });
    const hashed = (payloadHash: string): SignedRequest =>
      withoutSignature(
        arena.sign({ method: 'PUT', target: `/${BUCKET}/drop/chunks`, body: 'hello', payloadHash }),
      );
    await arena.storesNothing('drop/chunks', hashed(sha256('other')), {
      status: 400,
      code: 'XAmzContentSHA256Mismatch',
      elements: { ClientComputedContentSHA256: sha256('other'), S3ComputedContentSHA256: sha256('hello') },
    });
    await arena.refuses(hashed('STREAMING-UNSIGNED-PAYLOAD'), {
      status: 400,
      code: 'InvalidArgument',
      elements: { ArgumentName: 'x-amz-content-sha256', ArgumentValue: 'STREAMING-UNSIGNED-PAYLOAD' },
    });
    for (const request of [await unsigned('XXHASH3'), hashed(sha256('hello')), hashed('UNSIGNED-PAYLOAD')]) {
      expect((await arena.send(request)).status).toBe(200);
      expect((await arena.get('drop/chunks')).body).toBe('hello');
    }
  });
});
