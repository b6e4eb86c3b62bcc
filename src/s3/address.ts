/** Which bucket and key a request is about. */
import { S3Error } from './error.ts';
import { assertKeyLength } from './object-key.ts';
import type { OperationLevel } from './operation.ts';
import type { WireRequest } from './wire-request.ts';

export interface Address {
  readonly style: 'path' | 'virtual';
  /** Absent at the service level. Not checked yet: see `assertBucketName`. */
  readonly bucket?: string;
  /** Percent-decoded once and never normalised; absent at the bucket level, never empty. */
  readonly key?: string;
}

/**
 * Reads bucket and key from Host and path. A Host below a base domain names the bucket; the base domain itself, and
 * any other Host, mean path style.
 * @param baseDomains lower-case, without port.
 * @throws S3Error `InvalidBucketName` for a path that starts with `//`, `KeyTooLongError` above 1,024 bytes.
 */
export function resolveAddress(request: WireRequest, baseDomains: readonly string[]): Address {
  const { path } = request;
  const hostBucket =
    baseDomains.length === 0 ? undefined : bucketOfHost(request.headers.get('host') ?? '', baseDomains);
  if (hostBucket !== undefined) return addressOf('virtual', hostBucket, path.slice(1));
  if (path === '/') return { style: 'path' };
  const slash = path.indexOf('/', 1);
  const bucket = slash === -1 ? path.slice(1) : path.slice(1, slash);
  if (bucket === '') throw new S3Error('InvalidBucketName', { details: { BucketName: '' } });
  return addressOf('path', bucket, slash === -1 ? '' : path.slice(slash + 1));
}

export function addressLevel(address: Address): OperationLevel {
  if (address.key !== undefined) return 'object';
  return address.bucket === undefined ? 'service' : 'bucket';
}

function addressOf(style: Address['style'], bucket: string, key: string): Address {
  if (key === '') return { style, bucket };
  assertKeyLength(key);
  return { style, bucket, key };
}

function bucketOfHost(host: string, baseDomains: readonly string[]): string | undefined {
  const name = withoutPort(host).toLowerCase();
  let longest = -1;
  for (const base of baseDomains) {
    if (name === base) return undefined;
    const below = name.length > base.length + 1 && name.endsWith(base);
    if (below && name[name.length - base.length - 1] === '.' && base.length > longest) longest = base.length;
  }
  return longest === -1 ? undefined : name.slice(0, -longest - 1);
}

function withoutPort(host: string): string {
  const colon = host.lastIndexOf(':');
  const name = colon === -1 || host.endsWith(']') ? host : host.slice(0, colon);
  return name.endsWith('.') ? name.slice(0, -1) : name;
}
