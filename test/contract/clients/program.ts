/** Clients that are libraries: a program in the library's own language tells the steps, one step a run. */
import { readFile, stat } from 'node:fs/promises';
import { REGION } from '../gateway.ts';
import { expectThreeParts, usePresigned } from '../observer.ts';
import { runOrThrow } from '../process.ts';
import {
  BIG_KEY,
  COPY_KEY,
  DENIED_KEY,
  expectEqual,
  MANY_NAMES,
  MANY_PREFIX,
  ODD_KEYS,
  PART_SIZE,
  PIPED_KEY,
  PRESIGNED_KEY,
  RANGE,
  SMALL_KEY,
  type StepName,
  type Story,
  type StoryClient,
} from '../story.ts';

export interface Program extends Pick<StoryClient, 'name' | 'tool' | 'version'> {
  /** Before the name of the step, which is the program's last argument. */
  readonly args?: readonly string[];
  /** Environment that the program needs to reach this story's target. */
  readonly environment?: (story: Story) => Promise<Readonly<Record<string, string>>>;
}

/**
 * A client whose program is given the name of a step as its argument and the story as JSON on standard input, and
 * ends with another code than 0 when it does not see what it should. It prints the URLs that it presigns.
 */
export function programClient({ name, tool, version, args = [], environment }: Program): StoryClient {
  const step = (title: StepName) => async (story: Story) => {
    await tell(story, title);
  };
  return {
    name,
    tool,
    version,
    steps: {
      'make bucket': step('make bucket'),
      put: step('put'),
      get: step('get'),
      'range get': step('range get'),
      'put from a pipe': step('put from a pipe'),
      list: step('list'),
      'odd keys': step('odd keys'),
      async multipart(story) {
        await tell(story, 'multipart');
        await expectThreeParts(story, BIG_KEY, (await stat(story.files.big)).size);
      },
      copy: step('copy'),
      'delete many': step('delete many'),
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
      'wrong secret': step('wrong secret'),
    },
    async roundTrip(story, transfer) {
      await tell(story, 'round trip', { transfer });
    },
  };

  async function tell(story: Story, title: StepName | 'round trip', more: object = {}): Promise<string> {
    const output = await runOrThrow({
      file: story.program,
      args: [...args, title],
      ...(environment && { env: await environment(story) }),
      folder: story.folder,
      timeout: 180_000,
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
        pipedKey: PIPED_KEY,
        bigKey: BIG_KEY,
        copyKey: COPY_KEY,
        manyPrefix: MANY_PREFIX,
        manyNames: MANY_NAMES,
        oddKeys: ODD_KEYS,
        presignedKey: PRESIGNED_KEY,
        deniedKey: DENIED_KEY,
        ...more,
      }),
    });
    return output.toString().trim();
  }
}
