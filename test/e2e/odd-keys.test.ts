/** Keys are bytes: what was signed, decided, forwarded, stored and recorded is the same, whatever it looks like. */
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runGateway, type RunningGateway } from '../support/running-gateway.ts';
import { exchange, sendRaw, type RawAnswer } from './support/signed-request.ts';

const Bucket = 'docs';
const DOTTED = 'my.dotted.bucket';
let gateway: RunningGateway;
let s3: S3Client;

beforeAll(async () => {
  gateway = await runGateway({ env: { BASE_DOMAINS: 's3.example.test,example.test' } });
  s3 = gateway.client();
  await s3.send(new CreateBucketCommand({ Bucket }));
  await s3.send(new CreateBucketCommand({ Bucket: DOTTED }));
});

afterAll(async () => {
  await gateway.stop();
});

const ODD_KEYS = [
  'a//b',
  '/leading',
  'trailing/',
  '//',
  'a/../b',
  '../../etc/passwd',
  './x',
  '..',
  '.',
  'a/./b',
  'literal%2Fslash',
  '100%',
  '%41',
  'two  spaces',
  ' space around ',
  'a+b',
  'what?',
  'x?acl',
  'hash#tag',
  'a&b=c;d',
  'quote\'"`',
  'back\\slash',
  '<xml>&amp;',
  '$ { } | ^ ~ * ( ) ! @ , :',
  'tab\tand\u0001control',
  'line\nfeed',
  'NFC \u00e9',
  'NFD e\u0301',
  '日本語/キー',
  '😀/👨‍👩‍👧',
  '\u2028\u2029',
  `${'k'.repeat(1023)}/`,
  'ü'.repeat(512),
  'CON/aux.txt',
  'data',
];

/** As S3 clients escape: everything but unreserved characters and slashes. */
function escapeKey(key: string): string {
  return [...Buffer.from(key, 'utf8')]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      return /[A-Za-z0-9\-._~/]/.test(character)
        ? character
        : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');
}

const names = ODD_KEYS.map((key) => [
  key.length > 40 ? `${key.slice(0, 4)}… of 1,024 bytes` : JSON.stringify(key),
  key,
]);

describe.each(names)('the key %s', (_, key) => {
  const path = `/${Bucket}/${escapeKey(key ?? '')}`;

  test('is stored, found, decided, forwarded and recorded unchanged', async () => {
    const credentials = gateway.root;
    gateway.upstream.clear();
    const put = await sendRaw(gateway, { method: 'PUT', path, body: key ?? '', credentials });
    expect(put).toMatchObject({ status: 200 });
    expect(gateway.upstream.requestLines()).toEqual([`PUT ${path} HTTP/1.1`]);
    const got = await sendRaw(gateway, { path, credentials });
    expect(got).toMatchObject({ status: 200, body: key });
    const record = await gateway.record(String(got.headers['x-amz-request-id']));
    expect(record).toMatchObject({
      key,
      requestUri: path,
      decision: { effect: 'Allow', resource: `arn:aws:s3:::${Bucket}/${key}` },
    });
  });

  test('is listed and deleted by the SDK', async () => {
    const listed = await s3.send(new ListObjectsV2Command({ Bucket, EncodingType: 'url' }));
    const keys = listed.Contents?.map((object) =>
      decodeURIComponent((object.Key ?? '').replaceAll('+', ' ')),
    );
    expect(keys).toContain(key);
    await s3.send(new DeleteObjectCommand({ Bucket, Key: key }));
    const gone = await sendRaw(gateway, { path, credentials: gateway.root });
    expect(gone).toMatchObject({ status: 404, code: 'NoSuchKey' });
  });
});

test.each(['a//b', 'a/../b', './x', '100%', 'a+b c', 'what?#&', 'NFD e\u0301', '😀'])(
  'the SDK’s own way to write %j finds the same object',
  async (Key) => {
    await s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
    const got = await s3.send(new GetObjectCommand({ Bucket, Key }));
    expect(await got.Body?.transformToString()).toBe(Key);
    expect(
      await sendRaw(gateway, { path: `/${Bucket}/${escapeKey(Key)}`, credentials: gateway.root }),
    ).toMatchObject({
      body: Key,
    });
  },
);

test('composed and decomposed forms are two objects', async () => {
  await s3.send(new PutObjectCommand({ Bucket, Key: 'é', Body: 'NFC' }));
  await s3.send(new PutObjectCommand({ Bucket, Key: 'e\u0301', Body: 'NFD' }));
  const nfc = await s3.send(new GetObjectCommand({ Bucket, Key: 'é' }));
  expect(await nfc.Body?.transformToString()).toBe('NFC');
});

test('lower-case and needless escapes mean the same key', async () => {
  await s3.send(new PutObjectCommand({ Bucket, Key: 'Käse', Body: 'x' }));
  // Signed over the canonical form, whatever the escapes on the wire.
  const canonical = await sendRaw(gateway, { path: `/${Bucket}/K%C3%A4se`, credentials: gateway.root });
  expect(canonical.status).toBe(200);
  const published = { host: `127.0.0.1:${gateway.port}` };
  for (const target of [`/${Bucket}/K%c3%a4se`, `/${Bucket}/%4b%C3%A4s%65`]) {
    const answer = await exchange(gateway.port, { target, headers: published });
    // Anonymous: refused by policy, for the key as it is.
    const record = await gateway.record(String(answer.headers['x-amz-request-id']));
    expect(record).toMatchObject({ key: 'Käse', errorCode: 'AccessDenied' });
  }
});

test.each([
  ['a broken escape', '/docs/%zz'],
  ['an escape cut short', '/docs/a%2'],
  ['bytes that are not UTF-8', '/docs/%ff%fe'],
  ['an overlong form', '/docs/%c0%af'],
  ['a surrogate', '/docs/%ed%a0%80'],
])('%s is InvalidURI', async (_, target) => {
  gateway.upstream.clear();
  const answer = await exchange(gateway.port, { target, headers: { host: `127.0.0.1:${gateway.port}` } });
  expect(answer).toMatchObject({ status: 400, code: 'InvalidURI' });
  expect(gateway.upstream.requestLines()).toEqual([]);
});

test.each([
  ['ASCII', 'k'.repeat(1025)],
  ['two bytes a character', 'ü'.repeat(513)],
])('1,025 bytes and more are KeyTooLongError, in %s', async (_, key) => {
  gateway.upstream.clear();
  const path = `/${Bucket}/${escapeKey(key)}`;
  const answer = await sendRaw(gateway, { method: 'PUT', path, body: 'x', credentials: gateway.root });
  expect(answer).toMatchObject({ status: 400, code: 'KeyTooLongError', message: 'Your key is too long' });
  expect(gateway.upstream.requestLines()).toEqual([]);
});

test('a policy on a prefix cannot be left by dots', async () => {
  const key = await gateway.keyWithPolicy('confined', {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: 's3:*', Resource: `arn:aws:s3:::${Bucket}/mine/*` }],
  });
  await s3.send(new PutObjectCommand({ Bucket, Key: 'secret', Body: 'theirs' }));
  gateway.upstream.clear();
  // A key of its own on AWS; an upstream that keeps files would open `secret`.
  for (const path of [`/${Bucket}/mine/../secret`, `/${Bucket}/mine/%2e%2e/secret`]) {
    const answer = await sendRaw(gateway, { path, credentials: key });
    expect(answer.body).not.toContain('theirs');
    expect(answer.status).toBe(403);
  }
  expect(gateway.upstream.requestLines()).toEqual([]);
});

function hosted(
  host: string,
  path: string,
  extra: { readonly method?: string; readonly body?: string } = {},
): Promise<RawAnswer> {
  return sendRaw(gateway, { path, headers: { host }, credentials: gateway.root, ...extra });
}

describe('virtual-hosted addresses', () => {
  test.each([
    [Bucket, `${Bucket}.s3.example.test`],
    [Bucket, `${Bucket}.S3.Example.Test:8080`],
    [DOTTED, `${DOTTED}.s3.example.test`],
    [DOTTED, `${DOTTED}.example.test`],
  ])('bucket %s by Host %s', async (bucket, host) => {
    for (const key of ['k', 'a//b', 'a/../b', 'x?acl', `${bucket}/inner`]) {
      const path = `/${escapeKey(key)}`;
      expect(await hosted(host, path, { method: 'PUT', body: host })).toMatchObject({ status: 200 });
      const got = await sendRaw(gateway, { path: `/${bucket}/${escapeKey(key)}`, credentials: gateway.root });
      expect(got).toMatchObject({ status: 200, body: host });
    }
    const listed = await hosted(host, '/');
    expect(listed.body).toContain(`<Name>${bucket}</Name>`);
  });

  test('the base domain itself, and any other Host, are path style', async () => {
    for (const host of ['s3.example.test', 'elsewhere.test:9000'])
      expect((await hosted(host, `/${Bucket}`)).body).toContain(`<Name>${Bucket}</Name>`);
  });

  test('a Host below the base domain that names no bucket is refused', async () => {
    expect(await hosted('no_such_name.s3.example.test', '/k')).toMatchObject({
      status: 400,
      code: 'InvalidBucketName',
    });
    expect(await hosted('absent-bucket.s3.example.test', '/k')).toMatchObject({
      status: 404,
      code: 'NoSuchBucket',
    });
  });

  test('the location of a finished upload is in the style of the request', async () => {
    const host = `${Bucket}.s3.example.test`;
    const created = await sendRaw(gateway, {
      method: 'POST',
      path: '/virtual',
      query: { uploads: '' },
      headers: { host },
      credentials: gateway.root,
    });
    const uploadId = /<UploadId>([^<]+)</.exec(created.body)?.[1] ?? '';
    const part = await sendRaw(gateway, {
      method: 'PUT',
      path: '/virtual',
      query: { uploadId, partNumber: '1' },
      headers: { host },
      body: 'x',
      credentials: gateway.root,
    });
    const done = await sendRaw(gateway, {
      method: 'POST',
      path: '/virtual',
      query: { uploadId },
      headers: { host },
      body: `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${String(part.headers.etag)}</ETag></Part></CompleteMultipartUpload>`,
      credentials: gateway.root,
    });
    expect(done.body).toContain(`<Location>http://${host}/virtual</Location>`);
  });
});
