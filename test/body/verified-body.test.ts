import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  CHECKSUM_ALGORITHMS,
  openBody,
  readBuffered,
  type BodyDeclaration,
  type ChecksumAlgorithm,
} from '../../src/body/index.ts';
import { S3Error } from '../../src/s3/index.ts';
import { checksumOf, cut, declare, encode, outcomeOf, sourceOf, type Outcome } from './aws-chunked-client.ts';

const OBJECT = Buffer.from('Welcome to Amazon S3.');
const ALGORITHMS = Object.keys(CHECKSUM_ALGORITHMS) as ChecksumAlgorithm[];
const WRONG_LENGTH = {
  code: 'IncompleteBody',
  message: 'You did not provide the number of bytes specified by the Content-Length HTTP header',
};

function plain(length: number, declared: Partial<BodyDeclaration> = {}): BodyDeclaration {
  return {
    payload: { kind: 'unsigned' },
    length,
    checksum: undefined,
    trailer: undefined,
    md5: undefined,
    ...declared,
  };
}

const sha256 = (data: Buffer): string => createHash('sha256').update(data).digest('hex');
const hashed = (data: Buffer): Partial<BodyDeclaration> => ({
  payload: { kind: 'sha256', sha256: sha256(data) },
});

function stream(declaration: BodyDeclaration, ...pieces: readonly Buffer[]): Promise<Outcome> {
  return outcomeOf(async () => (await openBody(declaration, sourceOf(...pieces))).chunks);
}

async function* broken(error: Error, ...pieces: readonly Buffer[]): AsyncGenerator<Buffer, void, undefined> {
  yield* pieces;
  throw error;
}

describe('a body as it is', () => {
  test('the example of the S3 documentation verifies by its published hash', async () => {
    const payload = {
      kind: 'sha256',
      sha256: '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072',
    } as const;
    const outcome = await stream(plain(OBJECT.length, { payload }), OBJECT);
    expect(outcome).toEqual({ released: OBJECT, refusal: undefined });
  });

  test('random objects and reads come out as they went in', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 2000 })),
        fc.constantFrom(...ALGORITHMS),
        async (parts, algorithm) => {
          const object = Buffer.concat(parts);
          const declaration = plain(object.length, {
            ...hashed(object),
            checksum: { algorithm, value: Buffer.from(checksumOf(algorithm, object), 'base64') },
            md5: createHash('md5').update(object).digest(),
          });
          const pieces = parts.map((part) => Buffer.from(part));
          const outcome = await stream(declaration, ...pieces);
          expect(outcome.refusal).toBeUndefined();
          expect(outcome.released.equals(object)).toBe(true);
          expect((await readBuffered(declaration, sourceOf(...pieces))).equals(object)).toBe(true);
        },
      ),
    );
  });

  test('every single altered byte is refused, and the last byte does not come out', async () => {
    for (let at = 0; at < OBJECT.length; at++) {
      const altered = Buffer.from(OBJECT);
      altered[at] = (altered[at] as number) ^ 1;
      const outcome = await stream(plain(OBJECT.length, hashed(OBJECT)), ...cut(altered, [5, at]));
      expect(outcome.refusal).toEqual({
        code: 'XAmzContentSHA256Mismatch',
        message: "The provided 'x-amz-content-sha256' header does not match what was computed.",
        details: {
          ClientComputedContentSHA256: sha256(OBJECT),
          S3ComputedContentSHA256: sha256(altered),
        },
      });
      expect(outcome.released.length).toBeLessThan(OBJECT.length);
    }
  });

  test.each(ALGORITHMS)('a wrong %s header', async (algorithm) => {
    const value = Buffer.from(checksumOf(algorithm, Buffer.from('other')), 'base64');
    // With a declared hash too, which for SHA-256 shares the computation.
    for (const hash of [{}, hashed(OBJECT)]) {
      const declaration = plain(OBJECT.length, { ...hash, checksum: { algorithm, value } });
      const outcome = await stream(declaration, ...cut(OBJECT, [7]));
      expect(outcome.refusal).toMatchObject({
        code: 'BadDigest',
        message: `The ${CHECKSUM_ALGORITHMS[algorithm].label} you specified did not match the calculated checksum.`,
      });
      expect(outcome.released.length).toBeLessThan(OBJECT.length);
    }
  });

  test('a wrong Content-MD5, also of a framed body', async () => {
    const md5 = createHash('md5').update('other').digest();
    const framed = { ...declare(OBJECT.length, { form: 'signed' }), md5 };
    for (const outcome of [
      await stream(plain(OBJECT.length, { md5 }), OBJECT),
      await stream(framed, encode([OBJECT], { form: 'signed' })),
    ]) {
      expect(outcome.refusal).toMatchObject({
        code: 'BadDigest',
        message: 'The Content-MD5 you specified did not match what we received.',
      });
      expect(outcome.released).toHaveLength(0);
    }
  });

  test('a checksum header of a framed body is compared with the object', async () => {
    const value = Buffer.from(checksumOf('crc32c', OBJECT), 'base64');
    for (const [expected, object] of [
      [undefined, OBJECT],
      ['BadDigest', Buffer.from('Welcome to Amazon S4.')],
    ] as const) {
      const declaration = {
        ...declare(object.length, { form: 'signed' }),
        checksum: { algorithm: 'crc32c', value } as const,
      };
      expect((await stream(declaration, encode([object], { form: 'signed' }))).refusal?.code).toBe(expected);
    }
  });
});

describe('lengths', () => {
  test('shorter than declared', async () => {
    const outcome = await stream(plain(OBJECT.length + 1), ...cut(OBJECT, [10]));
    expect(outcome.refusal).toMatchObject(WRONG_LENGTH);
  });

  test.each([[[4]], [[OBJECT.length - 1]], [[]]])(
    'longer than declared, in reads cut at %j',
    async (offsets) => {
      const outcome = await stream(plain(OBJECT.length - 1), ...cut(OBJECT, offsets));
      expect(outcome.refusal).toMatchObject(WRONG_LENGTH);
      expect(outcome.released.length).toBeLessThan(OBJECT.length - 1);
    },
  );

  test('an excess is refused as soon as it comes, however much would follow', async () => {
    let reads = 0;
    async function* tooLong(): AsyncGenerator<Buffer, void, undefined> {
      for (; reads < 100; reads++) yield OBJECT;
    }
    await expect(readBuffered(plain(3 * OBJECT.length), tooLong())).rejects.toMatchObject(WRONG_LENGTH);
    expect(reads).toBe(3);
  });

  test('a byte for an empty body', async () => {
    expect((await stream(plain(0), Buffer.from('x'))).refusal).toMatchObject(WRONG_LENGTH);
  });
});

describe('the order of things', () => {
  test('a body of one read is verified before openBody resolves, and so is an empty one', async () => {
    const declaration = plain(OBJECT.length, hashed(Buffer.from('other')));
    await expect(openBody(declaration, sourceOf(OBJECT))).rejects.toMatchObject({
      code: 'XAmzContentSHA256Mismatch',
    });
    await expect(openBody(plain(0, hashed(OBJECT)), sourceOf())).rejects.toMatchObject({
      code: 'XAmzContentSHA256Mismatch',
    });
    const crc = declare(0, { form: 'unsigned-trailer' });
    const encoded = encode([], { form: 'unsigned-trailer', trailerValue: 'AAAAAQ==' });
    await expect(openBody(crc, sourceOf(encoded))).rejects.toMatchObject({ code: 'BadDigest' });
  });

  test('an empty read does not release the bytes before it', async () => {
    const declaration = plain(OBJECT.length, hashed(Buffer.from('other')));
    const outcome = await stream(declaration, OBJECT, Buffer.alloc(0), Buffer.alloc(0));
    expect(outcome.refusal?.code).toBe('XAmzContentSHA256Mismatch');
    expect(outcome.released).toHaveLength(0);
  });

  test('bytes are handed on one read behind, without being copied', async () => {
    const pieces = [Buffer.from('one'), Buffer.from('two'), Buffer.from('three')];
    let reads = 0;
    async function* source(): AsyncGenerator<Buffer, void, undefined> {
      for (const piece of pieces) {
        reads++;
        yield piece;
      }
    }
    const { chunks, length } = await openBody(plain(11), source());
    expect(length).toBe(11);
    const iterator = chunks[Symbol.asyncIterator]();
    expect((await iterator.next()).value).toBe(pieces[0]);
    expect(reads).toBe(2);
    expect((await iterator.next()).value).toBe(pieces[1]);
    expect(reads).toBe(3);
    expect((await iterator.next()).value).toBe(pieces[2]);
    expect((await iterator.next()).done).toBe(true);
  });

  test('what is given out is shared with the source, so no byte of it is changed', async () => {
    const encoded = encode([OBJECT], { form: 'unsigned-trailer' });
    const before = Buffer.from(encoded);
    await readBuffered(declare(OBJECT.length, { form: 'unsigned-trailer' }), sourceOf(encoded));
    expect(encoded.equals(before)).toBe(true);
  });
});

describe('the source', () => {
  const aborted = new Error('aborted');

  test('a connection that breaks leaves the body incomplete', async () => {
    await expect(
      readBuffered(plain(OBJECT.length), broken(aborted, OBJECT.subarray(3))),
    ).rejects.toMatchObject({
      ...WRONG_LENGTH,
      cause: aborted,
    });
    const framed = declare(OBJECT.length, { form: 'unsigned-trailer' });
    const encoded = encode([OBJECT], { form: 'unsigned-trailer' });
    await expect(readBuffered(framed, broken(aborted, encoded.subarray(0, -1)))).rejects.toMatchObject({
      code: 'IncompleteBody',
      message: 'The request body terminated unexpectedly',
      cause: aborted,
    });
  });

  test('all bytes and then an error is not the end', async () => {
    const outcome = await outcomeOf(
      async () => (await openBody(plain(OBJECT.length), broken(aborted, OBJECT))).chunks,
    );
    expect(outcome.refusal).toMatchObject(WRONG_LENGTH);
    expect(outcome.released).toHaveLength(0);
  });

  test('its own refusal passes as it is', async () => {
    const timeout = new S3Error('RequestTimeout');
    await expect(readBuffered(plain(5), broken(timeout))).rejects.toBe(timeout);
  });

  test('is not closed, so that the refusal can be answered on the same connection', async () => {
    let closed = false;
    async function* source(): AsyncGenerator<Buffer, void, undefined> {
      try {
        yield OBJECT;
        yield OBJECT;
      } finally {
        closed = true;
      }
    }
    await expect(openBody(plain(1), source())).rejects.toMatchObject(WRONG_LENGTH);
    const { chunks } = await openBody(plain(2 * OBJECT.length), source());
    for await (const chunk of chunks) {
      expect(chunk).toBe(OBJECT);
      break;
    }
    expect(closed).toBe(false);
  });
});
