/** The documents of object annotations. Source: S3 API reference, ListObjectAnnotations and PutObjectAnnotation. */
import { S3Error } from './error.ts';
import { parseXml, renderXml, S3_NAMESPACE, type ParsedElement, type XmlElements } from './xml.ts';

/** The name in the API reference, and those that answers of its kind have elsewhere in S3. */
export const ANNOTATION_LISTING_ROOTS = [
  'ListObjectAnnotationsOutput',
  'ListObjectAnnotationsResult',
  'ListObjectAnnotationsResponse',
] as const;

const PAGE_TEXTS = ['AnnotationPrefix', 'MaxAnnotationResults', 'AnnotationCount'] as const;
const ENTRY_TEXTS = ['AnnotationName', 'LastModified', 'Size', 'ETag'] as const;

/** One page of the annotations of an object. */
export interface AnnotationListing {
  readonly nextContinuationToken: string | undefined;
  /** Elements of the page that say nothing of where the object is, in the upstream's words. */
  readonly texts: XmlElements;
  readonly entries: readonly XmlElements[];
}

/**
 * @param options.replication whether it tells of replication.
 * @throws S3Error `MalformedXML` for anything but such a page.
 */
export function parseAnnotationListing(
  text: string,
  { replication }: { readonly replication: boolean },
): AnnotationListing {
  const named = ANNOTATION_LISTING_ROOTS.find((name) => text.includes(`<${name}`));
  const root = parseXml(text, named ?? ANNOTATION_LISTING_ROOTS[0]);
  const annotations = root.child('Annotations');
  if (annotations?.childNames.some((name) => name !== 'AnnotationEntry'))
    throw new S3Error('MalformedXML', { reason: 'an annotation of another name' });
  return {
    nextContinuationToken: root.child('NextContinuationToken')?.text,
    texts: textsOf(root, PAGE_TEXTS),
    entries: (annotations?.children('AnnotationEntry') ?? []).map((entry) =>
      entryOf(entry, replication ? [...ENTRY_TEXTS, 'ReplicationStatus'] : ENTRY_TEXTS),
    ),
  };
}

export function renderAnnotationListing(
  { texts, entries, nextContinuationToken }: AnnotationListing,
  of: { readonly bucket: string; readonly key: string; readonly continuationToken: string | undefined },
): string {
  return renderXml(
    ANNOTATION_LISTING_ROOTS[0],
    {
      Annotations: { AnnotationEntry: entries },
      Bucket: of.bucket,
      Key: of.key,
      ...texts,
      ContinuationToken: of.continuationToken,
      NextContinuationToken: nextContinuationToken,
    },
    { namespace: S3_NAMESPACE },
  );
}

export function renderPutAnnotation(put: {
  readonly key: string;
  readonly name: string | undefined;
}): string {
  return renderXml(
    'PutObjectAnnotationOutput',
    { Key: put.key, AnnotationName: put.name },
    { namespace: S3_NAMESPACE },
  );
}

function entryOf(entry: ParsedElement, names: readonly string[]): XmlElements {
  const ChecksumAlgorithm = entry.children('ChecksumAlgorithm').map(({ text }) => text);
  return { ...textsOf(entry, names), ChecksumAlgorithm };
}

function textsOf(element: ParsedElement, names: readonly string[]): XmlElements {
  return Object.fromEntries(names.map((name) => [name, element.child(name)?.text]));
}
