/** Who sent a request, and whether over TLS: what the connection says, and what trusted proxies say of it. */
import { BlockList, isIPv4, isIPv6, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { stripWhiteSpace } from '../s3/index.ts';
import { canonicalAddress, type ProxyHeader } from './proxy-protocol.ts';

export interface ClientOrigin {
  /** The other end of the connection. */
  readonly peerAddress: string;
  /** The client's, as far as trusted proxies know it; else the last one that they do know. */
  readonly remoteAddress: string;
  /** TLS all the way from the client, as far as is known. */
  readonly secure: boolean;
  /** Why the client's address cannot be told: the request must be refused. */
  readonly problem: string | undefined;
}

export interface TrustedProxies {
  /** @param address as `peerAddressOf` has it. */
  has(address: string): boolean;
}

/** @param networks addresses or networks in CIDR notation. Undefined for none. */
export function trustNetworks(networks: readonly string[]): TrustedProxies | undefined {
  if (networks.length === 0) return undefined;
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    const canonical = canonicalAddress(address);
    if (isIPv6(canonical)) list.addSubnet(canonical, bits === undefined ? 128 : Number(bits), 'ipv6');
    // An IPv4-mapped network is the IPv4 one.
    else if (address.includes(':')) list.addSubnet(canonical, Math.max(0, Number(bits ?? 128) - 96), 'ipv4');
    else list.addSubnet(canonical, Number(bits ?? 32), 'ipv4');
  }
  return {
    has: (address) => {
      // Of a link-local address of IPv6: `fe80::1%eth0`.
      const zone = address.indexOf('%');
      const plain = zone === -1 ? address : address.slice(0, zone);
      return list.check(plain, isIPv4(plain) ? 'ipv4' : 'ipv6');
    },
  };
}

/** An IPv4 client of a socket that listens on IPv6 is written as IPv4. */
export function peerAddressOf({ remoteAddress = '' }: Socket): string {
  return remoteAddress.startsWith('::ffff:') ? canonicalAddress(remoteAddress) : remoteAddress;
}

export interface ProxyKnowledge {
  readonly trusted: TrustedProxies | undefined;
  /** What the connection began with; undefined for one without. */
  readonly proxyHeader: ProxyHeader | undefined;
}

/**
 * INVARIANT: headers count only where every hop from here to who wrote them is trusted; from anyone else they mean
 * nothing.
 * @param rawHeaders name, value, name, value… of the request; none for what did not become one.
 */
export function originOf(
  socket: Socket,
  rawHeaders: readonly string[],
  { trusted, proxyHeader }: ProxyKnowledge,
): ClientOrigin {
  const peerAddress = peerAddressOf(socket);
  const encrypted = socket instanceof TLSSocket;
  const direct = { peerAddress, remoteAddress: peerAddress, secure: encrypted, problem: undefined };
  if (trusted?.has(peerAddress) !== true) return direct;
  if (proxyHeader === undefined) return readHeaders(direct, rawHeaders, trusted);
  // The proxy's own connection, or one that it cannot tell the source of: who wrote its headers is not known either.
  if (proxyHeader.client === undefined) return direct;
  const { address, encrypted: encryptedBefore } = proxyHeader.client;
  const passedOn = { ...direct, remoteAddress: address, secure: encrypted || encryptedBefore };
  return trusted.has(address) ? readHeaders(passedOn, rawHeaders, trusted) : passedOn;
}

/** @param known the last hop that is known, a trusted one. */
function readHeaders(
  known: ClientOrigin,
  rawHeaders: readonly string[],
  trusted: TrustedProxies,
): ClientOrigin {
  const hops: string[] = [];
  let protocol: string | undefined;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (name.length !== X_FORWARDED_FOR.length && name.length !== X_FORWARDED_PROTO.length) continue;
    const lower = name.toLowerCase();
    const value = rawHeaders[i + 1] as string;
    if (lower === X_FORWARDED_FOR) hops.push(...value.split(','));
    else if (lower === X_FORWARDED_PROTO) protocol = value.slice(value.lastIndexOf(',') + 1);
  }
  // The trusted proxy's word replaces what is seen here: it may have encrypted anew what came to it in the clear.
  const secure = protocol === undefined ? known.secure : stripWhiteSpace(protocol).toLowerCase() === 'https';
  let { remoteAddress } = known;
  for (const hop of hops.toReversed()) {
    const text = stripWhiteSpace(hop);
    if (text === '') continue;
    const address = parseHop(text);
    // Taking the proxy's own address for it would pass for whoever has rights inside of the network.
    if (address === undefined)
      return {
        ...known,
        remoteAddress,
        secure,
        problem: `X-Forwarded-For has \`${text}\`, which is no address`,
      };
    remoteAddress = address;
    if (!trusted.has(address)) break;
  }
  return { ...known, remoteAddress, secure };
}

const X_FORWARDED_FOR = 'x-forwarded-for';
const X_FORWARDED_PROTO = 'x-forwarded-proto';

/** `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:4711`. */
function parseHop(text: string): string | undefined {
  const match = /^(?:\[(?<v6>[^\]]+)\]|(?<v4>[\d.]+))(?::\d{1,5})?$/.exec(text);
  if (match?.groups === undefined)
    return isIPv6(text) && !text.includes('%') ? canonicalAddress(text) : undefined;
  const { v4, v6 } = match.groups;
  if (v4 !== undefined) return isIPv4(v4) ? v4 : undefined;
  return v6 !== undefined && isIPv6(v6) && !v6.includes('%') ? canonicalAddress(v6) : undefined;
}
