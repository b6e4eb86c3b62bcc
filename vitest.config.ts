import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 30_000,
    // The default is one less than there are processors, which on two of them takes twice as long.
    maxWorkers: 2,
    // Loading the program anew for each file was more than half of the time. No module has state of its own, so the
    // files of one worker can share the modules.
    isolate: false,
  },
});
