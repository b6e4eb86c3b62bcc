/** Whether the gateway's memory grows with the size of the objects that pass through it. */
import type { Load, LoadClient, Measured } from './load-client.ts';
import { peakResidentMiB, residentMiB } from './process-use.ts';
import type { Bench } from './servers.ts';

/** In MiB, but for the object's size in bytes. */
export interface MemoryUse {
  readonly objectSize: number;
  readonly before: number;
  readonly peak: number;
  readonly after: number;
}

const CONNECTIONS = 4;

/** Moves `memoryBytes` bytes up and as many down, in objects of one size, through a gateway that has just been started. */
export async function measureMemory(
  bench: Bench,
  client: LoadClient,
  objectSize: number,
  { memoryBytes, warmUp }: { readonly memoryBytes: number; readonly warmUp: number },
): Promise<MemoryUse> {
  const subject = bench.subjects.Bucketwarden;
  const move = (size: number, method: 'GET' | 'PUT', requests: number): Promise<Measured> => {
    const load: Load = {
      ...subject.request({ method, size }),
      connections: CONNECTIONS,
      requests,
      milliseconds: 30_000,
      expectStatus: 200,
    };
    return client.run(load);
  };
  // Compiled code and caches are not what is measured here.
  await move(1024, 'GET', warmUp / 5);
  await move(1024, 'PUT', warmUp / 5);
  const before = residentMiB(subject.pid);
  const peak = await peakResidentMiB(subject.pid, async () => {
    await move(objectSize, 'GET', memoryBytes / objectSize);
    await move(objectSize, 'PUT', memoryBytes / objectSize);
  });
  return { objectSize, before, peak, after: residentMiB(subject.pid) };
}
