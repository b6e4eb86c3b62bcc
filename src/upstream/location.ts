/** Where a bucket or object is, in the two styles of address. */
import { isIP } from 'node:net';

export interface Location {
  /** Of the connection. */
  readonly origin: string;
  /** As the Host header has it. */
  readonly host: string;
  /** Decoded. */
  readonly path: string;
}

export interface LocatedRequest {
  readonly bucket?: string | undefined;
  readonly key?: string | undefined;
}

/** One DNS label, so that a wildcard certificate covers it. Source: RFC 9525, section 6.3. */
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const LABELS = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/;

/** Makes the `locate` of one endpoint. */
export function locateAt(
  endpoint: string,
  style: 'path' | 'virtual-hosted',
): (request: LocatedRequest) => Location {
  const { protocol, host } = new URL(endpoint);
  const origin = `${protocol}//${host}`;
  const inHost = protocol === 'https:' ? LABEL : LABELS;
  return ({ bucket, key }) => {
    if (bucket === undefined) return { origin, host, path: '/' };
    if (style === 'virtual-hosted' && inHost.test(bucket)) {
      const path = key === undefined ? '/' : `/${key}`;
      return { origin: `${protocol}//${bucket}.${host}`, host: `${bucket}.${host}`, path };
    }
    return { origin, host, path: key === undefined ? `/${bucket}` : `/${bucket}/${key}` };
  };
}

/** Whether a bucket name can stand before the host. */
export function canHoldBuckets(endpoint: string): boolean {
  const { hostname } = new URL(endpoint);
  return isIP(hostname.replace(/^\[|\]$/g, '')) === 0;
}
