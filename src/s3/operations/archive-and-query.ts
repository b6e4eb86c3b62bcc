/** An object brought back from an archive, and a query over what is in one. */
import { RESTORE, SELECT } from '../documents/object-documents.ts';
import type { OperationSpec } from '../operation.ts';
import {
  CHARGED_RESPONSE,
  CHECKSUM_HEADERS,
  CUSTOMER_KEY_HEADERS,
  EXPECTED_OWNER,
  REQUEST_PAYER,
} from './fields.ts';

const RESTORE_BYTES = 16 * 1024;
/** S3's own limit of the expression is 256 KB, before it is escaped. */
const SELECT_BYTES = 2 * 1024 * 1024;

export const ARCHIVE_AND_QUERY_OPERATIONS = {
  RestoreObject: {
    method: 'POST',
    level: 'object',
    match: { query: ['restore'] },
    actions: [{ action: 's3:RestoreObject', resource: 'object' }],
    handling: 'forward',
    body: { buffered: RESTORE_BYTES },
    document: RESTORE,
    checksums: 'body',
    query: ['versionId'],
    headers: ['content-type', ...CHECKSUM_HEADERS, EXPECTED_OWNER, REQUEST_PAYER],
    answer: 'empty',
    responseHeaders: CHARGED_RESPONSE,
  },
  SelectObjectContent: {
    method: 'POST',
    level: 'object',
    match: { query: ['select'], queryEquals: { 'select-type': '2' } },
    actions: [{ action: 's3:GetObject', resource: 'object' }],
    handling: 'forward',
    body: { buffered: SELECT_BYTES },
    document: SELECT,
    checksums: 'body',
    headers: ['content-type', ...CHECKSUM_HEADERS, ...CUSTOMER_KEY_HEADERS, EXPECTED_OWNER],
    answer: 'event-stream',
    responseHeaders: ['content-type'],
  },
} as const satisfies Record<string, OperationSpec>;
