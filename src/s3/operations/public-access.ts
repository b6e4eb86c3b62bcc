/** How public a bucket is, and may become: kept and judged by the gateway, as its policy is. */
import type { OperationSpec } from '../operation.ts';
import { CHECKSUM_HEADERS, EXPECTED_OWNER } from './fields.ts';

/** Four flags, with room for white space. */
const PUBLIC_ACCESS_BLOCK_BYTES = 8 * 1024;

export const PUBLIC_ACCESS_OPERATIONS = {
  GetBucketPolicyStatus: {
    method: 'GET',
    level: 'bucket',
    match: { query: ['policyStatus'] },
    actions: [{ action: 's3:GetBucketPolicyStatus', resource: 'bucket' }],
    handling: 'gateway',
    body: 'none',
    headers: [EXPECTED_OWNER],
    answer: 'xml',
    responseHeaders: [],
  },
  GetPublicAccessBlock: {
    method: 'GET',
    level: 'bucket',
    match: { query: ['publicAccessBlock'] },
    actions: [{ action: 's3:GetBucketPublicAccessBlock', resource: 'bucket' }],
    handling: 'gateway',
    body: 'none',
    headers: [EXPECTED_OWNER],
    answer: 'xml',
    responseHeaders: [],
  },
  PutPublicAccessBlock: {
    method: 'PUT',
    level: 'bucket',
    match: { query: ['publicAccessBlock'] },
    actions: [{ action: 's3:PutBucketPublicAccessBlock', resource: 'bucket' }],
    handling: 'gateway',
    body: { buffered: PUBLIC_ACCESS_BLOCK_BYTES },
    checksums: 'body',
    integrity: 'required',
    headers: ['content-type', ...CHECKSUM_HEADERS, EXPECTED_OWNER],
    answer: 'empty',
    responseHeaders: [],
  },
  DeletePublicAccessBlock: {
    method: 'DELETE',
    level: 'bucket',
    match: { query: ['publicAccessBlock'] },
    actions: [{ action: 's3:PutBucketPublicAccessBlock', resource: 'bucket' }],
    handling: 'gateway',
    body: 'none',
    headers: [EXPECTED_OWNER],
    answer: 'empty',
    responseHeaders: [],
  },
} as const satisfies Record<string, OperationSpec>;
