/** Tag sets of objects and buckets. Source: S3 API reference, PutObjectTagging and PutBucketTagging. */
import { S3Error } from './error.ts';
import { encodeUriComponent } from './uri.ts';
import { requiredText, requireKnown } from './xml-elements.ts';
import { parseXml, renderXml, S3_NAMESPACE, type ParsedElement } from './xml.ts';

export interface Tag {
  readonly key: string;
  readonly value: string;
}

type TaggedResource = 'object' | 'bucket';

const MAX_TAGS = { object: 10, bucket: 50 } as const;
/** In Unicode characters. */
const MAX_KEY_LENGTH = 128;
const MAX_VALUE_LENGTH = 256;

/**
 * @throws S3Error `MalformedXML`; `BadRequest` for more than 10 tags of an object or 50 of a bucket; `InvalidTag` for
 * a key that is empty, too long or there twice, and for a value that is too long.
 */
export function parseTagging(text: string, resource: TaggedResource): readonly Tag[] {
  const root = parseXml(text, 'Tagging');
  requireKnown(root, ['TagSet']);
  const set = root.child('TagSet');
  if (set === undefined) throw new S3Error('MalformedXML');
  requireKnown(set, ['Tag']);
  const tags = set.children('Tag').map(parseTag);
  checkTags(tags, resource);
  return tags;
}

export function renderTagging(tags: readonly Tag[]): string {
  return renderXml(
    'Tagging',
    { TagSet: { Tag: tags.map((tag) => ({ Key: tag.key, Value: tag.value })) } },
    { namespace: S3_NAMESPACE },
  );
}

/**
 * The tags of an `x-amz-tagging` header: `key=value&…`, percent-encoded, with `+` for a space.
 * @param header latin1 characters, one for each byte.
 * @throws S3Error `InvalidArgument` for a broken escape, and for a key that comes twice: which of its values is stored
 * would be the upstream's choice.
 */
export function parseTaggingHeader(header: string): readonly Tag[] {
  const tags: Tag[] = [];
  const keys = new Set<string>();
  for (const part of Buffer.from(header, 'latin1').toString('utf8').split('&')) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    const key = decodeForm(equals === -1 ? part : part.slice(0, equals));
    const value = equals === -1 ? '' : decodeForm(part.slice(equals + 1));
    if (key === undefined || value === undefined || keys.has(key)) throw invalidHeader(header);
    keys.add(key);
    tags.push({ key, value });
  }
  return tags;
}

/** The value to send upstream: exactly what was parsed, encoded anew. */
export function renderTaggingHeader(tags: readonly Tag[]): string {
  return tags.map(({ key, value }) => `${encodeUriComponent(key)}=${encodeUriComponent(value)}`).join('&');
}

function decodeForm(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}

function invalidHeader(value: string): S3Error {
  return new S3Error('InvalidArgument', {
    message:
      "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.",
    details: { ArgumentName: 'x-amz-tagging', ArgumentValue: value },
  });
}

function parseTag(element: ParsedElement): Tag {
  requireKnown(element, ['Key', 'Value']);
  return { key: requiredText(element, 'Key'), value: requiredText(element, 'Value') };
}

function checkTags(tags: readonly Tag[], resource: TaggedResource): void {
  if (tags.length > MAX_TAGS[resource])
    throw new S3Error('BadRequest', {
      message:
        resource === 'object'
          ? 'Object tags cannot be greater than 10'
          : 'Bucket tag count cannot be greater than 50',
    });
  const keys = new Set<string>();
  for (const { key, value } of tags) {
    if (key === '' || characters(key) > MAX_KEY_LENGTH)
      throw invalidTag('The TagKey you have provided is invalid', key);
    if (characters(value) > MAX_VALUE_LENGTH)
      throw invalidTag('The TagValue you have provided is invalid', key);
    if (keys.has(key)) throw invalidTag('Cannot provide multiple Tags with the same key', key);
    keys.add(key);
  }
}

function characters(text: string): number {
  return Array.from(text).length;
}

function invalidTag(message: string, key: string): S3Error {
  return new S3Error('InvalidTag', { message, details: { TagKey: key } });
}
