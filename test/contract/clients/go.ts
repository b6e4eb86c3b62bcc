import { printedVersion } from '../process.ts';
import type { StoryClient } from '../story.ts';
import { programClient } from './program.ts';

/** The AWS SDK for Go v2: `go/main.go`. */
export const go: StoryClient = programClient({
  name: 'go',
  tool: 'go-sdk',
  version: (program) => printedVersion(program, 'version'),
});
