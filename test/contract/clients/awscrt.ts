import { join } from 'node:path';
import { printedVersion } from '../process.ts';
import type { StoryClient } from '../story.ts';
import { programClient } from './program.ts';

/** AWS's common runtime, signing with SigV4A: by header, presigned, and every upload as signed chunks. */
export const awscrt: StoryClient = programClient({
  name: 'awscrt',
  tool: 'boto3',
  version: (program) => printedVersion(program, '-c', 'import awscrt; print(awscrt.__version__)'),
  args: [join(import.meta.dirname, 'awscrt_steps.py')],
});
