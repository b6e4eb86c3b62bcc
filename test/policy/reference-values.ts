/** The reference evaluator's numbers, dates and IP addresses, by BigInt and Date. Undefined: it is none. */

/** `12`, `-1.5`, `+0.25`, `1e3`, scaled by 10^40, so that comparing is exact. */
export function readNumber(text: string): bigint | undefined {
  const match = /^([+-]?)([0-9]+)(?:\.([0-9]+))?$/.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = '', fraction = ''] = match;
  const scaled = BigInt(whole + fraction.padEnd(SCALE, '0'));
  return sign === '-' ? -scaled : scaled;
}

/** Seconds since 1970, scaled by 10^40. Source: W3C NOTE-datetime, or epoch seconds; four digits are a year. */
export function readDate(text: string): bigint | undefined {
  const calendar = /^([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?(?:T(.+))?)?$/.exec(text);
  // No more than 30 million years and nanoseconds: what is longer is no date.
  if (calendar === null) return /^-?[0-9]{1,15}(\.[0-9]{1,9})?$/.test(text) ? readNumber(text) : undefined;
  const [, year = '', month = '01', day, time] = calendar;
  if (time !== undefined && day === undefined) return undefined;
  const date = `${year}-${month}-${day ?? '01'}`;
  const midnight = new Date(`${date}T00:00:00Z`);
  if (Number.isNaN(midnight.getTime()) || !midnight.toISOString().startsWith(date)) return undefined;
  const seconds = BigInt(midnight.getTime() / 1000);
  if (time === undefined) return seconds * UNIT;
  const clock =
    /^([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?(?:Z|([+-])([0-9]{2}):([0-9]{2}))$/.exec(time);
  if (clock === null) return undefined;
  const [, hour = '', minute = '', second = '0', fraction = '', sign, zoneHour = '0', zoneMinute = '0'] =
    clock;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  if (Number(zoneHour) > 23 || Number(zoneMinute) > 59) return undefined;
  const zone = (Number(zoneHour) * 60 + Number(zoneMinute)) * 60;
  const offset = sign === '-' ? -zone : zone;
  const ofDay = Number(hour) * 3600 + Number(minute) * 60 + Number(second) - offset;
  return (seconds + BigInt(ofDay)) * UNIT + BigInt(fraction.padEnd(SCALE, '0'));
}

const SCALE = 40;
const UNIT = 10n ** BigInt(SCALE);

interface Address {
  readonly bits: 32 | 128;
  readonly value: bigint;
}

/** A single address is a range of one. A mapped IPv4 address (`::ffff:10.0.0.1`) is an IPv4 address. */
export function ipInRange(address: string, range: string): boolean | undefined {
  const [base = '', length, ...more] = range.split('/');
  const network = readAddress(base);
  if (network === undefined || more.length > 0) return undefined;
  if (length !== undefined && !/^[0-9]{1,3}$/.test(length)) return undefined;
  const prefix = length === undefined ? network.bits : Number(length);
  if (prefix > network.bits) return undefined;
  const caller = asIpv4IfMapped(readAddress(address));
  if (caller === undefined) return false;
  const mapped = asIpv4IfMapped(network);
  // A shorter prefix holds more than mapped addresses: a range of IPv6.
  if (mapped?.bits === 32 && network.bits === 128 && prefix >= 96) {
    return sameNetwork(caller, mapped, prefix - 96);
  }
  return sameNetwork(caller, network, prefix);
}

function sameNetwork(left: Address, right: Address, prefix: number): boolean {
  const hostBits = BigInt(right.bits - prefix);
  return left.bits === right.bits && left.value >> hostBits === right.value >> hostBits;
}

function asIpv4IfMapped(address: Address | undefined): Address | undefined {
  if (address?.bits !== 128 || address.value >> 32n !== 0xffffn) return address;
  return { bits: 32, value: address.value & 0xffffffffn };
}

function readAddress(text: string): Address | undefined {
  if (!text.includes(':')) {
    const value = readDotted(text);
    return value === undefined ? undefined : { bits: 32, value };
  }
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [left, right] = halves.map(readGroups);
  if (left === undefined) return undefined;
  if (halves.length === 1) return left.length === 8 ? { bits: 128, value: joinGroups(left) } : undefined;
  if (right === undefined || left.length + right.length > 7) return undefined;
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => 0n);
  // Dotted notation stands for the last 32 bits, nowhere else.
  if (halves[0]?.includes('.') === true) return undefined;
  return { bits: 128, value: joinGroups([...left, ...zeros, ...right]) };
}

/** The 16-bit groups of one side of `::`. */
function readGroups(text: string): bigint[] | undefined {
  if (text === '') return [];
  const pieces = text.split(':');
  const groups: bigint[] = [];
  for (const [index, piece] of pieces.entries()) {
    if (piece.includes('.') && index === pieces.length - 1) {
      const dotted = readDotted(piece);
      if (dotted === undefined) return undefined;
      groups.push(dotted >> 16n, dotted & 0xffffn);
    } else if (/^[0-9A-Fa-f]{1,4}$/.test(piece)) groups.push(BigInt(`0x${piece}`));
    else return undefined;
  }
  return groups;
}

function joinGroups(groups: readonly bigint[]): bigint {
  return groups.reduce((value, group) => value * 65536n + group, 0n);
}

function readDotted(text: string): bigint | undefined {
  const octets = text.split('.');
  if (octets.length !== 4) return undefined;
  let value = 0n;
  for (const octet of octets) {
    if (!/^(0|[1-9][0-9]{0,2})$/.test(octet) || Number(octet) > 255) return undefined;
    value = value * 256n + BigInt(octet);
  }
  return value;
}
