/** Browser forms that are bent, cut short or say two things at once: nothing of them is ever stored. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  BOUNDARY,
  formRequest,
  signedFields,
  type Field,
  type FormParts,
  type PolicyOptions,
} from '../support/raw-form.ts';
import { render, renderHead, type Header, type RawRequest } from '../support/raw-signer.ts';
import type { RawResponse } from '../support/raw-client.ts';
import { BUCKET, openArena, type Arena, type Refusal } from './arena.ts';

let arena: Arena;

beforeAll(async () => {
  arena = await openArena();
});

afterAll(async () => {
  await arena.finish();
});

const SMALL = 'a small file\r\n--with dashes\r\n';
/** Its length is told by Content-Length, and its bytes go upstream before the form has ended. */
const LARGE = Buffer.alloc(300 * 1024 + 17, 'abcdefghijk\r\n--');

type Changes = Partial<FormParts> & Partial<PolicyOptions> & { readonly headers?: readonly Header[] };

/** As the administrator unless told otherwise. */
function form(fields: readonly Field[], changes: Changes = {}, to = arena): RawRequest {
  const { credentials = to.gateway.root, bucket = BUCKET, file = SMALL, ...more } = changes;
  return formRequest({
    host: to.host,
    target: `/${BUCKET}`,
    file,
    ...more,
    fields: signedFields({ credentials, bucket, ...more, fields }),
  });
}

function crc(data: string | Buffer): string {
  const value = Buffer.alloc(4);
  value.writeUInt32BE(crc32(data));
  return value.toString('base64');
}

const MALFORMED: Refusal = {
  status: 400,
  code: 'MalformedPOSTRequest',
  record: { operation: 'PostObject', bucket: BUCKET },
};

async function keys(): Promise<readonly string[]> {
  const listing = await arena.send(arena.sign({ target: `/${BUCKET}?list-type=2` }));
  return [...listing.body.matchAll(/<Key>([^<]*)</g)].map((match) => match[1] ?? '');
}

async function remove(...stored: readonly string[]): Promise<void> {
  for (const key of stored) {
    const answer = await arena.send(arena.sign({ method: 'DELETE', target: `/${BUCKET}/${key}` }));
    expect(answer.status).toBe(204);
  }
}

/** Ends the connection behind the bytes, as a client that goes away; undefined when no answer came. */
async function sendCut(bytes: Buffer): Promise<RawResponse | undefined> {
  const connection = await arena.connect();
  connection.socket.end(bytes);
  const answer = await connection.response().catch(() => undefined);
  await connection.closed;
  return answer;
}

async function inGroups<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  for (let i = 0; i < items.length; i += 16) await Promise.all(items.slice(i, i + 16).map(act));
}

/** All positions but most of those in the long base64 of the policy, of which one is as good as another. */
function positions(body: Buffer): readonly number[] {
  const start = body.indexOf('name="policy"') + 20;
  const end = body.indexOf('\r\n', start + 4) - 4;
  return upTo(body.length).filter((at) => at < start || at > end || at % 16 === 0);
}

const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i);

describe('bytes', () => {
  // At every position, without a socket: test/s3/post-form.test.ts.
  test('split around every line break make the same object', { timeout: 60_000 }, async () => {
    const request = form([['key', 'split']]);
    const head = renderHead(request);
    const text = request.body.toString('latin1');
    const cuts = upTo(request.body.length).filter(
      (at) => at > 0 && text.slice(at - 3, at + 3).includes('\r\n'),
    );
    await inGroups(cuts, async (at) => {
      const connection = await arena.connect();
      await connection.write(Buffer.concat([head, request.body.subarray(0, at)]));
      // So that both do not come as one.
      await new Promise((resolve) => setImmediate(resolve));
      await connection.write(request.body.subarray(at));
      const answer = await connection.response();
      expect([at, answer.status]).toEqual([at, 204]);
      connection.socket.end();
      await connection.closed;
    });
    expect((await arena.get('split')).body).toBe(SMALL);
    await remove('split');
  });

  test('missing at the end, few or many, store nothing', { timeout: 60_000 }, async () => {
    const request = form([['key', 'cut']]);
    const head = renderHead(request);
    await inGroups(positions(request.body), async (length) => {
      const answer = await sendCut(Buffer.concat([head, request.body.subarray(0, length)]));
      expect([length, answer?.status]).toEqual([length, 400]);
    });
    // With a Content-Length that fits what came.
    await inGroups(positions(request.body).slice(0, -2), async (length) => {
      const body = request.body.subarray(0, length);
      const short = { ...request, headers: withLength(request, length), body };
      const answer = await arena.send(short);
      expect([length, answer.status]).toEqual([length, 400]);
    });
    expect(await keys()).toEqual([]);
    await arena.checkAbsent('cut');
  });

  test('missing at the end of a large form store nothing', { timeout: 60_000 }, async () => {
    const request = form([['key', 'cut']], { file: LARGE });
    const head = renderHead(request);
    const { length } = request.body;
    const ends = [
      ...upTo(60).map((i) => length - 1 - i),
      ...upTo(12).map((i) => Math.floor((length * i) / 12)),
    ];
    await inGroups(ends, async (end) => {
      const answer = await sendCut(Buffer.concat([head, request.body.subarray(0, end)]));
      expect([end, answer?.status]).toEqual([end, 400]);
    });
    await inGroups(ends, async (end) => {
      const body = request.body.subarray(0, end);
      const answer = await arena.send({ ...request, headers: withLength(request, end), body });
      expect([end, answer.status]).toEqual([end, 400]);
    });
    await arena.checkAbsent('cut');
  });

  test('never replace an object by half of one', async () => {
    await arena.put('kept', 'before');
    for (const file of [SMALL, LARGE]) {
      const request = form([['key', 'kept']], { file });
      const cut = request.body.subarray(0, -3);
      expect((await sendCut(Buffer.concat([renderHead(request), cut])))?.status).toBe(400);
      const short = { ...request, headers: withLength(request, cut.length), body: cut };
      expect((await arena.send(short)).status).toBe(400);
    }
    expect((await arena.get('kept')).body).toBe('before');
    await remove('kept');
  });

  test('changed, one at a time, store nothing or change nothing', { timeout: 60_000 }, async () => {
    const fields: readonly Field[] = [
      ['key', 'mutated'],
      ['x-amz-meta-owner', 'alice'],
      ['Content-Type', 'text/plain'],
      ['x-amz-checksum-crc32', crc(SMALL)],
    ];
    const request = form(fields);
    const harmless: number[] = [];
    const failures: number[] = [];
    await inGroups(positions(request.body), async (at) => {
      const body = Buffer.from(request.body);
      body[at] = (body[at] as number) ^ (at % 2 === 0 ? 0x01 : 0x20);
      const answer = await arena.send({ ...request, body });
      (answer.status === 204 ? harmless : failures).push(answer.status === 204 ? at : answer.status);
    });
    // Letters of header and field names in another case, the file's own name and type, which nothing uses.
    const stored = await arena.get('mutated');
    expect(stored).toMatchObject({ status: 200, body: SMALL });
    expect(stored.headers).toMatchObject({ 'content-type': 'text/plain', 'x-amz-meta-owner': 'alice' });
    expect(await keys()).toEqual(['mutated']);
    // 501 for a field whose name says another thing now.
    expect([...new Set(failures)].toSorted((a, b) => a - b)).toEqual([400, 403, 501]);
    const text = request.body.toString('latin1');
    for (const at of harmless) expect(isHarmless(text, at)).toBe(true);
    await remove('mutated');
  });
});

/** Within the headers of a part, but for the boundaries. */
function isHarmless(text: string, at: number): boolean {
  const line = text.slice(text.lastIndexOf('\r\n', at) + 2, text.indexOf('\r\n', at));
  return /^(?:Content-Disposition: form-data; name=|Content-Type: application)/.test(line);
}

function withLength({ headers }: RawRequest, length: number): readonly Header[] {
  return headers.map(([name, value]) => [name, name === 'Content-Length' ? String(length) : value]);
}

describe('boundaries', () => {
  test.each<[string, string]>([
    ['that goes on', `\r\n--${BOUNDARY}x\r\n`],
    ['with a space behind it', `\r\n--${BOUNDARY} \r\n`],
    ['with one dash', `\r\n--${BOUNDARY}-\r\n`],
  ])('one within the file, %s', async (_, inner) => {
    for (const padding of [10, 200_000]) {
      const file = `${'a'.repeat(padding)}${inner}rest`;
      await arena.storesNothing('inner', form([['key', 'inner']], { file }), MALFORMED);
    }
  });

  test('one within a large file ends it, and the length is another one', async () => {
    const file = `${'a'.repeat(100_000)}\r\n--${BOUNDARY}\r\n${'b'.repeat(1000)}`;
    await arena.storesNothing('inner', form([['key', 'inner']], { file }), {
      ...MALFORMED,
      message: /a file of this size must be the last field/,
    });
  });

  test('one that ends the form early, with a second form behind it', async () => {
    const second = form([['key', 'second']]).body.toString('latin1');
    const endsEarly = (padding: number): RawRequest =>
      form([['key', 'first']], { file: `${'a'.repeat(padding)}\r\n--${BOUNDARY}--\r\n${second}` });
    // Of a small form what is behind its end is ignored; a large one has another length.
    expect((await arena.send(endsEarly(10))).status).toBe(204);
    expect(await keys()).toEqual(['first']);
    expect((await arena.get('first')).body).toBe('a'.repeat(10));
    await remove('first');
    await arena.storesNothing('first', endsEarly(200_000), MALFORMED);
  });

  test('nested ones are the file', async () => {
    const nested =
      'Content-Type: multipart/mixed; boundary=inner\r\n\r\n--inner\r\nContent-Disposition: form-data; name="key"\r\n\r\nother\r\n--inner--\r\n';
    expect((await arena.send(form([['key', 'nested']], { file: nested }))).status).toBe(204);
    expect((await arena.get('nested')).body).toBe(nested);
    await remove('nested');
  });

  test('two of them in Content-Type, or in two Content-Types', async () => {
    const request = form([['key', 'two']]);
    const type = `multipart/form-data; boundary=${BOUNDARY}`;
    for (const types of [[`${type}; boundary=other`], [type, type], [type, 'text/plain']]) {
      const headers: Header[] = [
        ...request.headers.filter(([name]) => name !== 'Content-Type'),
        ...types.map((value): Header => ['Content-Type', value]),
      ];
      await arena.storesNothing('two', { ...request, headers }, MALFORMED);
    }
  });
});

describe('fields', () => {
  test('that come twice', async () => {
    for (const name of ['key', 'policy', 'x-amz-signature', 'x-amz-credential', 'Content-Type']) {
      const request = form([
        ['key', 'twice'],
        ['Content-Type', 'text/plain'],
      ]);
      const extra = Buffer.from(
        `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name.toUpperCase()}"\r\n\r\nother\r\n`,
      );
      const body = Buffer.concat([extra, request.body]);
      await arena.refuses(
        { ...request, headers: withLength(request, body.length), body },
        {
          status: 400,
          code: 'InvalidArgument',
          message: new RegExp(`\`${name}\` comes more than once`, 'i'),
        },
      );
    }
  });

  test('behind the file mean nothing', async () => {
    const behind: readonly Field[] = [
      ['key', 'behind'],
      ['x-amz-meta-a', 'b'],
      ['file', 'another file'],
    ];
    expect((await arena.send(form([['key', 'before']], { behind }))).status).toBe(204);
    const stored = await arena.get('before');
    expect(stored.body).toBe(SMALL);
    expect(stored.headers['x-amz-meta-a']).toBeUndefined();
    expect(await keys()).toEqual(['before']);
    await remove('before');
    // What must be there must be there before it.
    const { body, headers } = form([]);
    const late = Buffer.from(
      `\r\n--${BOUNDARY}\r\nContent-Disposition: form-data; name="key"\r\n\r\nlate\r\n--${BOUNDARY}--\r\n`,
    );
    const moved = Buffer.concat([body.subarray(0, body.lastIndexOf(`\r\n--${BOUNDARY}--`)), late]);
    await arena.refuses(
      {
        method: 'POST',
        target: `/${BUCKET}`,
        headers: withLength({ headers } as RawRequest, moved.length),
        body: moved,
      },
      {
        status: 400,
        code: 'InvalidArgument',
        message:
          "Bucket POST must contain a field named 'key'.  If it is specified, please check the order of the fields.",
      },
    );
  });

  test('that are not signed', async () => {
    for (const [name, value] of [
      ['x-amz-meta-a', 'b'],
      ['acl', 'private'],
      ['tagging', '<Tagging><TagSet/></Tagging>'],
      ['x-amz-tagging', 'a=b'],
      ['Content-Type', 'text/html'],
      ['x-amz-storage-class', 'STANDARD'],
      ['x-amz-server-side-encryption', 'AES256'],
      ['success_action_redirect', 'https://elsewhere.example.com/'],
      ['submit', 'Upload'],
    ] as const) {
      const request = formRequest({
        host: arena.host,
        target: `/${BUCKET}`,
        file: SMALL,
        fields: [
          [name, value],
          ...signedFields({ credentials: arena.gateway.root, bucket: BUCKET, fields: [['key', 'unsigned']] }),
        ],
      });
      await arena.refuses(request, {
        status: 403,
        code: 'AccessDenied',
        message: `Invalid according to Policy: Extra input fields: ${name}`,
      });
    }
  });

  test('of an unsigned policy, or half of a signature', async () => {
    const whole = signedFields({
      credentials: arena.gateway.root,
      bucket: BUCKET,
      fields: [['key', 'half']],
    });
    const without = (...names: readonly string[]): RawRequest =>
      formRequest({
        host: arena.host,
        target: `/${BUCKET}`,
        file: SMALL,
        fields: whole.filter(([name]) => !names.includes(name)),
      });
    for (const name of ['x-amz-algorithm', 'x-amz-credential', 'x-amz-date', 'x-amz-signature', 'policy'])
      await arena.refuses(without(name), { status: 400, code: 'InvalidArgument' });
    const all = ['x-amz-algorithm', 'x-amz-credential', 'x-amz-date', 'x-amz-signature'];
    await arena.refuses(without(...all), { status: 403, code: 'AccessDenied' });
    // None at all: an anonymous form, which no policy of this bucket allows.
    await arena.refuses(without(...all, 'policy'), {
      status: 403,
      code: 'AccessDenied',
      record: { principal: 'anonymous', key: 'half' },
    });
  });

  test('above 20 KB, in one or in many', async () => {
    const refusal: Refusal = {
      status: 400,
      code: 'MaxPostPreDataLengthExceeded',
      elements: { MaxPostPreDataLengthBytes: '20480' },
    };
    const big = 'x'.repeat(20_480);
    await arena.refuses(
      form([
        ['key', 'k'],
        ['x-amz-meta-a', big],
      ]),
      refusal,
    );
    await arena.refuses(form([['key', 'k'], ...upTo(400).map((i): Field => [`x-ignore-${i}`, ''])]), refusal);
    // A part's headers without an end, and a form of nothing but its first boundary.
    const head = Buffer.from(`--${BOUNDARY}\r\nContent-Disposition: form-data; name="${big}`);
    const endless = { ...form([]), body: Buffer.concat([head, Buffer.alloc(5_000_000, 'x')]) };
    await arena.refuses({ ...endless, headers: withLength(endless, endless.body.length) }, refusal);
    await arena.storesNothing('behind', form([['key', 'behind']], { behind: [['submit', big]] }), refusal);
  });

  test('of metadata above 2 KB', async () => {
    await arena.refuses(
      form([
        ['key', 'k'],
        ['x-amz-meta-a', 'x'.repeat(2048)],
      ]),
      {
        status: 400,
        code: 'MetadataTooLarge',
      },
    );
  });
});

describe('injection', () => {
  test.each<[string, string]>([
    ['x-amz-meta-a', 'b\r\nx-amz-acl: public-read'],
    ['Content-Type', 'text/plain\r\n\r\n'],
    ['Content-Disposition', 'inline\nx-amz-tagging: a=b'],
    ['Cache-Control', 'no-store\u0000'],
    ['x-amz-storage-class', 'STANDARD\rGLACIER'],
  ])('of a line break by the field %s', async (name, value) => {
    await arena.refuses(
      form([
        ['key', 'injected'],
        [name, value],
      ]),
      {
        status: 400,
        code: 'InvalidArgument',
        elements: { ArgumentName: name },
      },
    );
  });

  test('of a header by the name of a field', async () => {
    for (const name of ['x-amz-meta-a: b', 'x-amz-meta-ü', 'x-amz-meta-a b'])
      await arena.refuses(
        form([
          ['key', 'injected'],
          [name, 'v'],
        ]),
        { status: 501, code: 'NotImplemented' },
      );
  });

  test.each([
    'x-amz-copy-source',
    'x-amz-decoded-content-length',
    'x-amz-trailer',
    'x-amz-content-sha256',
    'x-amz-mfa',
    'x-amz-bypass-governance-retention',
  ])('of the meaning of another operation by %s', async (name) => {
    await arena.refuses(
      form([
        ['key', 'injected'],
        [name, `${BUCKET}/other`],
      ]),
      {
        status: 501,
        code: 'NotImplemented',
      },
    );
  });

  test('of what frames the upstream request: such fields mean nothing', async () => {
    const fields: readonly Field[] = [
      ['key', 'framed'],
      ['content-length', '1'],
      ['transfer-encoding', 'chunked'],
      ['host', 'elsewhere.example.com'],
      ['connection', 'close'],
      ['authorization', 'AWS4-HMAC-SHA256 Credential=x'],
      ['if-none-match', '*'],
      ['range', 'bytes=0-1'],
    ];
    arena.gateway.upstream.clear();
    expect((await arena.send(form(fields))).status).toBe(204);
    const sent = arena.gateway.upstream.sent.join('').toLowerCase();
    for (const text of ['transfer-encoding', 'elsewhere', 'credential=x', 'if-none-match', 'range:'])
      expect(sent).not.toContain(text);
    expect((await arena.get('framed')).body).toBe(SMALL);
    await remove('framed');
  });

  test('by the name of the file', async () => {
    for (const [filename, key] of [
      ['../../../etc/passwd', 'in/passwd'],
      ['..\\\\..\\\\secret', 'in/secret'],
      ['a%0D%0Ab', 'in/a%0D%0Ab'],
      ['${filename}', 'in/${filename}'],
      ['a&b<c>.txt', 'in/a&amp;b&lt;c&gt;.txt'],
    ] as const) {
      const answer = await arena.send(form([['key', 'in/${filename}']], { filename }));
      expect([filename, answer.status]).toEqual([filename, 204]);
      expect(await keys()).toEqual([key]);
      const target = new URL(answer.headers['location'] ?? '').pathname;
      expect(target.startsWith(`/${BUCKET}/in%2F`)).toBe(true);
      await remove(target.slice(BUCKET.length + 2));
    }
    // A line break ends the header of the part.
    await arena.refuses(form([['key', 'in/${filename}']], { filename: 'a\r\nb' }), MALFORMED);
  });

  // Those behind the first are below `mine/` as bytes. For a store that keeps objects as files they are not.
  test.each([
    ['${filename}', 'other'],
    ['mine/../other', 'f'],
    ['mine/${filename}/other', '..'],
    ['mine/./../${filename}', 'other'],
    ['mine//../../other', 'f'],
  ])('of a place by the key %s and the file name %s', async (key, filename) => {
    const signing = ['x-amz-algorithm', 'x-amz-credential', 'x-amz-date'];
    const request = form([['key', key]], {
      filename,
      document: {
        expiration: new Date(Date.now() + 60_000).toISOString(),
        conditions: [
          { bucket: BUCKET },
          ['starts-with', '$key', 'mine/'],
          ...signing.map((name) => ['starts-with', `$${name}`, '']),
        ],
      },
    });
    await arena.refuses(request, {
      status: 403,
      code: 'AccessDenied',
      message: 'Invalid according to Policy: Policy Condition failed: ["starts-with", "$key", "mine/"]',
      record: { key: key.replace('${filename}', filename) },
    });
  });

  test('into the answer by key and redirect', async () => {
    const key = 'a\r\nSet-Cookie: b=c\u0000"<&';
    const redirect = await arena.send(
      form([
        ['key', key],
        ['success_action_redirect', 'https://page.example.com/\u00fc?a="b"'],
      ]),
    );
    expect(redirect.status).toBe(303);
    expect(redirect.headers['set-cookie']).toBeUndefined();
    expect(redirect.headers['location']).toMatch(
      /^https:\/\/page\.example\.com\/%C3%BC\?a=%22b%22&bucket=arena&key=a%0D%0ASet-Cookie%3A\+b%3Dc%00%22%3C%26&etag=%22[0-9a-f]{32}%22$/,
    );
    const created = await arena.send(
      form([
        ['key', key],
        ['success_action_status', '201'],
      ]),
    );
    expect(created.status).toBe(201);
    expect(created.headers['set-cookie']).toBeUndefined();
    expect(created.headers['location']).toBe(
      `http://${arena.host}/${BUCKET}/a%0D%0ASet-Cookie%3A%20b%3Dc%00%22%3C%26`,
    );
    expect(created.body).toContain('<Key>a&#xd;\nSet-Cookie: b=c&#x0;&quot;&lt;&amp;</Key>');
    const broken = await arena.send(
      form([
        ['key', key],
        ['success_action_redirect', 'https://page.example.com/\r\nSet-Cookie: b=c'],
      ]),
    );
    expect(broken.status).toBe(204);
    expect(broken.headers['set-cookie']).toBeUndefined();
    await remove('a%0D%0ASet-Cookie:%20b=c%00%22%3C%26');
  });
});

describe('the request around the form', () => {
  test.each<Header>([
    ['x-amz-acl', 'public-read'],
    ['x-amz-meta-a', 'b'],
    ['x-amz-tagging', 'a=b'],
    ['x-amz-server-side-encryption', 'AES256'],
    ['x-amz-checksum-crc32', 'AAAAAA=='],
    ['Content-MD5', '1B2M2Y8AsgTpgAmY7PhCfg=='],
    ['Content-Encoding', 'gzip'],
    ['x-amz-content-sha256', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  ])('adds nothing by the header %s', async (name, value) => {
    await arena.refuses(form([['key', 'around']], { headers: [[name, value]] }), {
      status: 400,
      code: 'InvalidRequest',
      message: 'Conflicting values provided in HTTP headers and POST form fields.',
    });
  });

  test.each<Header>([
    ['x-amz-copy-source', `${BUCKET}/other`],
    ['x-amz-unknown', 'a'],
    ['If-None-Match', '*'],
    ['Content-Range', 'bytes 0-1/2'],
  ])('does not become another operation by the header %s', async (name, value) => {
    await arena.refuses(form([['key', 'around']], { headers: [[name, value]] }), {
      status: 501,
      code: 'NotImplemented',
    });
  });

  test('does not become one by its query', async () => {
    for (const query of ['?acl', '?tagging', '?uploads', '?versionId=1', '?foo']) {
      const request = { ...form([['key', 'around']]), target: `/${BUCKET}${query}` };
      const response = await arena.send(request);
      expect([query, response.status]).toEqual([query, query === '?delete' ? 400 : 501]);
    }
    expect(await keys()).toEqual([]);
  });

  test('is not signed a second time', async () => {
    for (const headers of [[['Authorization', 'AWS4-HMAC-SHA256 Credential=x']]] as const)
      await arena.refuses(form([['key', 'around']], { headers }), {
        status: 400,
        code: 'InvalidArgument',
        message: /^Only one auth mechanism allowed/,
      });
    const presigned = { ...form([['key', 'around']]), target: `/${BUCKET}?X-Amz-Signature=x` };
    await arena.refuses(presigned, { status: 400, code: 'InvalidArgument' });
    const basic = form([['key', 'basic']], { headers: [['Authorization', 'Basic YTpi']] });
    expect((await arena.send(basic)).status).toBe(204);
    await remove('basic');
  });

  test('must tell its length', async () => {
    const request = form([['key', 'chunked']]);
    const headers: Header[] = [
      ...request.headers.filter(([name]) => name !== 'Content-Length'),
      ['Transfer-Encoding', 'chunked'],
    ];
    const body = Buffer.concat([
      Buffer.from(`${request.body.length.toString(16)}\r\n`),
      request.body,
      Buffer.from('\r\n0\r\n\r\n'),
    ]);
    await arena.refuses({ ...request, headers, body }, { status: 411, code: 'MissingContentLength' });
  });

  test('names the bucket that is meant', async () => {
    await arena.refuses(form([['key', 'around']], { bucket: 'another' }), {
      status: 403,
      code: 'AccessDenied',
      message: 'Invalid according to Policy: Policy Condition failed: ["eq", "$bucket", "another"]',
    });
    const anyBucket = form(
      [
        ['key', 'around'],
        ['bucket', 'another'],
      ],
      {
        conditions: [['starts-with', '$bucket', '']],
        document: {
          expiration: new Date(Date.now() + 60_000).toISOString(),
          conditions: ['bucket', 'key', 'x-amz-algorithm', 'x-amz-credential', 'x-amz-date'].map((name) => [
            'starts-with',
            `$${name}`,
            '',
          ]),
        },
      },
    );
    await arena.refuses(anyBucket, { status: 400, code: 'InvalidRequest' });
  });

  test('is asked for only when the head is welcome', async () => {
    const request = form([['key', 'asked']], { headers: [['Expect', '100-continue']] });
    const connection = await arena.connect();
    await connection.write(renderHead(request));
    // The fields are in the body.
    expect(await connection.interim()).toBe(100);
    await connection.write(request.body);
    expect((await connection.response()).status).toBe(204);
    connection.socket.end();
    await connection.closed;
    await remove('asked');
    const wrong = { ...request, headers: request.headers.filter(([name]) => name !== 'Content-Type') };
    const refused = await arena.connect();
    await refused.write(renderHead(wrong));
    const answer = await refused.response();
    expect([answer.status, answer.interim]).toEqual([412, []]);
    await refused.closed;
  });

  test('is decided before the file is read', async () => {
    const request = form([['key', 'early']], {
      credentials: { ...arena.gateway.root, secretAccessKey: 'x'.repeat(40) },
      file: LARGE,
    });
    const start = request.body.indexOf('abcdefghijk');
    const connection = await arena.connect();
    // Not a byte of the file.
    await connection.write(Buffer.concat([renderHead(request), request.body.subarray(0, start)]));
    const answer = await connection.response();
    await arena.checkRefusal(answer, {
      status: 403,
      code: 'SignatureDoesNotMatch',
      record: { operation: 'PostObject', key: 'early', bucket: BUCKET },
    });
    connection.socket.destroy();
    await connection.closed;
  });

  test('leaves its connection in step', async () => {
    const connection = await arena.connect();
    for (const [request, status] of [
      [form([['key', 'step']], { file: LARGE }), 204],
      [
        form(
          [
            ['key', 'step'],
            ['x-amz-checksum-crc32', 'AAAAAA=='],
          ],
          { file: LARGE },
        ),
        400,
      ],
      [
        form([
          ['key', 'step'],
          ['x-amz-meta-a', 'b\n'],
        ]),
        400,
      ],
      [form([['key', 'step']]), 204],
    ] as const) {
      void connection.write(render(request));
      expect((await connection.response()).status).toBe(status);
    }
    connection.socket.end();
    await connection.closed;
    expect((await arena.get('step')).body).toBe(SMALL);
    await remove('step');
  });
});

test('a secret of the form is in no record: policy, signature, customer key', async () => {
  const secret = Buffer.alloc(32, 7).toString('base64');
  const request = form([
    ['key', 'secret'],
    ['x-amz-server-side-encryption-customer-key', secret],
  ]);
  await arena.send(request);
  const records = JSON.stringify(arena.gateway.lines);
  const fields = signedFields({ credentials: arena.gateway.root, bucket: BUCKET, fields: [] });
  const signature = fields.find(([name]) => name === 'x-amz-signature')?.[1];
  expect(records).not.toContain(secret);
  expect(records).not.toContain(arena.gateway.root.secretAccessKey);
  expect(signature).toHaveLength(64);
});

describe('with a spool', () => {
  let folder: string;
  let spooling: Arena;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bucketwarden-spooled-forms-'));
    const file = join(folder, 'bucketwarden.yaml');
    await writeFile(
      file,
      `spool: { directory: ${JSON.stringify(join(folder, 'spool'))}, maxBodySize: 4MiB }\n`,
    );
    spooling = await openArena({ file });
  });

  afterAll(async () => {
    await spooling.finish();
    await rm(folder, { recursive: true, force: true });
  });

  test('fields may follow a large file, and Content-Length may be missing', async () => {
    const behind = form([['key', 'behind']], { file: LARGE, behind: [['submit', 'Upload']] }, spooling);
    expect((await spooling.send(behind)).status).toBe(204);
    const { body, headers, ...more } = form([['key', 'chunked']], { file: LARGE }, spooling);
    const chunked = {
      ...more,
      headers: [
        ...headers.filter(([name]) => name !== 'Content-Length'),
        ['Transfer-Encoding', 'chunked'] as const,
      ],
      body: Buffer.concat([
        Buffer.from(`${body.length.toString(16)}\r\n`),
        body,
        Buffer.from('\r\n0\r\n\r\n'),
      ]),
    };
    expect((await spooling.send(chunked)).status).toBe(204);
    for (const key of ['behind', 'chunked'])
      expect((await spooling.get(key)).body === LARGE.toString('latin1')).toBe(true);
  });

  test('a form cut short stores nothing', async () => {
    const request = form([['key', 'cut']], { file: LARGE }, spooling);
    for (const missing of [1, 3, 5, 40, 1000, 200_000]) {
      const body = request.body.subarray(0, -missing);
      const short = { ...request, headers: withLength(request, body.length), body };
      const answer = await spooling.storesNothing('cut', short, {
        status: 400,
        code: 'MalformedPOSTRequest',
      });
      expect(answer.status).toBe(400);
    }
  });
});
