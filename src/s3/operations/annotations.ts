/**
 * Annotations of objects: named texts beside the content. Source: S3 API reference, PutObjectAnnotation and the other
 * three. A store that does not know them would take the writing of one for that of the object.
 */
import { ANNOTATION_LISTING_ROOTS } from '../annotations.ts';
import type { OperationSpec } from '../operation.ts';
import {
  byVersion,
  CHARGED_RESPONSE,
  CHECKSUM_HEADERS,
  EXPECTED_OWNER,
  REQUEST_PAYER,
  STREAMING_HEADERS,
  XML_RESPONSE,
} from './fields.ts';

const VERSION_RESPONSE = ['x-amz-object-version-id', ...CHARGED_RESPONSE] as const;

/** Of the annotation, not of the object. */
const CONTENT_RESPONSE = [
  'etag',
  'x-amz-checksum-*',
  'x-amz-server-side-encryption',
  ...VERSION_RESPONSE,
] as const;

/** Asked for before: the GET of the same address without the name lists all annotations of the object. */
const KNOWN = { knownBy: ANNOTATION_LISTING_ROOTS, knownWithout: ['annotationName'] } as const;

export const ANNOTATION_OPERATIONS = {
  // The SDKs tell it from ListObjectAnnotations by `x-id` alone, which is a hint and routes nothing.
  GetObjectAnnotation: {
    method: 'GET',
    level: 'object',
    match: { query: ['annotation', 'annotationName'] },
    needs: 'annotations',
    actions: byVersion('s3:GetObjectAnnotation', 's3:GetObjectVersionAnnotation'),
    handling: 'forward',
    ...KNOWN,
    body: 'none',
    query: ['versionId'],
    headers: ['x-amz-checksum-mode', EXPECTED_OWNER, REQUEST_PAYER],
    answer: 'object',
    responseHeaders: [...XML_RESPONSE, 'last-modified', 'x-amz-replication-status', ...CONTENT_RESPONSE],
  },
  PutObjectAnnotation: {
    method: 'PUT',
    level: 'object',
    match: { query: ['annotation'] },
    needs: 'annotations',
    actions: byVersion('s3:PutObjectAnnotation', 's3:PutObjectVersionAnnotation'),
    // The answer names the key.
    handling: 'rewrite',
    ...KNOWN,
    body: 'stream',
    streamingPayload: true,
    checksums: 'body',
    query: ['annotationName', 'versionId'],
    headers: [
      'content-type',
      'x-amz-object-if-match',
      ...CHECKSUM_HEADERS,
      ...STREAMING_HEADERS,
      EXPECTED_OWNER,
      REQUEST_PAYER,
    ],
    answer: 'xml',
    responseHeaders: CONTENT_RESPONSE,
  },
  DeleteObjectAnnotation: {
    method: 'DELETE',
    level: 'object',
    match: { query: ['annotation'] },
    needs: 'annotations',
    actions: [
      ...byVersion('s3:DeleteObjectAnnotation', 's3:DeleteObjectVersionAnnotation'),
      {
        action: 's3:BypassGovernanceRetention',
        resource: 'object',
        when: { headerTrue: 'x-amz-bypass-governance-retention' },
      },
    ],
    handling: 'forward',
    ...KNOWN,
    body: 'none',
    query: ['annotationName', 'versionId'],
    headers: ['x-amz-bypass-governance-retention', 'x-amz-object-if-match', EXPECTED_OWNER, REQUEST_PAYER],
    answer: 'empty',
    responseHeaders: VERSION_RESPONSE,
  },
  ListObjectAnnotations: {
    method: 'GET',
    level: 'object',
    match: { query: ['annotation'] },
    needs: 'annotations',
    actions: byVersion('s3:ListObjectAnnotations', 's3:ListObjectVersionAnnotations'),
    // The answer names bucket and key.
    handling: 'rewrite',
    body: 'none',
    query: ['annotation-prefix', 'continuation-token', 'max-annotation-results', 'versionId'],
    headers: [EXPECTED_OWNER, REQUEST_PAYER],
    answer: 'xml',
    responseHeaders: VERSION_RESPONSE,
  },
} as const satisfies Record<string, OperationSpec>;
