/** Uploads by forms, made by the SDK's `createPresignedPost` and sent by `fetch`, which writes them as browsers do. */
import {
  CreateBucketCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  PutBucketPolicyCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { createPresignedPost, type PresignedPostOptions } from '@aws-sdk/s3-presigned-post';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runGateway, type Credentials, type RunningGateway } from '../support/running-gateway.ts';

let folder: string;
let gateway: RunningGateway;
let s3: S3Client;

const BUCKETS = ['forms', 'open', 'signed', 'checksummed', 'small'] as const;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bucketwarden-forms-'));
  const file = join(folder, 'bucketwarden.yaml');
  await writeFile(
    file,
    [
      `spool: { directory: ${JSON.stringify(join(folder, 'spool'))}, maxBodySize: 4MiB, maxTotalSize: 8MiB }`,
      'buckets:',
      '  - { name: signed, bodies: signed }',
      '  - { name: checksummed, bodies: checksummed }',
      '  - { name: small, maxObjectSize: 1KiB }',
      '',
    ].join('\n'),
  );
  gateway = await runGateway({ file });
  s3 = gateway.client();
  for (const Bucket of BUCKETS) await s3.send(new CreateBucketCommand({ Bucket }));
  const statement = { Effect: 'Allow', Principal: '*', Action: 's3:PutObject' };
  await s3.send(
    new PutBucketPolicyCommand({
      Bucket: 'open',
      Policy: JSON.stringify({
        Version: '2012-10-17',
        Statement: [{ ...statement, Resource: 'arn:aws:s3:::open/incoming/*' }],
      }),
    }),
  );
});

afterAll(async () => {
  await gateway.stop();
  await rm(folder, { recursive: true, force: true });
});

interface Form {
  readonly url: string;
  readonly fields: Readonly<Record<string, string>>;
}

interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
  readonly record: Readonly<Record<string, unknown>>;
}

async function post(
  { url, fields }: Form,
  file: string | Buffer,
  {
    filename = 'photo.jpg',
    behind = {},
  }: { readonly filename?: string; readonly behind?: Readonly<Record<string, string>> } = {},
): Promise<Answered> {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append('file', new Blob([typeof file === 'string' ? file : new Uint8Array(file)]), filename);
  for (const [name, value] of Object.entries(behind)) form.append(name, value);
  const answer = await fetch(url, { method: 'POST', body: form, redirect: 'manual' });
  const body = await answer.text();
  const record = await gateway.record(answer.headers.get('x-amz-request-id') ?? '');
  return { status: answer.status, headers: answer.headers, body, record };
}

function presigned(options: Partial<PresignedPostOptions> = {}, credentials?: Credentials): Promise<Form> {
  const client = credentials === undefined ? s3 : gateway.client(credentials);
  return createPresignedPost(client, { Bucket: 'forms', Key: 'photos/${filename}', ...options });
}

/** Without a signature. */
function anonymous(key: string, bucket = 'open'): Form {
  return { url: `${gateway.url}/${bucket}`, fields: { key } };
}

async function answerTo(Fields: Record<string, string>): Promise<Answered> {
  return post(await presigned({ Key: 'answers/a b.txt', Fields }), 'hello');
}

async function stored(Key: string, Bucket = 'forms'): Promise<string> {
  const got = await s3.send(new GetObjectCommand({ Bucket, Key }));
  return (await got.Body?.transformToString('latin1')) ?? '';
}

async function isAbsent(Key: string, Bucket = 'forms'): Promise<boolean> {
  const head = s3.send(new HeadObjectCommand({ Bucket, Key }));
  return head.then(
    () => false,
    (error: unknown) => (error as Error).name === 'NotFound',
  );
}

const md5 = (data: string | Buffer): string => `"${createHash('md5').update(data).digest('hex')}"`;
const code = ({ body }: Answered): string => /<Code>([^<]*)</.exec(body)?.[1] ?? '';
const message = ({ body }: Answered): string =>
  (/<Message>([^<]*)</.exec(body)?.[1] ?? '').replaceAll('&quot;', '"');

describe('an upload', () => {
  test('is stored under the name of its file, and answered 204 with ETag and Location', async () => {
    const answer = await post(await presigned(), 'a picture', { filename: 'C:\\My Pictures\\cat.jpg' });
    expect([answer.status, answer.body]).toEqual([204, '']);
    expect(answer.headers.get('etag')).toBe(md5('a picture'));
    expect(answer.headers.get('location')).toBe(`${gateway.url}/forms/photos%2Fcat.jpg`);
    expect(answer.headers.has('content-length')).toBe(false);
    expect(await stored('photos/cat.jpg')).toBe('a picture');
    expect(answer.record).toMatchObject({
      operation: 'PostObject',
      bucket: 'forms',
      key: 'photos/cat.jpg',
      principal: expect.stringMatching(/^arn:aws:iam::\d{12}:root$/) as string,
      accessKeyId: gateway.root.accessKeyId,
      authType: 'POST',
      signatureVersion: 'SigV4',
      objectSize: 9,
      status: 204,
      decision: { effect: 'Allow', action: 's3:PutObject', resource: 'arn:aws:s3:::forms/photos/cat.jpg' },
    });
    expect(answer.record['bytesReceived']).toBeGreaterThan(1000);
  });

  test('is stored with everything that its fields say', async () => {
    const data = 'with everything';
    const checksum = Buffer.alloc(4);
    checksum.writeUInt32BE(crc32(data));
    const fields = {
      'Content-Type': 'image/svg+xml',
      'Cache-Control': 'max-age=60',
      'Content-Disposition': 'attachment; filename="${filename}"',
      'Content-Language': 'de',
      'x-amz-meta-owner': 'Zoë',
      'x-amz-storage-class': 'STANDARD',
      'x-amz-checksum-crc32': checksum.toString('base64'),
      acl: 'private',
      tagging: '<Tagging><TagSet><Tag><Key>team</Key><Value>red @ blue</Value></Tag></TagSet></Tagging>',
    };
    const Conditions = [
      ['starts-with', '$Content-Disposition', 'attachment'],
    ] as PresignedPostOptions['Conditions'];
    const { 'Content-Disposition': disposition, ...Fields } = fields;
    const form = await presigned({ Key: 'everything', Fields, ...(Conditions && { Conditions }) });
    const answer = await post(
      { ...form, fields: { ...form.fields, 'Content-Disposition': disposition } },
      data,
      { filename: 'drawing.svg' },
    );
    expect([answer.status, answer.body]).toEqual([204, '']);
    const head = await s3.send(
      new HeadObjectCommand({ Bucket: 'forms', Key: 'everything', ChecksumMode: 'ENABLED' }),
    );
    expect(head).toMatchObject({
      ContentType: 'image/svg+xml',
      CacheControl: 'max-age=60',
      ContentDisposition: 'attachment; filename="drawing.svg"',
      ContentLanguage: 'de',
      ContentLength: data.length,
      ChecksumCRC32: checksum.toString('base64'),
      Metadata: { owner: Buffer.from('Zoë').toString('latin1') },
    });
    const tags = await s3.send(new GetObjectTaggingCommand({ Bucket: 'forms', Key: 'everything' }));
    expect(tags.TagSet).toEqual([{ Key: 'team', Value: 'red @ blue' }]);
  });

  test.each([0, 1, 65_000, 66_000, 3 * 1024 * 1024, 5 * 1024 * 1024])('of %i bytes', async (size) => {
    const data = randomBytes(size);
    const answer = await post(await presigned({ Key: `size-${size}` }), data);
    expect([answer.status, answer.body]).toEqual([204, '']);
    expect(answer.headers.get('etag')).toBe(md5(data));
    expect(answer.record['objectSize']).toBe(size);
    expect((await stored(`size-${size}`)) === data.toString('latin1')).toBe(true);
  });

  // As in the form of S3's documentation: what a browser sends for a submit button with a name comes last.
  test.each([10, 100_000, 2_000_000])('of %i bytes with fields behind the file', async (size) => {
    const data = randomBytes(size);
    const behind = { submit: 'Upload to Amazon S3', key: 'elsewhere', acl: 'public-read' };
    const answer = await post(await presigned({ Key: 'behind' }), data, { behind });
    expect([answer.status, answer.body]).toEqual([204, '']);
    expect((await stored('behind')) === data.toString('latin1')).toBe(true);
    expect(await isAbsent('elsewhere')).toBe(true);
  });

  test('whose checksum is another one is not stored', async () => {
    for (const size of [10, 100_000]) {
      const form = await presigned({ Key: 'wrong', Fields: { 'x-amz-checksum-crc32': 'AAAAAA==' } });
      const answer = await post(form, randomBytes(size));
      expect([answer.status, code(answer)]).toEqual([400, 'BadDigest']);
      expect(await isAbsent('wrong')).toBe(true);
    }
  });
});

describe('the answer', () => {
  test('201 is a document', async () => {
    const answer = await answerTo({ success_action_status: '201' });
    expect(answer.status).toBe(201);
    expect(answer.headers.get('content-type')).toBe('application/xml');
    const location = `${gateway.url}/forms/answers%2Fa%20b.txt`;
    expect(answer.headers.get('location')).toBe(location);
    expect(answer.body).toBe(
      `<?xml version="1.0" encoding="UTF-8"?>\n<PostResponse><Location>${location}</Location><Bucket>forms</Bucket>` +
        `<Key>answers/a b.txt</Key><ETag>${md5('hello').replaceAll('"', '&quot;')}</ETag></PostResponse>`,
    );
  });

  test('200 is empty, and an unknown status is 204', async () => {
    const ok = await answerTo({ success_action_status: '200' });
    expect([ok.status, ok.body]).toEqual([200, '']);
    const unknown = await answerTo({ success_action_status: '404' });
    expect([unknown.status, unknown.body]).toEqual([204, '']);
  });

  test('a redirect names what was stored', async () => {
    const url = 'https://page.example.com/done?form=1';
    const answer = await answerTo({ success_action_redirect: url });
    expect([answer.status, answer.body]).toEqual([303, '']);
    const etag = encodeURIComponent(md5('hello'));
    expect(answer.headers.get('location')).toBe(`${url}&bucket=forms&key=answers%2Fa+b.txt&etag=${etag}`);
  });

  test('a failure is not redirected', async () => {
    const form = await presigned({ Fields: { success_action_redirect: 'https://page.example.com/' } });
    const answer = await post({ ...form, fields: { ...form.fields, acl: 'private' } }, 'hello');
    expect([answer.status, code(answer)]).toEqual([403, 'AccessDenied']);
    expect(answer.headers.has('location')).toBe(false);
  });
});

describe('the policy', () => {
  test('sets the range of sizes, whatever way the file takes', async () => {
    for (const [min, max, size, expected] of [
      [5, 10, 10, 204],
      [5, 10, 5, 204],
      [5, 10, 12, 'EntityTooLarge'],
      [5, 10, 1, 'EntityTooSmall'],
      [0, 100_000, 100_000, 204],
      [0, 99_999, 100_000, 'EntityTooLarge'],
      [100_001, 200_000, 100_000, 'EntityTooSmall'],
      [0, 4_500_000, 4_500_000, 204],
      [0, 4_499_999, 4_500_000, 'EntityTooLarge'],
    ] as const) {
      const Conditions: NonNullable<PresignedPostOptions['Conditions']> = [
        ['content-length-range', min, max],
      ];
      const answer = await post(await presigned({ Key: 'ranged', Conditions }), randomBytes(size));
      expect([size, answer.status === 204 ? 204 : code(answer)]).toEqual([size, expected]);
    }
  });

  test('must cover the fields and hold for them', async () => {
    const form = await presigned({ Key: 'photos/one' });
    const changed = async (fields: Record<string, string>): Promise<string> => {
      const answer = await post({ ...form, fields: { ...form.fields, ...fields } }, 'x');
      expect([answer.status, code(answer)]).toEqual([403, 'AccessDenied']);
      return message(answer);
    };
    expect(await changed({ key: 'photos/two' })).toBe(
      'Invalid according to Policy: Policy Condition failed: ["eq", "$key", "photos/one"]',
    );
    expect(await changed({ 'x-amz-meta-a': 'b' })).toBe(
      'Invalid according to Policy: Extra input fields: x-amz-meta-a',
    );
    for (const key of ['photos/one', 'photos/two']) expect(await isAbsent(key)).toBe(true);
  });

  test('holds for its own bucket', async () => {
    const form = await presigned({ Key: 'photos/one' });
    const answer = await post({ ...form, url: `${gateway.url}/open` }, 'x');
    expect([answer.status, message(answer)]).toEqual([
      403,
      'Invalid according to Policy: Policy Condition failed: ["eq", "$bucket", "forms"]',
    ]);
  });

  test('ends', async () => {
    const form = await presigned({ Expires: -1 });
    const answer = await post(form, 'x');
    expect([answer.status, message(answer)]).toEqual([403, 'Invalid according to Policy: Policy expired.']);
  });
});

describe('who may', () => {
  test('is decided as for a PUT: the key, its tags, its lock', async () => {
    const key = await gateway.keyWithPolicy('uploader', {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Action: 's3:PutObject',
          Resource: 'arn:aws:s3:::forms/mine/*',
          Condition: {
            StringEquals: { 's3:authType': 'POST', 's3:signatureversion': 'AWS4-HMAC-SHA256' },
            StringLike: { 's3:x-amz-content-sha256': 'UNSIGNED-PAYLOAD' },
          },
        },
      ],
    });
    expect((await post(await presigned({ Key: 'mine/a' }, key), 'x')).status).toBe(204);
    const other = await post(await presigned({ Key: 'yours/a' }, key), 'x');
    expect([other.status, code(other)]).toEqual([403, 'AccessDenied']);
    expect(other.record).toMatchObject({
      key: 'yours/a',
      decision: { effect: 'Deny', action: 's3:PutObject' },
    });
    const tagging = '<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>';
    const tagged = await post(await presigned({ Key: 'mine/b', Fields: { tagging } }, key), 'x');
    expect(tagged.status).toBe(403);
    expect(tagged.record).toMatchObject({ decision: { effect: 'Deny', action: 's3:PutObjectTagging' } });
    const acl = await post(await presigned({ Key: 'mine/b', Fields: { acl: 'public-read' } }, key), 'x');
    expect([acl.status, code(acl)]).toEqual([400, 'AccessControlListNotSupported']);
    for (const Key of ['yours/a', 'mine/b']) expect(await isAbsent(Key)).toBe(true);
  });

  test('an anonymous form is for what the bucket policy opens', async () => {
    const answer = await post(anonymous('incoming/${filename}'), 'anonymous', { filename: 'a.txt' });
    expect([answer.status, answer.body]).toEqual([204, '']);
    expect(answer.record).toMatchObject({ principal: 'anonymous', key: 'incoming/a.txt' });
    expect(answer.record['authType']).toBeUndefined();
    expect(await stored('incoming/a.txt', 'open')).toBe('anonymous');
    for (const refused of [anonymous('elsewhere/a'), anonymous('incoming/a', 'forms')]) {
      const denied = await post(refused, 'x');
      expect([denied.status, code(denied), message(denied)]).toEqual([403, 'AccessDenied', 'Access Denied']);
    }
    // With names that look like paths no more is open.
    const path = await post(anonymous('incoming/../secret'), 'x');
    expect(path.status).toBe(403);
  });

  test('a key that is unknown, disabled or has expired', async () => {
    const unknown = await post(
      await presigned({}, { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'x'.repeat(40) }),
      'x',
    );
    expect([unknown.status, code(unknown)]).toEqual([403, 'InvalidAccessKeyId']);
    const key = await gateway.keyWithPolicy('leaving', {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: 's3:*', Resource: '*' }],
    });
    const form = await presigned({ Key: 'leaving' }, key);
    await gateway.keys(['disable', key.accessKeyId]);
    await expect
      .poll(async () => {
        const answer = await post(form, 'x');
        return [answer.status, code(answer)];
      })
      .toEqual([403, 'InvalidAccessKeyId']);
    const token = await post(
      await presigned({}, { ...gateway.root, sessionToken: 'of another service' } as Credentials),
      'x',
    );
    expect([token.status, code(token)]).toEqual([400, 'InvalidToken']);
  });
});

describe('settings of the bucket', () => {
  test('`bodies: signed` takes no form, `checksummed` one with a checksum', async () => {
    const sha256 = createHash('sha256').update('x').digest('base64');
    const Fields = { 'x-amz-checksum-sha256': sha256 };
    const withChecksum = (Bucket: string) => presigned({ Bucket, Key: 'a', Fields });
    expect((await post(await withChecksum('signed'), 'x')).status).toBe(403);
    expect((await post(await presigned({ Bucket: 'checksummed', Key: 'a' }), 'x')).status).toBe(403);
    expect((await post(await withChecksum('checksummed'), 'x')).status).toBe(204);
    expect(await isAbsent('a', 'signed')).toBe(true);
  });

  test('the largest object', async () => {
    expect((await post(await presigned({ Bucket: 'small', Key: 'a' }), 'x'.repeat(1024))).status).toBe(204);
    for (const size of [1025, 100_000, 4_500_000]) {
      const answer = await post(await presigned({ Bucket: 'small', Key: 'b' }), Buffer.alloc(size));
      expect([answer.status, code(answer)]).toEqual([400, 'EntityTooLarge']);
    }
    expect(await isAbsent('b', 'small')).toBe(true);
  });
});

test('a POST that is no form', async () => {
  const answer = await fetch(`${gateway.url}/forms`, {
    method: 'POST',
    body: new URLSearchParams({ key: 'a' }),
  });
  expect(answer.status).toBe(412);
  expect(await answer.text()).toContain(
    '<Code>PreconditionFailed</Code><Message>At least one of the pre-conditions you specified did not hold</Message>' +
      '<Condition>Bucket POST must be of the enclosure-type multipart/form-data</Condition>',
  );
});
