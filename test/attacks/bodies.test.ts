/** Uploads whose bytes are not what was declared: nothing of them is ever stored. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { renderHead, sha256, type Header, type SignedRequest } from '../support/raw-signer.ts';
import { SDK_CHECKSUM_NAMES, sdkChecksum } from '../support/sdk-checksums.ts';
import { BUCKET, openArena, type Arena, type Refusal } from './arena.ts';

let arena: Arena;

beforeAll(async () => {
  arena = await openArena();
});

afterAll(async () => {
  await arena.finish();
});

const SMALL = Buffer.from('one read is enough for this');
/** Many reads of a socket: the first of them are upstream before the last has come. */
const LARGE = Buffer.alloc(3 * 1024 * 1024 + 17, 'abcdefghijk');
const SIZES = [
  ['small', SMALL],
  ['large', LARGE],
] as const;

const put = (key: string, options: Partial<Parameters<Arena['sign']>[0]> = {}): SignedRequest =>
  arena.sign({ method: 'PUT', target: `/${BUCKET}/${key}`, ...options });

/** The last byte is another one. */
function altered(body: Buffer): Buffer {
  const copy = Buffer.from(body);
  copy[copy.length - 1] = 0x21;
  return copy;
}

describe.each(SIZES)('a %s body', (_, body) => {
  test('that differs from its sha256 is not stored', async () => {
    await arena.storesNothing(
      'hash',
      { ...put('hash', { body: altered(body) }), body },
      {
        status: 400,
        code: 'XAmzContentSHA256Mismatch',
        message: "The provided 'x-amz-content-sha256' header does not match what was computed.",
        elements: {
          ClientComputedContentSHA256: sha256(altered(body)),
          S3ComputedContentSHA256: sha256(body),
        },
      },
    );
  });

  test('that differs from its Content-MD5 is not stored', async () => {
    const md5 = createHash('md5').update(altered(body)).digest('base64');
    for (const payloadHash of [sha256(body), 'UNSIGNED-PAYLOAD'])
      await arena.storesNothing('md5', put('md5', { body, payloadHash, headers: [['Content-MD5', md5]] }), {
        status: 400,
        code: 'BadDigest',
        message: 'The Content-MD5 you specified did not match what we received.',
      });
  });

  test.each(SDK_CHECKSUM_NAMES)('that differs from its %s is not stored', async (algorithm) => {
    const header = `x-amz-checksum-${algorithm.toLowerCase()}`;
    const value = await sdkChecksum(algorithm, altered(body));
    for (const payloadHash of [sha256(body), 'UNSIGNED-PAYLOAD'])
      await arena.storesNothing('sum', put('sum', { body, payloadHash, headers: [[header, value]] }), {
        status: 400,
        code: 'BadDigest',
        message: `The ${algorithm} you specified did not match the calculated checksum.`,
      });
  });

  test('that ends before its Content-Length is not stored', async () => {
    const request = put('short', {
      body,
      payloadHash: 'UNSIGNED-PAYLOAD',
      headers: [['Content-Length', String(body.length + 1)]],
    });
    const connection = await arena.connect();
    await connection.write(renderHead(request));
    connection.socket.end(body);
    await arena.checkRefusal(await connection.response(), {
      status: 400,
      code: 'IncompleteBody',
      message: 'You did not provide the number of bytes specified by the Content-Length HTTP header',
    });
    await connection.closed;
    await arena.checkAbsent('short');
  });

  test('of a presigned URL whose hash is part of it is held to that hash', async () => {
    const request = arena.presign({
      method: 'PUT',
      target: `/${BUCKET}/presigned`,
      body,
      headers: [['x-amz-content-sha256', sha256(altered(body))]],
    });
    await arena.storesNothing('presigned', request, { status: 400, code: 'XAmzContentSHA256Mismatch' });
  });

  test('of a part is held to the same', async () => {
    const created = await arena.send(arena.sign({ method: 'POST', target: `/${BUCKET}/part?uploads` }));
    const uploadId = /<UploadId>([^<]+)</.exec(created.body)?.[1] ?? '';
    const part = arena.sign({
      method: 'PUT',
      target: `/${BUCKET}/part?partNumber=1&uploadId=${uploadId}`,
      body: altered(body),
    });
    await arena.storesNothing('part', { ...part, body }, { status: 400, code: 'XAmzContentSHA256Mismatch' });
    const listed = await arena.send(arena.sign({ target: `/${BUCKET}/part?uploadId=${uploadId}` }));
    expect(listed.status).toBe(200);
    expect(listed.body).not.toContain('<PartNumber>');
    const aborted = arena.sign({ method: 'DELETE', target: `/${BUCKET}/part?uploadId=${uploadId}` });
    expect((await arena.send(aborted)).status).toBe(204);
  });

  test('that is cut by other bytes than the declared ones never replaces an object', async () => {
    await arena.put('kept', 'before');
    const request = put('kept', { body: altered(body) });
    const response = await arena.send({ ...request, body });
    await arena.checkRefusal(response, { status: 400, code: 'XAmzContentSHA256Mismatch' });
    expect((await arena.get('kept')).body).toBe('before');
  });
});

test('bytes beyond Content-Length are no part of the object, and no request', async () => {
  const connection = await arena.connect();
  await connection.write(Buffer.concat([renderHead(put('exact', { body: SMALL })), SMALL, SMALL]));
  expect((await connection.response()).status).toBe(200);
  await arena.checkRefusal(await connection.response(), { status: 400, code: 'BadRequest' });
  await connection.closed;
  expect((await arena.get('exact')).body).toBe(SMALL.toString());
});

describe('a refused upload', () => {
  test('leaves its connection in step: the next request on it is answered', async () => {
    const broken = { ...put('step', { body: altered(LARGE) }), body: LARGE };
    const early = put('step', { body: LARGE, headers: [['x-amz-checksum-crc32', 'AAAA']] });
    for (const request of [broken, early]) {
      const connection = await arena.connect();
      await connection.write(renderHead(request));
      void connection.write(request.body);
      void connection.write(renderHead(arena.sign({ target: `/${BUCKET}?location` })));
      expect((await connection.response()).status).toBe(400);
      expect((await connection.response()).body).toContain('LocationConstraint');
      connection.socket.end();
      await connection.closed;
    }
    await arena.checkAbsent('step');
  });

  test.each<[string, readonly Header[], Refusal]>([
    [
      'without a length',
      [['Content-Length', 'none']],
      {
        status: 411,
        code: 'MissingContentLength',
        message: 'You must provide the Content-Length HTTP header.',
      },
    ],
    [
      'above 5 GiB',
      [['Content-Length', String(5 * 1024 ** 3 + 1)]],
      {
        status: 400,
        code: 'EntityTooLarge',
        elements: { ProposedSize: String(5 * 1024 ** 3 + 1), MaxSizeAllowed: String(5 * 1024 ** 3) },
      },
    ],
    [
      'with a malformed MD5',
      [['Content-MD5', 'x']],
      { status: 400, code: 'InvalidDigest', message: 'The Content-MD5 you specified is not valid.' },
    ],
    [
      'with an MD5 of another length',
      [['Content-MD5', 'AAAA']],
      { status: 400, code: 'InvalidDigest', message: 'The Content-MD5 you specified is not valid.' },
    ],
    [
      'with two checksums',
      [
        ['x-amz-checksum-crc32', 'AAAAAA=='],
        ['x-amz-checksum-sha1', 'AAAAAAAAAAAAAAAAAAAAAAAAAAA='],
      ],
      {
        status: 400,
        code: 'InvalidRequest',
        message: 'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.',
      },
    ],
    ...SDK_CHECKSUM_NAMES.map((algorithm): [string, readonly Header[], Refusal] => {
      const name = `x-amz-checksum-${algorithm.toLowerCase()}`;
      const message = `Value for ${name} header is invalid.`;
      return [
        `with an undecodable ${algorithm}`,
        [[name, 'AAA=']],
        { status: 400, code: 'InvalidRequest', message },
      ];
    }),
    [
      'with two new checksums',
      [
        ['x-amz-checksum-xxhash3', 'AAAAAAAAAAA='],
        ['x-amz-checksum-xxhash64', 'AAAAAAAAAAA='],
      ],
      { status: 400, code: 'InvalidRequest', message: /^Expecting a single x-amz-checksum- header\. / },
    ],
    ['with an unknown checksum', [['x-amz-checksum-foo', 'AA==']], { status: 501, code: 'NotImplemented' }],
    [
      'with a decoded length that is another',
      [['x-amz-decoded-content-length', '5']],
      { status: 400, code: 'IncompleteBody' },
    ],
  ])('%s is refused before the body is read', async (_, headers, refusal) => {
    const declared = headers.some(([name]) => name === 'Content-Length');
    const signed = put('early', {
      headers: declared ? headers : [...headers, ['Content-Length', '10']],
      payloadHash: 'UNSIGNED-PAYLOAD',
    });
    const request = { ...signed, headers: signed.headers.filter(([, value]) => value !== 'none') };
    const withoutLength = headers[0]?.[1] === 'none';
    await arena.refuses(
      withoutLength
        ? {
            ...put('early', { unsigned: [['Transfer-Encoding', 'chunked']] }),
            body: Buffer.from('0\r\n\r\n'),
          }
        : { ...request, body: Buffer.alloc(0) },
      refusal,
    );
  });
});

describe('Transfer-Encoding on the way to the gateway', () => {
  test.each([
    ['a size that is no number', 'zz\r\nhello\r\n0\r\n\r\n'],
    ['a negative size', '-5\r\nhello\r\n0\r\n\r\n'],
    ['a size beyond all measure', `${'f'.repeat(17)}\r\nhello\r\n0\r\n\r\n`],
    ['data longer than its size', '5\r\nhello!\r\n0\r\n\r\n'],
    ['no CRLF after the data', '5\r\nhello0\r\n\r\n'],
    ['an endless extension', `5;${'x'.repeat(40_000)}\r\nhello\r\n0\r\n\r\n`],
  ])('%s: one refusal, nothing stored', async (_, body) => {
    const request = put('chunks', {
      payloadHash: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
      headers: [
        ['x-amz-decoded-content-length', '5'],
        ['x-amz-trailer', 'x-amz-checksum-crc32'],
      ],
      unsigned: [['Transfer-Encoding', 'chunked']],
    });
    const records = arena.accessRecords().length;
    const response = await arena.send({ ...request, body: Buffer.from(body, 'latin1') });
    await arena.checkRefusal(response, { status: 400, code: 'IncompleteBody' });
    expect(response.headers['connection']).toBe('close');
    expect(arena.accessRecords()).toHaveLength(records + 1);
    await arena.checkAbsent('chunks');
  });
});

describe('a refusal reaches the client that is still sending', () => {
  test.each([
    [
      'an unknown key',
      { credentials: { accessKeyId: 'AKIANOBODY', secretAccessKey: 'x' } },
      'InvalidAccessKeyId',
    ],
    [
      'a checksum that cannot be one',
      { headers: [['x-amz-checksum-crc32', '?']] as const },
      'InvalidRequest',
    ],
  ] as const)('%s, in a body without a declared length', async (_, options, code) => {
    const request = put('still-sending', {
      payloadHash: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
      unsigned: [['Transfer-Encoding', 'chunked']],
      ...options,
      headers: [
        ['x-amz-decoded-content-length', String(LARGE.length)],
        ['x-amz-trailer', 'x-amz-checksum-crc32'],
        ...('headers' in options ? options.headers : []),
      ],
    });
    const connection = await arena.connect();
    await connection.write(renderHead(request));
    const size = `${LARGE.length.toString(16)}\r\n`;
    // A client that reads nothing before it has sent everything, as many do.
    connection.socket.pause();
    for (let i = 0; i < 3; i++)
      await connection.write(Buffer.concat([Buffer.from(size), LARGE, Buffer.from('\r\n')]));
    connection.socket.resume();
    const response = await connection.response();
    expect(response.body).toContain(`<Code>${code}</Code>`);
    connection.reset();
    await connection.closed;
  });
});
