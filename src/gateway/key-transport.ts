/** A client's own encryption key (SSE-C) is a secret: it travels over TLS, or never leaves the machine. */
import { BlockList, isIP } from 'node:net';
import { hasCustomerKey, S3Error } from '../s3/index.ts';
import type { Upstream } from '../upstream/index.ts';
import type { Authenticated } from './stages.ts';

/**
 * Both legs are looked at: that from the client, as S3 does, and that to the upstream.
 * @throws S3Error `InvalidRequest`.
 */
export function requireKeyTransport(
  request: Pick<Authenticated, 'effective' | 'peerAddress' | 'remoteAddress' | 'secure'>,
  upstream: Pick<Upstream, 'endpoint'>,
): void {
  if (!hasCustomerKey(request.effective.headers)) return;
  // A proxy on this machine may have had the key from elsewhere, in the clear.
  const local = isLoopback(request.peerAddress) && isLoopback(request.remoteAddress);
  if (!request.secure && !local)
    throw new S3Error('InvalidRequest', {
      message:
        'Requests specifying Server Side Encryption with Customer provided keys must be made over a secure connection.',
    });
  const { protocol, hostname } = new URL(upstream.endpoint);
  if (protocol !== 'https:' && !isLoopback(hostname.replaceAll(/^\[|\]$/g, '')))
    throw new S3Error('InvalidRequest', {
      message:
        'Server Side Encryption with Customer provided keys is not available: this gateway reaches its storage over an unencrypted connection.',
      reason: 'SSE-C needs an upstream with https, or on the same machine',
    });
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

function isLoopback(host: string): boolean {
  const family = isIP(host);
  return family === 0 ? host === 'localhost' : LOOPBACK.check(host, family === 6 ? 'ipv6' : 'ipv4');
}
