import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { REGION } from '../gateway.ts';
import { expectThreeParts, usePresigned } from '../observer.ts';
import { type Command, printedVersion, run, runOrThrow } from '../process.ts';
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

export const rclone: StoryClient = {
  name: 'rclone',
  tool: 'rclone',
  version: (program) => printedVersion(program, 'version'),
  steps: {
    async 'make bucket'(story) {
      await tell(story, 'mkdir', `s3:${story.bucket}`);
      expectText((await tell(story, 'lsd', 's3:')).toString(), [story.bucket]);
    },
    async put(story) {
      await tell(story, 'copyto', story.files.small, object(story, SMALL_KEY));
    },
    async get(story) {
      const path = join(story.folder, 'small.txt');
      await tell(story, 'copyto', object(story, SMALL_KEY), path);
      await expectSameBytes(path, story.files.small);
    },
    async 'range get'(story) {
      const count = RANGE.last + 1 - RANGE.first;
      const range = ['--offset', `${RANGE.first}`, '--count', `${count}`];
      const got = await tell(story, 'cat', ...range, object(story, SMALL_KEY));
      const expected = (await readFile(story.files.small)).subarray(RANGE.first, RANGE.last + 1);
      expectEqual(got, expected, 'range get');
    },
    async 'put from a pipe'(story) {
      const text = await readFile(story.files.small, 'utf8');
      const args = ['rcat', object(story, PIPED_KEY)];
      await runOrThrow({ ...command(story, story.target.admin, args), input: text });
      expectEqual(await tell(story, 'cat', object(story, PIPED_KEY)), Buffer.from(text), 'put from a pipe');
    },
    async list(story) {
      const listed = await tell(story, 'lsf', '--recursive', '--s3-list-chunk', '1', object(story, ''));
      expectText(listed.toString(), [SMALL_KEY, PIPED_KEY]);
    },
    'odd keys': oddKeys({
      roundTrip,
      list: async (story) => (await tell(story, 'lsf', '--recursive', object(story, ''))).toString(),
      async remove(story, key) {
        await tell(story, 'deletefile', object(story, key));
      },
    }),
    async multipart(story) {
      const path = join(story.folder, 'big.bin');
      await tell(story, 'copyto', story.files.big, object(story, BIG_KEY));
      await tell(story, 'copyto', object(story, BIG_KEY), path);
      await expectSameBytes(path, story.files.big);
      await expectThreeParts(story, BIG_KEY, (await stat(path)).size);
    },
    async copy(story) {
      await tell(story, 'copyto', object(story, SMALL_KEY), object(story, COPY_KEY));
      const copied = await tell(story, 'cat', object(story, COPY_KEY));
      expectEqual(copied, await readFile(story.files.small), 'copy');
    },
    async 'delete many'(story) {
      await tell(story, 'copy', story.files.many, object(story, MANY_PREFIX));
      const before = await tell(story, 'lsf', object(story, MANY_PREFIX));
      expectText(before.toString(), MANY_NAMES);
      await tell(story, 'delete', object(story, MANY_PREFIX));
      const left = await tell(story, 'lsf', '--recursive', object(story, ''));
      expectText(left.toString(), [SMALL_KEY], [MANY_PREFIX]);
    },
    async 'presigned get'(story) {
      const url = await tell(story, 'link', '--expire', '60s', object(story, SMALL_KEY));
      const got = await usePresigned(story, url.toString().trim());
      expectEqual(got, await readFile(story.files.small), 'presigned get');
    },
    'presigned put': { unable: '`rclone link` signs GET only' },
    async denial(story) {
      const reader = await story.target.issueReader(story.bucket);
      const read = await runOrThrow(command(story, reader, ['cat', object(story, SMALL_KEY)]));
      expectEqual(read, await readFile(story.files.small), 'the allowed read');
      const args = ['copyto', story.files.small, object(story, DENIED_KEY)];
      const write = await run(command(story, reader, args));
      expectText(write.stderr, ['AccessDenied', '403']);
      const left = await tell(story, 'lsf', '--recursive', object(story, ''));
      expectText(left.toString(), [SMALL_KEY], [DENIED_KEY]);
    },
    async 'wrong secret'(story) {
      // rclone asks with HEAD for a single object, whose error has no body and so no code: a listing has one.
      const list = await run(command(story, story.forger, ['lsf', object(story, '')]));
      expectText(list.stderr, ['SignatureDoesNotMatch', '403']);
    },
  },
  roundTrip,
};

async function roundTrip(story: Story, { from, key, to }: Transfer): Promise<void> {
  await tell(story, 'copyto', from, object(story, key));
  await tell(story, 'copyto', object(story, key), to);
}

async function tell(story: Story, ...args: readonly string[]): Promise<Buffer> {
  return runOrThrow(command(story, story.target.admin, args));
}

function command(story: Story, credentials: Credentials, args: readonly string[]): Command {
  return {
    file: story.program,
    args: [...args, '--retries', '1', '--low-level-retries', '1', '--contimeout', '5s'],
    env: {
      RCLONE_CONFIG: join(story.folder, 'rclone.conf'),
      RCLONE_CONFIG_S3_TYPE: 's3',
      RCLONE_CONFIG_S3_PROVIDER: 'Other',
      RCLONE_CONFIG_S3_ENDPOINT: story.target.endpoint,
      RCLONE_CONFIG_S3_REGION: REGION,
      RCLONE_CONFIG_S3_ACCESS_KEY_ID: credentials.accessKeyId,
      RCLONE_CONFIG_S3_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      RCLONE_S3_UPLOAD_CUTOFF: `${PART_SIZE}B`,
      RCLONE_S3_CHUNK_SIZE: `${PART_SIZE}B`,
      ...(story.target.caFile !== undefined && { RCLONE_CA_CERT: story.target.caFile }),
    },
    folder: story.folder,
  };
}

function object(story: Story, key: string): string {
  return `s3:${story.bucket}/${key}`;
}
