/** The two date forms that requests are signed with. */

const BASIC = /^\d{8}T\d{6}Z$/;

/** `yyyyMMddTHHmmssZ` (ISO 8601 basic format) of epoch milliseconds. */
export function formatAmzDate(epochMs: number): string {
  const iso = new Date(epochMs).toISOString();
  return `${iso.slice(0, 4)}${iso.slice(5, 7)}${iso.slice(8, 13)}${iso.slice(14, 16)}${iso.slice(17, 19)}Z`;
}

/** Epoch milliseconds of `yyyyMMddTHHmmssZ`; undefined for anything else, impossible dates included. */
export function parseAmzDate(text: string): number | undefined {
  if (!BASIC.test(text)) return undefined;
  const month = number(text, 4, 6);
  const day = number(text, 6, 8);
  const [hour, minute, second] = [number(text, 9, 11), number(text, 11, 13), number(text, 13, 15)];
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  const date = new Date(0);
  // Not Date.UTC, which takes the years 0 to 99 for 1900 to 1999.
  date.setUTCFullYear(number(text, 0, 4), month - 1, day);
  // 30 February becomes 2 March: only a date that stays as it was written exists.
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  return date.setUTCHours(hour, minute, second);
}

/**
 * Epoch milliseconds of an HTTP date (RFC 9110, section 5.6.7, IMF-fixdate); undefined for anything else, impossible
 * dates and wrong weekdays included.
 */
export function parseHttpDate(text: string): number | undefined {
  const epochMs = Date.parse(text);
  return Number.isNaN(epochMs) || new Date(epochMs).toUTCString() !== text ? undefined : epochMs;
}

function number(text: string, from: number, to: number): number {
  return Number(text.slice(from, to));
}
