import { join } from 'node:path';
import { printedVersion } from '../process.ts';
import type { StoryClient } from '../story.ts';
import { programClient } from './program.ts';

/** MinIO's client for Python. */
export const minioPy: StoryClient = programClient({
  name: 'minio-py',
  tool: 'minio-py',
  version: (program) => printedVersion(program, '-c', 'import minio; print(minio.__version__)'),
  args: [join(import.meta.dirname, 'minio_steps.py')],
});
