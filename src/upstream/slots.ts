/** How many requests are on their way at once: slow clients can hold every connection, and nobody waits without end. */
import { S3Error } from '../s3/index.ts';

export interface Slots {
  /**
   * Undefined when there was a free one; else resolves when one is. Rejects with an S3Error `SlowDown` when none gets
   * free in time, and with the signal's reason.
   */
  take(signal: AbortSignal): Promise<void> | undefined;
  /** Once for each that was taken. */
  release(): void;
}

export function createSlots({ max, waitMs }: { readonly max: number; readonly waitMs: number }): Slots {
  /** First come, first served. */
  const waiting = new Set<() => void>();
  let taken = 0;
  return {
    take(signal) {
      if (signal.aborted) return Promise.reject(signal.reason as Error);
      if (taken < max) {
        taken += 1;
        return undefined;
      }
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const leave = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
        waiting.delete(enter);
      };
      const enter = (): void => {
        leave();
        resolve();
      };
      const onAbort = (): void => {
        leave();
        reject(signal.reason as Error);
      };
      const timer = setTimeout(() => {
        leave();
        const reason = `no connection to the upstream got free within ${waitMs} ms`;
        reject(new S3Error('SlowDown', { reason }));
      }, waitMs);
      signal.addEventListener('abort', onAbort, { once: true });
      waiting.add(enter);
      return promise;
    },
    release() {
      const [next] = waiting;
      // The place passes from one to the next.
      if (next === undefined) taken -= 1;
      else next();
    },
  };
}
