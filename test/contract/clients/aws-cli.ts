import { stat, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { REGION } from '../gateway.ts';
import { expectThreeParts, usePresigned } from '../observer.ts';
import { type Command, type Outcome, printedVersion, run, runOrThrow } from '../process.ts';
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
  PIPED_KEY,
  RANGE,
  SMALL_KEY,
  type Story,
  type StoryClient,
  type Transfer,
} from '../story.ts';
import type { Credentials } from '../target.ts';
import { oddKeys } from './odd-keys.ts';

export const awsCli: StoryClient = {
  name: 'aws-cli',
  tool: 'aws-cli',
  version: (program) => printedVersion(program, '--version'),
  steps: {
    async 'make bucket'(story) {
      await configure(story);
      await aws(story, 's3', 'mb', `s3://${story.bucket}`);
      expectText((await aws(story, 's3', 'ls')).toString(), [story.bucket]);
    },
    async put(story) {
      await aws(story, 's3', 'cp', story.files.small, uri(story, SMALL_KEY), '--metadata', 'origin=contract');
      const head = await aws(story, 's3api', 'head-object', ...object(story, SMALL_KEY));
      expectText(head.toString(), ['"origin": "contract"', '"ContentType": "text/plain"']);
    },
    async get(story) {
      const path = join(story.folder, 'small.txt');
      await aws(story, 's3', 'cp', uri(story, SMALL_KEY), path);
      await expectSameBytes(path, story.files.small);
    },
    async 'range get'(story) {
      const path = join(story.folder, 'range.txt');
      const range = `bytes=${RANGE.first}-${RANGE.last}`;
      await aws(story, 's3api', 'get-object', ...object(story, SMALL_KEY), '--range', range, path);
      const expected = (await readFile(story.files.small)).subarray(RANGE.first, RANGE.last + 1);
      expectEqual(await readFile(path), expected, 'range get');
    },
    async 'put from a pipe'(story) {
      const text = await readFile(story.files.small, 'utf8');
      await runOrThrow({
        ...command(story, story.target.admin, ['s3', 'cp', '-', uri(story, PIPED_KEY)]),
        input: text,
      });
      const stored = await aws(story, 's3', 'cp', uri(story, PIPED_KEY), '-');
      expectEqual(stored, Buffer.from(text), 'put from a pipe');
    },
    async list(story) {
      expectText((await aws(story, 's3', 'ls', uri(story, ''))).toString(), ['PRE reports/']);
      const listed = await aws(story, 's3', 'ls', '--recursive', '--page-size', '1', uri(story, ''));
      expectText(listed.toString(), [SMALL_KEY, PIPED_KEY]);
    },
    'odd keys': oddKeys({
      roundTrip,
      list: async (story) => (await aws(story, 's3', 'ls', '--recursive', uri(story, ''))).toString(),
      async remove(story, key) {
        await aws(story, 's3', 'rm', uri(story, key));
      },
    }),
    async multipart(story) {
      const path = join(story.folder, 'big.bin');
      await aws(story, 's3', 'cp', story.files.big, uri(story, BIG_KEY));
      await aws(story, 's3', 'cp', uri(story, BIG_KEY), path);
      await expectSameBytes(path, story.files.big);
      await expectThreeParts(story, BIG_KEY, (await stat(path)).size);
    },
    async copy(story) {
      await aws(story, 's3', 'cp', uri(story, SMALL_KEY), uri(story, COPY_KEY));
      const copied = await aws(story, 's3', 'cp', uri(story, COPY_KEY), '-');
      expectEqual(copied, await readFile(story.files.small), 'copy');
    },
    async 'delete many'(story) {
      await aws(story, 's3', 'cp', '--recursive', story.files.many, uri(story, MANY_PREFIX));
      const objects = MANY_NAMES.map((name) => ({ Key: MANY_PREFIX + name }));
      const answer = await aws(
        story,
        's3api',
        'delete-objects',
        '--bucket',
        story.bucket,
        '--delete',
        JSON.stringify({ Objects: objects }),
      );
      expectText(
        answer.toString(),
        MANY_NAMES.map((name) => MANY_PREFIX + name),
        ['Errors'],
      );
      const left = await aws(story, 's3', 'ls', '--recursive', uri(story, ''));
      expectText(left.toString(), [SMALL_KEY], [MANY_PREFIX]);
    },
    async 'presigned get'(story) {
      const url = await aws(story, 's3', 'presign', uri(story, SMALL_KEY), '--expires-in', '60');
      const got = await usePresigned(story, url.toString().trim());
      expectEqual(got, await readFile(story.files.small), 'presigned get');
    },
    'presigned put': { unable: '`aws s3 presign` signs GET only' },
    async denial(story) {
      const reader = await story.target.issueReader(story.bucket);
      const read = await attempt(story, reader, 's3', 'cp', uri(story, SMALL_KEY), '-');
      expectEqual(read.stdout, await readFile(story.files.small), 'the allowed read');
      const write = await attempt(story, reader, 's3', 'cp', story.files.small, uri(story, DENIED_KEY));
      expectText(write.stderr, ['AccessDenied', 'PutObject']);
      const left = await aws(story, 's3', 'ls', '--recursive', uri(story, ''));
      expectText(left.toString(), [SMALL_KEY], [DENIED_KEY]);
    },
    async 'wrong secret'(story) {
      const key = object(story, SMALL_KEY);
      const read = await attempt(
        story,
        story.forger,
        's3api',
        'get-object',
        ...key,
        join(story.folder, 'never'),
      );
      expectText(read.stderr, ['SignatureDoesNotMatch']);
      const write = await attempt(story, story.forger, 's3', 'cp', story.files.small, uri(story, DENIED_KEY));
      expectText(write.stderr, ['SignatureDoesNotMatch']);
    },
  },
  roundTrip,
};

async function roundTrip(story: Story, { from, key, to }: Transfer): Promise<void> {
  await aws(story, 's3', 'cp', from, uri(story, key));
  await aws(story, 's3', 'cp', uri(story, key), to);
}

/** Its file is what a user of an S3-compatible endpoint writes; without `s3v4` it would presign with SigV2. */
async function configure(story: Story): Promise<void> {
  const s3 = [
    'signature_version = s3v4',
    'addressing_style = path',
    `multipart_threshold = ${PART_SIZE}`,
    `multipart_chunksize = ${PART_SIZE}`,
  ];
  await writeFile(
    configFile(story),
    [
      '[default]',
      `region = ${REGION}`,
      'retry_mode = standard',
      's3 =',
      ...s3.map((line) => `  ${line}`),
      '',
    ].join('\n'),
  );
}

async function aws(story: Story, ...args: readonly string[]): Promise<Buffer> {
  return runOrThrow(command(story, story.target.admin, args));
}

function attempt(story: Story, credentials: Credentials, ...args: readonly string[]): Promise<Outcome> {
  return run(command(story, credentials, args));
}

function command(story: Story, credentials: Credentials, args: readonly string[]): Command {
  return {
    file: story.program,
    args: [...args, '--endpoint-url', story.target.endpoint],
    env: {
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_CONFIG_FILE: configFile(story),
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_MAX_ATTEMPTS: '1',
      AWS_PAGER: '',
      BOTO_DISABLE_CRT: 'true',
      ...(story.target.caFile !== undefined && { AWS_CA_BUNDLE: story.target.caFile }),
    },
    folder: story.folder,
  };
}

function configFile(story: Story): string {
  return join(story.folder, 'aws.ini');
}

function uri(story: Story, key: string): string {
  return `s3://${story.bucket}/${key}`;
}

function object(story: Story, key: string): readonly string[] {
  return ['--bucket', story.bucket, '--key', key];
}
