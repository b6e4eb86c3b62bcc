/** Tag sets: the `x-amz-tagging` header and the Tagging document. */
import { decodeUri, parseXml, renderXml, S3_NAMESPACE, S3Error } from '../s3/index.ts';

export interface Tag {
  readonly key: string;
  readonly value: string;
}

export const MAX_OBJECT_TAGS = 10;
export const MAX_BUCKET_TAGS = 50;

// Source: S3 User Guide, "Categorizing your objects using tags".
const ALLOWED = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;
const MAX_KEY_LENGTH = 128;
const MAX_VALUE_LENGTH = 256;

/** Reads `key=value&…`, form-encoded. @throws S3Error `InvalidArgument` or `InvalidTag`. */
export function parseTaggingHeader(header: string): readonly Tag[] {
  if (header === '') return [];
  const tags = header.split('&').map((pair) => {
    const equals = pair.indexOf('=');
    const key = decodeForm(equals === -1 ? pair : pair.slice(0, equals));
    const value = decodeForm(equals === -1 ? '' : pair.slice(equals + 1));
    if (key === undefined || value === undefined) throw invalidHeader(header);
    return { key, value };
  });
  if (new Set(tags.map(({ key }) => key)).size !== tags.length) throw invalidHeader(header);
  return checkTags(tags, MAX_OBJECT_TAGS);
}

/** Reads a Tagging document. @throws S3Error `MalformedXML`, `InvalidTag` or `BadRequest`. */
export function parseTagging(document: string, maximum: number): readonly Tag[] {
  const set = parseXml(document, 'Tagging').child('TagSet');
  if (set === undefined) throw new S3Error('MalformedXML');
  const tags = set.children('Tag').map((tag) => {
    const key = tag.child('Key')?.text;
    const value = tag.child('Value')?.text;
    if (key === undefined || value === undefined) throw new S3Error('MalformedXML');
    return { key, value };
  });
  return checkTags(tags, maximum);
}

export function renderTagging(tags: readonly Tag[]): string {
  return renderXml(
    'Tagging',
    { TagSet: { Tag: tags.map(({ key, value }) => ({ Key: key, Value: value })) } },
    { namespace: S3_NAMESPACE },
  );
}

function checkTags(tags: readonly Tag[], maximum: number): readonly Tag[] {
  if (tags.length > maximum)
    throw new S3Error('BadRequest', {
      message: `${maximum === MAX_OBJECT_TAGS ? 'Object' : 'Bucket'} tags cannot be greater than ${maximum}`,
    });
  const seen = new Set<string>();
  for (const { key, value } of tags) {
    if (key === '' || key.length > MAX_KEY_LENGTH || !ALLOWED.test(key))
      throw new S3Error('InvalidTag', {
        message: 'The TagKey you have provided is invalid',
        details: { TagKey: key },
      });
    if (value.length > MAX_VALUE_LENGTH || !ALLOWED.test(value))
      throw new S3Error('InvalidTag', {
        message: 'The TagValue you have provided is invalid',
        details: { TagKey: key, TagValue: value },
      });
    if (key.toLowerCase().startsWith('aws:'))
      throw new S3Error('InvalidTag', {
        message: 'System tags cannot be added/updated by requester',
        details: { TagKey: key },
      });
    if (seen.has(key))
      throw new S3Error('InvalidTag', {
        message: 'Cannot provide multiple Tags with the same key',
        details: { TagKey: key },
      });
    seen.add(key);
  }
  return tags;
}

function decodeForm(text: string): string | undefined {
  return decodeUri(text.replaceAll('+', ' '));
}

function invalidHeader(value: string): S3Error {
  return new S3Error('InvalidArgument', {
    message:
      "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.",
    details: { ArgumentName: 'x-amz-tagging', ArgumentValue: value },
  });
}
