import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createJsonSink, createS3AccessLogSink, toJsonRecord } from '../../src/audit/index.ts';
import { openLineFile } from '../../src/audit/line-file.ts';
import { CANONICAL_ID, SAMPLE } from './sample-record.ts';

let folder: string;
let path: string;
let dropped: number;
let errors: unknown[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bucketwarden-audit-'));
  path = join(folder, 'access.log');
  dropped = 0;
  errors = [];
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const watch = {
  onDrop: (count: number) => {
    dropped += count;
  },
  onError: (error: unknown) => {
    errors.push(error);
  },
};

function lines(file = path): readonly string[] {
  return readFileSync(file, 'utf8').split('\n').slice(0, -1);
}

function openSink() {
  return createS3AccessLogSink({ path, canonicalUserId: () => CANONICAL_ID, ...watch });
}

describe('the JSON record', () => {
  test('has what happened, with absent things left out and URIs redacted', () => {
    const record = {
      ...SAMPLE,
      target: '/b/k?X-Amz-Security-Token=hunter2',
      referer: 'https://h/?X-Amz-Signature=hunter2',
      upstream: { status: 200, requestId: 'U1' },
    };
    const logged: [object, string][] = [];
    createJsonSink({ info: (fields, message) => void logged.push([fields, message]) }).write(record);
    expect(logged).toEqual([[toJsonRecord(record), 'access']]);
    const json = JSON.parse(JSON.stringify(logged[0]?.[0])) as unknown;
    expect(json).toEqual({
      requestTime: '2019-02-06T00:01:57.000Z',
      requestId: 'DD6CC733AEXAMPLE',
      hostId: SAMPLE.hostId,
      remoteAddress: '192.0.2.3',
      method: 'PUT',
      requestUri: '/b/k?X-Amz-Security-Token=REDACTED',
      httpVersion: '1.1',
      host: SAMPLE.host,
      referer: 'https://h/?X-Amz-Signature=REDACTED',
      userAgent: 'S3Console/0.4',
      tls: { protocol: 'TLSv1.2', cipher: 'ECDHE-RSA-AES128-SHA' },
      operation: 'PutObject',
      bucket: 'amzn-s3-demo-bucket1',
      bucketOwner: '123456789012',
      key: 's3-dg.pdf',
      principal: 'arn:aws:iam::123456789012:root',
      accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
      authType: 'AuthHeader',
      signatureVersion: 'SigV4',
      decision: SAMPLE.decision,
      status: 200,
      bytesReceived: 4406583,
      bytesSent: 0,
      objectSize: 4406583,
      totalTimeMs: 41754,
      turnAroundTimeMs: 28,
      outcome: 'completed',
      upstream: { status: 200, requestId: 'U1' },
    });
  });

  test('the entries of one record are bounded', () => {
    const entries = Array.from({ length: 1200 }, (_, i) => ({ key: `k${i}`, status: 204 }));
    expect(toJsonRecord({ ...SAMPLE, entries })['entries']).toHaveLength(1000);
  });
});

describe('the S3 access log file', () => {
  test('has every record, in order, once it is closed; a later one is counted as lost', async () => {
    const sink = await openSink();
    for (let i = 0; i < 3000; i++) sink.write({ ...SAMPLE, requestId: `R${i}` });
    await sink.close();
    sink.write(SAMPLE);
    expect(lines().map((line) => line.split(' ')[6])).toEqual(
      Array.from({ length: 3000 }, (_, i) => `R${i}`),
    );
    expect(dropped).toBe(1);
    expect(errors).toEqual([]);
  });

  test('is appended to', async () => {
    for (const requestId of ['R1', 'R2']) {
      const sink = await openSink();
      sink.write({ ...SAMPLE, requestId });
      await sink.close();
    }
    expect(lines()).toHaveLength(2);
  });

  test('can be rotated: lines before are in the old file, lines after in a new one, none is lost', async () => {
    const sink = await openSink();
    for (let i = 0; i < 100; i++) sink.write({ ...SAMPLE, requestId: `R${i}` });
    renameSync(path, `${path}.1`);
    const reopened = sink.reopen();
    for (let i = 100; i < 200; i++) sink.write({ ...SAMPLE, requestId: `R${i}` });
    await reopened;
    sink.write({ ...SAMPLE, requestId: 'LAST' });
    await sink.close();
    expect(lines().at(-1)).toContain(' LAST ');
    expect(lines(`${path}.1`).length + lines().length).toBe(201);
    expect(dropped).toBe(0);
  });

  test('goes on in the old file when the new one cannot be opened', async () => {
    const sink = await openSink();
    const moved = `${folder}.moved`;
    renameSync(folder, moved);
    await sink.reopen();
    sink.write(SAMPLE);
    await sink.close();
    renameSync(moved, folder);
    expect(errors).toMatchObject([{ code: 'ENOENT' }]);
    expect(lines()).toHaveLength(1);
  });

  test('a path that cannot be opened is an error at the start', async () => {
    path = join(folder, 'no', 'access.log');
    await expect(openSink()).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

// Only Linux has a device that is always full.
describe.runIf(process.platform === 'linux')('a disk that fails', () => {
  test('is reported once, throws nothing, and lines that find no room are counted', async () => {
    const file = await openLineFile({ path: '/dev/full', maxWaitingBytes: 100, ...watch });
    for (let i = 0; i < 50; i++) file.append('nine char');
    await file.close();
    expect(errors).toMatchObject([{ code: 'ENOSPC' }]);
    expect(dropped).toBe(50);
  });
});
