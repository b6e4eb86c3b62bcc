/**
 * The small XML and JSON bodies, read and verified; those that feed the decision before anything is decided. What goes
 * upstream is written anew from what was understood here; the client's own text never does.
 */
import {
  parseCompleteMultipartUpload,
  parseCreateBucketConfiguration,
  parseDeleteObjects,
  parseSettings,
  parseTagging,
  S3Error,
  type CompletedPart,
  type DeleteObjectsRequest,
  type OperationName,
  type SettingsDocument,
  type Tag,
} from '../s3/index.ts';
import type { BodyContext } from './condition-facts.ts';
import type { IncomingBody } from './incoming-body.ts';
import type { Authenticated } from './stages.ts';

export type RequestDocument =
  | { readonly kind: 'none' }
  | { readonly kind: 'delete'; readonly delete: DeleteObjectsRequest }
  | { readonly kind: 'tagging'; readonly tags: readonly Tag[] }
  | { readonly kind: 'parts'; readonly parts: readonly CompletedPart[] }
  | { readonly kind: 'create-bucket'; readonly locationConstraint: string | undefined }
  /** By the schema of its row. */
  | { readonly kind: 'settings'; readonly settings: SettingsDocument; readonly context: BodyContext }
  /** Understood by the operation itself. */
  | { readonly kind: 'text'; readonly text: string };

/** Resolves to `none` for an operation without a buffered body. Throws S3Error, `MalformedXML` among others. */
export async function readDocument(
  request: Authenticated,
  body: () => IncomingBody,
): Promise<RequestDocument> {
  const { operation } = request;
  if (operation.body === 'none' || operation.body === 'stream') return { kind: 'none' };
  if (operation.needsIntegrity) requireIntegrity(request);
  const text = decodeUtf8(await body().read(), operation.name);
  if (operation.document !== undefined) {
    const settings = parseSettings(text, operation.document);
    return { kind: 'settings', settings, context: settingsContext(operation.name, settings) };
  }
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
export function feedsDecision({ operation }: Authenticated): boolean {
  return FEEDING.has(operation.name);
}

const FEEDING: ReadonlySet<OperationName> = new Set([
  'CreateBucket',
  'DeleteObjects',
  'PutBucketInventoryConfiguration',
  'PutBucketTagging',
  'PutObjectLegalHold',
  'PutObjectRetention',
  'PutObjectTagging',
]);

/** The condition keys that a document fills in. */
export function documentContext(document: RequestDocument): BodyContext {
  switch (document.kind) {
    case 'tagging':
      return { tags: document.tags };
    case 'create-bucket':
      return { locationConstraint: document.locationConstraint };
    case 'settings':
      return document.context;
    case 'delete':
    case 'none':
    case 'parts':
    case 'text':
      return {};
  }
}

function settingsContext(operation: OperationName, settings: SettingsDocument): BodyContext {
  switch (operation) {
    case 'PutObjectRetention':
      return { lockMode: settings.texts('Mode')[0], retainUntil: settings.texts('RetainUntilDate')[0] };
    case 'PutObjectLegalHold':
      return { legalHold: settings.texts('Status')[0] };
    case 'PutBucketInventoryConfiguration':
      return { inventoryFields: settings.texts('OptionalFields', 'Field') };
    default:
      return {};
  }
}

/** A signed sha256 of the body proves as much as the checksum that S3 asks for. */
function requireIntegrity({ body }: Authenticated): void {
  if (body === undefined) return;
  if (body.md5 !== undefined || body.checksum !== undefined || body.payload.kind === 'sha256') return;
  throw new S3Error('InvalidRequest', {
    message: 'Missing required header for this request: Content-MD5 OR x-amz-checksum-*',
  });
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decodeUtf8(bytes: Buffer, operation: OperationName): string {
  try {
    return decoder.decode(bytes);
  } catch (error) {
    const code = operation === 'PutBucketPolicy' ? 'MalformedPolicy' : 'MalformedXML';
    throw new S3Error(code, { cause: error, reason: 'the body is not UTF-8' });
  }
}
