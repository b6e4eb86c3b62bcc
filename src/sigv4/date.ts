/** The two date forms that requests are signed with. */

const BASIC = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/;

/** `yyyyMMddTHHmmssZ` (ISO 8601 basic format) of epoch milliseconds. */
export function formatAmzDate(epochMs: number): string {
  const iso = new Date(epochMs).toISOString();
  return `${iso.slice(0, 4)}${iso.slice(5, 7)}${iso.slice(8, 13)}${iso.slice(14, 16)}${iso.slice(17, 19)}Z`;
}

/** Epoch milliseconds of `yyyyMMddTHHmmssZ`; undefined for anything else, impossible dates included. */
export function parseAmzDate(text: string): number | undefined {
  const match = BASIC.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second] = match;
  const epochMs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  // Date.parse takes 30 February for 2 March: only a date that prints as it was written exists.
  return Number.isNaN(epochMs) || formatAmzDate(epochMs) !== text ? undefined : epochMs;
}

/**
 * Epoch milliseconds of an HTTP date (RFC 9110, section 5.6.7, IMF-fixdate); undefined for anything else, impossible
 * dates and wrong weekdays included.
 */
export function parseHttpDate(text: string): number | undefined {
  const epochMs = Date.parse(text);
  return Number.isNaN(epochMs) || new Date(epochMs).toUTCString() !== text ? undefined : epochMs;
}
