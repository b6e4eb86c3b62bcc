/** When a key ends: after a duration, or at a time. */
import { UsageError } from '../command-error.ts';

const UNITS: Readonly<Record<string, number>> = {
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
/** ISO 8601 with a zone, or a date, which is its midnight in UTC. */
const TIME = /^(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2}))?$/;

/**
 * @param text `30d` (units m, h, d, w), `2027-01-01`, or `2027-01-01T00:00:00Z`.
 * @param now epoch milliseconds.
 * @returns epoch milliseconds.
 * @throws UsageError for anything else, and for a time that has passed.
 */
export function parseExpiry(text: string, now: number): number {
  const expiresAt = parseTime(text, now);
  if (expiresAt === undefined) {
    throw new UsageError(
      `--expires \`${text}\` is neither a duration such as 90m, 12h, 30d or 4w, nor a time such as 2027-01-01 or 2027-01-01T00:00:00Z.`,
    );
  }
  if (expiresAt <= now) throw new UsageError(`--expires \`${text}\` has passed. Give a time to come.`);
  return expiresAt;
}

function parseTime(text: string, now: number): number | undefined {
  const duration = /^(\d{1,5})([mhdw])$/.exec(text);
  if (duration !== null) return now + Number(duration[1]) * (UNITS[duration[2] ?? ''] ?? 0);
  const time = TIME.exec(text);
  if (time === null) return undefined;
  const [, date = '', clock = 'T00:00Z'] = time;
  const parsed = Date.parse(date + clock);
  // Date takes 30 February for 2 March.
  const calendarDay = new Date(`${date}T00:00Z`);
  if (Number.isNaN(parsed) || Number.isNaN(calendarDay.getTime())) return undefined;
  return calendarDay.toISOString().startsWith(date) ? parsed : undefined;
}
