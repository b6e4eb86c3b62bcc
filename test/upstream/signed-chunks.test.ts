/**
 * Bodies of chunks that the gateway signs. Source of the expected values: Amazon S3 API reference, "Signature Calculations
 * for the Authorization Header: Transferring Payload in Multiple Chunks (Chunked Upload)", its worked example.
 */
import * as fc from 'fast-check';
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createSigningKeys, signChunkedRequest } from '../../src/sigv4/index.ts';
import { frameSigned, SIGNED_CHUNKS, signedLength } from '../../src/upstream/signed-framing.ts';
import { CREDENTIALS } from './origin.ts';

function signer() {
  return signChunkedRequest(
    {
      method: 'PUT',
      path: '/examplebucket/chunkObject.txt',
      query: [],
      headers: [
        ['host', 's3.amazonaws.com'],
        ['x-amz-storage-class', 'REDUCED_REDUNDANCY'],
        ['content-encoding', 'aws-chunked'],
        ['x-amz-decoded-content-length', '66560'],
        ['content-length', '66824'],
      ],
      payloadHash: SIGNED_CHUNKS,
    },
    {
      credentials: { ...CREDENTIALS, secretVersion: '1' },
      region: 'us-east-1',
      signingKeys: createSigningKeys({ max: 1 }),
    },
    Date.UTC(2013, 4, 24),
  );
}

async function* cut(data: Buffer, at: readonly number[]): AsyncGenerator<Buffer> {
  let from = 0;
  for (const to of [...at.toSorted((a, b) => a - b), data.length]) {
    yield data.subarray(from, to);
    from = to;
  }
}

async function framed(data: Buffer, at: readonly number[]): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(frameSigned(cut(data, at), data.length, signer().chunks)));
}

describe("AWS's example", () => {
  test('is signed as documented', () => {
    const { headers } = signer();
    expect(headers.at(-1)).toBe(
      'AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders=content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class, Signature=4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9',
    );
  });

  test('is framed as documented, byte for byte, however it comes', async () => {
    const data = Buffer.alloc(66_560, 'a');
    const expected = [
      '10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648',
      'a'.repeat(65_536),
      '400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497',
      'a'.repeat(1024),
      '0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9',
      '',
      '',
    ].join('\r\n');
    for (const at of [[], [1], [65_536], [65_535, 65_537], [8192, 16_384, 66_559]])
      expect((await framed(data, at)).toString('latin1')).toBe(expected);
    expect(signedLength(66_560)).toBe(66_824);
  });
});

test('any body has the length that was told, in chunks that S3 takes', async () => {
  const sizes = fc.oneof(
    fc.integer({ min: 1, max: 200_000 }),
    fc.constantFrom(1, 8191, 8192, 65_535, 65_536, 65_537, 131_072),
  );
  await fc.assert(
    fc.asyncProperty(
      sizes,
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 6 }),
      async (size, at) => {
        const data = createHash('shake256', { outputLength: size }).update(String(size)).digest();
        const wire = await framed(
          data,
          at.map((part) => Math.floor(part * size)),
        );
        expect(wire.length).toBe(signedLength(size));
        const sizesOnWire = [...wire.toString('latin1').matchAll(/([0-9a-f]+);chunk-signature=/g)].map(
          ([, digits = '']) => Number.parseInt(digits, 16),
        );
        expect(sizesOnWire.slice(0, -2).every((chunk) => chunk >= 8192)).toBe(true);
        expect(sizesOnWire.at(-1)).toBe(0);
      },
    ),
    { numRuns: 60 },
  );
});

test('what does not verify is never signed to its end', async () => {
  const source = (async function* () {
    yield Buffer.alloc(65_536);
    yield Buffer.alloc(10);
    throw new Error('does not verify');
  })();
  const sent: Buffer[] = [];
  await expect(async () => {
    for await (const part of frameSigned(source, 65_547, signer().chunks)) sent.push(part);
  }).rejects.toThrow('does not verify');
  expect(Buffer.concat(sent).toString('latin1')).not.toContain('0;chunk-signature=b');
  expect(Buffer.concat(sent).length).toBeLessThan(65_700);
});
