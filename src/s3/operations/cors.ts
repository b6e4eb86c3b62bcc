/** CORS: a bucket's rules, and the question of a browser whether they allow what a page asks for. */
import type { OperationSpec } from '../operation.ts';
import { CHECKSUM_HEADERS, EXPECTED_OWNER } from './fields.ts';

/** S3's own limit. */
const CORS_BYTES = 64 * 1024;

export const CORS_OPERATIONS = {
  GetBucketCors: {
    method: 'GET',
    level: 'bucket',
    match: { query: ['cors'] },
    actions: [{ action: 's3:GetBucketCORS', resource: 'bucket' }],
    handling: 'gateway',
    body: 'none',
    headers: [EXPECTED_OWNER],
    answer: 'xml',
    responseHeaders: [],
  },
  PutBucketCors: {
    method: 'PUT',
    level: 'bucket',
    match: { query: ['cors'] },
    actions: [{ action: 's3:PutBucketCORS', resource: 'bucket' }],
    handling: 'gateway',
    body: { buffered: CORS_BYTES },
    checksums: 'body',
    integrity: 'required',
    headers: ['content-type', ...CHECKSUM_HEADERS, EXPECTED_OWNER],
    answer: 'empty',
    responseHeaders: [],
  },
  DeleteBucketCors: {
    method: 'DELETE',
    level: 'bucket',
    match: { query: ['cors'] },
    actions: [{ action: 's3:PutBucketCORS', resource: 'bucket' }],
    handling: 'gateway',
    body: 'none',
    headers: [EXPECTED_OWNER],
    answer: 'empty',
    responseHeaders: [],
  },
  // Of buckets too. Answered before the table is asked, since the query is that of the request to come.
  OptionsObject: {
    method: 'OPTIONS',
    level: 'object',
    match: { headers: ['origin', 'access-control-request-method'] },
    actions: [],
    handling: 'gateway',
    body: 'none',
    headers: [],
    answer: 'empty',
    responseHeaders: [],
  },
} as const satisfies Record<string, OperationSpec>;
