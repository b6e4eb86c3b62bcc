/** Object lock: the bucket's default, and the retention and legal hold of one version. */
import { OBJECT_LOCK } from '../documents/bucket-documents.ts';
import { LEGAL_HOLD, RETENTION } from '../documents/object-documents.ts';
import type { OperationSpec } from '../operation.ts';
import { CHARGED_RESPONSE, CHECKSUM_HEADERS, EXPECTED_OWNER, REQUEST_PAYER, XML_RESPONSE } from './fields.ts';
import { readSetting, writeSetting } from './settings.ts';

const LOCK = { query: ['object-lock'] };
const LOCK_BYTES = 16 * 1024;
/** versitygw has another name for it than S3. */
const RETENTION_ROOTS = [RETENTION.root, 'ObjectLockRetention'];

export const OBJECT_LOCK_OPERATIONS = {
  GetObjectLockConfiguration: readSetting({
    match: LOCK,
    root: OBJECT_LOCK.root,
    action: 's3:GetBucketObjectLockConfiguration',
  }),
  PutObjectLockConfiguration: writeSetting(OBJECT_LOCK, {
    match: LOCK,
    action: 's3:PutBucketObjectLockConfiguration',
    integrity: 'required',
    headers: ['x-amz-bucket-object-lock-token', REQUEST_PAYER],
    responseHeaders: CHARGED_RESPONSE,
  }),
  GetObjectRetention: {
    method: 'GET',
    level: 'object',
    match: { query: ['retention'] },
    actions: [{ action: 's3:GetObjectRetention', resource: 'object' }],
    handling: 'forward',
    body: 'none',
    query: ['versionId'],
    headers: [EXPECTED_OWNER, REQUEST_PAYER],
    answer: 'xml',
    answerRoots: RETENTION_ROOTS,
    responseHeaders: XML_RESPONSE,
  },
  PutObjectRetention: {
    method: 'PUT',
    level: 'object',
    match: { query: ['retention'] },
    actions: [
      { action: 's3:PutObjectRetention', resource: 'object' },
      {
        action: 's3:BypassGovernanceRetention',
        resource: 'object',
        when: { headerTrue: 'x-amz-bypass-governance-retention' },
      },
    ],
    handling: 'forward',
    body: { buffered: LOCK_BYTES },
    document: RETENTION,
    knownBy: RETENTION_ROOTS,
    checksums: 'body',
    integrity: 'required',
    query: ['versionId'],
    headers: [
      'content-type',
      'x-amz-bypass-governance-retention',
      ...CHECKSUM_HEADERS,
      EXPECTED_OWNER,
      REQUEST_PAYER,
    ],
    answer: 'empty',
    responseHeaders: CHARGED_RESPONSE,
  },
  GetObjectLegalHold: {
    method: 'GET',
    level: 'object',
    match: { query: ['legal-hold'] },
    actions: [{ action: 's3:GetObjectLegalHold', resource: 'object' }],
    handling: 'forward',
    body: 'none',
    query: ['versionId'],
    headers: [EXPECTED_OWNER, REQUEST_PAYER],
    answer: 'xml',
    answerRoots: [LEGAL_HOLD.root],
    responseHeaders: XML_RESPONSE,
  },
  PutObjectLegalHold: {
    method: 'PUT',
    level: 'object',
    match: { query: ['legal-hold'] },
    actions: [{ action: 's3:PutObjectLegalHold', resource: 'object' }],
    handling: 'forward',
    body: { buffered: LOCK_BYTES },
    document: LEGAL_HOLD,
    knownBy: [LEGAL_HOLD.root],
    checksums: 'body',
    integrity: 'required',
    query: ['versionId'],
    headers: ['content-type', ...CHECKSUM_HEADERS, EXPECTED_OWNER, REQUEST_PAYER],
    answer: 'empty',
    responseHeaders: CHARGED_RESPONSE,
  },
} as const satisfies Record<string, OperationSpec>;
