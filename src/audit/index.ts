export type {
  AccessRecord,
  EntryResult,
  RecordedCause,
  RecordedDecision,
  RecordedEvaluation,
  RecordedStatement,
} from './access-record.ts';
export { toJsonRecord } from './json-record.ts';
export { redactRequestUri } from './redact.ts';
export { renderS3AccessLogLine, renderS3AccessLogLines } from './s3-access-log.ts';
export { createJsonSink, createS3AccessLogSink, type AuditSink, type S3AccessLogSink } from './sinks.ts';
