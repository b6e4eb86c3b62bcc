import { createHash } from 'node:crypto';
import { open, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { REGION } from '../gateway.ts';
import { expectThreeParts } from '../observer.ts';
import { printedVersion, runOrThrow } from '../process.ts';
import {
  BIG_KEY,
  COPY_KEY,
  DENIED_KEY,
  expectEqual,
  expectSameBytes,
  expectText,
  MANY_NAMES,
  MANY_PREFIX,
  PART_SIZE,
  RANGE,
  SMALL_KEY,
  type Story,
  type StoryClient,
  type Transfer,
} from '../story.ts';
import type { Credentials } from '../target.ts';
import { oddKeys } from './odd-keys.ts';

/**
 * curl signs by itself (`--aws-sigv4`), but adds `x-amz-content-sha256` only since 8.0 and sorts the query only since
 * 8.1: both are given here as the oldest wants them. `-T` sends `Expect: 100-continue`.
 */
export const curl: StoryClient = {
  name: 'curl',
  tool: 'curl',
  version: (program) => printedVersion(program, '--version'),
  steps: {
    async 'make bucket'(story) {
      await expectStatus(story, 200, ...sending('PUT'), url(story));
    },
    async put(story) {
      const hash = createHash('sha256')
        .update(await readFile(story.files.small))
        .digest('hex');
      const args = ['-H', `x-amz-content-sha256: ${hash}`, '-T', story.files.small, url(story, SMALL_KEY)];
      const answer = await send(story, story.target.admin, [...args, '-H', 'x-amz-meta-origin: contract']);
      if (answer.status !== 200) throw new Error(`expected 200, found ${answer.status}: ${answer.text}`);
    },
    async get(story) {
      const { body } = await expectStatus(story, 200, url(story, SMALL_KEY));
      expectEqual(body, await readFile(story.files.small), 'get');
    },
    async 'range get'(story) {
      const { body } = await expectStatus(
        story,
        206,
        '-r',
        `${RANGE.first}-${RANGE.last}`,
        url(story, SMALL_KEY),
      );
      const expected = (await readFile(story.files.small)).subarray(RANGE.first, RANGE.last + 1);
      expectEqual(body, expected, 'range get');
    },
    'put from a pipe': { unable: 'curl sends a pipe without Content-Length, and S3 wants one' },
    async list(story) {
      const { text } = await expectStatus(story, 200, url(story, '', 'list-type=2&prefix=reports%2F'));
      expectText(text, [`<Key>${SMALL_KEY}</Key>`, '<KeyCount>1</KeyCount>']);
    },
    'odd keys': oddKeys({
      roundTrip,
      async list(story) {
        const { text } = await expectStatus(story, 200, url(story, '', 'encoding-type=url&list-type=2'));
        const keys = textOf(text);
        // versitygw 1.8 lists keys as they are.
        const isEncoded = text.includes('<EncodingType>url</EncodingType>');
        return isEncoded ? decodeURIComponent(keys.replaceAll('+', ' ')) : keys;
      },
      async remove(story, key) {
        await expectStatus(story, 204, '-X', 'DELETE', url(story, key));
      },
    }),
    async multipart(story) {
      const created = await expectStatus(story, 200, ...sending('POST'), url(story, BIG_KEY, 'uploads='));
      const id = /<UploadId>(?<id>[^<]+)<\/UploadId>/.exec(created.text)?.groups?.['id'];
      if (id === undefined) throw new Error(`no UploadId in: ${created.text}`);
      const uploadId = `uploadId=${encodeURIComponent(id)}`;
      const parts: string[] = [];
      for (const [index, file] of (await splitBig(story)).entries()) {
        const part = url(story, BIG_KEY, `partNumber=${index + 1}&${uploadId}`);
        const { etag } = await expectStatus(story, 200, '-T', file, part);
        parts.push(`<Part><PartNumber>${index + 1}</PartNumber><ETag>${etag}</ETag></Part>`);
      }
      const xml = `<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`;
      const done = await expectStatus(story, 200, ...sending('POST', xml), url(story, BIG_KEY, uploadId));
      expectText(done.text, ['<CompleteMultipartUploadResult'], ['<Error>']);
      const path = join(story.folder, 'big.out');
      await expectStatus(story, 200, '-o', path, url(story, BIG_KEY));
      await expectSameBytes(path, story.files.big);
      await expectThreeParts(story, BIG_KEY, (await stat(path)).size);
    },
    async copy(story) {
      const source = `x-amz-copy-source: /${story.bucket}/${encodePath(SMALL_KEY)}`;
      const { text } = await expectStatus(story, 200, ...sending('PUT'), '-H', source, url(story, COPY_KEY));
      expectText(text, ['<CopyObjectResult']);
      const { body } = await expectStatus(story, 200, url(story, COPY_KEY));
      expectEqual(body, await readFile(story.files.small), 'copy');
    },
    async 'delete many'(story) {
      for (const name of MANY_NAMES)
        await expectStatus(story, 200, '-T', join(story.files.many, name), url(story, MANY_PREFIX + name));
      const objects = MANY_NAMES.map((name) => `<Object><Key>${MANY_PREFIX}${name}</Key></Object>`);
      const xml = `<Delete>${objects.join('')}</Delete>`;
      const md5 = `content-md5: ${createHash('md5').update(xml).digest('base64')}`;
      const deleted = await expectStatus(
        story,
        200,
        ...sending('POST', xml),
        '-H',
        md5,
        url(story, '', 'delete='),
      );
      expectText(
        deleted.text,
        MANY_NAMES.map((name) => `<Key>${MANY_PREFIX}${name}</Key>`),
        ['<Error>'],
      );
      const left = await expectStatus(story, 200, url(story, '', 'list-type=2'));
      expectText(left.text, [SMALL_KEY], [MANY_PREFIX]);
    },
    'presigned get': { unable: 'curl signs headers only' },
    'presigned put': { unable: 'curl signs headers only' },
    async denial(story) {
      const reader = await story.target.issueReader(story.bucket);
      const read = await send(story, reader, [...UNSIGNED, url(story, SMALL_KEY)]);
      expectEqual(read.body, await readFile(story.files.small), 'the allowed read');
      const write = await send(story, reader, [...UNSIGNED, '-T', story.files.small, url(story, DENIED_KEY)]);
      expectText(`${write.status} ${write.text}`, ['403', '<Code>AccessDenied</Code>']);
      await expectStatus(story, 404, url(story, DENIED_KEY));
    },
    async 'wrong secret'(story) {
      const read = await send(story, story.forger, [...UNSIGNED, url(story, SMALL_KEY)]);
      expectText(`${read.status} ${read.text}`, ['403', '<Code>SignatureDoesNotMatch</Code>']);
      const upload = ['-T', story.files.small, url(story, DENIED_KEY)];
      const write = await send(story, story.forger, [...UNSIGNED, ...upload]);
      expectText(`${write.status} ${write.text}`, ['403', '<Code>SignatureDoesNotMatch</Code>']);
    },
  },
  roundTrip,
};

async function roundTrip(story: Story, { from, key, to }: Transfer): Promise<void> {
  await expectStatus(story, 200, '-T', from, url(story, key));
  await expectStatus(story, 200, '-o', to, url(story, key));
}

interface Answer {
  readonly status: number;
  readonly etag: string;
  readonly body: Buffer;
  readonly text: string;
}

const UNSIGNED = ['-H', 'x-amz-content-sha256: UNSIGNED-PAYLOAD'] as const;

function sending(method: 'POST' | 'PUT', data = ''): readonly string[] {
  return ['-X', method, '-d', data];
}

async function expectStatus(story: Story, status: number, ...args: readonly string[]): Promise<Answer> {
  const answer = await send(story, story.target.admin, [...UNSIGNED, ...args]);
  if (answer.status !== status)
    throw new Error(`expected ${status}, found ${answer.status}: ${answer.text.slice(0, 2000)}`);
  return answer;
}

/** The credentials go to curl's standard input, where the process list does not show them. */
async function send(story: Story, credentials: Credentials, args: readonly string[]): Promise<Answer> {
  const body = await runOrThrow({
    file: story.program,
    args: ['--config', '-', ...args],
    folder: story.folder,
    input: [
      'silent',
      'show-error',
      'max-time = 50',
      'dump-header = "headers.txt"',
      `aws-sigv4 = "aws:amz:${REGION}:s3"`,
      `user = "${credentials.accessKeyId}:${credentials.secretAccessKey}"`,
      ...(story.target.caFile === undefined ? [] : [`cacert = "${story.target.caFile}"`]),
    ].join('\n'),
  });
  const headers = await readFile(join(story.folder, 'headers.txt'), 'latin1');
  // An interim 100 Continue is dumped before the answer.
  const statuses = [...headers.matchAll(/^HTTP\/1\.1 (?<status>\d{3})/gm)];
  return {
    status: Number(statuses.at(-1)?.groups?.['status']),
    etag: /^etag: *(?<etag>\S+)/im.exec(headers)?.groups?.['etag'] ?? '',
    body,
    text: body.toString(),
  };
}

/** The three parts of the big file, as files of their own. */
async function splitBig(story: Story): Promise<readonly string[]> {
  const big = await open(story.files.big);
  try {
    const { size } = await big.stat();
    const paths: string[] = [];
    for (let start = 0; start < size; start += PART_SIZE) {
      const part = Buffer.alloc(Math.min(PART_SIZE, size - start));
      await big.read(part, 0, part.length, start);
      const path = join(story.folder, `part-${paths.length + 1}.bin`);
      await writeFile(path, part);
      paths.push(path);
    }
    return paths;
  } finally {
    await big.close();
  }
}

function url(story: Story, key = '', query = ''): string {
  const path = key === '' ? story.bucket : `${story.bucket}/${encodePath(key)}`;
  return `${story.target.endpoint}/${path}${query && `?${query}`}`;
}

/** Of XML. */
function textOf(xml: string): string {
  const named: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };
  return xml.replace(/&(?:#(?<code>\d+)|(?<name>\w+));/g, (...match: readonly unknown[]) => {
    const { code, name } = match.at(-1) as { readonly code?: string; readonly name?: string };
    return code === undefined ? (named[name ?? ''] ?? '') : String.fromCodePoint(Number(code));
  });
}

/** All that S3 wants encoded: curl 7 signs a path as it is given. */
function encodePath(key: string): string {
  const encoded = key.split('/').map(encodeURIComponent).join('/');
  return encoded.replace(/[!'()*]/g, (octet) => `%${octet.charCodeAt(0).toString(16).toUpperCase()}`);
}
