/** Dates and numbers as policies compare them. */

/** A decimal number, exact at any length: the value is `units` / 10^`scale`. */
export interface Decimal {
  readonly units: bigint;
  readonly scale: number;
}

/** Undefined if it is not wholly a decimal number (`10abc` is none). */
export function parseDecimal(text: string): Decimal | undefined {
  const match = /^([+-]?)(\d{0,64})(?:\.(\d{0,64}))?$/.exec(text);
  if (match === null) return undefined;
  const [, sign = '', whole = '', fraction = ''] = match;
  if (whole === '' && fraction === '') return undefined;
  const units = BigInt(whole + fraction);
  return { units: sign === '-' ? -units : units, scale: fraction.length };
}

/** Negative, zero or positive, as left is below, at or above right. */
export function compareDecimals(left: Decimal, right: Decimal): number {
  const scale = Math.max(left.scale, right.scale);
  const a = left.units * 10n ** BigInt(scale - left.scale);
  const b = right.units * 10n ** BigInt(scale - right.scale);
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The order of a text against the number, as `compareDecimals` tells it; undefined if the text is no number. */
export function compileDecimal(expected: Decimal): (text: string) => number | undefined {
  const wanted = Number(expected.units);
  const wantedScale = expected.scale;
  const wantedDigits = String(expected.units).length;
  const compareAll = (text: string): number | undefined => {
    const actual = parseDecimal(text);
    return actual && compareDecimals(actual, expected);
  };
  // Numbers without a sign whose digits are few enough to be exact: the usual form.
  return (text) => {
    let units = 0;
    let count = 0;
    let point = -1;
    for (let at = 0; at < text.length; at += 1) {
      const digit = text.charCodeAt(at) - ZERO;
      if (digit >= 0 && digit <= 9) {
        units = units * 10 + digit;
        count += 1;
      } else if (digit === DOT && point < 0) point = count;
      else return compareAll(text);
    }
    const finer = (point < 0 ? 0 : count - point) - wantedScale;
    if (count === 0 || count - Math.min(finer, 0) > EXACT_DIGITS) return compareAll(text);
    if (wantedDigits + Math.max(finer, 0) > EXACT_DIGITS) return compareAll(text);
    return finer < 0 ? units * 10 ** -finer - wanted : units - wanted * 10 ** finer;
  };
}

const ZERO = 0x30;
/** As its distance from the digit zero. */
const DOT = 0x2e - ZERO;
/** Of these every integer is exact in a double. */
const EXACT_DIGITS = 15;

const W3C_DATE =
  /^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:[Tt](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(?:([Zz])|([+-])(\d{2}):?(\d{2}))?)?)?)?$/;

/**
 * Epoch milliseconds. Takes the forms of the W3C note on dates and times (a time without a zone is UTC) and epoch
 * seconds, fractions allowed; four digits alone are a year. Undefined if it is none of these.
 */
export function parseDate(text: string): number | undefined {
  const usual = parseUsualDate(text);
  if (usual !== undefined) return usual;
  const match = W3C_DATE.exec(text);
  if (match === null) {
    return /^-?\d{1,15}(?:\.\d{1,9})?$/.test(text) ? Number(text) * 1000 : undefined;
  }
  const [, year, month, day, hour, minute, second, fraction, , sign, zoneHour, zoneMinute] = match;
  const fields = [year, month ?? '1', day ?? '1', hour ?? '0', minute ?? '0', second ?? '0'].map(Number);
  const [y = 0, mo = 1, d = 1, h = 0, mi = 0, s = 0] = fields;
  const zh = Number(zoneHour ?? 0);
  const zm = Number(zoneMinute ?? 0);
  if (zh > 23 || zm > 59) return undefined;
  const time = epoch(y, mo, d, h, mi, s);
  const offset = (zh * 60 + zm) * 60_000 * (sign === '-' ? -1 : 1);
  return time === undefined ? undefined : time + Number(`0.${fraction ?? '0'}`) * 1000 - offset;
}

/** `2026-01-31T12:00:00.000Z`, as `aws:CurrentTime` is given; undefined for all other forms. */
function parseUsualDate(text: string): number | undefined {
  if (text.length !== 24) return undefined;
  for (let at = 0; at < text.length; at += 1) {
    const wanted = USUAL_DATE.charCodeAt(at);
    const code = text.charCodeAt(at);
    if (wanted === ZERO ? code < ZERO || code > ZERO + 9 : code !== wanted) return undefined;
  }
  const time = epoch(
    digits(text, 0, 4),
    digits(text, 5, 7),
    digits(text, 8, 10),
    digits(text, 11, 13),
    digits(text, 14, 16),
    digits(text, 17, 19),
  );
  return time === undefined ? undefined : time + digits(text, 20, 23);
}

const USUAL_DATE = '0000-00-00T00:00:00.000Z';

/** The number that stands there; whoever calls has seen that it is one. */
function digits(text: string, from: number, to: number): number {
  let value = 0;
  for (let at = from; at < to; at += 1) value = value * 10 + text.charCodeAt(at) - ZERO;
  return value;
}

/** Milliseconds; undefined for a day or time that is none. A leap second counts as the one behind it. */
function epoch(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
): number | undefined {
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return undefined;
  if (hour > 23 || minute > 59 || second > 60) return undefined;
  // Date.UTC takes the years 0 to 99 for 1900 to 1999; the calendar is the same 400 years later.
  return Date.UTC(year + CYCLE_YEARS, month - 1, day, hour, minute, second) - CYCLE_MILLISECONDS;
}

const CYCLE_YEARS = 400;
const CYCLE_MILLISECONDS = 146_097 * 86_400_000;

function daysInMonth(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}
