/**
 * The PROXY protocol, versions 1 and 2: what a proxy says, ahead of the first byte, about the connection that it
 * passes on. Source: HAProxy, "The PROXY protocol, Versions 1 & 2", 2020/03/05.
 */
import { isIPv4, isIPv6, SocketAddress } from 'node:net';
import { createChecksum } from '../body/index.ts';

export interface ProxyHeader {
  /** Who connected to the proxy; undefined where the proxy does not say, or speaks for itself. */
  readonly client: ProxiedClient | undefined;
  /** Bytes of the header. */
  readonly length: number;
}

interface ProxiedClient {
  /** IPv4 in dots; IPv6 in canonical form, without brackets; an IPv4-mapped one as IPv4. */
  readonly address: string;
  /** The client spoke TLS with the proxy. */
  readonly encrypted: boolean;
}

/** The connection does not begin as the proxy was configured to begin it. */
export class ProxyHeaderError extends Error {
  override readonly name = 'ProxyHeaderError';
}

const V1_START = Buffer.from('PROXY ', 'latin1');
/** "A 108-byte buffer is always enough to store all the line and a trailing zero." */
const V1_MAX_BYTES = 107;
const V2_SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const V2_FIXED_BYTES = 16;
/** Addresses and TLVs. A sender should keep below 536 bytes; certificates' names and tokens of clouds need more. */
const V2_MAX_BYTES = 4096;

const TLV_CRC32C = 0x03;
const TLV_SSL = 0x20;
const CLIENT_SSL = 0x01;

/**
 * Reads the header from the first bytes of a connection. Undefined: more bytes are needed.
 * @throws ProxyHeaderError for anything that is not a whole, true header.
 */
export function parseProxyHeader(data: Buffer): ProxyHeader | undefined {
  if (beginsAs(data, V2_SIGNATURE)) return parseVersion2(data);
  if (beginsAs(data, V1_START)) return parseVersion1(data);
  throw new ProxyHeaderError('the connection does not begin with a PROXY protocol header');
}

/** As far as there is data. */
function beginsAs(data: Buffer, start: Buffer): boolean {
  const length = Math.min(data.length, start.length);
  return data.subarray(0, length).equals(start.subarray(0, length));
}

function parseVersion1(data: Buffer): ProxyHeader | undefined {
  const end = data.subarray(0, V1_MAX_BYTES).indexOf('\r\n');
  if (end === -1) {
    if (data.length >= V1_MAX_BYTES) throw new ProxyHeaderError('the PROXY line has no end');
    return undefined;
  }
  const line = data.toString('latin1', 0, end);
  const length = end + 2;
  // "The receiver must ignore anything presented before the CRLF" after UNKNOWN.
  if (line === 'PROXY UNKNOWN' || line.startsWith('PROXY UNKNOWN ')) return { client: undefined, length };
  const match = /^PROXY TCP(?<version>[46]) (?<source>\S+) (?<target>\S+) (?<ports>\d{1,5} \d{1,5})$/.exec(
    line,
  );
  const { version, source = '', target = '', ports = '' } = match?.groups ?? {};
  const isAddress = version === '4' ? isIPv4 : isIPv6;
  const portsValid = ports
    .split(' ')
    .every((port) => String(Number(port)) === port && Number(port) <= 65_535);
  if (match === null || !isAddress(source) || !isAddress(target) || source.includes('%') || !portsValid)
    throw new ProxyHeaderError('the PROXY line is malformed');
  return { client: { address: canonicalAddress(source), encrypted: false }, length };
}

function parseVersion2(data: Buffer): ProxyHeader | undefined {
  if (data.length < V2_FIXED_BYTES) return undefined;
  const versionAndCommand = data.readUInt8(12);
  const family = data.readUInt8(13);
  const size = data.readUInt16BE(14);
  if (versionAndCommand >> 4 !== 2) throw new ProxyHeaderError('the PROXY header is of an unknown version');
  if (size > V2_MAX_BYTES) throw new ProxyHeaderError('the PROXY header is too long');
  const length = V2_FIXED_BYTES + size;
  if (data.length < length) return undefined;
  const header = data.subarray(0, length);
  switch (versionAndCommand & 0x0f) {
    // LOCAL: the proxy's own connection, such as a health check; what follows says nothing.
    case 0:
      return { client: undefined, length };
    case 1:
      break;
    default:
      throw new ProxyHeaderError('the PROXY header has an unknown command');
  }
  const addressBytes = ADDRESS_BYTES.get(family);
  if (addressBytes === undefined) throw new ProxyHeaderError('the PROXY header is of an unknown family');
  if (size < addressBytes) throw new ProxyHeaderError('the PROXY header is shorter than its addresses');
  const { encrypted } = readTlvs(header, V2_FIXED_BYTES + addressBytes);
  const address = sourceAddress(family, header.subarray(V2_FIXED_BYTES));
  return { client: address === undefined ? undefined : { address, encrypted }, length };
}

/** Unspecified, TCP over IPv4 and IPv6, UNIX stream sockets. Nothing else can be what arrives here over TCP. */
const ADDRESS_BYTES: ReadonlyMap<number, number> = new Map([
  [0x00, 0],
  [0x11, 12],
  [0x21, 36],
  [0x31, 216],
]);

function sourceAddress(family: number, block: Buffer): string | undefined {
  switch (family) {
    case 0x11:
      return block.subarray(0, 4).join('.');
    case 0x21: {
      const groups = Array.from({ length: 8 }, (_, index) => block.readUInt16BE(index * 2).toString(16));
      return canonicalAddress(groups.join(':'));
    }
    default:
      return undefined;
  }
}

/** @throws ProxyHeaderError when one ends outside of the header, or a checksum does not hold. */
function readTlvs(header: Buffer, start: number): { readonly encrypted: boolean } {
  let encrypted = false;
  for (let at = start; at < header.length;) {
    if (at + 3 > header.length) throw new ProxyHeaderError('a TLV of the PROXY header is cut short');
    const type = header.readUInt8(at);
    const end = at + 3 + header.readUInt16BE(at + 1);
    if (end > header.length)
      throw new ProxyHeaderError('a TLV of the PROXY header is longer than the header');
    if (type === TLV_CRC32C) checkChecksum(header, at + 3, end);
    if (type === TLV_SSL) {
      // One byte of flags, then whether a certificate was verified, then TLVs of their own.
      if (end - at < 3 + 5) throw new ProxyHeaderError('the TLS part of the PROXY header is cut short');
      encrypted ||= (header.readUInt8(at + 3) & CLIENT_SSL) !== 0;
    }
    at = end;
  }
  return { encrypted };
}

/** Over the whole header, with the checksum itself taken as zero. */
function checkChecksum(header: Buffer, start: number, end: number): void {
  const checksum = createChecksum('crc32c');
  checksum.update(header.subarray(0, start));
  checksum.update(Buffer.alloc(end - start));
  checksum.update(header.subarray(end));
  if (!checksum.digest().equals(header.subarray(start, end)))
    throw new ProxyHeaderError('the checksum of the PROXY header does not hold');
}

/**
 * One way of writing for each address, that of the socket's own: IPv6 in canonical form, an IPv4-mapped one as IPv4.
 * @param address a valid one, without zone.
 */
export function canonicalAddress(address: string): string {
  if (!address.includes(':')) return address;
  const canonical = new SocketAddress({ address, family: 'ipv6' }).address;
  return canonical.startsWith('::ffff:') && canonical.includes('.')
    ? canonical.slice('::ffff:'.length)
    : canonical;
}
