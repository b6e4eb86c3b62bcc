import { join } from 'node:path';
import { printedVersion } from '../process.ts';
import type { StoryClient } from '../story.ts';
import { programClient } from './program.ts';

/** The AWS SDK for Ruby, in the version that Debian has. */
export const ruby: StoryClient = programClient({
  name: 'ruby',
  tool: 'ruby-sdk',
  version: (program) => printedVersion(program, '-e', 'require "aws-sdk-s3"; puts Aws::S3::GEM_VERSION'),
  args: [join(import.meta.dirname, 'ruby_steps.rb')],
});
