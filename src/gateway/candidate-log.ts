/** The log lines of a candidate's differences: so many a minute, and how many there were beside them. */
import type { Logger } from '../telemetry/index.ts';

export interface CandidateLog {
  /** @param fields called when there is room for the line. */
  readonly write: (fields: () => object) => void;
  /** Tells of the lines that found no room, if any. */
  readonly close: () => void;
}

const WINDOW_MS = 60_000;

export function createCandidateLog(options: {
  readonly log: Logger;
  readonly perMinute: number;
  /** Told of each line that finds no room. */
  readonly onSuppressed: () => void;
}): CandidateLog {
  const { log, perMinute, onSuppressed } = options;
  let written = 0;
  let suppressed = 0;
  let window: NodeJS.Timeout | undefined;
  const end = (): void => {
    clearTimeout(window);
    window = undefined;
    if (suppressed > 0) log.info({ suppressed }, 'more candidate differences than are logged in a minute');
    written = 0;
    suppressed = 0;
  };
  return {
    write(fields) {
      window ??= setTimeout(end, WINDOW_MS).unref();
      if (written >= perMinute) {
        suppressed++;
        onSuppressed();
        return;
      }
      written++;
      log.info(fields(), 'candidate differs');
    },
    close: end,
  };
}
