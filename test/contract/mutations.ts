/**
 * Uploads of which one byte was changed, in every form, and uploads that break off: nothing of them may be stored.
 *
 *   npm run test:mutations [-- --count 10000 --cuts 1000 --seed NUMBER --upstream versitygw|minio|radosgw]
 *
 * The same seed makes the same changes; what is signed differs by the time of day and the keys of the run.
 */
import { randomInt } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { printReport } from './mutations/report.ts';
import { runMutations } from './mutations/run.ts';
import { STORES } from './target.ts';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '10000' },
    cuts: { type: 'string', default: '1000' },
    seed: { type: 'string' },
    upstream: { type: 'string', default: 'minio' },
  },
});
const upstream = STORES.find((name) => name === values.upstream);
if (upstream === undefined) throw new Error(`no upstream \`${values.upstream}\`: ${STORES.join(', ')}`);

const folder = await mkdtemp(join(tmpdir(), 'bucketwarden-mutations-'));
try {
  const options = {
    upstream,
    seed: values.seed === undefined ? randomInt(2 ** 32) : Number(values.seed),
    changes: Number(values.count),
    cuts: Number(values.cuts),
    folder,
  };
  const report = await runMutations(options);
  printReport(options, report);
  process.exitCode = report.problems.length === 0 ? 0 : 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
