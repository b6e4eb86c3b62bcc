import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { REGION } from '../gateway.ts';
import { expectThreeParts, usePresigned } from '../observer.ts';
import { printedVersion, runOrThrow } from '../process.ts';
import {
  BIG_KEY,
  COPY_KEY,
  DENIED_KEY,
  expectEqual,
  MANY_PREFIX,
  PART_SIZE,
  PRESIGNED_KEY,
  RANGE,
  SMALL_KEY,
  type StepName,
  type Story,
  type StoryClient,
} from '../story.ts';

/** The steps are Python, in `boto3_steps.py`. */
export const boto3: StoryClient = {
  name: 'boto3',
  tool: 'boto3',
  version: (program) => printedVersion(program, '-c', 'import boto3; print(boto3.__version__)'),
  steps: {
    'make bucket': python('make bucket'),
    put: python('put'),
    get: python('get'),
    'range get': python('range get'),
    'put from a pipe': python('put from a pipe'),
    list: python('list'),
    async multipart(story) {
      await tell(story, 'multipart');
      await expectThreeParts(story, BIG_KEY, (await stat(story.files.big)).size);
    },
    copy: python('copy'),
    'delete many': python('delete many'),
    async 'presigned get'(story) {
      const url = await tell(story, 'presigned get');
      expectEqual(await usePresigned(story, url), await readFile(story.files.small), 'presigned get');
    },
    async 'presigned put'(story) {
      await usePresigned(story, await tell(story, 'presigned put'), await readFile(story.files.small));
    },
    async denial(story) {
      await tell(story, 'denial', { reader: await story.target.issueReader(story.bucket) });
    },
    'wrong secret': python('wrong secret'),
  },
  async roundTrip(story, transfer) {
    await tell(story, 'round trip', { transfer });
  },
};

function python(step: StepName) {
  return async (story: Story): Promise<void> => {
    await tell(story, step);
  };
}

async function tell(story: Story, step: StepName | 'round trip', more: object = {}): Promise<string> {
  const output = await runOrThrow({
    file: story.program,
    args: [join(import.meta.dirname, 'boto3_steps.py'), step],
    folder: story.folder,
    input: JSON.stringify({
      endpoint: story.target.endpoint,
      caFile: story.target.caFile,
      region: REGION,
      admin: story.target.admin,
      forger: story.forger,
      bucket: story.bucket,
      folder: story.folder,
      files: story.files,
      partSize: PART_SIZE,
      range: RANGE,
      smallKey: SMALL_KEY,
      bigKey: BIG_KEY,
      copyKey: COPY_KEY,
      manyPrefix: MANY_PREFIX,
      presignedKey: PRESIGNED_KEY,
      deniedKey: DENIED_KEY,
      ...more,
    }),
  });
  return output.toString().trim();
}
