/**
 * Operations that are recognised and refused on purpose: `NotImplemented`. They would let something decide beside the
 * policies, or belong to kinds of buckets and endpoints that the gateway does not serve.
 */
import type { OperationSpec } from '../operation.ts';

const ABAC = 'the upstream would decide by tags, beside the policies of the gateway';
const DIRECTORY = 'directory buckets have an authentication of their own';
const LAMBDA = 'object lambda access points lie outside of the gateway';
const OVERWRITES =
  'a store that does not know it takes it for a plain PUT, and overwrites the object with nothing or with the request';
const TORRENT = 'the torrent would spread the object past the gateway';

export const REFUSED_OPERATIONS = {
  GetBucketAbac: {
    method: 'GET',
    level: 'bucket',
    match: { query: ['abac'] },
    actions: [{ action: 's3:GetBucketAbac', resource: 'bucket' }],
    handling: { refused: ABAC },
  },
  PutBucketAbac: {
    method: 'PUT',
    level: 'bucket',
    match: { query: ['abac'] },
    actions: [{ action: 's3:PutBucketAbac', resource: 'bucket' }],
    handling: { refused: ABAC },
  },
  CreateSession: {
    method: 'GET',
    level: 'bucket',
    match: { query: ['session'] },
    actions: [{ action: 's3express:CreateSession', resource: 'bucket' }],
    handling: { refused: DIRECTORY },
  },
  // The same request line as ListBuckets at another endpoint; here its own parameter tells them apart.
  ListDirectoryBuckets: {
    method: 'GET',
    level: 'service',
    match: { query: ['max-directory-buckets'] },
    actions: [{ action: 's3express:ListAllMyDirectoryBuckets', resource: '*' }],
    handling: { refused: DIRECTORY },
  },
  // `POST /WriteGetObjectResponse`, which reads as a bucket.
  WriteGetObjectResponse: {
    method: 'POST',
    level: 'bucket',
    match: { headers: ['x-amz-request-route', 'x-amz-request-token'] },
    actions: [{ action: 's3-object-lambda:WriteGetObjectResponse', resource: '*' }],
    handling: { refused: LAMBDA },
  },
  UpdateObjectEncryption: {
    method: 'PUT',
    level: 'object',
    match: { query: ['encryption'] },
    actions: [
      { action: 's3:UpdateObjectEncryption', resource: 'object' },
      { action: 's3:PutObject', resource: 'object' },
    ],
    handling: { refused: OVERWRITES },
  },
  GetObjectTorrent: {
    method: 'GET',
    level: 'object',
    match: { query: ['torrent'] },
    actions: [
      { action: 's3:GetObject', resource: 'object' },
      { action: 's3:GetObjectTorrent', resource: 'object' },
    ],
    handling: { refused: TORRENT },
  },
} as const satisfies Record<string, OperationSpec>;
