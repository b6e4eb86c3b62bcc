/** The log: one JSON object a line, written asynchronously. */
import { pino, type DestinationStream, type Logger } from 'pino';

export type { Logger } from 'pino';

export interface LogOutput {
  readonly log: Logger;
  /** Resolves when every line is written, or cannot be. */
  readonly close: () => Promise<void>;
}

/**
 * A slow reader of the log makes lines wait in memory, up to this many bytes; beyond it lines are dropped rather than
 * requests held up.
 */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;
/** Lines are written together: a system call for each of them would cost a tenth of a small request. */
const BATCH_BYTES = 32 * 1024;
/** A line waits no longer than this. */
const BATCH_MS = 50;
/** A reader that stopped reading does not keep the process from stopping. */
const CLOSE_TIMEOUT_MS = 2000;

/**
 * @param options.destination An open file descriptor; or a stream, which its owner closes. Standard output by default.
 * @param options.onDrop Called for each line that found no room.
 */
export function createLogger(options: {
  readonly level: string;
  readonly destination?: number | DestinationStream;
  readonly onDrop?: () => void;
}): LogOutput {
  const { destination = 1, level, onDrop } = options;
  const settings = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: describeError },
  };
  if (typeof destination === 'object') {
    return { log: pino(settings, destination), close: () => Promise.resolve() };
  }
  const stream = pino.destination({
    dest: destination,
    sync: false,
    maxLength: MAX_WAITING_BYTES,
    minLength: BATCH_BYTES,
    maxWrite: 2 * BATCH_BYTES,
    periodicFlush: BATCH_MS,
  });
  // Without a listener a full disk would end the process; with nowhere left to write, there is nothing else to do.
  stream.on('error', () => undefined);
  if (onDrop !== undefined) stream.on('drop', onDrop);
  return {
    log: pino(settings, stream),
    close: () => closed(stream),
  };
}

/** Only the end of the stream says that everything was written. */
async function closed(stream: ReturnType<typeof pino.destination>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, CLOSE_TIMEOUT_MS);
  stream.once('close', resolve);
  stream.once('error', () => {
    resolve();
  });
  stream.end();
  await promise;
  clearTimeout(timer);
  // A line that comes after the end is lost, but must not throw.
  stream.write = () => true;
}

interface DescribedError {
  readonly type: string;
  readonly message: string;
  readonly code?: unknown;
  readonly reason?: unknown;
  readonly stack?: string | undefined;
  readonly cause?: DescribedError;
}

const MAX_CAUSES = 5;

/**
 * INVARIANT: only these properties. Errors carry others, such as the canonical request of a wrong signature, in which
 * a session token can stand.
 */
function describeError(error: unknown, depth = 0): DescribedError {
  if (!(error instanceof Error)) return { type: typeof error, message: 'not an Error' };
  const { code, reason } = error as Error & { readonly code?: unknown; readonly reason?: unknown };
  return {
    type: error.name,
    message: error.message,
    ...(typeof code === 'string' && { code }),
    ...(typeof reason === 'string' && { reason }),
    stack: error.stack,
    ...(error.cause !== undefined && depth < MAX_CAUSES && { cause: describeError(error.cause, depth + 1) }),
  };
}
