/** What the fields of a form mean. Source: S3 API reference, "POST Object"; recorded answers of S3. */
import { describe, expect, test } from 'vitest';
import {
  parsePostFields,
  parseWireRequest,
  postKey,
  postSuccess,
  redirectLocation,
  requestOfForm,
  S3Error,
  type PostFields,
} from '../../src/s3/index.ts';

/** The variable, as a form has it. */
const $filename = '${filename}';

function fieldsOf(fields: readonly (readonly [string, string | Buffer])[], filename?: string): PostFields {
  return parsePostFields({
    fields: fields.map(([name, value]) => ({ name, value: Buffer.from(value as string) })),
    filename,
  });
}

function refusal(act: () => unknown): S3Error {
  try {
    act();
  } catch (error) {
    if (error instanceof S3Error) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('the key', () => {
  test.each<[string, string | undefined, string]>([
    [`user/${$filename}`, 'photo.jpg', 'user/photo.jpg'],
    [`user/${$filename}`, 'C:\\Program Files\\directory1\\file.txt', 'user/file.txt'],
    [`user/${$filename}`, '/home/me/file.txt', 'user/file.txt'],
    [`user/${$filename}`, 'a\\b/c\\file.txt', 'user/file.txt'],
    [`user/${$filename}`, '../../secret', 'user/secret'],
    [`${$filename}/${$filename}`, 'a', 'a/a'],
    [`user/${$filename}`, '', 'user/'],
    // S3 leaves it as it is.
    [`user/${$filename}`, undefined, `user/${$filename}`],
    // Expanded once.
    [$filename, $filename, $filename],
    [$filename, '$&$1$$', '$&$1$$'],
    ['plain', 'ignored', 'plain'],
    ['ünï/日本', undefined, 'ünï/日本'],
  ])('%s of the file %s', (value, filename, key) => {
    expect(postKey(fieldsOf([['Key', value]], filename))).toBe(key);
  });

  test('is needed, not empty, not too long, and UTF-8', () => {
    expect(refusal(() => postKey(fieldsOf([])))).toMatchObject({
      code: 'InvalidArgument',
      message:
        "Bucket POST must contain a field named 'key'.  If it is specified, please check the order of the fields.",
      details: { ArgumentName: 'key', ArgumentValue: '' },
    });
    expect(refusal(() => postKey(fieldsOf([['key', '']]))).code).toBe('InvalidArgument');
    expect(refusal(() => postKey(fieldsOf([['key', $filename]], ''))).code).toBe('InvalidArgument');
    expect(refusal(() => postKey(fieldsOf([['key', 'ü'.repeat(513)]]))).code).toBe('KeyTooLongError');
    expect(refusal(() => fieldsOf([['key', Buffer.from([0xff])]])).code).toBe('InvalidArgument');
  });
});

describe('fields', () => {
  test('are found by any case of their name, and keep it for messages', () => {
    expect(fieldsOf([['X-Amz-Meta-A', 'b']]).get('x-amz-meta-a')).toEqual({
      name: 'X-Amz-Meta-A',
      value: 'b',
    });
  });

  test('that repeat are one list in user metadata, and refused elsewhere', () => {
    const joined = fieldsOf([
      ['x-amz-meta-tag', 'Ninja'],
      ['X-AMZ-META-TAG', 'Stallman'],
    ]);
    expect(joined.get('x-amz-meta-tag')?.value).toBe('Ninja,Stallman');
    for (const name of ['key', 'acl', 'policy', 'x-amz-signature', 'x-amz-credential', 'bucket', 'submit'])
      expect(
        refusal(() =>
          fieldsOf([
            [name, 'a'],
            [name.toUpperCase(), 'a'],
          ]),
        ),
      ).toMatchObject({
        code: 'InvalidArgument',
        message: `The form field \`${name.toUpperCase()}\` comes more than once.`,
      });
  });

  test('that S3 ignores are not looked at', () => {
    const fields = fieldsOf([
      ['x-ignore-a', Buffer.from([0xff])],
      ['X-Ignore-A', 'again'],
    ]);
    expect([...fields]).toEqual([]);
  });

  test('of the signature are not expanded', () => {
    expect(fieldsOf([['policy', $filename]], 'x').get('policy')?.value).toBe($filename);
  });
});

describe('the request that a form stands for', () => {
  const wire = parseWireRequest('POST', '/bucket', [
    'Host',
    'gateway.example.com',
    'Content-Type',
    'multipart/form-data; boundary=x',
    'Content-Length',
    '100',
    'User-Agent',
    'browser',
    'Referer',
    'https://page.example.com/',
    'Origin',
    'https://page.example.com',
    'Cache-Control',
    'max-age=0',
    'Cookie',
    'a=b',
    'Authorization',
    'Basic YTpi',
  ]);
  const headersOf = (fields: readonly (readonly [string, string])[], filename?: string) =>
    Object.fromEntries(requestOfForm(wire, fieldsOf(fields, filename)).headers.entries());
  const kept = {
    host: 'gateway.example.com',
    'user-agent': 'browser',
    referer: 'https://page.example.com/',
    origin: 'https://page.example.com',
  };

  test('has the headers that the fields name, and of its own only those that say who asks', () => {
    expect(
      headersOf(
        [
          ['key', 'k'],
          ['acl', 'private'],
          ['Content-Type', 'image/jpeg'],
          ['Content-Disposition', `attachment; filename="${$filename}"`],
          ['Cache-Control', 'no-store'],
          ['Content-Encoding', 'br'],
          ['Content-Language', 'de'],
          ['Content-MD5', '1B2M2Y8AsgTpgAmY7PhCfg=='],
          ['Expires', 'Thu, 01 Jan 2026 00:00:00 GMT'],
        ],
        'a.jpg',
      ),
    ).toEqual({
      ...kept,
      'x-amz-acl': 'private',
      'content-type': 'image/jpeg',
      'content-disposition': 'attachment; filename="a.jpg"',
      'cache-control': 'no-store',
      'content-encoding': 'br',
      'content-language': 'de',
      'content-md5': '1B2M2Y8AsgTpgAmY7PhCfg==',
      expires: 'Thu, 01 Jan 2026 00:00:00 GMT',
    });
  });

  test('has x-amz- fields as they are, but for the signature', () => {
    expect(
      headersOf([
        ['X-Amz-Meta-Name', ' ü '],
        ['x-amz-storage-class', 'STANDARD'],
        ['x-amz-checksum-algorithm', 'CRC32'],
        ['x-amz-checksum-crc32', 'AAAAAA=='],
        ['x-amz-signature', 's'],
        ['x-amz-credential', 'c'],
        ['x-amz-date', 'd'],
        ['x-amz-algorithm', 'a'],
        ['x-amz-security-token', 't'],
        ['policy', 'p'],
        ['submit', 'Upload'],
        ['host', 'elsewhere'],
        ['authorization', 'AWS4'],
        ['transfer-encoding', 'chunked'],
        ['content-length', '5'],
        ['if-none-match', '*'],
      ]),
    ).toEqual({
      ...kept,
      'x-amz-meta-name': Buffer.from('ü').toString('latin1'),
      'x-amz-storage-class': 'STANDARD',
      'x-amz-sdk-checksum-algorithm': 'CRC32',
      'x-amz-checksum-crc32': 'AAAAAA==',
    });
  });

  test('has the tags of the XML, encoded as a header', () => {
    const xml =
      '<Tagging><TagSet><Tag><Key>a b</Key><Value>1&amp;2</Value></Tag><Tag><Key>c</Key><Value></Value></Tag></TagSet></Tagging>';
    expect(headersOf([['tagging', xml]])).toEqual({ ...kept, 'x-amz-tagging': 'a%20b=1%262&c=' });
    expect(refusal(() => headersOf([['tagging', 'not-xml']])).code).toBe('MalformedXML');
  });

  test('leaves out what an empty input says, but for user metadata', () => {
    expect(
      headersOf([
        ['Content-Type', ''],
        ['x-amz-storage-class', ''],
        ['x-amz-meta-a', ''],
      ]),
    ).toEqual({
      ...kept,
      'x-amz-meta-a': '',
    });
  });

  test.each<[string, readonly (readonly [string, string])[], string]>([
    ['a line break', [['x-amz-meta-a', 'a\r\nx-amz-acl: public-read']], 'InvalidArgument'],
    ['a bare line feed', [['Content-Type', 'a\nb']], 'InvalidArgument'],
    ['a null byte', [['Cache-Control', 'a\u0000']], 'InvalidArgument'],
    [
      'two names of one header',
      [
        ['acl', 'private'],
        ['x-amz-acl', 'private'],
      ],
      'InvalidArgument',
    ],
    [
      'two names of the tags',
      [
        ['x-amz-tagging', 'a=b'],
        ['tagging', '<Tagging><TagSet/></Tagging>'],
      ],
      'InvalidArgument',
    ],
    ['a declared hash', [['x-amz-content-sha256', 'UNSIGNED-PAYLOAD']], 'NotImplemented'],
    ['a name that is no header', [['x-amz-meta-a b', 'c']], 'NotImplemented'],
    ['a name with a line break', [['x-amz-meta-a\r\nhost', 'c']], 'NotImplemented'],
  ])('%s is refused', (_, fields, code) => {
    expect(refusal(() => headersOf(fields)).code).toBe(code);
  });

  test.each<[string, string]>([
    ['x-amz-acl', 'public-read'],
    ['x-amz-meta-a', 'b'],
    ['x-amz-copy-source', 'b/k'],
    ['content-md5', '1B2M2Y8AsgTpgAmY7PhCfg=='],
    ['content-encoding', 'gzip'],
    ['x-amz-content-sha256', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  ])('the header %s beside a form is refused', (name, value) => {
    const request = parseWireRequest('POST', '/bucket', ['Host', 'h', name, value]);
    expect(refusal(() => requestOfForm(request, fieldsOf([])))).toMatchObject({
      code: 'InvalidRequest',
      message: 'Conflicting values provided in HTTP headers and POST form fields.',
    });
  });
});

describe('what a success is answered', () => {
  test.each<[Record<string, string>, ReturnType<typeof postSuccess>]>([
    [{}, { kind: 'status', status: 204 }],
    [{ success_action_status: '200' }, { kind: 'status', status: 200 }],
    [{ success_action_status: '201' }, { kind: 'status', status: 201 }],
    [{ success_action_status: '204' }, { kind: 'status', status: 204 }],
    [{ success_action_status: '404' }, { kind: 'status', status: 204 }],
    [
      { success_action_redirect: 'https://a.example.com/x' },
      { kind: 'redirect', url: 'https://a.example.com/x' },
    ],
    [{ redirect: 'http://a.example.com' }, { kind: 'redirect', url: 'http://a.example.com' }],
    [
      {
        redirect: 'http://a.example.com',
        success_action_redirect: 'http://b.example.com',
        success_action_status: '201',
      },
      { kind: 'redirect', url: 'http://b.example.com' },
    ],
    [{ success_action_redirect: '/wrong/redirect/relative' }, { kind: 'status', status: 204 }],
    [
      { success_action_redirect: '//a.example.com', success_action_status: '200' },
      { kind: 'status', status: 200 },
    ],
    [{ success_action_redirect: 'javascript:alert(1)' }, { kind: 'status', status: 204 }],
    [
      { success_action_redirect: 'http://a.example.com/\r\nSet-Cookie: a=b' },
      { kind: 'status', status: 204 },
    ],
    [{ success_action_redirect: '' }, { kind: 'status', status: 204 }],
  ])('%j', (fields, success) => {
    expect(postSuccess(fieldsOf(Object.entries(fields)))).toEqual(success);
  });

  test.each([
    ['https://a.example.com/done', 'https://a.example.com/done?bucket=b&key=x%2Fa+b.jpg&etag=%2247371919%22'],
    [
      'https://a.example.com/done?md5=1',
      'https://a.example.com/done?md5=1&bucket=b&key=x%2Fa+b.jpg&etag=%2247371919%22',
    ],
    [
      'https://a.example.com/done#part',
      'https://a.example.com/done?bucket=b&key=x%2Fa+b.jpg&etag=%2247371919%22#part',
    ],
  ])('bucket, key and etag are appended to %s', (url, location) => {
    expect(redirectLocation(url, { bucket: 'b', key: 'x/a b.jpg', etag: '"47371919"' })).toBe(location);
  });
});
