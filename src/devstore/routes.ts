/** Which handler serves a request; whatever is in no row, or not in the row that matches, is not implemented. */
import { CHECKSUM_ALGORITHMS } from '../body/index.ts';
import { S3Error, type WireRequest } from '../s3/index.ts';
import {
  createBucket,
  deleteBucket,
  deleteBucketTagging,
  getBucketLocation,
  getBucketTagging,
  headBucket,
  listBuckets,
  putBucketTagging,
} from './bucket-handlers.ts';
import type { Handler } from './call.ts';
import { abortMultipartUpload, completeMultipartUpload } from './complete-multipart.ts';
import { deleteObject, deleteObjects } from './delete-objects.ts';
import { getObject, headObject } from './get-object.ts';
import { listObjects, listObjectsV2 } from './list-objects.ts';
import { listMultipartUploads, listParts } from './list-uploads.ts';
import { createMultipartUpload, uploadPart, uploadPartCopy } from './multipart-parts.ts';
import { META_PREFIX, RESPONSE_OVERRIDES } from './object-headers.ts';
import { deleteObjectTagging, getObjectTagging, putObjectTagging } from './object-tagging.ts';
import { copyObject, putObject } from './put-object.ts';

export interface Route {
  readonly method: string;
  readonly level: 'service' | 'bucket' | 'object';
  /** Parameters that must be there. */
  readonly marks?: readonly string[];
  /** A header that must be there. */
  readonly markHeader?: string;
  /** Further parameters that may be there. */
  readonly query?: readonly string[];
  /** `x-amz-*` and conditional headers that may be there. */
  readonly headers?: readonly string[];
  /** `length`: a body whose Content-Length must be told. Undefined: there must be none. */
  readonly body?: 'optional' | 'length';
  /** The body may come in chunks with a trailing checksum. */
  readonly trailer?: true;
  readonly handle: Handler;
}

const CHECKSUMS: readonly string[] = [
  ...Object.values(CHECKSUM_ALGORITHMS).map(({ header }) => header),
  'x-amz-sdk-checksum-algorithm',
];
const DESCRIPTION = [META_PREFIX, 'x-amz-tagging', 'x-amz-storage-class'];
const TRAILER = ['x-amz-decoded-content-length', 'x-amz-trailer'];
const READ_CONDITIONS = ['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since', 'if-range'];
const WRITE_CONDITIONS = ['if-match', 'if-none-match'];
const COPY_CONDITIONS = READ_CONDITIONS.slice(0, 4).map((name) => `x-amz-copy-source-${name}`);
const LISTING = ['prefix', 'delimiter', 'max-keys', 'encoding-type'];
const GET_QUERY = [...RESPONSE_OVERRIDES, 'partNumber'];
const GET_HEADERS = [...READ_CONDITIONS, 'x-amz-checksum-mode'];

const ROUTES: readonly Route[] = [
  {
    method: 'GET',
    level: 'service',
    query: ['prefix', 'max-buckets', 'continuation-token'],
    handle: listBuckets,
  },

  { method: 'PUT', level: 'bucket', body: 'optional', headers: CHECKSUMS, handle: createBucket },
  { method: 'HEAD', level: 'bucket', handle: headBucket },
  { method: 'DELETE', level: 'bucket', handle: deleteBucket },
  { method: 'GET', level: 'bucket', marks: ['location'], handle: getBucketLocation },
  { method: 'GET', level: 'bucket', marks: ['tagging'], handle: getBucketTagging },
  {
    method: 'PUT',
    level: 'bucket',
    marks: ['tagging'],
    body: 'length',
    headers: CHECKSUMS,
    handle: putBucketTagging,
  },
  { method: 'DELETE', level: 'bucket', marks: ['tagging'], handle: deleteBucketTagging },
  { method: 'GET', level: 'bucket', query: [...LISTING, 'marker'], handle: listObjects },
  {
    method: 'GET',
    level: 'bucket',
    marks: ['list-type'],
    query: [...LISTING, 'start-after', 'continuation-token', 'fetch-owner'],
    handle: listObjectsV2,
  },
  {
    method: 'GET',
    level: 'bucket',
    marks: ['uploads'],
    query: ['prefix', 'delimiter', 'max-uploads', 'encoding-type', 'key-marker', 'upload-id-marker'],
    handle: listMultipartUploads,
  },
  {
    method: 'POST',
    level: 'bucket',
    marks: ['delete'],
    body: 'length',
    headers: CHECKSUMS,
    handle: deleteObjects,
  },

  {
    method: 'PUT',
    level: 'object',
    body: 'length',
    trailer: true,
    headers: [...DESCRIPTION, ...CHECKSUMS, ...TRAILER, ...WRITE_CONDITIONS],
    handle: putObject,
  },
  {
    method: 'PUT',
    level: 'object',
    markHeader: 'x-amz-copy-source',
    headers: [
      ...DESCRIPTION,
      ...WRITE_CONDITIONS,
      ...COPY_CONDITIONS,
      'x-amz-metadata-directive',
      'x-amz-tagging-directive',
      'x-amz-checksum-algorithm',
    ],
    handle: copyObject,
  },
  { method: 'GET', level: 'object', query: GET_QUERY, headers: GET_HEADERS, handle: getObject },
  { method: 'HEAD', level: 'object', query: GET_QUERY, headers: GET_HEADERS, handle: headObject },
  { method: 'DELETE', level: 'object', headers: ['if-match'], handle: deleteObject },
  { method: 'GET', level: 'object', marks: ['tagging'], handle: getObjectTagging },
  {
    method: 'PUT',
    level: 'object',
    marks: ['tagging'],
    body: 'length',
    headers: CHECKSUMS,
    handle: putObjectTagging,
  },
  { method: 'DELETE', level: 'object', marks: ['tagging'], handle: deleteObjectTagging },

  {
    method: 'POST',
    level: 'object',
    marks: ['uploads'],
    headers: [...DESCRIPTION, 'x-amz-checksum-algorithm', 'x-amz-checksum-type'],
    handle: createMultipartUpload,
  },
  {
    method: 'PUT',
    level: 'object',
    marks: ['partNumber', 'uploadId'],
    body: 'length',
    trailer: true,
    headers: [...CHECKSUMS, ...TRAILER],
    handle: uploadPart,
  },
  {
    method: 'PUT',
    level: 'object',
    marks: ['partNumber', 'uploadId'],
    markHeader: 'x-amz-copy-source',
    headers: [...COPY_CONDITIONS, 'x-amz-copy-source-range'],
    handle: uploadPartCopy,
  },
  {
    method: 'POST',
    level: 'object',
    marks: ['uploadId'],
    body: 'length',
    headers: [...CHECKSUMS, ...WRITE_CONDITIONS, 'x-amz-checksum-type', 'x-amz-mp-object-size'],
    handle: completeMultipartUpload,
  },
  { method: 'DELETE', level: 'object', marks: ['uploadId'], handle: abortMultipartUpload },
  {
    method: 'GET',
    level: 'object',
    marks: ['uploadId'],
    query: ['max-parts', 'part-number-marker', 'encoding-type'],
    handle: listParts,
  },
];

/** Parameters that mean nothing: SDKs name the operation in `x-id`. */
const COMMON_QUERY = new Set(['x-id']);
/** Those of the signature, and of no effect. */
const COMMON_HEADERS = new Set(['x-amz-content-sha256', 'x-amz-date', 'x-amz-user-agent']);

/**
 * The most specific row that the request matches.
 * @throws S3Error `NotImplemented` for what is in no row, and for a parameter or header that its row does not know:
 * what is not understood is never passed over. `InvalidArgument` for a repeated parameter.
 */
export function findRoute(wire: WireRequest, level: Route['level']): Route {
  const names = wire.query.map(({ name }) => name).filter((name) => !COMMON_QUERY.has(name));
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined)
    throw new S3Error('InvalidArgument', {
      message: `The parameter \`${repeated}\` may be given once only`,
      details: { ArgumentName: repeated },
    });
  let found: Route | undefined;
  for (const route of ROUTES) {
    const matches =
      route.method === wire.method &&
      route.level === level &&
      marksOf(route).every((mark) => names.includes(mark)) &&
      (route.markHeader === undefined || wire.headers.has(route.markHeader));
    if (matches && (found === undefined || specificity(route) > specificity(found))) found = route;
  }
  if (found === undefined)
    throw new S3Error('NotImplemented', { message: `\`${wire.method}\` of a ${level} is not implemented` });
  const { query = [], headers = [], markHeader } = found;
  const parameter = names.find((name) => !marksOf(found).includes(name) && !query.includes(name));
  if (parameter !== undefined)
    throw new S3Error('NotImplemented', { message: `The parameter \`${parameter}\` is not implemented` });
  for (const name of wire.headers.names()) {
    const matters = name.startsWith('x-amz-') || name.startsWith('if-');
    if (!matters || COMMON_HEADERS.has(name) || name === markHeader || headers.includes(name)) continue;
    if (name.startsWith(META_PREFIX) && headers.includes(META_PREFIX)) continue;
    throw new S3Error('NotImplemented', { details: { Header: name } });
  }
  return found;
}

function marksOf(route: Route): readonly string[] {
  return route.marks ?? [];
}

function specificity(route: Route): number {
  return marksOf(route).length + (route.markHeader === undefined ? 0 : 1);
}
