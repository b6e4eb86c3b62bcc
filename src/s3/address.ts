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

/** A base URL under which clients know the gateway: what they sign when something rewrites it on the way. */
export interface PublicUrl {
  readonly secure: boolean;
  /** As a Host header has it: lower-case, without the protocol's own port. */
  readonly host: string;
  /** `/storage`, without a slash at its end; empty for none. Characters that need no percent-encoding. */
  readonly prefix: string;
}

/** What the gateway is called. */
export interface GatewayNames {
  /** Lower-case, without port: `bucket.` may stand before them. */
  readonly baseDomains: readonly string[];
  readonly publicUrls: readonly PublicUrl[];
}

/** Where a path leads at a host. */
export interface Located {
  readonly style: Address['style'];
  /** Empty for a path that starts with `//`. */
  readonly bucket: string | undefined;
  /** Empty at the bucket level. */
  readonly key: string;
  /** The path below the prefix of the public URL. */
  readonly path: string;
  /** The public URL that host and path belong to. */
  readonly publicUrl: PublicUrl | undefined;
}

/**
 * Reads bucket and key from Host and path. A Host below a base domain names the bucket; the base domain itself, and
 * any other Host, mean path style. Of a path at the host of a public URL that URL's prefix is no part.
 * @throws S3Error `InvalidBucketName` for a path that starts with `//`, `KeyTooLongError` above 1,024 bytes.
 */
export function resolveAddress(
  request: WireRequest,
  baseDomains: readonly string[],
  publicUrls: readonly PublicUrl[] = NO_URLS,
): Address {
  const host = request.headers.get('host') ?? '';
  const { style, bucket, key } = locate(host, request.path, { baseDomains, publicUrls });
  if (bucket === undefined) return { style };
  if (bucket === '') throw new S3Error('InvalidBucketName', { details: { BucketName: '' } });
  if (key === '') return { style, bucket };
  assertKeyLength(key);
  return { style, bucket, key };
}

export function addressLevel(address: Address): OperationLevel {
  if (address.key !== undefined) return 'object';
  return address.bucket === undefined ? 'service' : 'bucket';
}

/**
 * The base URL by which a request came. Where its prefix was taken away on the way, the host alone tells. Undefined
 * for a host that is of no public URL.
 */
export function publicUrlOf(request: WireRequest, names: GatewayNames): PublicUrl | undefined {
  if (names.publicUrls.length === 0) return undefined;
  const host = request.headers.get('host') ?? '';
  const { style, bucket, publicUrl } = locate(host, request.path, names);
  if (publicUrl !== undefined) return publicUrl;
  const base = host.toLowerCase().slice(style === 'virtual' ? (bucket ?? '').length + 1 : 0);
  return names.publicUrls.find((url) => url.host === base);
}

/**
 * INVARIANT: this is a function of its arguments alone. Whatever a proxy made of a request, what its client signed
 * leads here to one place: `signedReadings` offers no reading that leads to another.
 * @param host as received or as signed.
 * @param path percent-decoded once.
 */
export function locate(host: string, path: string, { baseDomains, publicUrls }: GatewayNames): Located {
  const hostBucket = baseDomains.length === 0 ? undefined : bucketOfHost(host, baseDomains);
  const publicUrl =
    publicUrls.length === 0 ? undefined : publicUrlAt(host.toLowerCase(), hostBucket, path, publicUrls);
  const below = publicUrl === undefined ? path : belowPrefix(path, publicUrl.prefix);
  if (hostBucket !== undefined)
    return { style: 'virtual', bucket: hostBucket, key: below.slice(1), path: below, publicUrl };
  if (below === '/') return { style: 'path', bucket: undefined, key: '', path: below, publicUrl };
  const slash = below.indexOf('/', 1);
  return {
    style: 'path',
    bucket: slash === -1 ? below.slice(1) : below.slice(1, slash),
    key: slash === -1 ? '' : below.slice(slash + 1),
    path: below,
    publicUrl,
  };
}

const NO_URLS: readonly PublicUrl[] = [];

/** The one with the longest prefix that the path has. */
function publicUrlAt(
  host: string,
  hostBucket: string | undefined,
  path: string,
  publicUrls: readonly PublicUrl[],
): PublicUrl | undefined {
  let found: PublicUrl | undefined;
  for (const url of publicUrls) {
    if (host !== (hostBucket === undefined ? url.host : `${hostBucket}.${url.host}`)) continue;
    const longer = found === undefined || url.prefix.length > found.prefix.length;
    if (longer && hasPrefix(path, url.prefix)) found = url;
  }
  return found;
}

/** Some clients leave out the slash after the prefix where nothing follows it. */
function hasPrefix(path: string, prefix: string): boolean {
  return path.startsWith(prefix) && (path.length === prefix.length || path[prefix.length] === '/');
}

function belowPrefix(path: string, prefix: string): string {
  return path.length === prefix.length ? '/' : path.slice(prefix.length);
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
