/** IP addresses and ranges as policies compare them. */

export interface IpAddress {
  readonly version: 4 | 6;
  readonly bits: bigint;
}

export interface IpRange extends IpAddress {
  /** Length of the prefix in bits. */
  readonly prefix: number;
}

/** Any textual form; an IPv4-mapped IPv6 address (`::ffff:a.b.c.d`) is the IPv4 address. Undefined if malformed. */
export function parseIp(text: string): IpAddress | undefined {
  if (!text.includes(':')) {
    const bits = parseV4(text);
    return bits === undefined ? undefined : { version: 4, bits };
  }
  const bits = parseV6(text);
  if (bits === undefined) return undefined;
  return bits >> 32n === MAPPED ? { version: 4, bits: bits & 0xffff_ffffn } : { version: 6, bits };
}

/** An address with or without `/length`; without, it is that one address. */
export function parseIpRange(text: string): IpRange | undefined {
  const slash = text.indexOf('/');
  const address = parseIp(slash < 0 ? text : text.slice(0, slash));
  if (address === undefined) return undefined;
  const width = address.version === 4 ? 32 : 128;
  if (slash < 0) return { ...address, prefix: width };
  const digits = text.slice(slash + 1);
  if (!/^\d{1,3}$/.test(digits)) return undefined;
  return text.slice(0, slash).includes(':')
    ? v6Range(text.slice(0, slash), Number(digits))
    : Number(digits) <= 32
      ? { ...address, prefix: Number(digits) }
      : undefined;
}

export function ipInRange(address: IpAddress, range: IpRange): boolean {
  if (address.version !== range.version) return false;
  const shift = BigInt((range.version === 4 ? 32 : 128) - range.prefix);
  return address.bits >> shift === range.bits >> shift;
}

const MAPPED = 0xffffn;

/** `::ffff:10.0.0.0/104` is 10.0.0.0/8; a shorter prefix holds more than the mapped addresses and stays IPv6. */
function v6Range(text: string, length: number): IpRange | undefined {
  const bits = parseV6(text);
  if (bits === undefined || length > 128) return undefined;
  return length >= 96 && bits >> 32n === MAPPED
    ? { version: 4, bits: bits & 0xffff_ffffn, prefix: length - 96 }
    : { version: 6, bits, prefix: length };
}

function parseV4(text: string): bigint | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return undefined;
  let bits = 0n;
  for (const digits of match.slice(1)) {
    // A leading zero is octal to some readers and decimal to others: refused.
    if (Number(digits) > 255 || (digits.length > 1 && digits.startsWith('0'))) return undefined;
    bits = (bits << 8n) | BigInt(digits);
  }
  return bits;
}

function parseV6(text: string): bigint | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0] ?? '', { last: halves.length === 1 });
  const tail = halves.length === 2 ? parseGroups(halves[1] ?? '', { last: true }) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const groups = [...head, ...Array.from({ length: missing }, () => 0n), ...tail];
  return groups.reduce((bits, group) => (bits << 16n) | group, 0n);
}

/** The groups between colons; in the last one IPv4 notation may stand for two groups. */
function parseGroups(text: string, options: { readonly last: boolean }): bigint[] | undefined {
  if (text === '') return [];
  const groups: bigint[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (options.last && index === parts.length - 1 && part.includes('.')) {
      const v4 = parseV4(part);
      if (v4 === undefined) return undefined;
      groups.push(v4 >> 16n, v4 & 0xffffn);
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      groups.push(BigInt(`0x${part}`));
    } else {
      return undefined;
    }
  }
  return groups;
}
