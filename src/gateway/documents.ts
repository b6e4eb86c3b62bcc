/**
 * The small XML and JSON bodies, read and verified; those that feed the decision before anything is decided. What goes
 * upstream is written anew from what was understood here; the client's own text never does.
 */
import {
  parseCompleteMultipartUpload,
  parseCreateBucketConfiguration,
  parseDeleteObjects,
  parseTagging,
  S3Error,
  type CompletedPart,
  type DeleteObjectsRequest,
  type OperationName,
  type Tag,
} from '../s3/index.ts';
import type { BodyContext } from './condition-context.ts';
import type { IncomingBody } from './incoming-body.ts';
import type { Authenticated, Identified } from './stages.ts';

export type RequestDocument =
  | { readonly kind: 'none' }
  | { readonly kind: 'delete'; readonly delete: DeleteObjectsRequest }
  | { readonly kind: 'tagging'; readonly tags: readonly Tag[] }
  | { readonly kind: 'parts'; readonly parts: readonly CompletedPart[] }
  | { readonly kind: 'create-bucket'; readonly locationConstraint: string | undefined }
  /** Understood by the operation itself. */
  | { readonly kind: 'text'; readonly text: string };

/** Resolves to `none` for an operation without a buffered body. Throws S3Error, `MalformedXML` among others. */
export async function readDocument(
  request: Authenticated,
  body: () => IncomingBody,
): Promise<RequestDocument> {
  const { operation } = request;
  if (operation.body === 'none' || operation.body === 'stream') return { kind: 'none' };
  const text = decodeUtf8(await body().read());
  switch (operation.name) {
    case 'DeleteObjects':
      return { kind: 'delete', delete: parseDeleteObjects(text) };
    case 'PutObjectTagging':
      return { kind: 'tagging', tags: parseTagging(text, 'object') };
    case 'PutBucketTagging':
      return { kind: 'tagging', tags: parseTagging(text, 'bucket') };
    case 'CompleteMultipartUpload':
      return { kind: 'parts', parts: parseCompleteMultipartUpload(text) };
    case 'CreateBucket':
      return {
        kind: 'create-bucket',
        locationConstraint: text === '' ? undefined : parseCreateBucketConfiguration(text),
      };
    default:
      return { kind: 'text', text };
  }
}

/** Whether the document must be read before anything can be decided: all others are read for those who may. */
export function feedsDecision({ operation }: Identified): boolean {
  return FEEDING.has(operation.name);
}

const FEEDING: ReadonlySet<OperationName> = new Set([
  'CreateBucket',
  'DeleteObjects',
  'PutBucketTagging',
  'PutObjectTagging',
]);

/** The condition keys that a document fills in. */
export function documentContext(document: RequestDocument | undefined): BodyContext {
  if (document === undefined) return {};
  switch (document.kind) {
    case 'tagging':
      return { tags: document.tags };
    case 'create-bucket':
      return { locationConstraint: document.locationConstraint };
    case 'delete':
    case 'none':
    case 'parts':
    case 'text':
      return {};
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decodeUtf8(bytes: Buffer): string {
  try {
    return decoder.decode(bytes);
  } catch (error) {
    throw new S3Error('MalformedXML', { cause: error, reason: 'the body is not UTF-8' });
  }
}
