/** XML that lies: DeleteObjects and the other small bodies. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Header, SignedRequest } from '../support/raw-signer.ts';
import type { Credentials } from '../support/running-gateway.ts';
import { BUCKET, openArena, type Arena, type Refusal } from './arena.ts';

let arena: Arena;
/** May delete below `mine/`, and nothing else. */
let tenant: Credentials;

beforeAll(async () => {
  arena = await openArena();
  tenant = await arena.gateway.keyWithPolicy('tenant', {
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Action: 's3:DeleteObject', Resource: `arn:aws:s3:::${BUCKET}/mine/*` },
      { Effect: 'Allow', Action: 's3:PutObjectTagging', Resource: `arn:aws:s3:::${BUCKET}/mine/*` },
    ],
  });
  await arena.put('yours', 'kept');
});

afterAll(async () => {
  await arena.finish();
});

const MALFORMED: Refusal = {
  status: 400,
  code: 'MalformedXML',
  message: 'The XML you provided was not well-formed or did not validate against our published schema',
};
const md5 = (body: string): Header => ['Content-MD5', createHash('md5').update(body).digest('base64')];
const remove = (body: string, options: Partial<Parameters<Arena['sign']>[0]> = {}): SignedRequest =>
  arena.sign({ method: 'POST', target: `/${BUCKET}?delete`, body, headers: [md5(body)], ...options });
const entry = (key: string): string => `<Object><Key>${key}</Key></Object>`;
const list = (content: string): string => `<Delete>${content}</Delete>`;

describe('DeleteObjects', () => {
  test('decides each key alone, also one that comes twice, and forwards what is allowed', async () => {
    await arena.put('mine/a', 'x');
    const body = list(['mine/a', 'yours', 'mine/a', 'yours', 'mine/../yours'].map(entry).join(''));
    arena.gateway.upstream.clear();
    const response = await arena.send(remove(body, { credentials: tenant }));
    expect(response.status).toBe(200);
    expect(
      [...response.body.matchAll(/<Error><Key>([^<]*)<\/Key><Code>([^<]*)</g)].map((m) => m.slice(1)),
    ).toEqual([
      ['yours', 'AccessDenied'],
      ['yours', 'AccessDenied'],
      ['mine/../yours', 'AccessDenied'],
    ]);
    const sent = arena.gateway.upstream.sent.join('');
    expect([...sent.matchAll(/<Key>([^<]*)<\/Key>/g)].map((m) => m[1])).toEqual(['mine/a', 'mine/a']);
    const record = await arena.gateway.record(response.headers['x-amz-request-id'] ?? '');
    expect((record['entries'] as { status: number }[]).map(({ status }) => status)).toEqual([
      204, 403, 204, 403, 403,
    ]);
    expect((await arena.get('yours')).body).toBe('kept');
    expect((await arena.get('mine/a')).status).toBe(404);
  });

  test('with nothing allowed never reaches the upstream', async () => {
    arena.gateway.upstream.clear();
    const response = await arena.send(remove(list(entry('yours')), { credentials: tenant }));
    expect(response.body).toContain('<Code>AccessDenied</Code>');
    expect(arena.gateway.upstream.sent.join('')).toBe('');
  });

  test('a version needs the right to delete versions', async () => {
    arena.gateway.upstream.clear();
    const body = list('<Object><Key>mine/a</Key><VersionId>null</VersionId></Object>');
    const response = await arena.send(remove(body, { credentials: tenant }));
    expect(response.body).toContain('<Code>AccessDenied</Code>');
    expect(arena.gateway.upstream.sent.join('')).toBe('');
  });

  const laughs = Array.from({ length: 10 }, (_, n) => `<!ENTITY l${n + 1} "${`&l${n};`.repeat(10)}">`).join(
    '',
  );
  test.each<[string, string]>([
    ['nothing', ''],
    ['text', 'hello'],
    ['no root', '<?xml version="1.0"?>'],
    ['another root', '<Remove><Object><Key>yours</Key></Object></Remove>'],
    ['two roots', `${list(entry('mine/a'))}${list(entry('yours'))}`],
    ['no objects', list('')],
    ['an empty key', list(entry(''))],
    ['no key', list('<Object><VersionId>null</VersionId></Object>')],
    ['two keys in one object', list('<Object><Key>mine/a</Key><Key>yours</Key></Object>')],
    ['a key in a key', list(entry('<Key>yours</Key>'))],
    ['an element that is not known', list(`${entry('mine/a')}<Prefix>yours</Prefix>`)],
    ['objects in other letters', '<Delete><object><key>yours</key></object></Delete>'],
    ['not closed', '<Delete><Object><Key>yours</Key></Object>'],
    ['1001 keys', list(Array.from({ length: 1001 }, (_, n) => entry(`mine/${n}`)).join(''))],
    ['a DOCTYPE', `<!DOCTYPE Delete>${list(entry('mine/a'))}`],
    ['a DOCTYPE in other letters', `<!doctype Delete>${list(entry('mine/a'))}`],
    ['an external entity', `<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]>${list(entry('&x;'))}`],
    ['an external DTD', `<!DOCTYPE d SYSTEM "http://127.0.0.1:1/x.dtd">${list(entry('mine/a'))}`],
    ['a billion laughs', `<!DOCTYPE d [<!ENTITY l0 "ha">${laughs}]>${list(entry('&l10;'))}`],
    ['an entity that is not declared', list(entry('mine/&x;'))],
    ['a prototype for an entity', list(entry('mine/&constructor;'))],
    ['a lone ampersand', list(entry('mine/&'))],
    ['a reference beyond Unicode', list(entry('mine/&#x110000;'))],
    ['a reference to a surrogate', list(entry('mine/&#xD800;'))],
    ['CDATA', list(entry('<![CDATA[yours]]>'))],
    ['prototypes for elements', list(`${entry('mine/a')}<__proto__>x</__proto__>`)],
    ['Quiet twice', list(`${entry('mine/a')}<Quiet>true</Quiet><Quiet>false</Quiet>`)],
    ['Quiet that is neither', list(`${entry('mine/a')}<Quiet>maybe</Quiet>`)],
    ['elements ten thousand deep', '<Delete>'.repeat(10_000) + '</Delete>'.repeat(10_000)],
    ['UTF-16', Buffer.from(`\uFEFF${list(entry('mine/a'))}`, 'utf16le').toString('latin1')],
    ['another encoding', `<?xml version="1.0" encoding="UTF-7"?>${list(entry('+ADw-'))}<x/>`],
  ])('of %s is refused', async (_, body) => {
    await arena.refuses(remove(body), MALFORMED);
    expect((await arena.get('yours')).body).toBe('kept');
  });

  test('of bytes that are not UTF-8 is refused', async () => {
    const body = Buffer.from(list(entry('mine/\u00ff')), 'latin1');
    await arena.refuses(arena.sign({ method: 'POST', target: `/${BUCKET}?delete`, body }), MALFORMED);
  });

  test('reads a key once: comments, references and namespaces hide nothing', async () => {
    for (const [key, wire] of [
      ['mine/<&>', 'mine/&lt;&amp;&gt;'],
      ['mine/&lt;', 'mine/&amp;lt;'],
      ['mine/a', '&#x6d;&#105;ne/a'],
      ['yours', '&#x79;ours'],
      ['yours', 'yo<!-- x -->urs'],
      ['yours', 'yours<?x y?>'],
    ] as const) {
      arena.gateway.upstream.clear();
      const response = await arena.send(remove(list(entry(wire)), { credentials: tenant }));
      const sent = arena.gateway.upstream.sent.join('');
      expect({ wire, passed: sent.includes('<Key>') }).toEqual({ wire, passed: key.startsWith('mine/') });
      expect([200, 400]).toContain(response.status);
    }
    const other = '<x:Delete xmlns:x="urn:x"><x:Object><x:Key>yours</x:Key></x:Object></x:Delete>';
    arena.gateway.upstream.clear();
    await arena.send(remove(other, { credentials: tenant }));
    expect(arena.gateway.upstream.sent.join('')).toBe('');
  });

  test.each<[string, Partial<Parameters<Arena['sign']>[0]>, Refusal]>([
    ['a wrong Content-MD5', { headers: [md5('other')] }, { status: 400, code: 'BadDigest' }],
    ['a malformed Content-MD5', { headers: [['Content-MD5', 'x']] }, { status: 400, code: 'InvalidDigest' }],
    ['a wrong hash', { payloadHash: '0'.repeat(64) }, { status: 400, code: 'XAmzContentSHA256Mismatch' }],
    [
      'a wrong checksum',
      { headers: [['x-amz-checksum-crc32', 'AAAAAA==']] },
      { status: 400, code: 'BadDigest' },
    ],
    [
      'too many bytes announced',
      { headers: [['Content-Length', String(50 * 1024 * 1024)]], payloadHash: 'UNSIGNED-PAYLOAD', body: '' },
      { status: 400, code: 'MaxMessageLengthExceeded' },
    ],
  ])('with %s is refused', async (_, options, refusal) => {
    await arena.refuses(remove(list(entry('yours')), options), refusal);
    expect((await arena.get('yours')).body).toBe('kept');
  });
});

describe('the other documents', () => {
  test.each([
    [
      'PUT',
      '/mine/a?tagging',
      '<Tagging><TagSet><Tag><Key>a</Key><Value>&x;</Value></Tag></TagSet></Tagging>',
    ],
    ['PUT', '/mine/a?tagging', '<!DOCTYPE x [<!ENTITY x "y">]><Tagging><TagSet/></Tagging>'],
    ['PUT', '/mine/a?tagging', '<Delete/>'],
    ['POST', '/mine/a?uploadId=x', '<!DOCTYPE x><CompleteMultipartUpload/>'],
    [
      'POST',
      '/mine/a?uploadId=x',
      '<CompleteMultipartUpload><Part><PartNumber>-1</PartNumber><ETag>x</ETag></Part></CompleteMultipartUpload>',
    ],
    ['PUT', '?tagging', '<Tagging><![CDATA[x]]></Tagging>'],
  ])('%s %s with `%s` is refused', async (method, rest, body) => {
    const response = await arena.send(arena.sign({ method, target: `/${BUCKET}${rest}`, body }));
    expect(response.status).toBe(400);
    arena.gateway.upstream.clear();
    const code = /<Code>([^<]*)</.exec(response.body)?.[1] ?? '';
    await arena.refuses(arena.sign({ method, target: `/${BUCKET}${rest}`, body }), { status: 400, code });
    expect(['MalformedXML', 'InvalidArgument', 'InvalidTag']).toContain(code);
  });

  test('a policy is read once, by the gateway, and never reaches the upstream', async () => {
    for (const policy of [
      '{',
      '[]',
      '{"Version":"2012-10-17","Statement":[],"Statement":[]}',
      '{"Version":"2012-10-17","__proto__":{"Statement":[]}}',
      `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::other/*"}]}`,
      `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"NoSuch":{"a":"b"}}}]}`,
    ])
      await arena.refuses(arena.sign({ method: 'PUT', target: `/${BUCKET}?policy`, body: policy }), {
        status: 400,
        code: 'MalformedPolicy',
      });
    const read = await arena.send(arena.sign({ target: `/${BUCKET}?policy` }));
    await arena.checkRefusal(read, { status: 404, code: 'NoSuchBucketPolicy' });
  });
});
