/** The tags that a request gives an object in its header. */
import { parseTaggingHeader, type Tag } from '../s3/index.ts';
import type { Opened } from './stages.ts';

/** @throws S3Error `InvalidArgument` */
export function objectTags({ effective }: Opened): readonly Tag[] | undefined {
  const header = effective.headers.get('x-amz-tagging');
  return header === undefined ? undefined : parseTaggingHeader(header);
}
