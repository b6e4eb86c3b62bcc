import { join } from 'node:path';
import { expectSameBytes, expectText, ODD_KEYS, type Step, type Story, type StoryClient } from '../story.ts';

export interface OddKeyCommands extends Pick<StoryClient, 'roundTrip'> {
  /** What the client prints when it lists all the keys of the bucket. */
  readonly list: (story: Story) => Promise<string>;
  readonly remove: (story: Story, key: string) => Promise<void>;
}

/** The step with odd keys, told by a client that is a command: each is stored, read back, listed and deleted. */
export function oddKeys({ roundTrip, list, remove }: OddKeyCommands): Step {
  return async (story) => {
    for (const [index, key] of ODD_KEYS.entries()) {
      const to = join(story.folder, `odd-${index}.txt`);
      await roundTrip(story, { from: story.files.small, key, to });
      await expectSameBytes(to, story.files.small);
    }
    expectText(await list(story), ODD_KEYS);
    for (const key of ODD_KEYS) await remove(story, key);
    expectText(await list(story), [], ODD_KEYS);
  };
}
