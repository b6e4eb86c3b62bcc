import { printedVersion } from '../process.ts';
import type { StoryClient } from '../story.ts';
import { programClient } from './program.ts';

/** The AWS SDK for Rust: `rust/src/main.rs`. */
export const rust: StoryClient = programClient({
  name: 'rust',
  tool: 'rust-sdk',
  version: (program) => printedVersion(program, 'version'),
});
