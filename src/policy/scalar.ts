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

const W3C_DATE =
  /^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:[Tt](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(?:([Zz])|([+-])(\d{2}):?(\d{2}))?)?)?)?$/;

/**
 * Epoch milliseconds. Takes the forms of the W3C note on dates and times (a time without a zone is UTC) and epoch
 * seconds, fractions allowed; four digits alone are a year. Undefined if it is none of these.
 */
export function parseDate(text: string): number | undefined {
  const match = W3C_DATE.exec(text);
  if (match === null) {
    return /^-?\d{1,15}(?:\.\d{1,9})?$/.test(text) ? Number(text) * 1000 : undefined;
  }
  const [, year, month, day, hour, minute, second, fraction, , sign, zoneHour, zoneMinute] = match;
  const fields = [year, month ?? '1', day ?? '1', hour ?? '0', minute ?? '0', second ?? '0'].map(Number);
  const [y = 0, mo = 1, d = 1, h = 0, mi = 0, s = 0] = fields;
  const zh = Number(zoneHour ?? 0);
  const zm = Number(zoneMinute ?? 0);
  if (mo < 1 || mo > 12 || d < 1 || d > daysInMonth(y, mo)) return undefined;
  if (h > 23 || mi > 59 || s > 60 || zh > 23 || zm > 59) return undefined;
  const offset = (zh * 60 + zm) * 60_000 * (sign === '-' ? -1 : 1);
  const epoch = Date.UTC(y + CYCLE_YEARS, mo - 1, d, h, mi, s) - CYCLE_MILLISECONDS;
  return epoch + Number(`0.${fraction ?? '0'}`) * 1000 - offset;
}

/** Date.UTC takes the years 0 to 99 for 1900 to 1999; the calendar is the same 400 years later. */
const CYCLE_YEARS = 400;
const CYCLE_MILLISECONDS = 146_097 * 86_400_000;

function daysInMonth(year: number, month: number): number {
  return new Date(Date.UTC(year + CYCLE_YEARS, month, 0)).getUTCDate();
}
