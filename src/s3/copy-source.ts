/** The `x-amz-copy-source` header: `/bucket/key?versionId=…`, percent-encoded, its leading slash optional. */
import { isBucketName } from './bucket-name.ts';
import { S3Error } from './error.ts';
import { assertKeyLength } from './object-key.ts';
import { assertVersionId } from './opaque-id.ts';
import { decodeUri, encodeUriComponent, encodeUriPath } from './uri.ts';

const HEADER = 'x-amz-copy-source';

export interface CopySource {
  readonly bucket: string;
  /** Percent-decoded once and never normalised. */
  readonly key: string;
  readonly versionId?: string;
}

/**
 * Parses the header's value. The first `?` starts the version: one that belongs to the key comes as `%3F`.
 * @throws S3Error `InvalidArgument` when it does not name a bucket and a key, `NotImplemented` for an ARN,
 * `KeyTooLongError`.
 */
export function parseCopySource(header: string): CopySource {
  const mark = header.indexOf('?');
  const path = decodeUri(mark === -1 ? header : header.slice(0, mark));
  if (path === undefined) throw invalid(header, 'Copy Source must be percent-encoded UTF-8.');
  const name = path.startsWith('/') ? path.slice(1) : path;
  if (/^arn:/i.test(name))
    throw new S3Error('NotImplemented', {
      message: `A copy source that is an ARN is not implemented: \`${header}\`. Name it as bucket/key.`,
      details: { Header: HEADER },
    });
  const slash = name.indexOf('/');
  if (slash < 1 || slash === name.length - 1)
    throw invalid(header, 'Copy Source must mention the source bucket and key: sourcebucket/sourcekey');
  const bucket = name.slice(0, slash);
  const key = name.slice(slash + 1);
  if (!isBucketName(bucket)) throw invalid(header, 'Invalid copy source bucket name');
  assertKeyLength(key);
  return mark === -1 ? { bucket, key } : { bucket, key, versionId: parseVersion(header, mark) };
}

/** The value to send upstream: exactly what was parsed, encoded anew. */
export function renderCopySource(source: CopySource): string {
  const version = source.versionId === undefined ? '' : `?versionId=${encodeUriComponent(source.versionId)}`;
  return `/${source.bucket}/${encodeUriPath(source.key)}${version}`;
}

function parseVersion(header: string, mark: number): string {
  const query = header.slice(mark + 1);
  if (!query.startsWith('versionId=') || query.includes('&') || query.includes('?'))
    throw invalid(header, 'Copy Source allows no other query parameter than versionId.');
  const versionId = decodeUri(query.slice('versionId='.length));
  if (versionId === undefined) throw invalid(header, 'Copy Source must be percent-encoded UTF-8.');
  assertVersionId(versionId, { name: HEADER, value: header });
  return versionId;
}

function invalid(header: string, message: string): S3Error {
  return new S3Error('InvalidArgument', {
    message,
    details: { ArgumentName: HEADER, ArgumentValue: header },
  });
}
