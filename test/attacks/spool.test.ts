/** Uploads that do not tell their length: nothing of them goes upstream before all of it has verified. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { renderHead, sha256, type Header, type SignedRequest } from '../support/raw-signer.ts';
import { SDK_CHECKSUM_NAMES, sdkChecksum } from '../support/sdk-checksums.ts';
import { BUCKET, openArena, type Arena, type Refusal } from './arena.ts';
import {
  checksumHeader,
  FORMS,
  framedUpload,
  inHttpChunks,
  nth,
  otherSignature,
  UNSIGNED_TRAILER,
  type Upload,
} from './framed-upload.ts';

const KIB = 1024;
const MAX_BODY = 512 * KIB;
const MAX_TOTAL = 768 * KIB;

let arena: Arena;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bucketwarden-spool-'));
  const file = join(folder, 'bucketwarden.yaml');
  await writeFile(
    file,
    `spool: { directory: ${JSON.stringify(join(folder, 'spool'))}, maxBodySize: ${MAX_BODY / KIB}KiB, maxTotalSize: ${MAX_TOTAL / KIB}KiB }\n`,
  );
  arena = await openArena({ file });
});

afterAll(async () => {
  await arena.finish();
  await rm(folder, { recursive: true, force: true });
});

const CHUNKS = [Buffer.alloc(64 * KIB, 'a'), Buffer.alloc(64 * KIB, 'b'), Buffer.from('the end')];
const OBJECT = Buffer.concat(CHUNKS);
const CHUNKED: readonly Header[] = [['Transfer-Encoding', 'chunked']];
const INCOMPLETE: Refusal = {
  status: 400,
  code: 'IncompleteBody',
  message: 'The request body terminated unexpectedly',
};
const MISSING: Refusal = {
  status: 411,
  code: 'MissingContentLength',
  message: 'You must provide the Content-Length HTTP header.',
};

type Options = Partial<Upload> & Pick<Upload, 'form' | 'key'>;

/** As boto3 sends a stream that it cannot seek in: framed, and without `x-amz-decoded-content-length`. */
const upload = (options: Options): Promise<SignedRequest> =>
  framedUpload(arena, { chunks: CHUNKS, decodedLength: null, ...options });

/** In chunks of HTTP alone. */
function plain(
  key: string,
  body: Buffer,
  options: Partial<Parameters<Arena['sign']>[0]> = {},
): SignedRequest {
  const request = arena.sign({
    method: 'PUT',
    target: `/${BUCKET}/${key}`,
    payloadHash: 'UNSIGNED-PAYLOAD',
    unsigned: CHUNKED,
    ...options,
  });
  return { ...request, body: inHttpChunks(body) };
}

async function spoolBytes(): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${arena.gateway.adminPort}/metrics`);
  return Number(/^bucketwarden_spool_bytes (\S+)$/m.exec(await response.text())?.[1]);
}

const room = (): Promise<number> => sendPlain('room', Buffer.alloc(MAX_BODY));

async function sendPlain(key: string, body: Buffer): Promise<number> {
  const { status } = await arena.send(plain(key, body));
  if (status === 200) await arena.send(arena.sign({ method: 'DELETE', target: `/${BUCKET}/${key}` }));
  return status;
}

describe.each(FORMS)('%s without a decoded length', (form) => {
  test.each([{}, { httpChunks: true }] as const)(
    'is stored as an object of exact length (%j)',
    async (more) => {
      arena.gateway.upstream.clear();
      const response = await arena.send(await upload({ form, key: 'good', ...more }));
      expect(response.status).toBe(200);
      const sent = arena.gateway.upstream.sent.join('');
      expect(sent).not.toMatch(/transfer-encoding/i);
      // It is framed again: in signed chunks, or with its trailer, so that the checksum is stored.
      expect(sent.toLowerCase()).toContain(`\r\nx-amz-decoded-content-length: ${OBJECT.length}\r\n`);
      const record = await arena.gateway.record(response.headers['x-amz-request-id'] ?? '');
      expect(record).toMatchObject({ status: 200, objectSize: OBJECT.length });
      const got = await arena.get('good');
      expect(got.body === OBJECT.toString('latin1')).toBe(true);
      expect(got.headers['content-encoding']).toBeUndefined();
    },
  );

  test('is a part like any other', async () => {
    const created = await arena.send(arena.sign({ method: 'POST', target: `/${BUCKET}/parts?uploads` }));
    const uploadId = /<UploadId>([^<]+)</.exec(created.body)?.[1] ?? '';
    const key = `parts?partNumber=1&uploadId=${uploadId}`;
    const bad = await upload({ form, key, change: nth('data', -1, (data) => `${data.slice(1)}x`) });
    await arena.refuses(
      bad,
      form === UNSIGNED_TRAILER
        ? { status: 400, code: 'BadDigest' }
        : { status: 403, code: 'SignatureDoesNotMatch' },
    );
    expect((await arena.send(await upload({ form, key }))).status).toBe(200);
    const listed = await arena.send(arena.sign({ target: `/${BUCKET}/parts?uploadId=${uploadId}` }));
    expect(listed.body).toContain(`<Size>${OBJECT.length}</Size>`);
    await arena.send(arena.sign({ method: 'DELETE', target: `/${BUCKET}/parts?uploadId=${uploadId}` }));
  });

  test('may be empty', async () => {
    expect((await arena.send(await upload({ form, key: 'empty', chunks: [] }))).status).toBe(200);
    expect((await arena.get('empty')).headers['content-length']).toBe('0');
  });

  test.each<[string, Partial<Upload>, Refusal]>([
    ['a missing last chunk', { change: (pieces) => pieces.slice(0, CHUNKS.length * 3) }, INCOMPLETE],
    ['a missing last line', { change: (pieces) => pieces.slice(0, -1) }, INCOMPLETE],
    [
      'bytes after the last chunk',
      { change: (pieces) => [...pieces, { kind: 'last', text: 'x' }] },
      INCOMPLETE,
    ],
    ['no body at all', { change: () => [] }, INCOMPLETE],
    ['a size that is no number', { change: nth('size', 1, (line) => `-${line}`) }, INCOMPLETE],
    ['data that does not end in CRLF', { change: nth('end', 1, () => 'xy') }, INCOMPLETE],
    [
      'a size beyond the largest body',
      { change: nth('size', 1, (line) => line.replace('10000', 'ffffffffffffffff')) },
      { status: 400, code: 'EntityTooLarge', elements: { MaxSizeAllowed: String(MAX_BODY) } },
    ],
  ])('%s: refused, and no byte goes upstream', async (_, options, refusal) => {
    for (const httpChunks of [{}, { httpChunks: true }] as const)
      await arena.refuses(await upload({ form, key: 'broken', ...httpChunks, ...options }), refusal);
    await arena.checkAbsent('broken');
  });

  const altered: [string, Partial<Upload>][] = [
    ['changed data', { change: nth('data', 0, (data) => `x${data.slice(1)}`) }],
    ['a changed last byte', { change: nth('data', -1, (data) => `${data.slice(0, -1)}x`) }],
    ['a missing chunk', { change: (pieces) => [...pieces.slice(0, 3), ...pieces.slice(6)] }],
  ];
  if (form !== UNSIGNED_TRAILER)
    altered.push(['a wrong last signature', { change: nth('size', -1, otherSignature) }]);

  test.each(altered)('%s: refused, and no byte goes upstream', async (_, options) => {
    await arena.refuses(
      await upload({ form, key: 'broken', ...options }),
      form === UNSIGNED_TRAILER
        ? { status: 400, code: 'BadDigest' }
        : { status: 403, code: 'SignatureDoesNotMatch' },
    );
    await arena.checkAbsent('broken');
  });
});

test.each(SDK_CHECKSUM_NAMES)('a trailing %s is verified, sent on and told', async (algorithm) => {
  const key = `sum-${algorithm}`;
  const form = UNSIGNED_TRAILER;
  const value = await sdkChecksum(algorithm, OBJECT);
  const wrong = await sdkChecksum(algorithm, Buffer.from('other'));
  await arena.refuses(await upload({ form, key, algorithm, trailerValue: wrong, httpChunks: true }), {
    status: 400,
    code: 'BadDigest',
    message: `The ${algorithm} you specified did not match the calculated checksum.`,
  });
  const stored = await arena.send(await upload({ form, key, algorithm, httpChunks: true }));
  expect(stored.headers).toMatchObject({ [checksumHeader(algorithm)]: value });
});

describe('chunks of HTTP alone', () => {
  test('are stored, held to what is declared', async () => {
    for (const payloadHash of [sha256(OBJECT), 'UNSIGNED-PAYLOAD']) {
      expect((await arena.send(plain('plain', OBJECT, { payloadHash }))).status).toBe(200);
      expect((await arena.get('plain')).body === OBJECT.toString('latin1')).toBe(true);
    }
    expect((await arena.send(plain('plain', Buffer.alloc(0)))).status).toBe(200);
    expect((await arena.get('plain')).body).toBe('');
    await arena.refuses(plain('plain2', OBJECT, { payloadHash: sha256('other') }), {
      status: 400,
      code: 'XAmzContentSHA256Mismatch',
    });
    const headers: readonly Header[] = [['Content-MD5', 'XUFAKrxLKna5cZ2REBfFkg==']];
    await arena.refuses(plain('plain2', OBJECT, { headers }), { status: 400, code: 'BadDigest' });
    await arena.checkAbsent('plain2');
  });

  test('that say a length of another kind, or hide a framing, are refused', async () => {
    const framing = Buffer.from('5\r\nhello\r\n0\r\n\r\n');
    for (const header of [['x-amz-decoded-content-length', '5']] as const)
      await arena.refuses(plain('hidden', framing, { headers: [header] }), MISSING);
    await arena.refuses(plain('hidden', framing, { headers: [['content-encoding', 'aws-chunked']] }), {
      status: 400,
      code: 'InvalidRequest',
    });
    await arena.checkAbsent('hidden');
  });

  test('on operations with a small body are refused as ever', async () => {
    const body = Buffer.from('<Tagging><TagSet/></Tagging>');
    const target = `/${BUCKET}/k?tagging`;
    const request = arena.sign({ method: 'PUT', target, payloadHash: sha256(body), unsigned: CHUNKED });
    await arena.refuses({ ...request, body: Buffer.from('0\r\n\r\n') }, MISSING);
  });

  test('without any length or chunks are refused', async () => {
    const request = plain('none', Buffer.alloc(0));
    const headers = request.headers.filter(([name]) => name !== 'Transfer-Encoding');
    await arena.refuses({ ...request, headers, body: Buffer.alloc(0) }, MISSING);
  });
});

describe('the limits', () => {
  test('of one body', async () => {
    expect(await room()).toBe(200);
    await arena.refuses(plain('large', Buffer.alloc(MAX_BODY + 1)), {
      status: 400,
      code: 'EntityTooLarge',
      message: 'Your proposed upload exceeds the maximum allowed size',
      elements: { MaxSizeAllowed: String(MAX_BODY), ProposedSize: /^\d+$/ },
    });
    await arena.checkAbsent('large');
  });

  test('of all bodies together: who comes too late is told to come back', async () => {
    const waiting = await arena.connect();
    await waiting.write(renderHead(plain('waiting', Buffer.alloc(0))));
    await waiting.write(`${MAX_BODY.toString(16)}\r\n`);
    await waiting.write(Buffer.alloc(MAX_BODY));
    const slowDown: Refusal = {
      status: 503,
      code: 'SlowDown',
      message: 'Please reduce your request rate.',
      record: { errorReason: 'the spool has no room left' },
    };
    // All but the last read is on disk.
    await vi.waitFor(async () => {
      expect(await spoolBytes()).toBeGreaterThanOrEqual(MAX_BODY - 128 * KIB);
    });
    await arena.refuses(plain('late', Buffer.alloc(MAX_BODY)), slowDown);
    // The files have no names, even while they are written to.
    expect(await readdir(join(folder, 'spool'))).toEqual([]);
    expect(await sendPlain('fits', Buffer.alloc(100 * KIB))).toBe(200);
    await arena.checkAbsent('late');
    await waiting.write('\r\n0\r\n\r\n');
    expect((await waiting.response()).status).toBe(200);
    waiting.socket.end();
    await waiting.closed;
    await vi.waitFor(async () => {
      expect(await spoolBytes()).toBe(0);
    });
    expect(await room()).toBe(200);
  });

  test('count no body whose client went away', async () => {
    for (let i = 0; i < 3; i++) {
      const connection = await arena.connect();
      await connection.write(renderHead(plain('gone', Buffer.alloc(0))));
      await connection.write(`${MAX_BODY.toString(16)}\r\n`);
      await connection.write(Buffer.alloc(300 * KIB));
      connection.reset();
      await connection.closed;
    }
    await vi.waitFor(async () => {
      expect(await room()).toBe(200);
    });
    await arena.checkAbsent('gone');
  });
});

test('a client that waits for 100 Continue gets it before, and its answer after', async () => {
  const request = await upload({ form: UNSIGNED_TRAILER, key: 'expects', httpChunks: true });
  const connection = await arena.connect();
  await connection.write(
    renderHead({ ...request, headers: [...request.headers, ['Expect', '100-continue']] }),
  );
  expect(await connection.interim()).toBe(100);
  await connection.write(request.body);
  expect((await connection.response()).status).toBe(200);
  connection.socket.end();
  await connection.closed;
});

test('a refusal that needs no body comes before it is asked for', async () => {
  const credentials = { accessKeyId: 'AKIANOBODY', secretAccessKey: 'x' };
  const request = plain('nobody', OBJECT, {
    credentials,
    unsigned: [...CHUNKED, ['Expect', '100-continue']],
  });
  const connection = await arena.connect();
  await connection.write(renderHead(request));
  const response = await connection.response();
  expect([response.interim, response.status]).toEqual([[], 403]);
  await connection.closed;
});
