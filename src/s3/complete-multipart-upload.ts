/** The body of CompleteMultipartUpload. Source: S3 API reference, CompleteMultipartUpload. */
import { S3Error } from './error.ts';
import { optionalText, requiredText, requireKnown } from './xml-elements.ts';
import { parseXml, renderXml, S3_NAMESPACE, type ParsedElement } from './xml.ts';

export interface CompletedPart {
  /** 1 to 10,000. */
  readonly partNumber: number;
  /** In the words of the client, with or without quotes. */
  readonly etag: string;
  /** By element name (`ChecksumCRC32`), in base64. */
  readonly checksums: Readonly<Record<string, string>>;
}

const MAX_PARTS = 10_000;
/** Of one part: itself, number, entity tag and a checksum, each with its end; and some room. */
const MAX_TAGS = MAX_PARTS * 12;
const CHECKSUMS = [
  'ChecksumCRC32',
  'ChecksumCRC32C',
  'ChecksumCRC64NVME',
  'ChecksumMD5',
  'ChecksumSHA1',
  'ChecksumSHA256',
  'ChecksumSHA512',
  'ChecksumXXHASH64',
  'ChecksumXXHASH3',
  'ChecksumXXHASH128',
] as const;

/**
 * In the order of the document, which the upstream checks.
 * @throws S3Error `MalformedXML` for anything but 1 to 10,000 parts with number and entity tag; `InvalidArgument` for
 * a part number that cannot be.
 */
export function parseCompleteMultipartUpload(text: string): readonly CompletedPart[] {
  const root = parseXml(text, 'CompleteMultipartUpload', { maxTags: MAX_TAGS });
  requireKnown(root, ['Part']);
  const parts = root.children('Part');
  if (parts.length === 0 || parts.length > MAX_PARTS) throw new S3Error('MalformedXML');
  return parts.map(parsePart);
}

export function renderCompleteMultipartUpload(parts: readonly CompletedPart[]): string {
  return renderXml(
    'CompleteMultipartUpload',
    {
      Part: parts.map((part) =>
        Object.assign({}, part.checksums, { ETag: part.etag, PartNumber: part.partNumber }),
      ),
    },
    { namespace: S3_NAMESPACE },
  );
}

function parsePart(element: ParsedElement): CompletedPart {
  requireKnown(element, [...CHECKSUMS, 'ETag', 'PartNumber']);
  const checksums: Record<string, string> = {};
  for (const name of CHECKSUMS) Object.assign(checksums, optionalText(name, element, name));
  return {
    partNumber: parsePartNumber(requiredText(element, 'PartNumber')),
    etag: requiredText(element, 'ETag'),
    checksums,
  };
}

function parsePartNumber(text: string): number {
  const number = /^\d{1,5}$/.test(text.trim()) ? Number(text) : 0;
  if (number >= 1 && number <= MAX_PARTS) return number;
  throw new S3Error('InvalidArgument', {
    message: 'Part number must be an integer between 1 and 10000, inclusive',
    details: { ArgumentName: 'partNumber', ArgumentValue: text },
  });
}
