import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { renderS3AccessLogLine, renderS3AccessLogLines, type AccessRecord } from '../../src/audit/index.ts';
import { S3_OPERATION_NAMES } from '../../src/audit/s3-operation-names.ts';
import { OPERATIONS } from '../../src/s3/index.ts';
import { CANONICAL_ID, SAMPLE } from './sample-record.ts';

const options = { canonicalUserId: () => CANONICAL_ID };

/** The pattern that the S3 user guide gives for Athena. */
const ATHENA =
  /^([^ ]*) ([^ ]*) \[(.*?)\] ([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*) ("[^"]*"|-) (-|[0-9]*) ([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*) ("[^"]*"|-) ([^ ]*)(?: ([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*) ([^ ]*))?.*$/;

/** Reads a line as log readers do that know `\` as an escape: bracketed, quoted and plain fields. */
function readFields(line: string): readonly string[] {
  const fields: string[] = [];
  const form = /\[([^\]]*)\]|"((?:[^"\\]|\\.)*)"|([^ "[\]]\S*)/y;
  for (let at = 0; at < line.length; at = form.lastIndex + 1) {
    form.lastIndex = at;
    const match = form.exec(line);
    if (match === null) throw new Error(`unreadable at ${at}: ${line}`);
    if (form.lastIndex < line.length && line[form.lastIndex] !== ' ')
      throw new Error(`no end at ${at}: ${line}`);
    fields.push(match[1] ?? match[2] ?? match[3] ?? '');
  }
  return fields;
}

const FIELDS = 27;

function renderedField(changes: Partial<AccessRecord>, index: number): string {
  return readFields(renderS3AccessLogLine({ ...SAMPLE, ...changes }, options))[index] ?? '';
}

describe('the S3 server access log format', () => {
  test('an example of the documentation, field for field', () => {
    expect(renderS3AccessLogLine(SAMPLE, options)).toBe(
      `${CANONICAL_ID} amzn-s3-demo-bucket1 [06/Feb/2019:00:01:57 +0000] 192.0.2.3 ${CANONICAL_ID} DD6CC733AEXAMPLE REST.PUT.OBJECT s3-dg.pdf "PUT /amzn-s3-demo-bucket1/s3-dg.pdf HTTP/1.1" 200 - - 4406583 41754 28 "-" "S3Console/0.4" - 10S62Zv81kBW7BB6SX4XJ48o6kpcl6LPwEoizZQQxJd5qDSCTLX0TgS37kYUBKQW3+bPdrg1234= SigV4 ECDHE-RSA-AES128-SHA AuthHeader amzn-s3-demo-bucket1.s3.us-west-1.amazonaws.com TLSv1.2 - - -`,
    );
  });

  test('what is absent is `-`', () => {
    const line = renderS3AccessLogLine(
      {
        time: 0,
        requestId: 'R',
        remoteAddress: '::1',
        bytesReceived: 0,
        bytesSent: 0,
        totalTimeMs: 1.6,
        outcome: 'malformed',
      },
      options,
    );
    expect(line).toBe(
      '- - [01/Jan/1970:00:00:00 +0000] ::1 - R - - - - - - - 2 - "-" "-" - - - - - - - - - -',
    );
    expect(readFields(line)).toHaveLength(FIELDS);
  });

  test('the requester is the ARN, the canonical id for root, `-` for nobody', () => {
    expect(renderedField({ principal: 'arn:aws:iam::123456789012:user/team a/ann' }, 4)).toBe(
      'arn:aws:iam::123456789012:user/team%20a/ann',
    );
    expect(renderedField({ principal: 'arn:aws:iam::123456789012:root' }, 4)).toBe(CANONICAL_ID);
    expect(renderedField({ principal: 'anonymous' }, 4)).toBe('-');
    expect(renderedField({ principal: undefined }, 4)).toBe('-');
  });

  test('keys are encoded twice, as S3 does', () => {
    expect(renderedField({ key: 'photos/2019/puppy.jpg' }, 7)).toBe('photos/2019/puppy.jpg');
    expect(renderedField({ key: 'foo bar' }, 7)).toBe('foo%2520bar');
    expect(renderedField({ key: 'foo-%Y' }, 7)).toBe('foo-%2525Y');
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (text) => {
        expect(decodeURIComponent(decodeURIComponent(renderedField({ key: text }, 7)))).toBe(text);
      }),
    );
  });

  test('a copy has a second line for what was read, in the bucket of the source', () => {
    const record: AccessRecord = {
      ...SAMPLE,
      operation: 'CopyObject',
      copySource: { bucket: 'source', key: 'a b', versionId: 'v1', bucketOwner: '210987654321' },
    };
    const owners = { canonicalUserId: (account: string) => `id-of-${account}` };
    const [put, get, ...rest] = renderS3AccessLogLines(record, owners).map(readFields);
    expect(rest).toEqual([]);
    expect([put?.[1], put?.[6], put?.[7]]).toEqual(['amzn-s3-demo-bucket1', 'REST.COPY.OBJECT', 's3-dg.pdf']);
    expect([get?.[0], get?.[1], get?.[6], get?.[7], get?.[17]]).toEqual([
      'id-of-210987654321',
      'source',
      'REST.COPY.OBJECT_GET',
      'a%2520b',
      'v1',
    ]);
  });

  test('DeleteObjects has one line for each key, which S3 encodes once there', () => {
    const record: AccessRecord = {
      ...SAMPLE,
      operation: 'DeleteObjects',
      method: 'POST',
      target: '/b?delete',
      key: undefined,
      entries: [
        { key: 'a b', versionId: 'v', status: 204 },
        { key: 'c', status: 403, errorCode: 'AccessDenied' },
      ],
    };
    const lines = renderS3AccessLogLines(record, options).map(readFields);
    expect(lines.map((line) => [line[6], line[7], line[9], line[10], line[17]])).toEqual([
      ['REST.POST.MULTI_OBJECT_DELETE', '-', '200', '-', '-'],
      ['BATCH.DELETE.OBJECT', 'a%20b', '204', '-', 'v'],
      ['BATCH.DELETE.OBJECT', 'c', '403', 'AccessDenied', '-'],
    ]);
  });

  test('every operation has a name, with its own method or COPY', () => {
    const wrong = Object.entries(OPERATIONS).filter(([name, { method }]) => {
      const logged = S3_OPERATION_NAMES[name as keyof typeof OPERATIONS];
      return !new RegExp(`^(?:${method}|COPY)\\.[A-Z_]+$`).test(logged);
    });
    expect(wrong).toEqual([]);
  });
});

describe('whatever a client sends', () => {
  const hostile = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({
      unit: fc.constantFrom(
        ' ',
        '"',
        '\\',
        '\r',
        '\n',
        '\0',
        '[',
        ']',
        '%',
        '\u007f',
        '\u0085',
        '\u2028',
        'é',
        'a',
        '-',
      ),
    }),
  );
  const record = fc.record({
    method: hostile,
    target: hostile,
    httpVersion: hostile,
    host: hostile,
    referer: hostile,
    userAgent: hostile,
    bucket: hostile,
    key: hostile,
    versionId: hostile,
    principal: hostile,
    errorCode: hostile,
    requestId: hostile,
    remoteAddress: hostile,
  });

  test('a record is one line of visible ASCII with the same number of fields', () => {
    fc.assert(
      fc.property(record, (fields) => {
        const line = renderS3AccessLogLine({ ...SAMPLE, ...fields }, options);
        expect(line).toMatch(/^[ -~]+$/);
        expect(readFields(line)).toHaveLength(FIELDS);
        const athena = ATHENA.exec(line);
        expect(athena?.[6]).toBe(readFields(line)[5]);
        expect(athena?.[7]).toBe('REST.PUT.OBJECT');
        expect(athena?.[10]).toBe('200');
        expect(athena?.[14]).toBe('41754');
        expect(athena?.[20]).toBe('SigV4');
        expect(athena?.[24]).toBe('TLSv1.2');
      }),
      { numRuns: 1000 },
    );
  });

  test('a quote, a line end and a backslash in headers are escaped', () => {
    const line = renderS3AccessLogLine(
      { ...SAMPLE, userAgent: 'a"b\r\nc\\', referer: 'http://x/ y"', target: '/a"b c' },
      options,
    );
    expect(line).toContain('"PUT /a%22b%20c HTTP/1.1"');
    expect(line).toContain(' "http://x/%20y%22" "a%22b%0D%0Ac%5C" ');
  });

  test('bytes beyond ASCII are the bytes that were sent', () => {
    const latin1 = Buffer.from('ü', 'utf8').toString('latin1');
    expect(renderS3AccessLogLine({ ...SAMPLE, userAgent: latin1 }, options)).toContain('"%C3%BC"');
  });

  test('signatures are redacted in the request URI and in the referer', () => {
    const line = renderS3AccessLogLine(
      { ...SAMPLE, target: '/b/k?X-Amz-Signature=hunter2', referer: 'https://h/k?Signature=hunter2' },
      options,
    );
    expect(line).toContain('"PUT /b/k?X-Amz-Signature=REDACTED HTTP/1.1"');
    expect(line).toContain('"https://h/k?Signature=REDACTED"');
    expect(line).not.toContain('hunter2');
  });
});
