/** What a client may have signed, where a load balancer changed Host or path on the way. */
import { locate, type GatewayNames, type Located, type PublicUrl } from './address.ts';

/** Host and path in place of those received. */
interface SignedReading {
  readonly host: string;
  /** Percent-decoded once. */
  readonly path: string;
  readonly publicUrl: PublicUrl;
}

/**
 * One to four readings for each public URL, without the request as it was received.
 *
 * INVARIANT: each leads to the bucket and key that the request as received leads to. So a signature that was made for
 * one place never serves for another, whatever stands between, and whichever Host an attacker writes.
 * @param host as received.
 * @param path as received, percent-decoded once.
 */
export function signedReadings(host: string, path: string, names: GatewayNames): readonly SignedReading[] {
  const { publicUrls } = names;
  if (publicUrls.length === 0) return [];
  const received = locate(host, path, names);
  const readings: SignedReading[] = [];
  const offer = (signedHost: string, signedPath: string, publicUrl: PublicUrl): void => {
    if (signedHost === host && signedPath === path) return;
    if (sameResource(locate(signedHost, signedPath, names), received))
      readings.push({ host: signedHost, path: signedPath, publicUrl });
  };
  for (const publicUrl of publicUrls) {
    const offerPath = (signedHost: string, below: string): void => {
      offer(signedHost, publicUrl.prefix + below, publicUrl);
      if (below === '/' && publicUrl.prefix !== '') offer(signedHost, publicUrl.prefix, publicUrl);
    };
    if (received.style === 'path') offerPath(publicUrl.host, received.path);
    // A URL whose host is no base domain leads elsewhere with a bucket before it, and is not offered.
    if (received.bucket) offerPath(`${received.bucket}.${publicUrl.host}`, bucketPath(received));
  }
  return readings;
}

/** The path of a virtual-hosted request. */
function bucketPath({ style, bucket = '', path, key }: Located): string {
  if (style === 'virtual') return path;
  return key === '' ? '/' : path.slice(bucket.length + 1);
}

function sameResource(one: Located, other: Located): boolean {
  return one.bucket === other.bucket && one.key === other.key;
}
