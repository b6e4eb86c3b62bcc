import { describe, expect, test } from 'vitest';
import { conditionContext } from '../../src/gateway/condition-context.ts';
import { ExistingTagsNeeded, type Facts } from '../../src/gateway/condition-facts.ts';
import type { Received } from '../../src/gateway/stages.ts';
import { NOW, presign, signByHeader, UNSIGNED, type Signable } from '../sigv4/independent-signer.ts';
import { authenticated, KEY, keyDirectory } from './stages.ts';

const GET: Signable = { method: 'GET', path: '/bucket/key' };

type Given = Partial<Omit<Facts, 'request' | 'required'>> & Partial<Facts['required']>;

function contextOf(request: Facts['request'], given: Given = {}) {
  const { action = 's3:GetObject', versionId, ...facts } = given;
  return conditionContext({
    request,
    required: { action, versionId },
    now: NOW,
    body: {},
    resource: { account: '111122223333', region: 'eu-central-1' },
    existingTags: undefined,
    ...facts,
  });
}

async function signed(request: Signable, options: Given & { readonly received?: Partial<Received> } = {}) {
  const { received = {}, ...given } = options;
  return contextOf(await authenticated(await signByHeader(request), { received }), given).lookup;
}

async function anonymous(target: string) {
  const headers = [['host', 'gateway.example']] as const;
  return contextOf(await authenticated({ method: 'GET', target, headers })).lookup;
}

function put(headers: Readonly<Record<string, string>>, given: Given = {}) {
  const request = { method: 'PUT', path: '/bucket/key', headers: { 'content-length': '0', ...headers } };
  return signed(request, { action: 's3:PutObject', ...given });
}

describe('the request', () => {
  test.each([
    ['aws:sourceip', '192.0.2.7'],
    ['aws:securetransport', 'false'],
    ['aws:currenttime', '2026-02-28T23:59:59.000Z'],
    ['aws:epochtime', String(NOW / 1000)],
    ['aws:useragent', 'aws-cli/2.0'],
    ['aws:referer', 'https://app.example/'],
    ['s3:authtype', 'REST-HEADER'],
    ['s3:signatureversion', 'AWS4-HMAC-SHA256'],
    ['s3:signatureage', '0'],
    ['s3:x-amz-content-sha256', UNSIGNED],
    ['s3:tlsversion', undefined],
    ['s3:versionid', undefined],
    ['aws:requestedregion', 'eu-central-1'],
    ['aws:resourceaccount', '111122223333'],
    ['s3:resourceaccount', '111122223333'],
    ['aws:viaawsservice', 'false'],
    ['aws:principalisawsservice', 'false'],
    ['aws:multifactorauthpresent', undefined],
    ['aws:tokenissuetime', undefined],
    ['aws:vpcsourceip', undefined],
    ['s3:unknown', undefined],
  ])('fills in %s', async (key, value) => {
    const context = await signed({
      ...GET,
      headers: { 'user-agent': 'aws-cli/2.0', referer: 'https://app.example/' },
    });
    expect(context(key)).toBe(value);
  });

  test.each([
    ['TLSv1.2', '1.2'],
    ['TLSv1.3', '1.3'],
    ['TLSv1', '1'],
    ['', undefined],
  ])('over %s has that version', async (protocol, version) => {
    const context = await signed(GET, { received: { tls: { protocol, cipher: 'x' } } });
    expect(context('s3:tlsversion')).toBe(version);
  });

  test.each([true, false])(
    'is secure where the way from the client is, not the session here: %s',
    async (secure) => {
      const tls = secure ? undefined : { protocol: 'TLSv1.3', cipher: 'x' };
      const context = await signed(GET, { received: { secure, tls } });
      expect(context('aws:securetransport')).toBe(String(secure));
    },
  );

  test('that was presigned says so, and how long ago in milliseconds', async () => {
    const request = await authenticated(await presign(GET, { expiresIn: 3600 }));
    const context = contextOf(request, { now: NOW + 61_000 }).lookup;
    expect(context('s3:authtype')).toBe('REST-QUERY-STRING');
    expect(context('s3:signatureage')).toBe('61000');
    expect(context('s3:x-amz-content-sha256')).toBe(UNSIGNED);
  });

  test('whose date lies ahead has the age 0', async () => {
    expect((await signed(GET, { now: NOW - 60_000 }))('s3:signatureage')).toBe('0');
  });

  test('has the payload mode that the signature covers', async () => {
    const context = await signed({ ...GET, payloadHash: 'a'.repeat(64) });
    expect(context('s3:x-amz-content-sha256')).toBe('a'.repeat(64));
  });

  test('has the version that its action is about', async () => {
    const request: Signable = { ...GET, query: [['versionId', 'v1']] };
    const version = { action: 's3:GetObjectVersion', versionId: 'v1' };
    expect((await signed(request, version))('s3:versionid')).toBe('v1');
    expect((await signed(request, { versionId: 'v1' }))('s3:versionid')).toBeUndefined();
  });

  test('has the location of its body', async () => {
    const body = { locationConstraint: 'eu-west-1' };
    const context = await signed({ method: 'PUT', path: '/bucket' }, { action: 's3:CreateBucket', body });
    expect(context('s3:locationconstraint')).toBe('eu-west-1');
  });
});

describe('an action', () => {
  const createBucket: Signable = {
    method: 'PUT',
    path: '/bucket',
    headers: { 'content-length': '0', 'x-amz-object-ownership': 'BucketOwnerEnforced' },
  };

  test('of its own request has what its headers say', async () => {
    const key = 's3:x-amz-object-ownership';
    expect((await signed(createBucket, { action: 's3:CreateBucket' }))(key)).toBe('BucketOwnerEnforced');
    expect((await signed(createBucket, { action: 's3:PutBucketOwnershipControls' }))(key)).toBeUndefined();
  });

  test('of directory buckets has their keys, and not those of S3', async () => {
    const context = await signed(GET, { action: 's3express:CreateSession' });
    expect(context('s3express:authtype')).toBe('REST-HEADER');
    expect(context('s3:authtype')).toBeUndefined();
    expect(context('aws:sourceip')).toBe('192.0.2.7');
    expect((await signed(GET))('s3express:authtype')).toBeUndefined();
  });
});

describe('a listing', () => {
  test.each([
    [[['prefix', 'a/']], 'a/', undefined, '1000'],
    [[['prefix', '']], '', undefined, '1000'],
    [
      [
        ['list-type', '2'],
        ['delimiter', '/'],
        ['max-keys', '5'],
      ],
      undefined,
      '/',
      '5',
    ],
  ] as const)('with %j has prefix, delimiter and maximum', async (query, prefix, delimiter, maxKeys) => {
    const context = await signed({ method: 'GET', path: '/bucket', query }, { action: 's3:ListBucket' });
    expect(context('s3:prefix')).toBe(prefix);
    expect(context('s3:delimiter')).toBe(delimiter);
    expect(context('s3:max-keys')).toBe(maxKeys);
  });

  test('is not what lists uploads', async () => {
    const query = [
      ['uploads', ''],
      ['prefix', 'a/'],
    ] as const;
    const action = 's3:ListBucketMultipartUploads';
    const context = await signed({ method: 'GET', path: '/bucket', query }, { action });
    expect(context('s3:prefix')).toBeUndefined();
    expect(context('s3:max-keys')).toBeUndefined();
  });
});

describe('a write', () => {
  test.each([
    ['x-amz-acl', 'private'],
    ['x-amz-storage-class', 'STANDARD'],
    ['x-amz-server-side-encryption', 'AES256'],
    ['if-none-match', '*'],
    ['if-match', '"etag"'],
  ])('fills in s3:%s from the header', async (name, value) => {
    expect((await put({ [name]: value }))(`s3:${name}`)).toBe(value);
    expect((await put({}))(`s3:${name}`)).toBeUndefined();
  });

  test('has the tags of its header, decoded', async () => {
    const context = await put({ 'x-amz-tagging': 'Class=top+secret&empty=&%C3%A9=%26&naïve=é' });
    expect(context('s3:requestobjecttagkeys')).toEqual(['Class', 'empty', 'é', 'naïve']);
    expect(context('s3:requestobjecttag/class')).toBe('top secret');
    expect(context('s3:requestobjecttag/empty')).toBe('');
    expect(context('s3:requestobjecttag/é')).toBe('&');
    expect(context('s3:requestobjecttag/naïve')).toBe('é');
    expect(context('s3:requestobjecttag/other')).toBeUndefined();
  });

  test.each([{}, { 'x-amz-tagging': '' }])('with %j has no tags', async (headers) => {
    const context = await put(headers);
    expect(context('s3:requestobjecttagkeys')).toBeUndefined();
    expect(context('s3:requestobjecttag/class')).toBeUndefined();
  });

  test('has the tags of its body rather than those of a header', async () => {
    const body = { tags: [{ key: 'b', value: '2' }] };
    const context = await put({ 'x-amz-tagging': 'a=1' }, { body });
    expect(context('s3:requestobjecttagkeys')).toEqual(['b']);
    expect(context('s3:requestobjecttag/a')).toBeUndefined();
  });

  test('cannot have a tag twice: the upstream might store the value that was not judged', async () => {
    await expect(put({ 'x-amz-tagging': 'class=public&class=secret' })).rejects.toMatchObject({
      code: 'InvalidArgument',
    });
    const context = await put({ 'x-amz-tagging': 'class=public&Class=secret' });
    expect(() => context('s3:requestobjecttag/class')).toThrow('in different case');
  });
});

describe('the tags that an object has', () => {
  const tags = [
    { key: 'Class', value: 'Secret' },
    { key: 'empty', value: '' },
  ];

  test.each([
    ['s3:existingobjecttag/class', 'Secret'],
    ['s3:existingobjecttag/empty', ''],
    ['s3:existingobjecttag/other', undefined],
    ['s3:existingobjecttag/', undefined],
  ])('fill in %s', async (key, value) => {
    expect((await signed(GET, { existingTags: tags }))(key)).toBe(value);
  });

  test('are asked for before they are known', async () => {
    const context = await signed(GET);
    expect(() => context('s3:existingobjecttag/class')).toThrow(ExistingTagsNeeded);
  });

  test.each(['s3:PutObject', 's3:DeleteObject', 's3:DeleteObjectVersion', 's3:ListBucket'])(
    'are not there for %s',
    async (action) => {
      expect((await signed(GET, { action }))('s3:existingobjecttag/class')).toBeUndefined();
    },
  );

  test('are refused when they differ in case alone', async () => {
    const existingTags = [...tags, { key: 'CLASS', value: 'public' }];
    const context = await signed(GET, { existingTags });
    expect(() => context('s3:existingobjecttag/class')).toThrow('in different case');
  });

  test('are in the record', async () => {
    const request = await authenticated(await signByHeader(GET));
    const recorded = (existingTags: typeof tags | undefined) =>
      Object.fromEntries(contextOf(request, { existingTags }).entries());
    expect(recorded(tags)).toMatchObject({
      's3:ExistingObjectTag/Class': 'Secret',
      's3:ExistingObjectTag/empty': '',
      'aws:PrincipalTag/Team': 'Red',
    });
    expect(Object.keys(recorded(undefined)).join()).not.toContain('ExistingObjectTag');
  });
});

describe('the caller', () => {
  test.each([
    ['aws:principalarn', 'arn:aws:iam::111122223333:user/alice'],
    ['aws:principalaccount', '111122223333'],
    ['aws:principaltype', 'User'],
    ['aws:userid', 'AIDAEXAMPLE'],
    ['aws:username', 'alice'],
    ['aws:principaltag/team', 'Red'],
    ['aws:principaltag/__proto__x', 'y'],
    ['aws:principaltag/__proto__', undefined],
    ['aws:principaltag/constructor', undefined],
    ['aws:principaltag/', undefined],
  ])('as a user fills in %s', async (key, value) => {
    expect((await signed(GET))(key)).toBe(value);
  });

  test.each([
    ['aws:principaltype', 'Account'],
    ['aws:username', undefined],
    ['aws:principalarn', 'arn:aws:iam::111122223333:root'],
  ])('as the root user fills in %s', async (key, value) => {
    const principal = { ...KEY.principal, type: 'root', arn: 'arn:aws:iam::111122223333:root' } as const;
    const dependencies = { keys: keyDirectory({ ...KEY, principal }) };
    const request = await authenticated(await signByHeader(GET), { dependencies });
    expect(contextOf(request).lookup(key)).toBe(value);
  });

  test.each([
    ['aws:principaltype', 'Anonymous'],
    ['aws:userid', 'anonymous'],
    ['aws:principalarn', undefined],
    ['aws:principalaccount', undefined],
    ['aws:username', undefined],
    ['aws:principaltag/team', undefined],
    ['s3:authtype', undefined],
    ['s3:signatureversion', undefined],
    ['s3:signatureage', undefined],
    ['s3:x-amz-content-sha256', UNSIGNED],
    ['aws:sourceip', '192.0.2.7'],
  ])('who is anonymous fills in %s', async (key, value) => {
    expect((await anonymous('/bucket/key'))(key)).toBe(value);
  });
});
