import * as fc from 'fast-check';
import { crc32 } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { openBody, type BodyDeclaration } from '../../src/body/index.ts';
import { frame, framedLength } from '../../src/upstream/framing.ts';

const NAME = 'x-amz-checksum-crc32';

function checksumOf(data: Buffer): string {
  const value = Buffer.alloc(4);
  value.writeUInt32BE(crc32(data));
  return value.toString('base64');
}

/** In pieces of the given sizes, over and over. */
async function* pieces(data: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer> {
  for (let at = 0, i = 0; at < data.length; i++) {
    const size = sizes[i % sizes.length] ?? data.length;
    yield data.subarray(at, at + size);
    at += size;
  }
}

async function collect(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(chunks));
}

function framed(data: Buffer, sizes: readonly number[]): Promise<Buffer> {
  return collect(frame(pieces(data, sizes), data.length, { name: NAME, value: () => checksumOf(data) }));
}

async function* broken(): AsyncGenerator<Buffer> {
  yield Buffer.from('abc');
  throw new Error('did not verify');
}

const SIZES = [0, 1, 15, 16, 65_535, 65_536, 65_537, 131_071, 131_072, 131_073, 200_000];

describe('a framed body', () => {
  test('of an empty object is its trailer alone', async () => {
    expect((await framed(Buffer.alloc(0), [])).toString('latin1')).toBe(
      '0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n',
    );
  });

  test('of a short object is one chunk', async () => {
    expect((await framed(Buffer.from('hello'), [2])).toString('latin1')).toBe(
      `5\r\nhello\r\n0\r\nx-amz-checksum-crc32:${checksumOf(Buffer.from('hello'))}\r\n\r\n`,
    );
  });

  test.each(SIZES)('of %d bytes has the length that was announced', async (size) => {
    const data = Buffer.alloc(size, 'x');
    const { length } = await framed(data, [1000, 65_536, 7]);
    expect(length).toBe(framedLength(size, NAME, 8));
  });

  test('is decoded to what it was, however it came in', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.constantFrom(...SIZES), fc.nat(300_000)),
        fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 1, maxLength: 5 }),
        async (size, sizes) => {
          const data = Buffer.alloc(size, 'streamed ');
          const encoded = await framed(data, sizes);
          expect(encoded.length).toBe(framedLength(size, NAME, 8));
          const declaration: BodyDeclaration = {
            payload: { kind: 'chunked-unsigned' },
            length: size,
            checksum: undefined,
            trailer: 'crc32',
            md5: undefined,
          };
          const body = await openBody(declaration, pieces(encoded, sizes));
          expect((await collect(body.chunks)).equals(data)).toBe(true);
        },
      ),
      { numRuns: 40 },
    );
  });

  test('asks for the trailer only after the last byte', async () => {
    let ended = false;
    const body = async function* (): AsyncGenerator<Buffer> {
      yield Buffer.from('ab');
      yield Buffer.from('c');
      ended = true;
    };
    const trailer = {
      name: NAME,
      value: () => {
        expect(ended).toBe(true);
        return 'AAAAAA==';
      },
    };
    expect((await collect(frame(body(), 3, trailer))).toString('latin1')).toContain('3\r\nabc\r\n0\r\n');
  });

  test('is cut short when the body fails: no end of it is sent', async () => {
    const sent: Buffer[] = [];
    const send = async (): Promise<void> => {
      for await (const chunk of frame(broken(), 4, { name: NAME, value: () => '' })) sent.push(chunk);
    };
    await expect(send()).rejects.toThrow('did not verify');
    expect(Buffer.concat(sent).toString('latin1')).toBe('4\r\nabc');
  });
});
