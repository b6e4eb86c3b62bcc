import {
  CreateBucketCommand,
  GetObjectCommand,
  ListBucketsCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { describe, expect, test } from 'vitest';
import { signHeader } from '../support/raw-signer.ts';
import { codeOf, filesOf, startStore } from './support.ts';

const OTHER_SHA256 = '2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae'; // of `foo`

describe('signatures', () => {
  test('of another secret, of another key and with a token are refused', async () => {
    const { makeClient } = await startStore();
    const list = (accessKeyId: string, secretAccessKey: string, sessionToken?: string): Promise<string> =>
      codeOf(
        makeClient({
          credentials: { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) },
        }).send(new ListBucketsCommand({})),
      );
    const secret = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
    expect(await list('AKIAIOSFODNN7EXAMPLE', 'wrong')).toBe('SignatureDoesNotMatch');
    expect(await list('AKIAI44QH8DHBEXAMPLE', secret)).toBe('InvalidAccessKeyId');
    expect(await list('AKIAIOSFODNN7EXAMPLE', secret, 'token')).toBe('InvalidToken');
    expect(await list('AKIAIOSFODNN7EXAMPLE', secret)).toBe('no error');
  });

  test('are needed, in the header, and fresh', async () => {
    const { client, endpoint, send } = await startStore();
    const anonymous = await fetch(`${endpoint}/`);
    expect(anonymous.status).toBe(403);
    expect(await anonymous.text()).toContain('<Code>AccessDenied</Code>');
    const presigned = await getSignedUrl(client, new GetObjectCommand({ Bucket: 'bucket', Key: 'key' }));
    expect((await fetch(presigned)).status).toBe(403);
    expect(await send({ method: 'GET', path: '/', signedAt: Date.now() - 901_000 })).toMatchObject({
      status: 403,
      code: 'RequestTimeTooSkewed',
    });
  });

  test('cover every x-amz header', async () => {
    const { client, directory, send } = await startStore();
    await client.send(new CreateBucketCommand({ Bucket: 'bucket' }));
    const injected = await send({
      method: 'PUT',
      path: '/bucket/key',
      body: 'x',
      unsignedHeaders: { 'x-amz-tagging': 'a=b' },
    });
    expect(injected).toMatchObject({ status: 403, code: 'AccessDenied' });
    expect((await filesOf(directory)).data).toEqual([]);
  });
});

describe('bodies', () => {
  test('that are not what was signed are not stored', async () => {
    const { client, directory, send } = await startStore();
    await client.send(new CreateBucketCommand({ Bucket: 'bucket' }));
    const put = { method: 'PUT', path: '/bucket/key', body: 'bar' };
    expect(await send({ ...put, payloadHash: OTHER_SHA256 })).toMatchObject({
      status: 400,
      code: 'XAmzContentSHA256Mismatch',
    });
    expect(await filesOf(directory)).toEqual({ data: [], temporary: [] });
    expect((await send({ ...put, payloadHash: 'UNSIGNED-PAYLOAD' })).status).toBe(200);
  });

  test('of documents are checked too', async () => {
    const { client, send } = await startStore();
    await client.send(new CreateBucketCommand({ Bucket: 'bucket' }));
    const answer = await send({
      method: 'PUT',
      path: '/bucket',
      query: [{ name: 'tagging', value: '' }],
      body: '<Tagging><TagSet/></Tagging>',
      payloadHash: OTHER_SHA256,
    });
    expect(answer).toMatchObject({ status: 400, code: 'XAmzContentSHA256Mismatch' });
  });

  test('in unsigned chunks with a trailing checksum are stored without framing, and with the checksum', async () => {
    const { client, send } = await startStore();
    await client.send(new CreateBucketCommand({ Bucket: 'bucket' }));
    const put = {
      method: 'PUT',
      path: '/bucket/key',
      payloadHash: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
      headers: {
        'content-encoding': 'gzip,aws-chunked',
        'x-amz-decoded-content-length': '5',
        'x-amz-trailer': 'x-amz-checksum-crc32',
      },
    };
    expect(await send({ ...put, body: framedHello('AAAAAA==') })).toMatchObject({
      status: 400,
      code: 'BadDigest',
    });
    // The CRC-32 of "hello" is 3610a686.
    expect(await send({ ...put, body: framedHello('NhCmhg==') })).toMatchObject({
      status: 200,
      headers: { 'x-amz-checksum-crc32': 'NhCmhg==' },
    });
    const got = await send({ method: 'GET', path: '/bucket/key' });
    expect(got).toMatchObject({ status: 200, headers: { 'content-encoding': 'gzip' } });
    expect(got.body.toString()).toBe('hello');
  });

  test.each([
    ['STREAMING-AWS4-HMAC-SHA256-PAYLOAD', 'as signed', 200, 'no error'],
    ['STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER', 'as signed', 200, 'no error'],
    ['STREAMING-AWS4-HMAC-SHA256-PAYLOAD', 'with another byte', 403, 'SignatureDoesNotMatch'],
    ['STREAMING-AWS4-HMAC-SHA256-PAYLOAD', 'without the last chunk', 400, 'IncompleteBody'],
  ])('in signed chunks (%s) are verified: %s', async (payloadHash, change, status, code) => {
    const { client, directory, endpoint } = await startStore();
    await client.send(new CreateBucketCommand({ Bucket: 'bucket' }));
    const trailer = payloadHash.endsWith('TRAILER');
    const signed = signHeader({
      credentials: {
        accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
        secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
      },
      host: new URL(endpoint).host,
      method: 'PUT',
      target: '/bucket/key',
      payloadHash,
      headers: [
        ['x-amz-decoded-content-length', '5'],
        ...(trailer ? ([['x-amz-trailer', 'x-amz-checksum-crc32']] as const) : []),
      ],
    });
    const { chain } = signed;
    const first = chain.chunk(Buffer.from('hello'));
    const last = `0;chunk-signature=${chain.chunk(Buffer.alloc(0))}\r\n`;
    const lines = 'x-amz-checksum-crc32:NhCmhg==';
    const end = trailer
      ? `${lines}\r\nx-amz-trailer-signature:${chain.trailer(`${lines}\n`)}\r\n\r\n`
      : '\r\n';
    const data = change === 'with another byte' ? 'jello' : 'hello';
    const rest = change === 'without the last chunk' ? '' : last + end;
    const answer = await fetch(`${endpoint}/bucket/key`, {
      method: 'PUT',
      headers: signed.headers
        .filter(([name]) => !/^(?:host|content-length)$/i.test(name))
        .map(([name, value]): [string, string] => [name, value]),
      body: `5;chunk-signature=${first}\r\n${data}\r\n${rest}`,
    });
    expect(answer.status).toBe(status);
    expect(/<Code>(\w+)/.exec(await answer.text())?.[1] ?? 'no error').toBe(code);
    const files = await filesOf(directory);
    expect(files.data).toHaveLength(status === 200 ? 1 : 0);
    const stored = await Promise.all(
      files.data.map((name) => readFile(join(directory, 'data', name), 'utf8')),
    );
    expect(stored.every((content) => content === 'hello')).toBe(true);
  });

  test('in any other aws-chunked framing are refused rather than stored with it', async () => {
    const { client, directory, send } = await startStore();
    await client.send(new CreateBucketCommand({ Bucket: 'bucket' }));
    const put = { method: 'PUT', path: '/bucket/key', body: '1\r\nx\r\n0\r\n\r\n' };
    const payloadHash = 'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD';
    expect(await send({ ...put, payloadHash })).toMatchObject({ status: 400, code: 'InvalidArgument' });
    const encoded = { ...put, headers: { 'content-encoding': 'gzip, aws-chunked' } };
    expect(await send(encoded)).toMatchObject({ status: 501, code: 'NotImplemented' });
    expect(await filesOf(directory)).toEqual({ data: [], temporary: [] });
  });

  test('of unknown length are refused', async () => {
    const { client, endpoint } = await startStore();
    await client.send(new CreateBucketCommand({ Bucket: 'bucket' }));
    const unsized = new PutObjectCommand({ Bucket: 'bucket', Key: 'key', Body: 'x' });
    unsized.middlewareStack.add(
      (next) => (args) => {
        const { headers } = args.request as { headers: Record<string, string> };
        delete headers['content-length'];
        headers['transfer-encoding'] = 'chunked';
        return next(args);
      },
      { step: 'build', priority: 'low' },
    );
    expect(endpoint).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(await codeOf(client.send(unsized))).toBe('MissingContentLength');
  });
});

function framedHello(crc32: string): string {
  return `5\r\nhello\r\n0\r\nx-amz-checksum-crc32:${crc32}\r\n\r\n`;
}
