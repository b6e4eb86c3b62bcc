/** IP addresses and ranges as policies compare them. */

export interface IpAddress {
  readonly version: 4 | 6;
  /** 32 bits each, unsigned, the leading one first: one word, or four. */
  readonly words: readonly number[];
}

export interface IpRange extends IpAddress {
  /** Length of the prefix in bits. */
  readonly prefix: number;
}

/** Any textual form; an IPv4-mapped IPv6 address (`::ffff:a.b.c.d`) is the IPv4 address. Undefined if malformed. */
export function parseIp(text: string): IpAddress | undefined {
  const v4 = parseV4(text);
  if (v4 !== undefined) return { version: 4, words: [v4] };
  const words = parseV6(text);
  if (words === undefined) return undefined;
  return isMapped(words) ? { version: 4, words: words.slice(3) } : { version: 6, words };
}

/** An address with or without `/length`; without, it is that one address. */
export function parseIpRange(text: string): IpRange | undefined {
  const slash = text.indexOf('/');
  if (slash < 0) {
    const address = parseIp(text);
    return address && { ...address, prefix: address.version === 4 ? 32 : 128 };
  }
  const digits = text.slice(slash + 1);
  if (!/^\d{1,3}$/.test(digits)) return undefined;
  const prefix = Number(digits);
  const address = text.slice(0, slash);
  const v4 = parseV4(address);
  if (v4 !== undefined) return prefix <= 32 ? { version: 4, words: [v4], prefix } : undefined;
  const words = parseV6(address);
  if (words === undefined || prefix > 128) return undefined;
  // `::ffff:10.0.0.0/104` is 10.0.0.0/8; a shorter prefix holds more than the mapped addresses and stays IPv6.
  return prefix >= 96 && isMapped(words)
    ? { version: 4, words: words.slice(3), prefix: prefix - 96 }
    : { version: 6, words, prefix };
}

export function ipInRange(address: IpAddress, range: IpRange): boolean {
  if (address.version !== range.version) return false;
  return isBelow(address.words, range);
}

/** Of an address in any of several ranges. The address is read once, and IPv4 without anything allocated. */
export function compileIpRanges(ranges: readonly IpRange[]): (text: string) => boolean {
  const v6 = ranges.filter(({ version }) => version === 6);
  const v4 = ranges.filter(({ version }) => version === 4);
  const masks = v4.map(({ prefix }) => maskOf(prefix));
  const networks = v4.map(({ words, prefix }) => (words[0] ?? 0) & maskOf(prefix));
  const inV4 = (bits: number): boolean => {
    for (let index = 0; index < networks.length; index += 1) {
      if ((bits & (masks[index] ?? 0)) === networks[index]) return true;
    }
    return false;
  };
  return (text) => {
    const bits = parseV4(text);
    if (bits !== undefined) return inV4(bits);
    const words = parseV6(text);
    if (words === undefined) return false;
    return isMapped(words) ? inV4(words[3] ?? 0) : v6.some((range) => isBelow(words, range));
  };
}

function isBelow(words: readonly number[], range: IpRange): boolean {
  for (const [index, word] of range.words.entries()) {
    const mask = maskOf(range.prefix - 32 * index);
    if ((word & mask) !== ((words[index] ?? 0) & mask)) return false;
  }
  return true;
}

/** Of the first `length` bits of a word; all of them from 32 on, none from 0 down. */
function maskOf(length: number): number {
  if (length <= 0) return 0;
  return length >= 32 ? -1 : -1 << (32 - length);
}

function isMapped(words: readonly number[]): boolean {
  return words[0] === 0 && words[1] === 0 && words[2] === 0xffff;
}

const ZERO = 0x30;
const DOT = 0x2e;

/** Four decimal numbers, as 32 bits. A leading zero is octal to some readers and decimal to others: refused. */
function parseV4(text: string): number | undefined {
  if (text.length < 7 || text.length > 15) return undefined;
  let bits = 0;
  let octet = -1;
  let octets = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === DOT) {
      if (octet < 0 || octets === 3) return undefined;
      bits = bits * 256 + octet;
      octet = -1;
      octets += 1;
      continue;
    }
    const digit = code - ZERO;
    if (digit < 0 || digit > 9 || octet === 0) return undefined;
    octet = octet < 0 ? digit : octet * 10 + digit;
    if (octet > 255) return undefined;
  }
  return octet < 0 || octets < 3 ? undefined : bits * 256 + octet;
}

function parseV6(text: string): readonly number[] | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0] ?? '', { last: halves.length === 1 });
  const tail = halves.length === 2 ? parseGroups(halves[1] ?? '', { last: true }) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const groups = [...head, ...Array<number>(missing).fill(0), ...tail];
  return [0, 2, 4, 6].map((at) => (groups[at] ?? 0) * 0x1_0000 + (groups[at + 1] ?? 0));
}

/** The groups between colons, of 16 bits each; in the last one IPv4 notation may stand for two groups. */
function parseGroups(text: string, options: { readonly last: boolean }): number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (options.last && index === parts.length - 1 && part.includes('.')) {
      const v4 = parseV4(part);
      if (v4 === undefined) return undefined;
      groups.push(Math.floor(v4 / 0x1_0000), v4 % 0x1_0000);
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return undefined;
      groups.push(Number.parseInt(part, 16));
    }
  }
  return groups;
}
