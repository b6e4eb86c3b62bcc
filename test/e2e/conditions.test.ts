/** Condition keys, as requests fill them in; and the bucket setting `bodies`. */
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  PutObjectCommand,
  UploadPartCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { runGateway, type Credentials, type RunningGateway } from '../support/running-gateway.ts';
import { exchange, sendRaw, type RawAnswer } from './support/signed-request.ts';

const Bucket = 'conditions';
const ACCOUNT = '000000000000';
let gateway: RunningGateway;
let s3: S3Client;
/** May do nothing but what the bucket policy allows; has the tag team=blue. */
let key: Credentials;
let user: S3Client;

beforeAll(async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'bucketwarden-'));
  const file = join(dataDir, 'settings.yaml');
  const bodies = ['signed', 'checksummed', 'any'].map(
    (mode) => `  - { name: 'bodies-${mode}', bodies: ${mode} }`,
  );
  await writeFile(file, `buckets:\n${bodies.join('\n')}\n`);
  gateway = await runGateway({ file, dataDir });
  s3 = gateway.client();
  for (const name of [Bucket, 'bodies-signed', 'bodies-checksummed', 'bodies-any'])
    await s3.send(new CreateBucketCommand({ Bucket: name }));
  await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x' }));
  await s3.send(new PutObjectCommand({ Bucket, Key: 'blue/k', Body: 'x' }));
  const args = ['issue', '--user', 'tagged', '--no-policy', '--tag', 'team=blue', '--output', 'json'];
  const issued = JSON.parse(await gateway.keys(args)) as Record<'AccessKeyId' | 'SecretAccessKey', string>;
  key = { accessKeyId: issued.AccessKeyId, secretAccessKey: issued.SecretAccessKey };
  user = gateway.client(key);
});

afterAll(async () => {
  await gateway.stop();
});

/** The only statement of the bucket's policy: what the user may do. */
async function allowIf(
  action: string,
  condition: object,
  resource = `arn:aws:s3:::${Bucket}/*`,
): Promise<void> {
  const AWS = `arn:aws:iam::${ACCOUNT}:user/tagged`;
  const statement = {
    Effect: 'Allow',
    Principal: { AWS },
    Action: action,
    Resource: resource,
    Condition: condition,
  };
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
  await s3.send(new PutBucketPolicyCommand({ Bucket, Policy }));
}

const get = new GetObjectCommand({ Bucket, Key: 'k' });
const denied = { name: 'AccessDenied', $metadata: { httpStatusCode: 403 } };

describe('keys of every request', () => {
  test.each([
    [
      'aws:SourceIp',
      { IpAddress: { 'aws:SourceIp': '127.0.0.0/8' } },
      { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } },
    ],
    [
      'aws:SecureTransport',
      { Bool: { 'aws:SecureTransport': 'false' } },
      { Bool: { 'aws:SecureTransport': 'true' } },
    ],
    [
      'aws:CurrentTime',
      { DateLessThan: { 'aws:CurrentTime': '2099-01-01T00:00:00Z' } },
      { DateLessThan: { 'aws:CurrentTime': '2020-01-01T00:00:00Z' } },
    ],
    [
      'aws:username',
      { StringEquals: { 'aws:username': 'tagged' } },
      { StringEquals: { 'aws:username': 'Tagged' } },
    ],
    [
      'aws:PrincipalArn',
      { ArnLike: { 'aws:PrincipalArn': `arn:aws:iam::${ACCOUNT}:user/tag*` } },
      { ArnLike: { 'aws:PrincipalArn': `arn:aws:iam::${ACCOUNT}:user/other` } },
    ],
    [
      'aws:PrincipalTag',
      { StringEquals: { 'aws:PrincipalTag/Team': 'blue' } },
      { StringEquals: { 'aws:PrincipalTag/team': 'Blue' } },
    ],
    [
      'aws:UserAgent',
      { StringLike: { 'aws:UserAgent': 'aws-sdk-js/3.*' } },
      { StringLike: { 'aws:UserAgent': 'curl/*' } },
    ],
    [
      's3:authType',
      { StringEquals: { 's3:authType': 'REST-HEADER' } },
      { StringEquals: { 's3:authType': 'REST-QUERY-STRING' } },
    ],
    [
      's3:signatureversion',
      { StringEquals: { 's3:signatureversion': 'AWS4-HMAC-SHA256' } },
      { StringEquals: { 's3:signatureversion': 'AWS' } },
    ],
    // No TLS: the key is absent, and a positive operator does not hold.
    [
      's3:TlsVersion',
      { Null: { 's3:TlsVersion': 'true' } },
      { NumericGreaterThanEquals: { 's3:TlsVersion': '1.2' } },
    ],
  ])('%s', async (_, holds, fails) => {
    await allowIf('s3:GetObject', holds);
    await user.send(get);
    await allowIf('s3:GetObject', fails);
    await expect(user.send(get)).rejects.toMatchObject(denied);
  });

  test('aws:Referer', async () => {
    await allowIf('s3:GetObject', { StringLike: { 'aws:Referer': 'https://www.example.com/*' } });
    const path = `/${Bucket}/k`;
    const headers = { referer: 'https://www.example.com/page?X-Amz-Signature=abc' };
    expect(await sendRaw(gateway, { path, headers, credentials: key })).toMatchObject({ status: 200 });
    const other = { referer: 'https://evil.example.net/' };
    expect(await sendRaw(gateway, { path, headers: other, credentials: key })).toMatchObject({ status: 403 });
    expect(await sendRaw(gateway, { path, credentials: key })).toMatchObject({ status: 403 });
  });

  test('a header cannot claim TLS or another address', async () => {
    await allowIf('s3:GetObject', { Bool: { 'aws:SecureTransport': 'true' } });
    const headers = {
      'x-forwarded-proto': 'https',
      'x-forwarded-for': '10.1.2.3',
      forwarded: 'for=10.1.2.3;proto=https',
    };
    const path = `/${Bucket}/k`;
    expect(await sendRaw(gateway, { path, headers, credentials: key })).toMatchObject({ status: 403 });
    await allowIf('s3:GetObject', { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } });
    expect(await sendRaw(gateway, { path, headers, credentials: key })).toMatchObject({ status: 403 });
  });

  test('a variable in the resource: one folder for each user’s tag', async () => {
    await allowIf('s3:GetObject', {}, `arn:aws:s3:::${Bucket}/\${aws:PrincipalTag/team}/*`);
    await user.send(new GetObjectCommand({ Bucket, Key: 'blue/k' }));
    await expect(user.send(get)).rejects.toMatchObject(denied);
  });
});

describe('listings', () => {
  const bucketItself = `arn:aws:s3:::${Bucket}`;
  const list = (input: { Prefix?: string; MaxKeys?: number; Delimiter?: string }): Promise<unknown> =>
    user.send(new ListObjectsV2Command({ Bucket, ...input }));

  test('s3:prefix', async () => {
    await allowIf('s3:ListBucket', { StringLike: { 's3:prefix': ['blue/*', ''] } }, bucketItself);
    await list({ Prefix: 'blue/' });
    await list({ Prefix: 'blue/k' });
    await list({ Prefix: '' });
    await expect(list({ Prefix: 'k' })).rejects.toMatchObject(denied);
    // Absent is not empty: a listing without the parameter has no such key.
    await expect(list({})).rejects.toMatchObject(denied);
  });

  test('s3:delimiter', async () => {
    await allowIf('s3:ListBucket', { StringEquals: { 's3:delimiter': '/' } }, bucketItself);
    await list({ Delimiter: '/' });
    await expect(list({})).rejects.toMatchObject(denied);
  });

  test('s3:max-keys, also when the request leaves it at its default', async () => {
    await allowIf('s3:ListBucket', { NumericLessThanEquals: { 's3:max-keys': '10' } }, bucketItself);
    await list({ MaxKeys: 10 });
    await expect(list({ MaxKeys: 11 })).rejects.toMatchObject(denied);
    await expect(list({})).rejects.toMatchObject(denied);
  });
});

describe('presigned URLs', () => {
  test('s3:authType', async () => {
    await allowIf('s3:GetObject', { StringEquals: { 's3:authType': 'REST-QUERY-STRING' } });
    expect(await fetchUrl(await getSignedUrl(user, get))).toMatchObject({ status: 200 });
    await expect(user.send(get)).rejects.toMatchObject(denied);
  });

  test('s3:signatureAge, in milliseconds', async () => {
    await allowIf('s3:GetObject', { NumericLessThan: { 's3:signatureAge': '600000' } });
    expect(await fetchUrl(await signedBefore(60_000))).toMatchObject({ status: 200 });
    expect(await fetchUrl(await signedBefore(660_000))).toMatchObject({ status: 403, code: 'AccessDenied' });
  });
});

describe('a policy that demands signed payloads', () => {
  // As AWS shows it; with the form that has neither hash nor signed chunks besides.
  const unsigned = ['UNSIGNED-PAYLOAD', 'STREAMING-UNSIGNED-PAYLOAD-TRAILER'];
  const put = { Bucket, Key: 'signed', ContentLength: 5 };

  beforeAll(async () => {
    const AWS = `arn:aws:iam::${ACCOUNT}:user/tagged`;
    const Resource = `arn:aws:s3:::${Bucket}/*`;
    const Policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Principal: { AWS }, Action: 's3:PutObject', Resource },
        {
          Effect: 'Deny',
          Principal: '*',
          Action: 's3:PutObject',
          Resource,
          Condition: { StringEquals: { 's3:x-amz-content-sha256': unsigned } },
        },
      ],
    });
    await s3.send(new PutBucketPolicyCommand({ Bucket, Policy }));
  });

  beforeEach(() => {
    gateway.upstream.clear();
  });

  test('takes a hash', async () => {
    const stored = await user.send(new PutObjectCommand({ ...put, Body: 'hello' }));
    expect(stored.ETag).toBe('"5d41402abc4b2a76b9719d911017c592"');
  });

  test('refuses UNSIGNED-PAYLOAD: of a presigned URL, and in the header', async () => {
    const url = await getSignedUrl(user, new PutObjectCommand({ Bucket, Key: 'signed' }));
    expect(await fetchUrl(url, 'hello')).toMatchObject({ status: 403, code: 'AccessDenied' });
    const header = await sendRaw(gateway, {
      method: 'PUT',
      path: `/${Bucket}/signed`,
      body: 'hello',
      credentials: key,
      payloadHash: 'UNSIGNED-PAYLOAD',
    });
    expect(header).toMatchObject({ status: 403, code: 'AccessDenied' });
    expect(gateway.upstream.requestLines()).toEqual([]);
  });

  test('refuses STREAMING-UNSIGNED-PAYLOAD-TRAILER, which the SDK sends for a stream', async () => {
    const streamed = user.send(new PutObjectCommand({ ...put, Body: inPieces('hello') }));
    await expect(streamed).rejects.toMatchObject(denied);
    expect(gateway.upstream.requestLines()).toEqual([]);
  });
});

describe('the setting `bodies`', () => {
  const plain = { method: 'PUT', body: 'hello', payloadHash: 'UNSIGNED-PAYLOAD' };
  const send = (bucket: string, more: object = {}): Promise<RawAnswer> =>
    sendRaw(gateway, { ...plain, path: `/${bucket}/k`, credentials: gateway.root, ...more });
  const crc32 = { headers: { 'x-amz-checksum-crc32': 'NhCmhg==' } };
  const md5 = { headers: { 'content-md5': 'XUFAKrxLKna5cZ2REBfFkg==' } };
  test('any takes everything', async () => {
    expect(await send('bodies-any')).toMatchObject({ status: 200 });
    await streamTo('bodies-any');
  });

  test('checksummed refuses what has neither hash nor checksum', async () => {
    expect(await send('bodies-checksummed')).toMatchObject({ status: 403, code: 'AccessDenied' });
    expect(await send('bodies-checksummed', crc32)).toMatchObject({ status: 200 });
    expect(await send('bodies-checksummed', md5)).toMatchObject({ status: 200 });
    expect(await send('bodies-checksummed', { payloadHash: undefined })).toMatchObject({ status: 200 });
    await streamTo('bodies-checksummed');
  });

  test('signed refuses what has no hash, the parts of an upload too', async () => {
    expect(await send('bodies-signed')).toMatchObject({ status: 403 });
    expect(await send('bodies-signed', crc32)).toMatchObject({ status: 403 });
    await expect(streamTo('bodies-signed')).rejects.toMatchObject(denied);
    const part = new UploadPartCommand({
      Bucket: 'bodies-signed',
      Key: 'k',
      UploadId: 'u',
      PartNumber: 1,
      Body: inPieces('hello'),
      ContentLength: 5,
    });
    await expect(s3.send(part)).rejects.toMatchObject(denied);
    expect(await send('bodies-signed', { payloadHash: undefined })).toMatchObject({ status: 200 });
  });

  test('before a byte of the body is read', async () => {
    gateway.upstream.clear();
    const signed = await getSignedUrl(s3, new PutObjectCommand({ Bucket: 'bodies-signed', Key: 'big' }));
    const { pathname, search, host } = new URL(signed);
    const headers = { host, expect: '100-continue', 'content-length': String(1024 ** 3) };
    const address = { host: '127.0.0.1', port: gateway.port, path: pathname + search };
    const announced = await new Promise((resolve, reject) => {
      let continued = false;
      const outgoing = request({ ...address, method: 'PUT', headers }, (answer) => {
        resolve({ status: answer.statusCode, continued });
        outgoing.destroy();
      });
      outgoing.on('continue', () => (continued = true));
      outgoing.on('error', reject);
      outgoing.flushHeaders();
    });
    expect(announced).toEqual({ status: 403, continued: false });
    expect(gateway.upstream.requestLines()).toEqual([]);
  });
});

function signedBefore(age: number): Promise<string> {
  return getSignedUrl(user, get, { expiresIn: 3600, signingDate: new Date(Date.now() - age) });
}

function streamTo(to: string): Promise<unknown> {
  return s3.send(new PutObjectCommand({ Bucket: to, Key: 'k', Body: inPieces('hello'), ContentLength: 5 }));
}

/** A body that the SDK sends in unsigned chunks with a trailing checksum. */
function inPieces(text: string): Readable {
  return Readable.from([Buffer.from(text)]);
}

function fetchUrl(url: string, body?: string): Promise<RawAnswer> {
  const { host, pathname, search } = new URL(url);
  const target = pathname + search;
  if (body === undefined) return exchange(gateway.port, { target, headers: { host } });
  const headers = { host, 'content-length': String(Buffer.byteLength(body)) };
  return exchange(gateway.port, { method: 'PUT', target, headers, body });
}
