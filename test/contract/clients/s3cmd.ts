import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { REGION } from '../gateway.ts';
import { expectThreeParts } from '../observer.ts';
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
  PIPED_KEY,
  RANGE,
  SMALL_KEY,
  type Story,
  type StoryClient,
  type Transfer,
} from '../story.ts';
import type { Credentials } from '../target.ts';
import { oddKeys } from './odd-keys.ts';

const SIGNS_WITH_V2 = { unable: '`s3cmd signurl` makes SigV2 URLs only' } as const;

export const s3cmd: StoryClient = {
  name: 's3cmd',
  tool: 's3cmd',
  version: (program) => printedVersion(program, '--version'),
  steps: {
    async 'make bucket'(story) {
      await tell(story, 'mb', uri(story, ''));
      expectText((await tell(story, 'ls')).toString(), [`s3://${story.bucket}`]);
    },
    async put(story) {
      await tell(story, 'put', story.files.small, uri(story, SMALL_KEY));
    },
    async get(story) {
      const path = join(story.folder, 'small.txt');
      await tell(story, 'get', uri(story, SMALL_KEY), path);
      await expectSameBytes(path, story.files.small);
    },
    async 'range get'(story) {
      // A download that broke off is continued with a Range.
      const path = join(story.folder, 'range.txt');
      await writeFile(path, (await readFile(story.files.small)).subarray(0, RANGE.first));
      await tell(story, 'get', '--continue', uri(story, SMALL_KEY), path);
      await expectSameBytes(path, story.files.small);
    },
    async 'put from a pipe'(story) {
      const text = await readFile(story.files.small, 'utf8');
      const args = ['put', '-', uri(story, PIPED_KEY)];
      await runOrThrow({ ...(await command(story, story.target.admin, args)), input: text });
      const stored = await tell(story, 'get', uri(story, PIPED_KEY), '-');
      expectEqual(stored, Buffer.from(text), 'put from a pipe');
    },
    async list(story) {
      expectText((await tell(story, 'ls', uri(story, ''))).toString(), ['DIR', '/reports/']);
      const listed = await tell(story, 'ls', '--recursive', uri(story, ''));
      expectText(listed.toString(), [SMALL_KEY, PIPED_KEY]);
    },
    'odd keys': oddKeys({
      roundTrip,
      list: async (story) => (await tell(story, 'ls', '--recursive', uri(story, ''))).toString(),
      async remove(story, key) {
        await tell(story, 'del', uri(story, key));
      },
    }),
    async multipart(story) {
      const path = join(story.folder, 'big.bin');
      await tell(story, 'put', '--multipart-chunk-size-mb=5', story.files.big, uri(story, BIG_KEY));
      await tell(story, 'get', uri(story, BIG_KEY), path);
      await expectSameBytes(path, story.files.big);
      await expectThreeParts(story, BIG_KEY, (await stat(path)).size);
    },
    async copy(story) {
      await tell(story, 'cp', uri(story, SMALL_KEY), uri(story, COPY_KEY));
      const copied = await tell(story, 'get', uri(story, COPY_KEY), '-');
      expectEqual(copied, await readFile(story.files.small), 'copy');
    },
    async 'delete many'(story) {
      await tell(story, 'put', '--recursive', `${story.files.many}/`, uri(story, MANY_PREFIX));
      expectText((await tell(story, 'ls', uri(story, MANY_PREFIX))).toString(), MANY_NAMES);
      await tell(story, 'del', '--recursive', '--force', uri(story, MANY_PREFIX));
      const left = await tell(story, 'ls', '--recursive', uri(story, ''));
      expectText(left.toString(), [SMALL_KEY], [MANY_PREFIX]);
    },
    'presigned get': SIGNS_WITH_V2,
    'presigned put': SIGNS_WITH_V2,
    async denial(story) {
      const reader = await story.target.issueReader(story.bucket);
      const read = await runOrThrow(await command(story, reader, ['get', uri(story, SMALL_KEY), '-']));
      expectEqual(read, await readFile(story.files.small), 'the allowed read');
      const write = await run(
        await command(story, reader, ['put', story.files.small, uri(story, DENIED_KEY)]),
      );
      expectText(write.stderr, ['403', 'AccessDenied']);
      const left = await tell(story, 'ls', '--recursive', uri(story, ''));
      expectText(left.toString(), [SMALL_KEY], [DENIED_KEY]);
    },
    async 'wrong secret'(story) {
      // Of a refused `get` s3cmd shows the status and not the code; of a listing it shows both.
      const list = await run(await command(story, story.forger, ['ls', uri(story, '')]));
      expectText(list.stderr, ['403', 'SignatureDoesNotMatch']);
      const write = await run(
        await command(story, story.forger, ['put', story.files.small, uri(story, DENIED_KEY)]),
      );
      expectText(write.stderr, ['403', 'SignatureDoesNotMatch']);
    },
  },
  roundTrip,
};

async function roundTrip(story: Story, { from, key, to }: Transfer): Promise<void> {
  await tell(story, 'put', from, uri(story, key));
  await tell(story, 'get', uri(story, key), to);
}

async function tell(story: Story, ...args: readonly string[]): Promise<Buffer> {
  return runOrThrow(await command(story, story.target.admin, args));
}

async function command(story: Story, credentials: Credentials, args: readonly string[]): Promise<Command> {
  const { protocol, host } = new URL(story.target.endpoint);
  const config = join(story.folder, `${credentials === story.target.admin ? 'admin' : 'other'}.s3cfg`);
  const settings = {
    access_key: credentials.accessKeyId,
    secret_key: credentials.secretAccessKey,
    bucket_location: REGION,
    host_base: host,
    host_bucket: host,
    signature_v2: 'False',
    use_https: protocol === 'https:' ? 'True' : 'False',
    ...(story.target.caFile !== undefined && { ca_certs_file: story.target.caFile }),
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}`);
  await writeFile(config, ['[default]', ...lines, ''].join('\n'), { mode: 0o600 });
  return {
    file: story.program,
    args: ['--config', config, '--no-progress', '--max-retries=1', ...args],
    folder: story.folder,
  };
}

function uri(story: Story, key: string): string {
  return `s3://${story.bucket}/${key}`;
}
