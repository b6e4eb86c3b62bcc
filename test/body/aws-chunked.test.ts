import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CHECKSUM_ALGORITHMS, openBody, type ChecksumAlgorithm } from '../../src/body/index.ts';
import {
  checksumOf,
  cut,
  declare,
  encode,
  FORMS,
  outcomeOf,
  sourceOf,
  type ClientOptions,
  type Form,
  type Outcome,
} from './aws-chunked-client.ts';

interface StreamingVector {
  readonly name: string;
  readonly seed: { readonly signature: string };
  readonly chunks: readonly { readonly size: number; readonly signature: string }[];
  readonly trailer?: { readonly raw: string; readonly signature: string };
  readonly encoded_body_sha256: string;
  readonly encoded_length: number;
}

const VECTORS = (
  JSON.parse(readFileSync(new URL('../vectors/s3-doc-examples.json', import.meta.url), 'utf8')) as {
    readonly streaming: readonly StreamingVector[];
  }
).streaming;

const ALGORITHMS = Object.keys(CHECKSUM_ALGORITHMS) as ChecksumAlgorithm[];
const SIGNATURE = 'a'.repeat(64);

function decode(
  pieces: readonly Buffer[],
  length: number,
  options: Pick<ClientOptions, 'form' | 'algorithm' | 'seed'>,
): Promise<Outcome> {
  return outcomeOf(async () => (await openBody(declare(length, options), sourceOf(...pieces))).chunks);
}

describe('the worked examples of the S3 documentation', () => {
  test.each(VECTORS)('$name decodes, and its bytes are those of the example', async (vector) => {
    const object = Buffer.alloc(66560, 'a');
    const encoded = Buffer.concat([
      ...vector.chunks.map(({ size, signature }) =>
        Buffer.from(
          `${size.toString(16)};chunk-signature=${signature}\r\n${'a'.repeat(size)}${size > 0 ? '\r\n' : ''}`,
        ),
      ),
      Buffer.from(
        vector.trailer === undefined
          ? '\r\n'
          : `${vector.trailer.raw}\r\nx-amz-trailer-signature:${vector.trailer.signature}\r\n\r\n`,
      ),
    ]);
    expect(encoded).toHaveLength(vector.encoded_length);
    expect(createHash('sha256').update(encoded).digest('hex')).toBe(vector.encoded_body_sha256);

    const form: Form = vector.trailer === undefined ? 'signed' : 'signed-trailer';
    const options = { form, algorithm: 'crc32c', seed: vector.seed.signature } as const;
    expect(encode(cut(object, [65536]), options).equals(encoded)).toBe(true);
    const outcome = await decode(cut(encoded, [1000, 1001, 65000]), object.length, options);
    expect(outcome.refusal).toBeUndefined();
    expect(outcome.released.equals(object)).toBe(true);
  });
});

describe('decoding', () => {
  test.each(FORMS)('%s: cut at every byte position', async (form) => {
    const object = Buffer.concat([Buffer.alloc(8192, '\r\n0;'), Buffer.from('the end')]);
    const encoded = encode(cut(object, [8192]), { form });
    for (let at = 0; at <= encoded.length; at++) {
      const outcome = await decode(cut(encoded, [at]), object.length, { form });
      expect(outcome.refusal, `cut at ${at}`).toBeUndefined();
      expect(outcome.released.equals(object)).toBe(true);
    }
  });

  test.each(ALGORITHMS)('with a trailing %s: cut at every byte position', async (algorithm) => {
    const object = Buffer.from('hello');
    for (const form of FORMS.slice(1)) {
      const encoded = encode([object], { form, algorithm });
      for (let at = 0; at <= encoded.length; at++) {
        const outcome = await decode(cut(encoded, [at]), object.length, { form, algorithm });
        expect(outcome, `${form} cut at ${at}`).toEqual({ released: object, refusal: undefined });
      }
    }
  });

  test.each(FORMS)('%s: one byte at a time, with empty reads between', async (form) => {
    const object = Buffer.from('hello');
    const pieces = [...encode([object], { form })].flatMap((byte) => [Buffer.from([byte]), Buffer.alloc(0)]);
    expect(await decode(pieces, object.length, { form })).toEqual({ released: object, refusal: undefined });
  });

  test.each(FORMS)('%s: an empty object', async (form) => {
    expect((await decode([encode([], { form })], 0, { form })).refusal).toBeUndefined();
  });

  test('an empty object as the SDKs send it', async () => {
    const encoded = Buffer.from('0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n');
    expect(await decode([encoded], 0, { form: 'unsigned-trailer' })).toEqual({
      released: Buffer.alloc(0),
      refusal: undefined,
    });
  });

  test('random objects, chunks, reads and checksums come out as they went in', async () => {
    const size = fc.oneof(fc.integer({ min: 8192, max: 20_000 }), fc.integer({ min: 1, max: 300 }));
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...FORMS),
        fc.constantFrom(...ALGORITHMS),
        fc.array(size, { maxLength: 5 }),
        fc.array(fc.nat({ max: 80_000 }), { maxLength: 20 }),
        fc.integer(),
        async (form, algorithm, sizes, offsets, seed) => {
          const allowed =
            form === 'unsigned-trailer' ? sizes : sizes.toSorted((a, b) => b - a).filter(fitsSignedForm);
          const chunks = allowed.map((length, i) => randomBytes(length, seed + i));
          const encoded = encode(chunks, { form, algorithm });
          const pieces = cut(
            encoded,
            offsets.map((at) => at % (encoded.length + 1)),
          );
          const object = Buffer.concat(chunks);
          const outcome = await decode(pieces, object.length, { form, algorithm });
          expect(outcome.refusal).toBeUndefined();
          expect(outcome.released.equals(object)).toBe(true);
        },
      ),
      { numRuns: 150 },
    );
  });

  test('many small chunks in one read come out as one buffer', async () => {
    const chunks = Array.from({ length: 1000 }, (_, i) => Buffer.from(String(i % 10)));
    const encoded = encode(chunks, { form: 'unsigned-trailer' });
    const out: Buffer[] = [];
    const { chunks: decoded } = await openBody(
      declare(1000, { form: 'unsigned-trailer' }),
      sourceOf(...cut(encoded, [3000])),
    );
    for await (const chunk of decoded) out.push(chunk);
    expect(Buffer.concat(out).equals(Buffer.concat(chunks))).toBe(true);
    expect(out).toHaveLength(2);
  });

  test.each(FORMS.slice(1))(
    '%s: the trailer has any case, spaces around its value, or the line end of minio-go',
    async (form) => {
      const object = Buffer.from('hello');
      for (const variant of [
        { trailerName: 'X-Amz-Checksum-CRC32' },
        { shortTrailerLine: true },
      ] satisfies Partial<ClientOptions>[]) {
        const encoded = encode([object], { form, ...variant });
        for (let at = 0; at < encoded.length; at++)
          expect((await decode(cut(encoded, [at]), 5, { form })).refusal).toBeUndefined();
      }
      const spaced = encode([object], { form }).toString().replace(':NhCmhg==', ': NhCmhg== ');
      expect((await decode([Buffer.from(spaced)], 5, { form })).refusal).toBeUndefined();
    },
  );
});

describe('INVARIANT: the last byte comes out only when everything verified', () => {
  test.each(FORMS)('%s: any single altered byte is refused', async (form) => {
    const object = Buffer.concat([Buffer.alloc(8192, 'x'), Buffer.from('tail')]);
    const encoded = encode(cut(object, [8192]), { form });
    const positions = Array.from({ length: encoded.length }, (_, i) => i).filter(
      (i) => i < 110 || i > 8180 || i % 509 === 0,
    );
    for (const at of positions)
      for (const flip of [0x01, 0x02, 0x10, 0x20, 0x80]) {
        const altered = Buffer.from(encoded);
        altered[at] = (altered[at] as number) ^ flip;
        const outcome = await decode(cut(altered, [4000, at, 8300]), object.length, { form });
        // The one change that means nothing is the case of hex digits and names in the framing.
        const same = altered.toString('latin1').toLowerCase() === encoded.toString('latin1').toLowerCase();
        const accepted = same && outcome.refusal === undefined && outcome.released.equals(object);
        const refused = outcome.refusal !== undefined && outcome.released.length < object.length;
        expect(accepted || refused, `byte ${at} altered by ${flip}`).toBe(true);
      }
  });

  test.each(FORMS)('%s: cut short anywhere, or followed by anything, is refused', async (form) => {
    const object = Buffer.from('hello');
    const encoded = encode([object], { form });
    for (let end = 0; end < encoded.length; end++) {
      const outcome = await decode([encoded.subarray(0, end)], object.length, { form });
      expect(outcome.refusal).toMatchObject({
        code: 'IncompleteBody',
        message: 'The request body terminated unexpectedly',
      });
      expect(outcome.released).toHaveLength(0);
    }
    for (const extra of ['\r\n', 'x', '\0', encoded.toString()])
      for (const pieces of [[Buffer.concat([encoded, Buffer.from(extra)])], [encoded, Buffer.from(extra)]]) {
        const outcome = await decode(pieces, object.length, { form });
        expect(outcome.refusal?.code).toBe('IncompleteBody');
        expect(outcome.released).toHaveLength(0);
      }
  });

  test('chunks in another order, left out or sent twice are refused', async () => {
    const chunks = [Buffer.alloc(8192, 'a'), Buffer.alloc(8192, 'b')];
    const encoded = encode(chunks, { form: 'signed' });
    const size = 8192 + '2000;chunk-signature='.length + 64 + 4;
    const [first, second, end] = cut(encoded, [size, 2 * size]) as [Buffer, Buffer, Buffer];
    for (const pieces of [
      [second, first, end],
      [first, first, end],
      [second, second, end],
    ])
      expect((await decode(pieces, 16384, { form: 'signed' })).refusal?.code).toBe('SignatureDoesNotMatch');
    for (const pieces of [[first, end], [end]])
      expect((await decode(pieces, 16384, { form: 'signed' })).refusal?.code).toBe('IncompleteBody');
    expect((await decode([first, end], 8192, { form: 'signed' })).refusal?.code).toBe(
      'SignatureDoesNotMatch',
    );
  });

  test('a chunk need not be complete for its bytes to come out', async () => {
    const object = Buffer.alloc(8 * 1024 * 1024, 'z');
    const encoded = encode([object], { form: 'signed' });
    let taken = 0;
    async function* source(): AsyncGenerator<Buffer, void, undefined> {
      for (; taken < encoded.length; taken += 65536) yield encoded.subarray(taken, taken + 65536);
    }
    const { chunks } = await openBody(declare(object.length, { form: 'signed' }), source());
    let received = 0;
    for await (const chunk of chunks) {
      received += chunk.length;
      expect(taken - received).toBeLessThan(3 * 65536);
    }
    expect(received).toBe(object.length);
  });
});

describe('refusals', () => {
  const TERMINATED = { code: 'IncompleteBody', message: 'The request body terminated unexpectedly' };
  const WRONG_LENGTH = {
    code: 'IncompleteBody',
    message: 'You did not provide the number of bytes specified by the Content-Length HTTP header',
  };
  const TRAILER = {
    code: 'MalformedTrailerError',
    message:
      'The request contained trailing data that was not well-formed or did not conform to our published schema.',
  };

  test.each([
    '-5\r\nhello\r\n',
    '+5\r\nhello\r\n',
    ' 5\r\nhello\r\n',
    '5 \r\nhello\r\n',
    '0x5\r\nhello\r\n',
    '\r\nhello\r\n',
    '5\nhello\r\n',
    '5\rhello\r\n',
    '5;name=value\r\nhello\r\n',
    `5;chunk-signature=${SIGNATURE}\r\nhello\r\n`,
    '5\r\nhello0\r\n',
    '5\r\nhello\n0\r\n',
    '00000000000000005\r\nhello\r\n',
    'g\r\nhello\r\n',
    'x'.repeat(1100),
    `${'0'.repeat(1023)}5\r\n`,
  ])('unsigned framing %j', async (start) => {
    const pieces = [Buffer.from(`${start}0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n`)];
    const outcome = await decode(pieces, 5, { form: 'unsigned-trailer' });
    expect(outcome.refusal).toMatchObject(TERMINATED);
  });

  test.each([
    '5\r\nhello\r\n',
    '5;chunk-signature=\r\nhello\r\n',
    `5;chunk-signature=${SIGNATURE}0\r\nhello\r\n`,
    `5;chunk-signature=${SIGNATURE};x=y\r\nhello\r\n`,
    `5;x=y;chunk-signature=${SIGNATURE}\r\nhello\r\n`,
    `5; chunk-signature=${SIGNATURE}\r\nhello\r\n`,
    `-5;chunk-signature=${SIGNATURE}\r\nhello\r\n`,
  ])('signed framing %j', async (start) => {
    const outcome = await decode([Buffer.from(start)], 5, { form: 'signed' });
    expect(outcome.refusal).toMatchObject(TERMINATED);
  });

  test('a line without an end is refused at 1 KiB, not collected', async () => {
    let taken = 0;
    async function* source(): AsyncGenerator<Buffer, void, undefined> {
      for (; taken < 10_000; taken++) yield Buffer.from('0');
    }
    const outcome = await outcomeOf(
      async () => (await openBody(declare(5, { form: 'unsigned-trailer' }), source())).chunks,
    );
    expect(outcome.refusal).toMatchObject(TERMINATED);
    expect(taken).toBe(1024);
  });

  test.each(['6', 'ffffffffffffffff', '7fffffffffffffff', '20000000000001', '140000000'])(
    'a chunk of %s (hex) bytes in an object of 5 is refused before its data comes',
    async (size) => {
      const outcome = await decode([Buffer.from(`${size}\r\n`)], 5, { form: 'unsigned-trailer' });
      expect(outcome.refusal).toMatchObject(WRONG_LENGTH);
    },
  );

  test('chunks that add up to less or more than declared', async () => {
    const encoded = encode([Buffer.from('hel'), Buffer.from('lo')], { form: 'unsigned-trailer' });
    for (const length of [0, 2, 3, 4, 6, 2 ** 50]) {
      const outcome = await decode([encoded], length, { form: 'unsigned-trailer' });
      expect(outcome.refusal).toMatchObject(WRONG_LENGTH);
      expect(outcome.released).toHaveLength(0);
    }
  });

  test.each(['signed', 'signed-trailer'] as const)('%s: a small chunk that is not the last', async (form) => {
    const chunks = [Buffer.alloc(8192), Buffer.alloc(8191), Buffer.alloc(1)];
    const outcome = await decode([encode(chunks, { form })], 16384, { form });
    expect(outcome.refusal).toEqual({
      code: 'InvalidChunkSizeError',
      message: 'Only the last chunk is allowed to have a size less than 8192 bytes',
      details: { Chunk: '2', BadChunkSize: '8191' },
    });
  });

  test.each(['signed', 'signed-trailer'] as const)('%s: signed for another request', async (form) => {
    const encoded = encode([Buffer.from('hello')], { form, seed: SIGNATURE });
    const outcome = await decode([encoded], 5, { form });
    expect(outcome.refusal).toMatchObject({
      code: 'SignatureDoesNotMatch',
      message:
        'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
    });
    expect(outcome.released).toHaveLength(0);
  });

  test('a trailer with the signature of another', async () => {
    const text = encode([Buffer.from('hello')], { form: 'signed-trailer' }).toString('latin1');
    const altered = Buffer.from(text.replace(/(trailer-signature:).{64}/, `$1${SIGNATURE}`));
    const outcome = await decode([altered], 5, { form: 'signed-trailer' });
    expect(outcome.refusal?.code).toBe('SignatureDoesNotMatch');
  });

  test.each([
    '',
    'x-amz-checksum-crc32c:NhCmhg==\r\n',
    'x-amz-meta-a:b\r\n',
    'x-amz-checksum-crc32\r\n',
    'x-amz-checksum-crc32 :NhCmhg==\r\n',
    ' x-amz-checksum-crc32:NhCmhg==\r\n',
    ':NhCmhg==\r\n',
    'x-amz-checksum-crc32:NhCmhg==\r\nx-amz-checksum-crc32:NhCmhg==\r\n',
    'x-amz-checksum-crc32:NhCmhg==\r\nx-amz-meta-a:b\r\n',
    `x-amz-checksum-crc32:NhCmhg==\r\nx-amz-trailer-signature:${SIGNATURE}\r\n`,
    `x-amz-checksum-crc32:${'A'.repeat(1024)}\r\n`,
    'x-amz-checksum-crc32:NhCmhg==\nx-amz-meta-a:b\r\n',
  ])('the trailer lines %j', async (trailer) => {
    const pieces = [Buffer.from(`5\r\nhello\r\n0\r\n${trailer}\r\n`)];
    const outcome = await decode(pieces, 5, { form: 'unsigned-trailer' });
    expect(outcome.refusal).toMatchObject(TRAILER);
    expect(outcome.released).toHaveLength(0);
  });

  test('a signed trailer without its signature, or with a malformed one', async () => {
    const text = encode([Buffer.from('hello')], { form: 'signed-trailer' }).toString('latin1');
    for (const instead of ['', 'x-amz-trailer-signature:abc\r\n', 'x-amz-trailer-signature:\r\n']) {
      const altered = text.replace(/x-amz-trailer-signature:.{64}\r\n/, instead);
      const outcome = await decode([Buffer.from(altered)], 5, { form: 'signed-trailer' });
      expect(outcome.refusal).toMatchObject(TRAILER);
    }
  });

  test('a trailer in the form that has none', async () => {
    const text = encode([Buffer.from('hello')], { form: 'signed' }).toString('latin1');
    const altered = Buffer.from(`${text.slice(0, -2)}x-amz-checksum-crc32:NhCmhg==\r\n\r\n`);
    expect((await decode([altered], 5, { form: 'signed' })).refusal).toMatchObject(TRAILER);
  });

  describe.each(FORMS.slice(1))('%s', (form) => {
    test.each(ALGORITHMS)('a wrong and an undecodable trailer of %s', async (algorithm) => {
      const object = Buffer.from('hello');
      const { label, header, size } = CHECKSUM_ALGORITHMS[algorithm];
      const right = checksumOf(algorithm, object);
      const wrong = checksumOf(algorithm, Buffer.from('Hello'));
      const send = (trailerValue: string): Promise<Outcome> =>
        decode([encode([object], { form, algorithm, trailerValue })], 5, { form, algorithm });

      expect((await send(right)).refusal).toBeUndefined();
      expect((await send(wrong)).refusal).toMatchObject({
        code: 'BadDigest',
        message: `The ${label} you specified did not match the calculated checksum.`,
      });
      const short = Buffer.alloc(size - 1).toString('base64');
      for (const value of [
        '',
        '!',
        right.replaceAll('=', ''),
        `${right}=`,
        `${right}${right}`,
        short,
        `${right},`,
      ]) {
        if (value === right) continue;
        const outcome = await send(value);
        expect(outcome.refusal).toMatchObject({
          code: 'InvalidRequest',
          message: `Value for ${header} trailing header is invalid.`,
        });
        expect(outcome.released).toHaveLength(0);
      }
    });
  });
});

/** Of sizes in descending order: every long one, and one short one, which comes last. */
function fitsSignedForm(length: number, index: number, all: readonly number[]): boolean {
  return length >= 8192 || index === all.findIndex((other) => other < 8192);
}

/** Repeatable noise: a hash chain would be slower, and the bytes need not be secret. */
function randomBytes(length: number, seed: number): Buffer {
  const out = Buffer.alloc(length);
  let state = seed | 1;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    out[i] = state >>> 24;
  }
  return out;
}
