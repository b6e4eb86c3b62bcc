/** Where records go. */
import type { AccessRecord } from './access-record.ts';
import { toJsonRecord } from './json-record.ts';
import { openLineFile } from './line-file.ts';
import { renderS3AccessLogLines } from './s3-access-log.ts';

export interface AuditSink {
  /** Takes the record of a finished request. Never throws and never waits. */
  readonly write: (record: AccessRecord) => void;
}

export interface S3AccessLogSink extends AuditSink {
  /** After log rotation. */
  readonly reopen: () => Promise<void>;
  /** Resolves when all lines are written, or lost and reported so. */
  readonly close: () => Promise<void>;
}

/** @param log Takes fields and a message, as pino's logger does. */
export function createJsonSink(log: { info(fields: object, message: string): void }): AuditSink {
  return {
    write: (record) => {
      log.info(toJsonRecord(record), 'access');
    },
  };
}

/**
 * Appends to a file in the S3 server access log format.
 * @throws the system's error when the file cannot be opened.
 */
export async function createS3AccessLogSink(options: {
  readonly path: string;
  /** The canonical user id of an account. */
  readonly canonicalUserId: (accountId: string) => string;
  /** Called with the number of lines that are lost. */
  readonly onDrop: (lines: number) => void;
  /** Called when writing begins to fail. */
  readonly onError: (error: unknown) => void;
}): Promise<S3AccessLogSink> {
  const file = await openLineFile(options);
  return {
    write: (record) => {
      for (const line of renderS3AccessLogLines(record, options)) file.append(line);
    },
    reopen: file.reopen,
    close: file.close,
  };
}
