import { copyFile, mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expectThreeParts, usePresigned } from '../observer.ts';
import { type Command, installedVersion, run, runOrThrow } from '../process.ts';
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
  PRESIGNED_KEY,
  RANGE,
  SMALL_KEY,
  type Story,
  type StoryClient,
  type Transfer,
} from '../story.ts';
import type { Credentials } from '../target.ts';
import { oddKeys } from './odd-keys.ts';

/** MinIO's command. Its first path component names a server and a key to it. */
export const mc: StoryClient = {
  name: 'mc',
  tool: 'mc',
  version: installedVersion,
  steps: {
    async 'make bucket'(story) {
      await trust(story);
      const { accessKeyId, secretAccessKey } = story.target.admin;
      const alias = ['alias', 'set', '--api', 'S3v4', '--path', 'on', 'admin', story.target.endpoint];
      await runOrThrow({ ...command(story, alias), input: `${accessKeyId}\n${secretAccessKey}\n` });
      await tell(story, 'mb', path(story, ''));
      expectText((await tell(story, 'ls', 'admin')).toString(), [story.bucket]);
    },
    async put(story) {
      const attributes = 'Content-Type=text/plain;origin=contract';
      await tell(story, 'cp', '--attr', attributes, story.files.small, path(story, SMALL_KEY));
      const head = await tell(story, '--json', 'stat', path(story, SMALL_KEY));
      expectText(head.toString(), ['"Content-Type":"text/plain"', '"X-Amz-Meta-Origin":"contract"']);
    },
    async get(story) {
      const to = join(story.folder, 'small.txt');
      await tell(story, 'cp', path(story, SMALL_KEY), to);
      await expectSameBytes(to, story.files.small);
    },
    async 'range get'(story) {
      // It knows where a range starts, and nothing of where one ends.
      const found = await tell(story, 'cat', '--offset', `${RANGE.first}`, path(story, SMALL_KEY));
      expectEqual(found, (await readFile(story.files.small)).subarray(RANGE.first), 'range get');
    },
    async 'put from a pipe'(story) {
      const text = await readFile(story.files.small, 'utf8');
      await runOrThrow({ ...command(story, ['pipe', path(story, PIPED_KEY)]), input: text });
      expectEqual(await tell(story, 'cat', path(story, PIPED_KEY)), Buffer.from(text), 'put from a pipe');
    },
    async list(story) {
      expectText((await tell(story, 'ls', path(story, ''))).toString(), ['reports/']);
      expectText(await list(story), [SMALL_KEY, PIPED_KEY]);
    },
    'odd keys': oddKeys({
      roundTrip,
      list,
      async remove(story, key) {
        await tell(story, 'rm', path(story, key));
      },
    }),
    async multipart(story) {
      const to = join(story.folder, 'big.bin');
      await tell(story, 'put', '--part-size', `${PART_SIZE}B`, story.files.big, path(story, BIG_KEY));
      await tell(story, 'cp', path(story, BIG_KEY), to);
      await expectSameBytes(to, story.files.big);
      await expectThreeParts(story, BIG_KEY, (await stat(to)).size);
    },
    async copy(story) {
      await tell(story, 'cp', path(story, SMALL_KEY), path(story, COPY_KEY));
      const copied = await tell(story, 'cat', path(story, COPY_KEY));
      expectEqual(copied, await readFile(story.files.small), 'copy');
    },
    async 'delete many'(story) {
      await tell(story, 'cp', '--recursive', `${story.files.many}/`, path(story, MANY_PREFIX));
      expectText(
        await list(story),
        MANY_NAMES.map((name) => MANY_PREFIX + name),
      );
      await tell(story, 'rm', '--recursive', '--force', path(story, MANY_PREFIX));
      expectText(await list(story), [SMALL_KEY], [MANY_PREFIX]);
    },
    async 'presigned get'(story) {
      const share = await shared(story, 'download', SMALL_KEY);
      expectEqual(await usePresigned(story, share), await readFile(story.files.small), 'presigned get');
    },
    async 'presigned put'(story) {
      // A browser's form, as a command of curl.
      const form = await shared(story, 'upload', PRESIGNED_KEY);
      const line = form
        .replace('<FILE>', story.files.small)
        .replace(/^curl /, 'curl --fail-with-body --silent ');
      await runOrThrow({
        file: 'bash',
        args: ['-c', line],
        folder: story.folder,
        ...(story.target.caFile !== undefined && { env: { CURL_CA_BUNDLE: story.target.caFile } }),
      });
      const stored = await tell(story, 'cat', path(story, PRESIGNED_KEY));
      expectEqual(stored, await readFile(story.files.small), 'presigned put');
    },
    async denial(story) {
      const reader = await story.target.issueReader(story.bucket);
      const read = await runOrThrow(command(story, ['cat', path(story, SMALL_KEY, 'other')], reader));
      expectEqual(read, await readFile(story.files.small), 'the allowed read');
      // Its own words for AccessDenied.
      expectText(await refused(story, reader), ['Insufficient permissions to access this path']);
      expectText(await list(story), [SMALL_KEY], [DENIED_KEY]);
    },
    async 'wrong secret'(story) {
      expectText(await refused(story, story.forger), ['"Code":"SignatureDoesNotMatch"']);
    },
  },
  roundTrip,
};

async function roundTrip(story: Story, { from, key, to }: Transfer): Promise<void> {
  await tell(story, 'cp', from, path(story, key));
  await tell(story, 'cp', path(story, key), to);
}

async function list(story: Story): Promise<string> {
  return (await tell(story, 'ls', '--recursive', path(story, ''))).toString();
}

/** What it shows for others to download, or to upload to, this one key. */
async function shared(story: Story, way: 'download' | 'upload', key: string): Promise<string> {
  const output = await tell(story, '--json', 'share', way, '--expire', '1m', path(story, key));
  const { share } = JSON.parse(output.toString()) as { readonly share?: unknown };
  if (typeof share !== 'string') throw new Error(`no share in: ${output.toString()}`);
  return share;
}

/** What it says of a refused upload. */
async function refused(story: Story, credentials: Credentials): Promise<string> {
  const args = ['--json', 'cp', story.files.small, path(story, DENIED_KEY, 'other')];
  const { stdout } = await run(command(story, args, credentials));
  expectText(stdout.toString(), ['"status":"error"']);
  return stdout.toString();
}

async function tell(story: Story, ...args: readonly string[]): Promise<Buffer> {
  return runOrThrow(command(story, args));
}

/** @param other whose key the server `other` is reached with. */
function command(story: Story, args: readonly string[], other?: Credentials): Command {
  const { protocol, host } = new URL(story.target.endpoint);
  return {
    file: story.program,
    args: ['--config-dir', configuration(story), ...args],
    ...(other && {
      env: { MC_HOST_other: `${protocol}//${other.accessKeyId}:${other.secretAccessKey}@${host}` },
    }),
    folder: story.folder,
  };
}

/** It looks for authorities in its folder of settings. */
async function trust(story: Story): Promise<void> {
  if (story.target.caFile === undefined) return;
  const authorities = join(configuration(story), 'certs/CAs');
  await mkdir(authorities, { recursive: true });
  await copyFile(story.target.caFile, join(authorities, 'contract.pem'));
}

function configuration(story: Story): string {
  return join(story.folder, 'mc');
}

function path(story: Story, key: string, server: 'admin' | 'other' = 'admin'): string {
  return `${server}/${story.bucket}/${key}`;
}
