/** A part of a key, between two slashes, as it is written in a policy; and what in it will be another one tomorrow. */

/**
 * What changes from one key to the next while the place stays the same: dates, times, numbers and ids. In the order in
 * which they are looked for.
 */
const VARIABLE = new RegExp(
  [
    // UUID (RFC 9562).
    '[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}',
    // ISO 8601: a date, perhaps with a time.
    String.raw`\d{4}-\d{2}-\d{2}(?:[T_ -]?\d{2}[:.-]?\d{2}(?:[:.-]?\d{2}(?:\.\d+)?)?Z?)?`,
    String.raw`\d{8}T\d{4,6}Z?`,
    String.raw`\d{4}-\d{2}(?!\d)`,
    // Hexadecimal ids and hashes, and ULIDs, which have both digits and letters.
    '(?<![0-9A-Za-z])(?=[a-f]*[0-9])(?=[0-9]*[a-f])[0-9a-f]{12,}(?![0-9A-Za-z])',
    '(?<![0-9A-Za-z])(?=[A-Z]*[0-9])(?=[0-9]*[A-Z])[0-9A-HJKMNP-TV-Z]{26}(?![0-9A-Za-z])',
    // Partitions (`month=07`), years, counters and epochs.
    String.raw`(?<==)\d+`,
    String.raw`\d{4,}`,
  ].join('|'),
  'g',
);

/** As a literal of a Resource element: the characters that have a meaning there become variables. */
export function literalSegment(segment: string): string {
  return segment.replaceAll(/[*?]|\$(?=\{)/g, (character) => `\${${character}}`);
}

/** With `*` for each part that changes; without any, as `literalSegment`. */
export function generalSegment(segment: string): string {
  // A day or a month alone.
  if (/^\d+$/.test(segment)) return '*';
  let pattern = '';
  let end = 0;
  for (const { 0: found, index } of segment.matchAll(VARIABLE)) {
    pattern += `${literalSegment(segment.slice(end, index))}*`;
    end = index + found.length;
  }
  return `${pattern}${literalSegment(segment.slice(end))}`.replaceAll(/\*(?:[-_.:]?\*)+/g, joined);
}

/** `*-*` says no more than `*`, unless a literal `*` is part of it. */
function joined(run: string): string {
  return run.includes('}') ? run : '*';
}
