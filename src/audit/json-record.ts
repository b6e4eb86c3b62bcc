/** The record as one JSON object. */
import type { AccessRecord } from './access-record.ts';
import { redactRequestUri } from './redact.ts';

export type JsonRecord = Readonly<Record<string, unknown>>;

/** Most entries of one record; S3 takes no more keys in one request. */
const MAX_ENTRIES = 1000;

/** Plain values, absent ones left out by JSON; URIs redacted. `requestTime` is ISO 8601 in UTC. */
export function toJsonRecord(record: AccessRecord): JsonRecord {
  return {
    requestTime: new Date(record.time).toISOString(),
    requestId: record.requestId,
    hostId: record.hostId,
    remoteAddress: record.remoteAddress,
    peerAddress: record.peerAddress,
    method: record.method,
    requestUri: record.target && redactRequestUri(record.target),
    httpVersion: record.httpVersion,
    host: record.host,
    referer: record.referer && redactRequestUri(record.referer),
    userAgent: record.userAgent,
    tls: record.tls,
    operation: record.operation,
    bucket: record.bucket,
    bucketOwner: record.bucketOwner,
    key: record.key,
    versionId: record.versionId,
    copySource: record.copySource,
    principal: record.principal,
    accessKeyId: record.accessKeyId,
    authType: record.authType,
    signatureVersion: record.signatureVersion,
    decision: record.decision,
    otherDecisions: record.otherDecisions,
    evaluation: record.evaluation,
    status: record.status,
    errorCode: record.errorCode,
    errorReason: record.errorReason,
    signatureCause: record.signatureCause,
    bytesReceived: record.bytesReceived,
    bytesSent: record.bytesSent,
    objectSize: record.objectSize,
    totalTimeMs: record.totalTimeMs,
    turnAroundTimeMs: record.turnAroundTimeMs,
    outcome: record.outcome,
    upstream: record.upstream,
    entries: record.entries?.slice(0, MAX_ENTRIES),
  };
}
