/** Where the fields and the file of a form begin and end, however its bytes come. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FormFileParser, FormHeadParser, parseFormBoundary, S3Error } from '../../src/s3/index.ts';
import { BOUNDARY, formBody, type Field, type FormParts } from '../support/raw-form.ts';

interface ReadForm {
  readonly fields: readonly (readonly [string, string])[];
  readonly filename: string | undefined;
  readonly file: Buffer;
  readonly length: number;
}

/** As the gateway reads it: pieces in their order, then the end. */
function read(pieces: readonly Buffer[], boundary = BOUNDARY): ReadForm {
  const parser = new FormHeadParser(boundary);
  const file = new FormFileParser(boundary);
  const out: Buffer[] = [];
  let head: ReturnType<FormHeadParser['push']>;
  for (const piece of pieces) {
    if (head !== undefined) out.push(Buffer.from(file.push(piece)));
    else {
      head = parser.push(piece);
      if (head !== undefined) out.push(Buffer.from(file.push(head.rest)));
    }
  }
  if (head === undefined) throw new S3Error('MalformedPOSTRequest', { reason: 'cut short before the file' });
  file.finish();
  return {
    fields: head.fields.map(({ name, value }) => [name, value.toString('latin1')] as const),
    filename: head.filename,
    file: Buffer.concat(out),
    length: head.length,
  };
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

function splitAt(data: Buffer, cuts: readonly number[]): Buffer[] {
  const at = [...new Set(cuts)].filter((cut) => cut > 0 && cut < data.length).sort((a, b) => a - b);
  return [0, ...at].map((from, i) => data.subarray(from, at[i] ?? data.length));
}

const FIELDS: readonly Field[] = [
  ['key', 'photos/${filename}'],
  ['empty', ''],
  ['x-amz-meta-lines', 'one\r\ntwo\r\n--three\r\n'],
];
/** The file begins a delimiter again and again. */
const FILE = `\r\n--${BOUNDARY.slice(0, -1)}\r\n\r\r\n-\r\n--${BOUNDARY.slice(0, 5)}\r\n`;
const FORM: FormParts = { fields: FIELDS, file: FILE, filename: 'a.jpg' };

const WHOLE = { fields: FIELDS, filename: 'a.jpg', file: FILE };

function textOf({ fields, filename, file }: ReadForm): object {
  return { fields, filename, file: file.toString() };
}

describe('a form is read the same way', () => {
  const { body, fileStart } = formBody(FORM);

  test('in one piece', () => {
    const form = read([body]);
    expect(textOf(form)).toEqual(WHOLE);
    expect(form.length).toBe(fileStart);
  });

  test('cut in two at every byte', () => {
    for (let cut = 1; cut < body.length; cut++) expect(textOf(read(splitAt(body, [cut])))).toEqual(WHOLE);
  });

  test('byte by byte', () => {
    expect(textOf(read(Array.from(body, (_, i) => body.subarray(i, i + 1))))).toEqual(WHOLE);
  });

  test('cut anywhere, with any fields, file and boundary', () => {
    const boundary = fc.stringMatching(/^[0-9A-Za-z'()+_,./:=?-]{1,70}$/);
    const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
    const mean = fc
      .array(fc.constantFrom('\r', '\n', '-', '--', '\r\n--', 'b', 'a'))
      .map((list) => list.join(''));
    fc.assert(
      fc.property(
        boundary,
        fc.array(
          fc.tuple(
            fc.stringMatching(/^[a-z-]{1,12}$/),
            fc.oneof(
              bytes,
              mean.map((text) => Buffer.from(text)),
            ),
          ),
          {
            maxLength: 5,
          },
        ),
        fc.oneof(
          bytes,
          mean.map((text) => Buffer.from(text)),
        ),
        fc.array(fc.nat(3000), { maxLength: 12 }),
        fc.constantFrom('', '\r\n', '\r\nepilogue'),
        (text, fields, file, cuts, end) => {
          const delimiter = `\r\n--${text}`;
          // A part must not hold its own delimiter.
          fc.pre(
            ![...fields.map(([, value]) => value), file].some((part) =>
              `\r\n${part.toString('latin1')}\r`.includes(delimiter),
            ),
          );
          fc.pre(fields.every(([name]) => name !== 'file'));
          const { body: whole } = formBody({ fields, file, boundary: text, end });
          const form = read(splitAt(whole, cuts), text);
          expect(form.file.equals(file)).toBe(true);
          expect(form.fields).toEqual(fields.map(([name, value]) => [name, value.toString('latin1')]));
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('with one line break before the first boundary, and with fields behind the file', () => {
    expect(textOf(read([Buffer.from('\r\n'), body]))).toEqual(WHOLE);
    const behind = formBody({
      ...FORM,
      behind: [
        ['key', 'another'],
        ['file', 'another'],
      ],
    });
    expect(textOf(read([behind.body]))).toEqual(WHOLE);
    for (let cut = 1; cut < behind.body.length; cut++)
      expect(textOf(read(splitAt(behind.body, [cut])))).toEqual(WHOLE);
  });
});

describe('what is held back', () => {
  test('no byte comes out that could begin the delimiter, at any cut', () => {
    const { body, fileStart, fileEnd } = formBody(FORM);
    const file = Buffer.from(FILE);
    for (let end = fileStart; end <= body.length; end++) {
      const parser = new FormFileParser(BOUNDARY);
      const out = parser.push(body.subarray(fileStart, end));
      expect(file.subarray(0, out.length).equals(out)).toBe(true);
      expect(out.length).toBeLessThanOrEqual(fileEnd - fileStart);
    }
  });

  test('a form that is cut short is refused, wherever', () => {
    const { body } = formBody({ ...FORM, end: '' });
    for (let end = 0; end < body.length; end++)
      expect(refusal(() => read([body.subarray(0, end)])).code).toBe('MalformedPOSTRequest');
    // The line break behind the last boundary is optional, but is whole.
    expect(refusal(() => read([body, Buffer.from('\r')])).code).toBe('MalformedPOSTRequest');
    expect(textOf(read([body]))).toEqual(WHOLE);
  });
});

describe('what two parsers could read differently is refused', () => {
  const head = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n`;
  const key = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="key"\r\n\r\nk\r\n`;
  const end = `\r\n--${BOUNDARY}--\r\n`;

  test.each([
    ['a preamble', `preamble\r\n${head}x${end}`],
    ['another boundary', `--other\r\nContent-Disposition: form-data; name="file"\r\n\r\nx\r\n--other--\r\n`],
    [
      'a longer boundary in the fields',
      `${key.replace('\r\nk', `\r\nk\r\n--${BOUNDARY}x\r\ny`)}${head}x${end}`,
    ],
    ['a longer boundary in the file', `${head}x\r\n--${BOUNDARY}x\r\ny${end}`],
    ['white space behind a boundary', `${key}${head.replace('\r\n', ' \r\n')}x${end}`],
    ['one dash behind the last boundary', `${head}x\r\n--${BOUNDARY}-\r\n`],
    ['text behind the last boundary', `${head}x\r\n--${BOUNDARY}--x`],
    ['bare line feeds', `${head}x${end}`.replaceAll('\r\n', '\n')],
    ['a part without headers', `--${BOUNDARY}\r\n\r\nx\r\n${head}x${end}`],
    ['no Content-Disposition', `--${BOUNDARY}\r\nContent-Type: text/plain\r\n\r\nx\r\n${head}x${end}`],
    [
      'two Content-Dispositions',
      `${head.replace('\r\n\r\n', '\r\nContent-Disposition: form-data; name="key"\r\n\r\n')}x${end}`,
    ],
    ['another disposition', `${head.replace('form-data', 'file')}x${end}`],
    ['two names', `${head.replace('name="file"', 'name="file"; name="key"')}x${end}`],
    ['no name', `${head.replace('name="file"; ', '')}x${end}`],
    ['a folded header', `${head.replace('; filename', ';\r\n filename')}x${end}`],
    ['a header without colon', `${head.replace('\r\n\r\n', '\r\nX\r\n\r\n')}x${end}`],
    ['a space before the colon', `${head.replace('Disposition:', 'Disposition :')}x${end}`],
    ['an open quote', `${head.replace('filename="a"', 'filename="a')}x${end}`],
    ['text behind a quote', `${head.replace('filename="a"', 'filename="a"b')}x${end}`],
    ['a control character', `${head.replace('"a"', '"a\u0000"')}x${end}`],
    ['a bare carriage return', `${head.replace('"a"', '"a\rb"')}x${end}`],
    ['base64', `${head.replace('\r\n\r\n', '\r\nContent-Transfer-Encoding: base64\r\n\r\n')}x${end}`],
  ])('%s', (_, text) => {
    expect(refusal(() => read([Buffer.from(text, 'latin1')]))).toMatchObject({
      code: 'MalformedPOSTRequest',
      status: 400,
      message: 'The body of your POST request is not well-formed multipart/form-data.',
    });
  });

  test('a name that is not UTF-8', () => {
    const text = head.replace('filename="a"', 'filename="\u00ff"');
    expect(refusal(() => read([Buffer.from(text, 'latin1')])).code).toBe('MalformedPOSTRequest');
  });
});

describe('headers of a part', () => {
  // WHATWG HTML, "multipart/form-data encoding algorithm"; RFC 7578, section 4.2.
  test.each([
    ['Content-Disposition: form-data; name="file"; filename="a b.jpg"', 'a b.jpg'],
    ['Content-Disposition: form-data; name="file"; filename=""', ''],
    ['Content-Disposition: form-data; name="file"', undefined],
    ['content-disposition:form-data;name=file;filename=plain.txt', 'plain.txt'],
    ['CONTENT-DISPOSITION: FORM-DATA; NAME="FILE"; FILENAME="up"', 'up'],
    ['Content-Disposition: form-data; filename="before"; name="file"', 'before'],
    ['Content-Disposition: form-data; name="file"; filename="C:\\dir\\a.txt"', 'C:\\dir\\a.txt'],
    ['Content-Disposition: form-data; name="file"; filename="a%22b"', 'a%22b'],
    ['Content-Disposition: form-data; name="file"; filename="a\\"b"', 'a"b'],
    ['Content-Disposition: form-data; name="file"; filename="a;b=c.txt"', 'a;b=c.txt'],
    ['Content-Disposition: form-data; name="file"; filename="日本.txt"', '日本.txt'],
    [
      'X-Other: ignored\r\nContent-Disposition: form-data; name="file"; filename="x"\r\nContent-Type: a/b',
      'x',
    ],
    // RFC 7578 forbids it, so that it names nothing.
    [`Content-Disposition: form-data; name="file"; filename*=UTF-8''x.txt`, undefined],
  ])('%s', (disposition, filename) => {
    expect(filenameOf(disposition)).toBe(filename);
  });
});

describe('limits', () => {
  test('20 KB beside the file, to the byte', () => {
    expect(read([formOf(20_480)]).length).toBe(20_480);
    expect(read(splitAt(formOf(20_480), [4095, 4096, 20_479])).length).toBe(20_480);
    for (const pieces of [[formOf(20_481)], splitAt(formOf(20_481), [1, 20_480])])
      expect(refusal(() => read(pieces))).toMatchObject({
        code: 'MaxPostPreDataLengthExceeded',
        status: 400,
        details: { MaxPostPreDataLengthBytes: '20480' },
      });
  });

  test('as much behind it', () => {
    expect(read([formWithBehind(20_000)]).file.toString()).toBe('y');
    expect(refusal(() => read([formWithBehind(20_481)])).code).toBe('MaxPostPreDataLengthExceeded');
  });

  test('a form without a file', () => {
    const text = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="key"\r\n\r\nk\r\n--${BOUNDARY}--\r\n`;
    expect(refusal(() => read([Buffer.from(text)]))).toMatchObject({
      code: 'InvalidArgument',
      message: 'POST requires exactly one file upload per request.',
      details: { ArgumentName: 'file', ArgumentValue: '0' },
    });
  });
});

describe('the boundary', () => {
  test.each([
    ['multipart/form-data; boundary=abc', 'abc'],
    ['Multipart/Form-Data;BOUNDARY="a b:c"; charset=utf-8', 'a b:c'],
    ['multipart/form-data; charset=utf-8; boundary=----x', '----x'],
    [`multipart/form-data; boundary=${'x'.repeat(70)}`, 'x'.repeat(70)],
  ])('%s', (contentType, boundary) => {
    expect(parseFormBoundary(contentType)).toBe(boundary);
  });

  test.each([
    'multipart/form-data',
    'multipart/form-data; boundary=',
    'multipart/form-data; boundary=""',
    'multipart/form-data; boundary="a "',
    'multipart/form-data; boundary=a; boundary=b',
    'multipart/form-data; boundary=a,multipart/form-data; boundary=a',
    'multipart/form-data; boundary=a"b',
    'multipart/form-data; boundary=ü',
    'multipart/form-data; boundary="a\rb"',
    `multipart/form-data; boundary=${'x'.repeat(71)}`,
  ])('%s is none', (contentType) => {
    expect(refusal(() => parseFormBoundary(contentType)).code).toBe('MalformedPOSTRequest');
  });

  test.each([undefined, '', 'text/html', 'application/x-www-form-urlencoded', 'multipart/mixed; boundary=a'])(
    'a Content-Type of %s is no form',
    (contentType) => {
      expect(refusal(() => parseFormBoundary(contentType))).toMatchObject({
        code: 'PreconditionFailed',
        status: 412,
        details: { Condition: 'Bucket POST must be of the enclosure-type multipart/form-data' },
      });
    },
  );
});

/** The name of the file in a form of nothing else. */
function filenameOf(disposition: string): string | undefined {
  return read([Buffer.from(`--${BOUNDARY}\r\n${disposition}\r\n\r\nx\r\n--${BOUNDARY}--\r\n`)]).filename;
}

/** With that many bytes before the file. */
function formOf(size: number): Buffer {
  const { fileStart } = formBody({ fields: [['a', '']], file: '' });
  return formBody({ fields: [['a', 'x'.repeat(size - fileStart)]], file: 'y'.repeat(100_000) }).body;
}

/** With a field of that many bytes behind the file. */
function formWithBehind(size: number): Buffer {
  return formBody({ fields: [], file: 'y', behind: [['submit', 'x'.repeat(size)]] }).body;
}
