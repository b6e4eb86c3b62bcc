export type {
  AccessRecord,
  EntryResult,
  RecordedCause,
  RecordedDecision,
  RecordedEvaluation,
  RecordedStatement,
} from './access-record.ts';
export { toJsonRecord } from './json-record.ts';
export { fileSource, LogSourceError, type LogSource } from './log-lines.ts';
export { readRecords, type DamagedRecord, type FoundRecord, type LoggedRecord } from './read-records.ts';
export { redactRequestUri } from './redact.ts';
export { renderS3AccessLogLine, renderS3AccessLogLines } from './s3-access-log.ts';
export { createJsonSink, createS3AccessLogSink, type AuditSink, type S3AccessLogSink } from './sinks.ts';
