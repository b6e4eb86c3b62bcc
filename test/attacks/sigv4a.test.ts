/**
 * Signature Version 4A under attack: who forges, bends or replays an ECDSA signature, or moves it to other regions,
 * gets nothing in. Sources: awslabs/aws-c-auth; X.690 (DER); the answers of S3.
 */
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { derOf, numbersOf, P256_ORDER } from '../support/raw-ecdsa.ts';
import { sha256, type Header, type SignedRequest } from '../support/raw-signer.ts';
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

const ALGORITHM = 'AWS4-ECDSA-P256-SHA256';
const TARGET = `/${BUCKET}/secret`;
const REGION = 'us-east-1';
const MISMATCH: Refusal = {
  status: 403,
  code: 'SignatureDoesNotMatch',
  elements: { StringToSign: /^AWS4-ECDSA-P256-SHA256\n\d{8}T\d{6}Z\n\d{8}\/s3\/aws4_request\n/ },
};

const byHeader = (changes: Partial<Parameters<Arena['sign']>[0]> = {}): SignedRequest =>
  arena.sign({ target: TARGET, regionSet: REGION, ...changes });
const byUrl = (changes: Partial<Parameters<Arena['presign']>[0]> = {}): SignedRequest =>
  arena.presign({ target: TARGET, regionSet: REGION, ...changes });
const FORMS = [
  ['header', byHeader],
  ['presigned URL', byUrl],
] as const;

/** The request with another signature. */
function resign(request: SignedRequest, change: (signature: string) => string): SignedRequest {
  const put = (text: string): string =>
    text.replace(/(Signature=)([^&]*)$/, (_, name: string, value: string) => name + change(value));
  return {
    ...replace(request, 'authorization', put),
    target: request.target.includes('X-Amz-Signature') ? put(request.target) : request.target,
  };
}

function replace(request: SignedRequest, name: string, change: (value: string) => string): SignedRequest {
  return {
    ...request,
    headers: request.headers.map(([field, value]): Header => [
      field,
      field.toLowerCase() === name ? change(value) : value,
    ]),
  };
}

describe.each(FORMS)('a request signed with SigV4A by %s', (form, make) => {
  test('is let in, and recorded as what it is', async () => {
    const response = await arena.send(make());
    expect({ status: response.status, body: response.body }).toEqual({ status: 200, body: 'classified' });
    expect(await arena.gateway.record(response.headers['x-amz-request-id'] ?? '')).toMatchObject({
      status: 200,
      signatureVersion: 'SigV4A',
      authType: form === 'header' ? 'AuthHeader' : 'QueryString',
      accessKeyId: arena.gateway.root.accessKeyId,
    });
  });

  test.each<[string, (request: SignedRequest) => SignedRequest]>([
    ['another method', (request) => ({ ...request, method: 'DELETE' })],
    ['another key', (request) => ({ ...request, target: request.target.replace('/secret', '/Secret') })],
    ['another bucket', (request) => ({ ...request, target: request.target.replace(BUCKET, `${BUCKET}2`) })],
    ['another host', (request) => replace(request, 'host', () => 'elsewhere.example.com')],
    [
      'a sub-resource more',
      (request) => ({
        ...request,
        target: `${request.target}${request.target.includes('?') ? '&' : '?'}tagging`,
      }),
    ],
  ])('with %s is refused', async (_, change) => {
    await arena.refuses(change(make()), MISMATCH);
  });

  test.each<[string, (r: bigint, s: bigint, signature: string) => string]>([
    ['upper case', (_r, _s, signature) => signature.toUpperCase()],
    ['padding as of chunks', (_r, _s, signature) => signature.padEnd(145, '*')],
    ['leading zeros', (r, s) => derOf(r, s, 1)],
    ['a long form of the length', (_r, _s, signature) => `3081${signature.slice(2)}`],
    ['bytes after it', (_r, _s, signature) => `${signature}00`],
    ['0 and 0', () => derOf(0n, 0n)],
    ['1 and 1', () => derOf(1n, 1n)],
    ['the order and the order', () => derOf(P256_ORDER, P256_ORDER)],
    ['a first number of 0', (_r, s) => derOf(0n, s)],
    ['a second number of 0', (r) => derOf(r, 0n)],
    ['a second number beyond the order', (r, s) => derOf(r, s + P256_ORDER)],
    ['swapped numbers', (r, s) => derOf(s, r)],
    ['the pair without DER', (r, s) => r.toString(16).padStart(64, '0') + s.toString(16).padStart(64, '0')],
    ['64 hex digits', (_r, _s, signature) => sha256(signature)],
    ['144 zeros', () => '0'.repeat(144)],
    ['nothing', () => ''],
  ])('and %s for a signature is refused', async (_, bend) => {
    await arena.refuses(
      resign(make(), (signature) => bend(...numbersOf(signature), signature)),
      { status: 403, code: 'SignatureDoesNotMatch' },
    );
  });

  test('and the signature of another request is refused', async () => {
    const other = /Signature=([^&]*)$/.exec(
      byHeader({ target: `/${BUCKET}/other` }).headers.find(([name]) => name === 'Authorization')?.[1] ?? '',
    )?.[1];
    await arena.refuses(
      resign(make(), () => other ?? ''),
      MISMATCH,
    );
  });

  test('with the secret or the id of another key is refused', async () => {
    const { root } = arena.gateway;
    const other = await arena.gateway.keyWithPolicy('somebody', {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: 's3:*', Resource: '*' }],
    });
    const mixed: readonly Credentials[] = [
      { accessKeyId: root.accessKeyId, secretAccessKey: other.secretAccessKey },
      { accessKeyId: other.accessKeyId, secretAccessKey: root.secretAccessKey },
    ];
    for (const credentials of mixed) await arena.refuses(make({ credentials }), MISMATCH);
    // The key is derived from secret and id: the right secret under another id is another key.
    const renamed = make({ credentials: { ...root, accessKeyId: 'AKIAIOSFODNN7EXAMPLE' } });
    await arena.refuses(
      {
        ...replace(renamed, 'authorization', (value) =>
          value.replace('AKIAIOSFODNN7EXAMPLE', root.accessKeyId),
        ),
        target: renamed.target.replace('AKIAIOSFODNN7EXAMPLE', root.accessKeyId),
      },
      MISMATCH,
    );
  });

  test.each(['us-west-2', 'us-west-*', 'us-east-', 'us-east-1 ', 'eu-*,ap-*', 'us-east-?'])(
    'for the regions `%s` is refused',
    async (regionSet) => {
      // Spaces at the ends of a header are no part of its value.
      if (form === 'header' && regionSet.endsWith(' ')) return;
      await arena.refuses(make({ regionSet }), {
        status: 400,
        code: 'RegionSetMismatch',
        message: "The provided X-Amz-Region-Set doesn't match against the requested S3 region.",
        elements: { RequestedRegion: REGION, RegionSet: regionSet },
      });
    },
  );

  test('for an empty set of regions is refused', async () => {
    await arena.refuses(
      make({ regionSet: '' }),
      form === 'header'
        ? { status: 400, code: 'RegionSetMismatch' }
        : {
            status: 400,
            code: 'AuthorizationQueryParametersError',
            message: 'SigV4a query auth requires a non empty x-amz-region-set parameter.',
          },
    );
  });

  test('for other regions than it was signed for is refused', async () => {
    const elsewhere = make({ regionSet: 'eu-west-1' });
    await arena.refuses(
      {
        ...replace(elsewhere, 'x-amz-region-set', () => '*'),
        target: elsewhere.target.replace('X-Amz-Region-Set=eu-west-1', 'X-Amz-Region-Set=%2A'),
      },
      MISMATCH,
    );
  });

  test('under the name of the other algorithm is refused', async () => {
    const renamed = make();
    const request = {
      ...replace(renamed, 'authorization', (value) => value.replace(ALGORITHM, 'AWS4-HMAC-SHA256')),
      target: renamed.target.replace(ALGORITHM, 'AWS4-HMAC-SHA256'),
    };
    await arena.refuses(request, {
      status: 400,
      code: form === 'header' ? 'AuthorizationHeaderMalformed' : 'AuthorizationQueryParametersError',
    });
    const withRegion = {
      ...replace(request, 'authorization', (value) => value.replace('/s3/', `/${REGION}/s3/`)),
      target: request.target.replace('%2Fs3%2F', `%2F${REGION}%2Fs3%2F`),
    };
    await arena.refuses(withRegion, { status: 403, code: 'SignatureDoesNotMatch' });
  });

  test('an hour early or late is refused', async () => {
    for (const hours of [-1, 1]) {
      const at = Date.now() + hours * 3_600_000;
      await arena.refuses(
        make({ at }),
        form === 'header'
          ? { status: 403, code: 'RequestTimeTooSkewed' }
          : {
              status: 403,
              code: 'AccessDenied',
              message: hours > 0 ? 'Request is not valid yet.' : 'Request has expired',
            },
      );
    }
  });
});

test('an HMAC by the string of the public key, or by an empty key, is no signature', async () => {
  const request = byHeader();
  const hmac = arena.sign({ target: TARGET });
  const stolen = /Signature=(\w+)/.exec(
    hmac.headers.find(([name]) => name === 'Authorization')?.[1] ?? '',
  )?.[1];
  await arena.refuses(
    resign(request, () => stolen ?? ''),
    MISMATCH,
  );
});

test('a region set that is not signed is refused', async () => {
  const request = byHeader();
  const unsigned = replace(request, 'authorization', (value) => value.replace(';x-amz-region-set', ''));
  await arena.refuses(unsigned, {
    status: 403,
    code: 'AccessDenied',
    elements: { HeadersNotSigned: 'x-amz-region-set' },
  });
});

test('a region set that is missing is refused', async () => {
  const request = byHeader();
  await arena.refuses(
    { ...request, headers: request.headers.filter(([name]) => name !== 'x-amz-region-set') },
    {
      status: 400,
      code: 'InvalidRequest',
      message: 'Missing required header for this request: x-amz-region-set',
    },
  );
  const url = byUrl();
  await arena.refuses(
    { ...url, target: url.target.replace(`&X-Amz-Region-Set=${REGION}`, '') },
    { status: 400, code: 'AuthorizationQueryParametersError' },
  );
});

const PLAIN = 'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD';
const TRAILER = `${PLAIN}-TRAILER`;
const CHUNKS = ['a', 'b', 'c'].map((letter) => Buffer.alloc(64 * 1024, letter));

interface Framing {
  readonly chunk: (signature: string, index: number) => string;
  readonly trailer: (signature: string) => string;
  readonly data: (data: Buffer, index: number) => Buffer;
}

function upload(key: string, form: string, change: Partial<Framing> = {}): SignedRequest {
  const object = Buffer.concat(CHUNKS);
  const request = arena.sign({
    method: 'PUT',
    target: `/${BUCKET}/${key}`,
    regionSet: '*',
    payloadHash: form,
    headers: [
      ['content-encoding', 'aws-chunked'],
      ['x-amz-decoded-content-length', String(object.length)],
      ...(form === TRAILER ? ([['x-amz-trailer', 'x-amz-checksum-crc32']] as const) : []),
    ],
  });
  const parts: (string | Buffer)[] = [];
  for (const [index, data] of [...CHUNKS, Buffer.alloc(0)].entries()) {
    const signature = request.chain.chunk(data);
    parts.push(
      `${data.length.toString(16)};chunk-signature=${change.chunk?.(signature, index) ?? signature}\r\n`,
    );
    if (data.length > 0) parts.push(change.data?.(data, index) ?? data, '\r\n');
  }
  if (form === TRAILER) {
    const crc = Buffer.alloc(4);
    crc.writeUInt32BE(crc32(object));
    const line = `x-amz-checksum-crc32:${crc.toString('base64')}`;
    const signature = request.chain.trailer(`${line}\n`);
    parts.push(`${line}\r\n`, `x-amz-trailer-signature:${change.trailer?.(signature) ?? signature}\r\n`);
  }
  parts.push('\r\n');
  const body = Buffer.concat(parts.map((part) => Buffer.from(part as string)));
  return {
    ...request,
    headers: [
      ...request.headers.filter(([name]) => name !== 'Content-Length'),
      ['Content-Length', String(body.length)],
    ],
    body,
  };
}

describe.each([PLAIN, TRAILER])('an upload as %s', (form) => {
  test('is stored without its framing', async () => {
    const response = await arena.send(upload('chunked', form));
    expect(response.status).toBe(200);
    expect((await arena.get('chunked')).body).toBe(Buffer.concat(CHUNKS).toString('latin1'));
    const removed = await arena.send(arena.sign({ method: 'DELETE', target: `/${BUCKET}/chunked` }));
    expect(removed.status).toBe(204);
  });

  const chunkRefused: Refusal = { status: 403, code: 'SignatureDoesNotMatch' };

  test.each<[string, Partial<Framing>]>([
    [
      'a changed byte',
      { data: (data, index) => (index === 1 ? Buffer.concat([data.subarray(1), Buffer.from('x')]) : data) },
    ],
    [
      'a changed last byte',
      { data: (data, index) => (index === 2 ? Buffer.concat([data.subarray(1), Buffer.from('x')]) : data) },
    ],
    ['the first chunk twice', { data: (data, index) => (index === 1 ? (CHUNKS[0] ?? data) : data) }],
    ['zeros for a signature', { chunk: (signature, index) => (index === 1 ? '0'.repeat(144) : signature) }],
    ['stars for a signature', { chunk: (signature, index) => (index === 3 ? '*'.repeat(144) : signature) }],
    [
      'the twin of a signature, on which the next does not build',
      {
        chunk(signature, index) {
          if (index !== 1) return signature;
          const [r, s] = numbersOf(signature.replaceAll('*', ''));
          return derOf(r, P256_ORDER - s).padEnd(144, '*');
        },
      },
    ],
    [
      'leading zeros in a signature',
      {
        chunk(signature, index) {
          if (index !== 3) return signature;
          const [r, s] = numbersOf(signature.replaceAll('*', ''));
          return derOf(r, s, 1).slice(0, 144).padEnd(144, '*');
        },
      },
    ],
  ])('with %s stores nothing', async (_, change) => {
    await arena.storesNothing('chunked', upload('chunked', form, change), chunkRefused);
  });

  test.each<[string, (signature: string) => string]>([
    ['without padding', (signature) => signature.replaceAll('*', '').slice(0, 136)],
    ['padded too far', (signature) => `${signature}*`],
    ['of SigV4', (signature) => sha256(signature)],
  ])('with a signature %s stores nothing', async (_, change) => {
    await arena.storesNothing(
      'chunked',
      upload('chunked', form, { chunk: (signature, index) => (index === 1 ? change(signature) : signature) }),
      { status: 400, code: 'IncompleteBody' },
    );
  });

  test('signed with SigV4 is refused', async () => {
    const request = arena.sign({ method: 'PUT', target: `/${BUCKET}/chunked`, payloadHash: form, body: 'x' });
    await arena.refuses(request, { status: 400, code: 'InvalidArgument' });
  });
});

test('a trailer with a wrong signature stores nothing', async () => {
  await arena.storesNothing('chunked', upload('chunked', TRAILER, { trailer: () => '*'.repeat(144) }), {
    status: 403,
    code: 'SignatureDoesNotMatch',
  });
  await arena.storesNothing(
    'chunked',
    upload('chunked', TRAILER, { trailer: (signature) => signature.replaceAll('*', '').slice(0, 136) }),
    { status: 400, code: 'MalformedTrailerError' },
  );
});

test('a streaming form of SigV4 signed with SigV4A is refused', async () => {
  for (const payloadHash of [
    'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
    'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
  ])
    await arena.refuses(byHeader({ method: 'PUT', target: `/${BUCKET}/chunked`, payloadHash, body: 'x' }), {
      status: 400,
      code: 'InvalidArgument',
    });
});

test('a policy tells SigV4A by s3:signatureversion', async () => {
  const credentials = await arena.gateway.keyWithPolicy('hmac-only', {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Action: 's3:GetObject',
        Resource: '*',
        Condition: { StringEquals: { 's3:signatureversion': 'AWS4-HMAC-SHA256' } },
      },
    ],
  });
  expect((await arena.send(arena.sign({ target: TARGET, credentials }))).status).toBe(200);
  await arena.refuses(byHeader({ credentials }), { status: 403, code: 'AccessDenied' });
});
