import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import {
  CHECKSUM_ALGORITHMS,
  type ChecksumAlgorithm,
  type UnsizedBodyDeclaration,
} from '../../src/body/index.ts';
import { openSpool, type Spool, type SpooledBody } from '../../src/spool/index.ts';
import {
  checksumOf,
  cut,
  declare,
  encode,
  FORMS,
  outcomeOf,
  sourceOf,
  type Form,
} from '../body/aws-chunked-client.ts';

const ALGORITHMS = Object.keys(CHECKSUM_ALGORITHMS) as ChecksumAlgorithm[];
const KIB = 1024;
const ignored = { add: (): void => undefined };
const folders: string[] = [];

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

async function makeSpool(
  limits: Partial<Parameters<typeof openSpool>[0]> = {},
): Promise<{ readonly spool: Spool; readonly directory: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'bucketwarden-spool-'));
  folders.push(folder);
  const directory = join(folder, 'below', 'spool');
  const spool = await openSpool({
    newName: randomUUID,
    directory,
    maxBodyBytes: 64 * KIB,
    maxTotalBytes: 128 * KIB,
    held: ignored,
    ...limits,
  });
  return { spool, directory };
}

const UNSIGNED: UnsizedBodyDeclaration = {
  payload: { kind: 'unsigned' },
  length: undefined,
  maxLength: Number.POSITIVE_INFINITY,
  checksum: undefined,
  trailer: undefined,
  md5: undefined,
};

/** A framed body without its decoded length. */
function framed(form: Form, algorithm: ChecksumAlgorithm = 'crc32'): UnsizedBodyDeclaration {
  return { ...declare(0, { form, algorithm }), length: undefined, maxLength: Number.POSITIVE_INFINITY };
}

async function* broken(): AsyncGenerator<Buffer, void, undefined> {
  yield Buffer.from('hello');
  throw new Error('ECONNRESET');
}

async function readAll({ chunks }: SpooledBody): Promise<Buffer> {
  const out: Buffer[] = [];
  for await (const chunk of chunks) out.push(chunk);
  return Buffer.concat(out);
}

const hold = (spool: Spool, object: Buffer): Promise<SpooledBody> => spool.hold(UNSIGNED, sourceOf(object));

/** What `hold` refuses with, by the S3 error's fields. */
async function refusalOf(holding: Promise<SpooledBody>): Promise<unknown> {
  return (await outcomeOf(async () => (await holding).chunks)).refusal;
}

describe('a body of unknown length', () => {
  test('comes out as it went in, with the length that its end told', async () => {
    const { spool } = await makeSpool({ maxBodyBytes: 1024 * KIB, maxTotalBytes: 1024 * KIB });
    const chunk = fc.uint8Array({ minLength: 8192, maxLength: 20_000, size: 'max' });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...FORMS),
        fc.constantFrom(...ALGORITHMS),
        fc.array(chunk, { maxLength: 4 }),
        fc.array(fc.nat({ max: 90_000 }), { maxLength: 10 }),
        async (form, algorithm, parts, offsets) => {
          const chunks = parts.map((part) => Buffer.from(part));
          const encoded = encode(chunks, { form, algorithm });
          const pieces = cut(
            encoded,
            offsets.map((at) => at % (encoded.length + 1)),
          );
          const body = await spool.hold(framed(form, algorithm), sourceOf(...pieces));
          const object = Buffer.concat(chunks);
          expect(body.length).toBe(object.length);
          const { header } = CHECKSUM_ALGORITHMS[algorithm];
          const trailer = form === 'signed' ? [] : [header, checksumOf(algorithm, object)];
          expect(body.trailer === undefined ? [] : [body.trailer.name, body.trailer.value()]).toEqual(
            trailer,
          );
          expect((await readAll(body)).equals(object)).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
    await readAll(await hold(spool, Buffer.alloc(1024 * KIB)));
  });

  test('has no name on disk, and its folder is private', async () => {
    const { spool, directory } = await makeSpool();
    const body = await hold(spool, Buffer.alloc(10 * KIB, 'x'));
    expect(await readdir(directory)).toEqual([]);
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    expect((await readAll(body)).equals(Buffer.alloc(10 * KIB, 'x'))).toBe(true);
  });

  test('counts as verified only when its last bytes come out', async () => {
    const { spool } = await makeSpool({ maxBodyBytes: 1024 * KIB, maxTotalBytes: 1024 * KIB });
    const body = await hold(spool, Buffer.alloc(600 * KIB));
    const seen: boolean[] = [];
    expect(body.verified).toBe(false);
    for await (const _ of body.chunks) seen.push(body.verified);
    expect(seen).toEqual([false, false, true]);
  });

  test('may be empty', async () => {
    const { spool } = await makeSpool();
    for (const form of FORMS) {
      const body = await spool.hold(framed(form), sourceOf(encode([], { form })));
      expect([body.length, body.verified]).toEqual([0, true]);
      expect(await readAll(body)).toHaveLength(0);
    }
    expect((await spool.hold(UNSIGNED, sourceOf())).length).toBe(0);
  });
});

describe('what is wrong', () => {
  const OBJECT = Buffer.concat([Buffer.alloc(8192, 'x'), Buffer.from('tail')]);

  test.each(FORMS)('%s: any altered byte is refused before anything comes out', async (form) => {
    const { spool } = await makeSpool();
    const encoded = encode(cut(OBJECT, [8192]), { form });
    for (let at = 0; at < encoded.length; at += at > 100 && at < 8150 ? 401 : 1) {
      const altered = Buffer.from(encoded);
      altered[at] = (altered[at] as number) ^ 0x01;
      expect(await refusalOf(spool.hold(framed(form), sourceOf(altered))), `byte ${at}`).toBeDefined();
    }
    // Nothing of them is still counted.
    await readAll(await hold(spool, Buffer.alloc(64 * KIB)));
  });

  test.each(FORMS)('%s: cut short anywhere, or followed by anything, is refused', async (form) => {
    const { spool } = await makeSpool();
    const encoded = encode([Buffer.from('hello')], { form });
    const incomplete = { code: 'IncompleteBody', message: 'The request body terminated unexpectedly' };
    for (let end = 0; end < encoded.length; end++)
      expect(await refusalOf(spool.hold(framed(form), sourceOf(encoded.subarray(0, end))))).toMatchObject(
        incomplete,
      );
    expect(await refusalOf(spool.hold(framed(form), sourceOf(encoded, Buffer.from('x'))))).toMatchObject(
      incomplete,
    );
  });

  test('a connection that breaks leaves a body in HTTP chunks incomplete', async () => {
    const { spool } = await makeSpool();
    expect(await refusalOf(spool.hold(UNSIGNED, broken()))).toMatchObject({
      code: 'IncompleteBody',
      message: 'The request body terminated unexpectedly',
    });
  });

  test('a declared hash, checksum or MD5 that differs', async () => {
    const { spool } = await makeSpool();
    const sha256 = createHash('sha256').update('other').digest('hex');
    const crc = Buffer.from(checksumOf('crc64nvme', Buffer.from('other')), 'base64');
    for (const [declared, code] of [
      [{ payload: { kind: 'sha256', sha256 } }, 'XAmzContentSHA256Mismatch'],
      [{ checksum: { algorithm: 'crc64nvme', value: crc } }, 'BadDigest'],
      [{ md5: createHash('md5').update('other').digest() }, 'BadDigest'],
    ] as const) {
      const holding = spool.hold({ ...UNSIGNED, ...declared }, sourceOf(Buffer.from('hello')));
      expect(await refusalOf(holding)).toMatchObject({ code });
    }
  });
});

describe('limits', () => {
  test('of one body: exactly as many bytes, and not one more', async () => {
    const { spool } = await makeSpool();
    await readAll(await hold(spool, Buffer.alloc(64 * KIB)));
    const refusal = {
      code: 'EntityTooLarge',
      message: 'Your proposed upload exceeds the maximum allowed size',
      details: { ProposedSize: String(64 * KIB + 1), MaxSizeAllowed: String(64 * KIB) },
    };
    expect(await refusalOf(hold(spool, Buffer.alloc(64 * KIB + 1)))).toEqual(refusal);
    const small = { ...UNSIGNED, maxLength: 4 };
    expect(await refusalOf(spool.hold(small, sourceOf(Buffer.from('hello'))))).toMatchObject({
      details: { ProposedSize: '5', MaxSizeAllowed: '4' },
    });
  });

  test('of one body: a chunk that announces more is refused before its data comes', async () => {
    const { spool } = await makeSpool();
    for (const size of ['10001', 'ffffffffffffffff', '20000000000001']) {
      const source = sourceOf(Buffer.from(`${size}\r\n`));
      expect(await refusalOf(spool.hold(framed('unsigned-trailer'), source))).toMatchObject({
        code: 'EntityTooLarge',
      });
    }
  });

  test('of all together: bytes count as they come, and no longer when they are gone', async () => {
    const { spool } = await makeSpool();
    const held = [await hold(spool, Buffer.alloc(64 * KIB)), await hold(spool, Buffer.alloc(63 * KIB))];
    const slowDown = { code: 'SlowDown', message: 'Please reduce your request rate.' };
    expect(await refusalOf(hold(spool, Buffer.alloc(KIB + 1)))).toMatchObject(slowDown);
    const last = await hold(spool, Buffer.alloc(KIB));
    expect(await refusalOf(hold(spool, Buffer.alloc(1)))).toMatchObject(slowDown);
    // By being read to the end, by being given up, and by both.
    await readAll(last);
    await held[0]?.release();
    await held[0]?.release();
    await readAll(await hold(spool, Buffer.alloc(64 * KIB)));
    expect(await refusalOf(hold(spool, Buffer.alloc(64 * KIB + 1)))).toMatchObject({
      code: 'EntityTooLarge',
    });
    await held[1]?.release();
    const both = [await hold(spool, Buffer.alloc(64 * KIB)), await hold(spool, Buffer.alloc(64 * KIB))];
    for (const body of both) await body.release();
  });

  test('of all together are told as bytes come and go', async () => {
    const told: number[] = [];
    const { spool } = await makeSpool({ held: { add: (bytes) => told.push(bytes) } });
    const body = await spool.hold(UNSIGNED, sourceOf(Buffer.alloc(KIB), Buffer.alloc(2 * KIB)));
    expect(told).toEqual([KIB, 2 * KIB]);
    await body.release();
    expect(told).toEqual([KIB, 2 * KIB, -3 * KIB]);
  });

  test('of all together hold for bodies that come at the same time', async () => {
    const { spool } = await makeSpool({ maxTotalBytes: 100 * KIB });
    const slow = async function* (): AsyncGenerator<Buffer, void, undefined> {
      for (let i = 0; i < 30; i++) {
        await new Promise((resolve) => setImmediate(resolve));
        yield Buffer.alloc(KIB);
      }
    };
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => spool.hold(UNSIGNED, slow())));
    const held = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    expect(held.length).toBeLessThanOrEqual(3);
    const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
    for (const reason of refused) expect(reason).toMatchObject({ code: 'SlowDown' });
    for (const body of held) await body.release();
    const full = [await hold(spool, Buffer.alloc(64 * KIB)), await hold(spool, Buffer.alloc(36 * KIB))];
    for (const body of full) await body.release();
  });

  test('a reader that stops early gives everything back', async () => {
    const { spool } = await makeSpool({ maxBodyBytes: 600 * KIB, maxTotalBytes: 600 * KIB });
    const body = await hold(spool, Buffer.alloc(600 * KIB));
    for await (const _ of body.chunks) break;
    const next = await hold(spool, Buffer.alloc(600 * KIB));
    expect(next.length).toBe(600 * KIB);
    await next.release();
  });
});

test('a directory in which no file can be made is refused at once', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bucketwarden-spool-'));
  folders.push(folder);
  const file = join(folder, 'file');
  await writeFile(file, '');
  await expect(
    openSpool({ newName: randomUUID, directory: file, maxBodyBytes: 1, maxTotalBytes: 1, held: ignored }),
  ).rejects.toThrow(/EEXIST|ENOTDIR/);
});
