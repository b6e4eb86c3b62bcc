/** Mutation testing: the same few cases for each mutant, so that what kills it does not change from run to run. */
import { configureGlobal } from 'fast-check';

configureGlobal({ seed: 20260701, numRuns: 25 });
