/** Where a client finds an object: what answers say as Location. */
import { encodeUriPath } from '../s3/index.ts';
import type { Identified } from './stages.ts';

/**
 * A URL below the base by which the request came, in the style in which it came.
 * @param key of an object in the request's bucket.
 */
export function objectUrl(
  {
    address: { style, bucket = '' },
    effective,
    publicUrl,
    secure,
  }: Pick<Identified, 'address' | 'effective' | 'publicUrl' | 'secure'>,
  key: string,
): string {
  const host = effective.headers.get('host') ?? '';
  const base = publicUrl ?? {
    secure,
    host: style === 'virtual' ? host.slice(bucket.length + 1) : host,
    prefix: '',
  };
  const path = `${base.prefix}/${style === 'virtual' ? '' : `${bucket}/`}${encodeUriPath(key)}`;
  const origin = style === 'virtual' ? `${bucket}.${base.host}` : base.host;
  return `${base.secure ? 'https' : 'http'}://${origin}${path}`;
}
