/** Ways into a public bucket that is restricted, and ways to make one public that may not be. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RawResponse } from '../support/raw-client.ts';
import { renderHead, type Header } from '../support/raw-signer.ts';
import { BUCKET, openArena, type Arena } from './arena.ts';

const DOMAIN = 'storage.test';
const VIRTUAL = `${BUCKET}.${DOMAIN}`;

const EVERYONE = {
  Sid: 'Everyone',
  Effect: 'Allow',
  Principal: '*',
  Action: 's3:*',
  Resource: [`arn:aws:s3:::${BUCKET}`, `arn:aws:s3:::${BUCKET}/*`],
};
const OWN_ACCOUNT = { ...EVERYONE, Sid: 'Own', Principal: { AWS: '000000000000' } };

const policyOf = (...statements: readonly object[]): string =>
  JSON.stringify({ Version: '2012-10-17', Statement: statements });

const blockOf = (flag: string, value = 'true'): string =>
  `<PublicAccessBlockConfiguration><${flag}>${value}</${flag}></PublicAccessBlockConfiguration>`;

let arena: Arena;

beforeAll(async () => {
  arena = await openArena({ env: { BASE_DOMAINS: DOMAIN } });
  await arena.put('secret', 'of the bucket');
});

afterAll(async () => {
  await arena.finish();
});

function set(parameter: string, body: string): Promise<RawResponse> {
  return arena.send(arena.sign({ method: 'PUT', target: `/${BUCKET}?${parameter}`, body }));
}

function anonymous(
  method: string,
  target: string,
  host = arena.host,
  headers: readonly Header[] = [],
): Buffer {
  return renderHead({ method, target, headers: [['Host', host], ...headers] });
}

describe('a restricted bucket whose policy gives everything to everyone', () => {
  beforeAll(async () => {
    await set('policy', policyOf(EVERYONE));
    await set('publicAccessBlock', blockOf('RestrictPublicBuckets'));
  });

  const refusal = {
    status: 403,
    code: 'AccessDenied',
    record: {
      principal: 'anonymous',
      decision: expect.objectContaining({ effect: 'Deny', restrictPublicBuckets: true }) as unknown,
    },
  };

  test.each([
    ['an object', 'GET', '/secret'],
    ['its head', 'HEAD', '/secret'],
    ['a version', 'GET', '/secret?versionId=null'],
    ['its tags', 'GET', '/secret?tagging'],
    ['what is not there', 'GET', '/missing'],
    ['a path to it', 'GET', '/a/../secret'],
    ['a listing', 'GET', '?list-type=2'],
    ['versions', 'GET', '?versions'],
    ['uploads', 'GET', '?uploads'],
    ['the bucket', 'HEAD', ''],
    ['the policy', 'GET', '?policy'],
    ['an upload', 'POST', '/new?uploads'],
    ['a removal', 'DELETE', '/secret'],
    ['the removal of the bucket', 'DELETE', ''],
    ['the removal of the block', 'DELETE', '?publicAccessBlock'],
    ['the removal of the policy', 'DELETE', '?policy'],
  ])('gives an anonymous caller nothing: %s, by path and by host', async (_, method, rest) => {
    await arena.refuses(anonymous(method, `/${BUCKET}${rest}`), refusal);
    await arena.refuses(anonymous(method, rest.startsWith('/') ? rest : `/${rest}`, VIRTUAL), refusal);
  });

  test('takes no write, and no copy out of it into a bucket that is open', async () => {
    const write: readonly Header[] = [['Content-Length', '0']];
    await arena.refuses(anonymous('PUT', `/${BUCKET}/new`, arena.host, write), refusal);
    const other = `${BUCKET}-open`;
    await arena.send(arena.sign({ method: 'PUT', target: `/${other}` }));
    const open = { ...EVERYONE, Resource: [`arn:aws:s3:::${other}/*`], Action: 's3:PutObject' };
    const put = arena.sign({ method: 'PUT', target: `/${other}?policy`, body: policyOf(open) });
    expect((await arena.send(put)).status).toBe(204);
    const copy: readonly Header[] = [...write, ['x-amz-copy-source', `/${BUCKET}/secret`]];
    await arena.refuses(anonymous('PUT', `/${other}/stolen`, arena.host, copy), {
      ...refusal,
      record: { principal: 'anonymous' },
    });
  });

  test('refuses each key of an anonymous DeleteObjects', async () => {
    const body = '<Delete><Object><Key>secret</Key></Object></Delete>';
    arena.gateway.upstream.clear();
    const head = anonymous('POST', `/${BUCKET}?delete`, arena.host, [
      ['Content-Length', String(body.length)],
      ['Content-MD5', 'RJX0cX/h65cUga2kpwL0Vw=='],
    ]);
    const answer = await arena.send(Buffer.concat([head, Buffer.from(body)]));
    expect(answer.body).not.toContain('<Deleted>');
    expect(arena.gateway.upstream.sent.join('')).toBe('');
    expect((await arena.get('secret')).body).toBe('of the bucket');
  });

  test('is open again at once when the block is gone', async () => {
    const gone = await arena.send(arena.sign({ method: 'DELETE', target: `/${BUCKET}?publicAccessBlock` }));
    expect(gone.status).toBe(204);
    expect((await arena.send(anonymous('GET', '/secret', VIRTUAL))).body).toBe('of the bucket');
    await set('publicAccessBlock', blockOf('RestrictPublicBuckets'));
    await arena.refuses(anonymous('GET', '/secret', VIRTUAL), refusal);
  });
});

describe('a bucket that may not become public', () => {
  beforeAll(async () => {
    await set('policy', policyOf(OWN_ACCOUNT));
    await set('publicAccessBlock', blockOf('BlockPublicPolicy'));
  });

  test.each([
    ['everyone', policyOf(EVERYONE)],
    ['everyone beside the account', policyOf(OWN_ACCOUNT, EVERYONE)],
    ['everyone by a type', policyOf({ ...EVERYONE, Principal: { AWS: ['000000000000', '*'] } })],
    ['every address', policyOf({ ...EVERYONE, Condition: { IpAddress: { 'aws:SourceIp': '0.0.0.0/0' } } })],
    [
      'every address, written as IPv6',
      policyOf({ ...EVERYONE, Condition: { IpAddress: { 'aws:SourceIp': '::ffff:0:0/96' } } }),
    ],
    [
      'all but one address',
      policyOf({ ...EVERYONE, Condition: { NotIpAddress: { 'aws:SourceIp': '192.0.2.1' } } }),
    ],
    ['any agent of a name', policyOf({ ...EVERYONE, Condition: { StringEquals: { 'aws:UserAgent': 'x' } } })],
    [
      'whoever has no such key',
      policyOf({ ...EVERYONE, Condition: { StringEqualsIfExists: { 'aws:PrincipalOrgID': 'o-1' } } }),
    ],
  ])('keeps its policy when it is given one for %s', async (_, policy) => {
    for (const request of [
      arena.sign({ method: 'PUT', target: `/${BUCKET}?policy`, body: policy }),
      arena.sign({ method: 'PUT', target: '/?policy', host: VIRTUAL, body: policy }),
    ])
      await arena.refuses(request, {
        status: 403,
        code: 'AccessDenied',
        message:
          /because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access\.$/,
        record: { errorReason: 'the policy is public, and BlockPublicPolicy is set for the bucket' },
      });
    const kept = await arena.send(arena.sign({ target: `/${BUCKET}?policy` }));
    expect(kept.body).toBe(policyOf(OWN_ACCOUNT));
    await arena.refuses(anonymous('GET', `/${BUCKET}/secret`), { status: 403, code: 'AccessDenied' });
  });

  test('keeps its block when it is given one that is none', async () => {
    for (const body of [
      '',
      '<PublicAccessBlockConfiguration>',
      blockOf('BlockPublicPolicy', 'maybe'),
      blockOf('blockpublicpolicy', 'false'),
      `<!DOCTYPE x [<!ENTITY f "false">]>${blockOf('BlockPublicPolicy', '&f;')}`,
      `${blockOf('BlockPublicPolicy', 'false')}${blockOf('BlockPublicPolicy', 'false')}`,
      blockOf('BlockPublicPolicy', ' '.repeat(9000)),
    ])
      expect((await set('publicAccessBlock', body)).status).toBe(400);
    await arena.refuses(
      arena.sign({ method: 'PUT', target: `/${BUCKET}?policy`, body: policyOf(EVERYONE) }),
      {
        status: 403,
        code: 'AccessDenied',
      },
    );
  });

  test('is not opened by a policy whose end comes after the block', async () => {
    expect(
      (await arena.send(arena.sign({ method: 'DELETE', target: `/${BUCKET}?publicAccessBlock` }))).status,
    ).toBe(204);
    const body = Buffer.from(policyOf(EVERYONE));
    const { method, target, headers } = arena.sign({ method: 'PUT', target: `/${BUCKET}?policy`, body });
    const slow = await arena.connect();
    await slow.write(renderHead({ method, target, headers }));
    await slow.write(body.subarray(0, 20));
    expect((await set('publicAccessBlock', blockOf('BlockPublicPolicy'))).status).toBe(200);
    await slow.write(body.subarray(20));
    const answer = await slow.response();
    expect([answer.status, answer.body]).toEqual([403, expect.stringContaining('<Code>AccessDenied</Code>')]);
    const kept = await arena.send(arena.sign({ target: `/${BUCKET}?policy` }));
    expect(kept.body).toBe(policyOf(OWN_ACCOUNT));
  });
});
