/** Large objects pass through in constant memory, over the embedded store as a first start has it. */
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { runGateway } from '../support/running-gateway.ts';

const MIB = 1024 * 1024;
/** Twice what has to pass, so that garbage not yet collected does not look like growth. */
const SIZE = 128 * MIB;

test(
  '128 MiB up and down: the same bytes, and memory does not grow with them',
  { timeout: 60_000 },
  async () => {
    const none = {
      UPSTREAM_ENDPOINT: undefined,
      UPSTREAM_ACCESS_KEY_ID: undefined,
      UPSTREAM_SECRET_ACCESS_KEY: undefined,
    };
    const gateway = await runGateway({ env: none });
    try {
      const s3 = gateway.client();
      await s3.send(new CreateBucketCommand({ Bucket: 'large' }));
      const transfer = async (Key: string, size: number): Promise<void> => {
        const sent = createHash('sha256');
        const Body = Readable.from(
          pieces(size, (piece) => {
            sent.update(piece);
            peak = Math.max(peak, process.memoryUsage.rss());
          }),
        );
        await s3.send(new PutObjectCommand({ Bucket: 'large', Key, Body, ContentLength: size }));
        const got = await s3.send(new GetObjectCommand({ Bucket: 'large', Key }));
        expect(got.ContentLength).toBe(size);
        const received = createHash('sha256');
        for await (const piece of got.Body as Readable) {
          received.update(piece as Buffer);
          peak = Math.max(peak, process.memoryUsage.rss());
        }
        expect(received.digest('hex')).toBe(sent.digest('hex'));
      };
      let peak = 0;
      // Client, gateway and store share this process: what they take once is taken before.
      await transfer('warm-up', 8 * MIB);
      const before = process.memoryUsage.rss();
      peak = before;
      await transfer('large', SIZE);
      expect((peak - before) / MIB).toBeLessThan(SIZE / MIB);
    } finally {
      await gateway.stop();
    }
  },
);

function* pieces(size: number, seen: (piece: Buffer) => void): Generator<Buffer> {
  for (let at = 0; at < size; at += 64 * 1024) {
    const piece = Buffer.alloc(64 * 1024, at / 65_536);
    seen(piece);
    yield piece;
  }
}
