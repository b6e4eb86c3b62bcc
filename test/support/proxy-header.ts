/** Writes PROXY protocol headers of version 2, right ones and wrong ones. */
import { isIPv4, SocketAddress } from 'node:net';

export interface ProxyV2 {
  readonly source?: string;
  readonly target?: string;
  readonly version?: number;
  /** 0: LOCAL, 1: PROXY. */
  readonly command?: number;
  readonly family?: number;
  /** In place of those of `source` and `target`, with the ports. */
  readonly addresses?: Buffer;
  readonly tlvs?: readonly Buffer[];
  /** Adds the CRC32c TLV. */
  readonly checksum?: boolean;
  /** In place of the true length. */
  readonly size?: number;
}

const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');

export function proxyV2(options: ProxyV2): Buffer {
  const { source, target, version = 2, command = 1 } = options;
  const known = source !== undefined && target !== undefined;
  const ports = Buffer.from([0xdc, 0x04, 0x01, 0xbb]);
  const addresses =
    options.addresses ?? (known ? Buffer.concat([bytesOf(source), bytesOf(target), ports]) : Buffer.alloc(0));
  const family = options.family ?? (known && isIPv4(source) ? 0x11 : 0x21);
  const crc = options.checksum === true ? [tlv(0x03, Buffer.alloc(4))] : [];
  const rest = Buffer.concat([addresses, ...(options.tlvs ?? []), ...crc]);
  const head = Buffer.from([(version << 4) | command, family, 0, 0]);
  head.writeUInt16BE(options.size ?? rest.length, 2);
  const header = Buffer.concat([SIGNATURE, head, rest]);
  if (crc.length > 0) header.writeUInt32BE(crc32c(header), header.length - 4);
  return header;
}

export function tlv(type: number, value: Buffer | string): Buffer {
  const bytes = Buffer.from(value as string);
  return Buffer.concat([Buffer.from([type, bytes.length >> 8, bytes.length & 0xff]), bytes]);
}

/** `PP2_TYPE_SSL`: flags, the result of the verification, and the version as a TLV of its own. */
export function sslTlv(flags: number): Buffer {
  return tlv(0x20, Buffer.concat([Buffer.from([flags, 0, 0, 0, 0]), tlv(0x21, 'TLSv1.3')]));
}

function bytesOf(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  const canonical = new SocketAddress({ address, family: 'ipv6' }).address;
  const mapped = /^::ffff:(?<v4>[\d.]+)$/.exec(canonical)?.groups?.['v4'];
  if (mapped !== undefined)
    return Buffer.concat([Buffer.alloc(10), Buffer.from([0xff, 0xff]), bytesOf(mapped)]);
  const [head = '', tail] = canonical.split('::');
  const first = groupsOf(head);
  const last = groupsOf(tail);
  const all = [...first, ...Array.from({ length: 8 - first.length - last.length }, () => 0), ...last];
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}

function groupsOf(text: string | undefined): number[] {
  return text === undefined || text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
}

/** Bit by bit, as RFC 3720, section 12.1, defines it. */
function crc32c(data: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ 0x82f63b78;
  }
  return ~crc >>> 0;
}
