/** The bodies of DeleteObjects. Source: S3 API reference, DeleteObjects. */
import { S3Error } from './error.ts';
import { assertKeyLength } from './object-key.ts';
import { assertVersionId } from './opaque-id.ts';
import { optionalText, requiredText, requireKnown } from './xml-elements.ts';
import { parseXml, renderXml, S3_NAMESPACE, type ParsedElement } from './xml.ts';

const MAX_ENTRIES = 1000;

export interface DeleteEntry {
  readonly key: string;
  readonly versionId?: string;
  /** Delete only if the object has this entity tag, in the words of the client, quotes included. */
  readonly etag?: string;
  readonly lastModifiedTime?: string;
  readonly size?: string;
}

export interface DeleteObjectsRequest {
  /** Whether the answer leaves out what was deleted, and lists errors alone. */
  readonly quiet: boolean;
  readonly objects: readonly DeleteEntry[];
}

export interface DeletedEntry {
  readonly key: string;
  readonly versionId?: string;
  readonly deleteMarker?: boolean;
  readonly deleteMarkerVersionId?: string;
}

export interface DeleteErrorEntry {
  readonly key: string;
  readonly versionId?: string;
  readonly code: string;
  readonly message: string;
}

interface DeleteObjectsResult {
  readonly deleted: readonly DeletedEntry[];
  readonly errors: readonly DeleteErrorEntry[];
}

/**
 * @throws S3Error `MalformedXML` for anything but a `Delete` of 1 to 1,000 objects with known elements: an element
 * that is not understood could name another object. `KeyTooLongError` above 1,024 bytes. `InvalidArgument` for an id of
 * a version that can be none.
 */
export function parseDeleteObjects(text: string): DeleteObjectsRequest {
  const root = parseXml(text, 'Delete');
  requireKnown(root, ['Object', 'Quiet']);
  const objects = root.children('Object');
  if (objects.length === 0 || objects.length > MAX_ENTRIES) throw new S3Error('MalformedXML');
  return { quiet: parseBoolean(root.child('Quiet')), objects: objects.map(parseEntry) };
}

export function renderDeleteObjects(request: DeleteObjectsRequest): string {
  return renderXml(
    'Delete',
    {
      Object: request.objects.map((entry) => ({
        Key: entry.key,
        VersionId: entry.versionId,
        ETag: entry.etag,
        LastModifiedTime: entry.lastModifiedTime,
        Size: entry.size,
      })),
      Quiet: request.quiet ? true : undefined,
    },
    { namespace: S3_NAMESPACE },
  );
}

/** Reads the upstream's answer. @throws S3Error `MalformedXML` when it is not one. */
export function parseDeleteResult(text: string): DeleteObjectsResult {
  const root = parseXml(text, 'DeleteResult');
  return {
    deleted: root.children('Deleted').map(parseDeleted),
    errors: root.children('Error').map(parseError),
  };
}

export function renderDeleteResult(result: DeleteObjectsResult): string {
  return renderXml(
    'DeleteResult',
    {
      Deleted: result.deleted.map((entry) => ({
        Key: entry.key,
        VersionId: entry.versionId,
        DeleteMarker: entry.deleteMarker,
        DeleteMarkerVersionId: entry.deleteMarkerVersionId,
      })),
      Error: result.errors.map((entry) => ({
        Key: entry.key,
        VersionId: entry.versionId,
        Code: entry.code,
        Message: entry.message,
      })),
    },
    { namespace: S3_NAMESPACE },
  );
}

function parseEntry(element: ParsedElement): DeleteEntry {
  requireKnown(element, ['ETag', 'Key', 'LastModifiedTime', 'Size', 'VersionId']);
  const key = requiredText(element, 'Key');
  if (key === '') throw new S3Error('MalformedXML');
  assertKeyLength(key);
  const version = optionalText('versionId', element, 'VersionId');
  if (version.versionId !== undefined) assertVersionId(version.versionId);
  return {
    key,
    ...version,
    ...optionalText('etag', element, 'ETag'),
    ...optionalText('lastModifiedTime', element, 'LastModifiedTime'),
    ...optionalText('size', element, 'Size'),
  };
}

function parseDeleted(element: ParsedElement): DeletedEntry {
  const deleteMarker = element.child('DeleteMarker');
  return {
    key: requiredText(element, 'Key'),
    ...optionalText('versionId', element, 'VersionId'),
    ...(deleteMarker === undefined ? {} : { deleteMarker: deleteMarker.text === 'true' }),
    ...optionalText('deleteMarkerVersionId', element, 'DeleteMarkerVersionId'),
  };
}

function parseError(element: ParsedElement): DeleteErrorEntry {
  return {
    key: requiredText(element, 'Key'),
    ...optionalText('versionId', element, 'VersionId'),
    code: requiredText(element, 'Code'),
    message: element.child('Message')?.text ?? '',
  };
}

function parseBoolean(element: ParsedElement | undefined): boolean {
  const text = element?.text.trim().toLowerCase() ?? 'false';
  if (text !== 'true' && text !== 'false') throw new S3Error('MalformedXML');
  return text === 'true';
}
