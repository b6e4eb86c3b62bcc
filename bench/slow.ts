/**
 * The memory of Bucketwarden while many slow transfers run at once.
 *
 *   npm run bench:slow [-- --transfers 1000 --seconds 20]
 *
 * Prints Markdown for `docs/performance.md`, which tells the method.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { peakResidentMiB, residentMiB } from './process-use.ts';
import { startBench } from './servers.ts';
import { startSlowClient } from './slow-client.ts';
import { printTable, rounded } from './table.ts';

const { values } = parseArgs({
  options: {
    transfers: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '20' },
  },
});
const transfers = Number(values.transfers);
const seconds = Number(values.seconds);

/** 8 KiB a second for an upload, at most 16 KiB a second for a download. */
const PIECE = 8 * 1024;
const PAUSE = { upload: 1000, download: 4000 };
/** More than the buffers of the system take. */
const DOWNLOAD_SIZE = 64 * 1024 ** 2;
/** It takes as long as is measured. */
const uploadSize = Math.round((seconds * 1000) / PAUSE.upload) * PIECE;

const folder = await mkdtemp(join(tmpdir(), 'bucketwarden-slow-'));
const client = startSlowClient();
try {
  const rows: string[][] = [];
  for (const [title, uploads] of [
    ['uploads', transfers],
    ['downloads', 0],
    ['half and half', Math.floor(transfers / 2)],
  ] as const) {
    const bench = await startBench(join(folder, title.replaceAll(' ', '-')), { connections: transfers * 2 });
    try {
      const subject = bench.subjects.Bucketwarden;
      const before = residentMiB(subject.pid);
      const request = subject.request({ size: DOWNLOAD_SIZE });
      let outcome: Awaited<ReturnType<typeof client.run>> | undefined;
      const peak = await peakResidentMiB(subject.pid, async () => {
        outcome = await client.run({
          port: request.port,
          download: request.head,
          upload: subject.request({ method: 'PUT', size: uploadSize }).head,
          uploadSize,
          uploads,
          downloads: transfers - uploads,
          pauseMilliseconds: PAUSE,
          pieceSize: PIECE,
          milliseconds: seconds * 1000,
        });
      });
      const { uploaded = 0, downloaded = 0, others = {}, bytes = 0 } = outcome ?? {};
      rows.push([title, rounded(before), rounded(peak), rounded(bytes / 1e6 / seconds)]);
      if (uploaded + downloaded !== transfers)
        throw new Error(`${title}: ${uploaded + downloaded} of ${transfers}; ${JSON.stringify(others)}`);
    } finally {
      await bench.close();
    }
  }
  console.log(
    `Resident memory of Bucketwarden in MiB with ${transfers} slow transfers at once, Node.js ${process.versions.node}:\n`,
  );
  printTable(['', 'before', 'peak', 'MB/s in all'], rows);
} finally {
  await client.close();
  await rm(folder, { recursive: true, force: true });
}
