/** Text that wants to be something else: a header of the answer, a line of a log, a pattern of a policy. */
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { encode, type Header } from '../support/raw-signer.ts';
import { BUCKET, errorElements, openArena, type Arena } from './arena.ts';

let arena: Arena;
const accessLog = join(tmpdir(), `bucketwarden-access-${process.pid}.log`);

beforeAll(async () => {
  arena = await openArena({ env: { ACCESS_LOG: accessLog } });
  await arena.put('page', 'plain');
});

afterAll(async () => {
  await arena.finish();
  await rm(accessLog, { force: true });
});

const BREAKS = [
  '\r\nSet-Cookie: a=b',
  '\nSet-Cookie: a=b',
  '\r\n\r\n<script>',
  '\0',
  '\u007f',
  '\u010a',
  '\u560a',
];

describe('an answer', () => {
  test.each([
    'response-content-type',
    'response-content-disposition',
    'response-cache-control',
    'response-content-language',
    'response-content-encoding',
    'response-expires',
  ])('takes no line break through %s', async (parameter) => {
    for (const text of BREAKS) {
      const response = await arena.send(
        arena.sign({ target: `/${BUCKET}/page?${parameter}=${encode(`text/plain${text}`)}` }),
      );
      expect(response.headers).not.toHaveProperty('set-cookie');
      expect(response.body).not.toMatch(/^<script>/);
      expect({ text, status: response.status }).toEqual({ text, status: 400 });
      await arena.checkRefusal(response, { status: 400, code: 'InvalidArgument' });
    }
  });

  test('gives back what may stand in a header', async () => {
    const value = 'attachment; filename="summary (1).txt"';
    const response = await arena.send(
      arena.sign({ target: `/${BUCKET}/page?response-content-disposition=${encode(value)}` }),
    );
    expect(response.headers['content-disposition']).toBe(value);
  });

  test.each([
    ['a key', `/${BUCKET}/${encode('</Resource><script>alert(1)</script>\r\nX: y')}`],
    ['a bucket', `/${encode('a"><b>')}/k`],
    ['a parameter', `/${BUCKET}/page?${encode('<x>')}=${encode(']]>')}`],
    ['control characters', `/${BUCKET}/${encode('\u0001\u0008\uFFFE')}`],
  ])('quotes %s in XML', async (_, target) => {
    const response = await arena.send(arena.sign({ target }));
    expect(response.status).toBeGreaterThanOrEqual(400);
    for (const raw of ['<script>', '<b>', '<x>', '\u0001']) expect(response.body).not.toContain(raw);
    expect(errorElements(response.body)['RequestId']).toBe(response.headers['x-amz-request-id']);
  });

  test('is not made by metadata', async () => {
    const raw = arena.sign({
      method: 'PUT',
      target: `/${BUCKET}/meta`,
      body: 'x',
      headers: [['x-amz-meta-a', 'b\u0000c']],
    });
    await arena.refuses(raw, { status: 400, code: 'BadRequest' });
    for (const [name, value] of [
      ['x-amz-meta-a', 'b\r\nSet-Cookie: a=b'],
      ['x-amz-meta-a', 'b\nc'],
      ['x-amz-meta-a\r\nSet-Cookie', 'b'],
      ['x-amz-meta-a: b', 'c'],
      ['x-amz-meta-\u00e9', 'c'],
      ['x-amz-meta-', 'c'],
      ['x-amz-meta-a b', 'c'],
    ] as const) {
      const request = arena.presign({
        method: 'PUT',
        target: `/${BUCKET}/meta`,
        body: 'x',
        parameters: [[name, value]],
      });
      await arena.refuses(request, { status: 400, code: 'InvalidArgument' });
    }
    await arena.checkAbsent('meta');
  });

  test('has every byte of metadata that a presigned URL carries', async () => {
    const value = ' voil\u00e0\u00a0 ';
    const request = arena.presign({
      method: 'PUT',
      target: `/${BUCKET}/bytes`,
      body: 'x',
      parameters: [['x-amz-meta-a', value]],
    });
    expect((await arena.send(request)).status).toBe(200);
    const stored = (await arena.get('bytes')).headers['x-amz-meta-a'];
    expect(Buffer.from(stored ?? '', 'latin1')).toEqual(Buffer.from('voil\u00e0\u00a0'));
  });
});

describe('sizes', () => {
  test('metadata above 2 KB is refused', async () => {
    const headers: readonly Header[] = [
      ['x-amz-meta-a', 'x'.repeat(1500)],
      ['X-Amz-Meta-B', 'x'.repeat(1500)],
    ];
    await arena.refuses(arena.sign({ method: 'PUT', target: `/${BUCKET}/m`, body: 'x', headers }), {
      status: 400,
      code: 'MetadataTooLarge',
      elements: { MaxSizeAllowed: '2048', Size: /^300\d$/ },
    });
    const lifted = arena.presign({
      method: 'PUT',
      target: `/${BUCKET}/m`,
      body: 'x',
      parameters: [['x-amz-meta-a', 'x'.repeat(3000)]],
    });
    await arena.refuses(lifted, { status: 400, code: 'MetadataTooLarge' });
  });

  test.each([8200, 30_000, 200_000])('headers of %i bytes are refused', async (size) => {
    await arena.refuses(
      arena.sign({ target: `/${BUCKET}/page`, unsigned: [['X-Filler', 'x'.repeat(size)]] }),
      {
        status: 400,
        code: 'RequestHeaderSectionTooLarge',
        elements: { MaxSizeAllowed: '8192' },
      },
    );
  });

  // What needs three bytes for one when it is encoded anew grows beyond what upstreams read: some then reset the
  // connection, as if they were down.
  test.each([
    ['prefix', `?list-type=2&prefix=${'!'.repeat(14_000)}`],
    ['key-marker', `?versions&key-marker=${'!'.repeat(4_000)}`],
    ['versionId', `/a?versionId=${"'".repeat(14_000)}`],
    ['response-content-type', `/a?response-content-type=${'*'.repeat(14_000)}`],
  ])('a target that grows on its way upstream by %s is refused', async (_, target) => {
    await arena.refuses(arena.sign({ target: `/${BUCKET}${target}` }), { status: 400, code: 'InvalidURI' });
  });

  test('a target without end is refused', async () => {
    const response = await arena.send(arena.sign({ target: `/${BUCKET}?prefix=${'x'.repeat(100_000)}` }));
    expect(response.status).toBe(400);
    expect(errorElements(response.body)['Code']).toBe('RequestHeaderSectionTooLarge');
  });
});

describe('logs', () => {
  test('one request is one line, whatever it holds', async () => {
    const before = arena.accessRecords().length;
    const lineCount = async (): Promise<number> => (await readFile(accessLog, 'utf8')).split('\n').length - 1;
    await vi.waitFor(async () => {
      expect(await lineCount()).toBe(before);
    });
    const nasty = 'x"\r\n- - [06/Feb/2019:00:00:38 +0000] forged';
    const requests = [
      arena.sign({ target: `/${BUCKET}/${encode(nasty)}` }),
      arena.sign({
        target: `/${BUCKET}/page`,
        unsigned: [
          ['User-Agent', 'a" 200 - "forged\u0085\u2028'.replaceAll(/[\u2028]/g, '\u00e2')],
          ['Referer', 'http://x/"\\" forged'],
        ],
      }),
      arena.sign({
        target: `/${BUCKET}?prefix=${encode(nasty)}`,
        credentials: { accessKeyId: 'a" b', secretAccessKey: 'x' },
      }),
    ];
    for (const request of requests) expect((await arena.send(request)).status).toBeGreaterThanOrEqual(200);
    await vi.waitFor(async () => {
      expect(await lineCount()).toBe(before + requests.length);
    });
    const log = (await readFile(accessLog, 'utf8')).split('\n').slice(0, -1);
    // Fields in quotes, in brackets, or without spaces: 26 of them, as the S3 user guide has it.
    for (const line of log)
      expect(line.match(/"[^"]*"|\[[^\]]*\]|\S+/g)).toHaveLength(
        log[0]?.match(/"[^"]*"|\[[^\]]*\]|\S+/g)?.length ?? 0,
      );
    expect(log.some((line) => line.startsWith('- - [06/Feb/2019'))).toBe(false);
  });

  test('no secret, token or signature is in any of them', async () => {
    const customerKey = Buffer.alloc(32, 7).toString('base64');
    const requests = [
      arena.sign({ target: `/${BUCKET}/page` }),
      arena.presign({ target: `/${BUCKET}/page` }),
      arena.presign({ target: `/${BUCKET}/page`, parameters: [['X-Amz-Security-Token', 'TOKENTOKENTOKEN']] }),
      arena.sign({
        target: `/${BUCKET}/page`,
        headers: [['x-amz-server-side-encryption-customer-key', customerKey]],
      }),
      arena.presign({
        target: `/${BUCKET}/page`,
        parameters: [['x-amz-server-side-encryption-customer-key', customerKey]],
      }),
      arena.sign({
        target: `/${BUCKET}/page`,
        unsigned: [['Referer', arena.presign({ target: '/x' }).target]],
      }),
    ];
    for (const request of requests) await arena.send(request);
    const everything = JSON.stringify(arena.gateway.lines) + (await readFile(accessLog, 'utf8'));
    for (const request of requests) expect(everything).not.toContain(request.chain.signature);
    expect(everything).not.toContain('TOKENTOKENTOKEN');
    expect(everything).not.toContain(customerKey);
    expect(everything).not.toContain(encode(customerKey));
    expect(everything).not.toContain(arena.gateway.root.secretAccessKey);
    expect(everything).not.toMatch(/X-Amz-Signature=[0-9a-f]/);
  });
});

describe('policy variables', () => {
  test('a name is never a pattern', async () => {
    const policy = {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: '*',
          Action: ['s3:GetObject'],
          Resource: `arn:aws:s3:::${BUCKET}/home/\${aws:username}/*`,
        },
      ],
    };
    const set = arena.sign({ method: 'PUT', target: `/${BUCKET}?policy`, body: JSON.stringify(policy) });
    expect((await arena.send(set)).status).toBe(204);
    await arena.put('home/alice/diary', 'private');
    for (const name of [
      '*',
      'al*',
      '?????',
      '${aws:username}',
      '${*}',
      'alice/diary/..',
      'alice/',
      '/',
      'Alice',
      '%61lice',
    ]) {
      let credentials;
      try {
        credentials = await arena.gateway.keyWithPolicy(name.replaceAll('/', '~'), {
          Version: '2012-10-17',
          Statement: [{ Effect: 'Deny', Action: 's3:PutObject', Resource: '*' }],
        });
      } catch {
        // A user of that name cannot even be made.
        continue;
      }
      const response = await arena.send(arena.sign({ target: `/${BUCKET}/home/alice/diary`, credentials }));
      expect({ name, status: response.status }).toEqual({ name, status: 403 });
      expect(response.body).not.toContain('private');
    }
    const alice = await arena.gateway.keyWithPolicy('alice', {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Deny', Action: 's3:PutObject', Resource: '*' }],
    });
    expect(
      (await arena.send(arena.sign({ target: `/${BUCKET}/home/alice/diary`, credentials: alice }))).body,
    ).toBe('private');
    expect(
      (await arena.send(arena.sign({ target: `/${BUCKET}/home/*/diary`, credentials: alice }))).status,
    ).toBe(403);
  });
});
