/** When a key ends: after a duration, or at a time. */
import { UsageError } from '../command-error.ts';
import { parseDuration, parseTime } from '../time-text.ts';

/**
 * @param text `30d` (units m, h, d, w), `2027-01-01`, or `2027-01-01T00:00:00Z`.
 * @param now epoch milliseconds.
 * @returns epoch milliseconds.
 * @throws UsageError for anything else, and for a time that has passed.
 */
export function parseExpiry(text: string, now: number): number {
  const duration = parseDuration(text);
  const expiresAt = duration === undefined ? parseTime(text) : now + duration;
  if (expiresAt === undefined) {
    throw new UsageError(
      `--expires \`${text}\` is neither a duration such as 90m, 12h, 30d or 4w, nor a time such as 2027-01-01 or 2027-01-01T00:00:00Z.`,
    );
  }
  if (expiresAt <= now) throw new UsageError(`--expires \`${text}\` has passed. Give a time to come.`);
  return expiresAt;
}
