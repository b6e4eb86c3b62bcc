import { defineConfig } from 'vitest/config';

/** What `npm run stryker` runs against each mutant of src/policy: the comparison with the reference in small. */
export default defineConfig({
  test: {
    include: ['test/policy/*.test.ts'],
    // Of the rest, what is slow says little of what is mutated.
    exclude: ['test/policy/{lint,cost}*.test.ts'],
    env: { POLICY_PAIRS: '200', POLICY_PROPERTY_RUNS: '15' },
    setupFiles: ['test/policy/mutation-setup.ts'],
    isolate: false,
    testTimeout: 60_000,
  },
});
