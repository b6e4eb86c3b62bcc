import { join } from 'node:path';
import { printedVersion } from '../process.ts';
import type { StoryClient } from '../story.ts';
import { programClient } from './program.ts';

export const boto3: StoryClient = programClient({
  name: 'boto3',
  tool: 'boto3',
  version: (program) => printedVersion(program, '-c', 'import boto3; print(boto3.__version__)'),
  // With awscrt beside it, boto3 would sign by that and send a stream from its start, not from where it stands.
  environment: () => Promise.resolve({ BOTO_DISABLE_CRT: 'true' }),
  args: [join(import.meta.dirname, 'boto3_steps.py')],
});
