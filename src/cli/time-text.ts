/** Durations and times as they are typed. */

const UNITS: Readonly<Record<string, number>> = {
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
/** ISO 8601 with a zone, or a date, which is its midnight in UTC. */
const TIME = /^(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2}))?$/;

/** `90m`, `12h`, `30d`, `4w` in milliseconds; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const duration = /^(\d{1,5})([mhdw])$/.exec(text);
  return duration === null ? undefined : Number(duration[1]) * (UNITS[duration[2] ?? ''] ?? 0);
}

/** `2027-01-01`, or `2027-01-01T00:00:00Z`, in epoch milliseconds; undefined for anything else. */
export function parseTime(text: string): number | undefined {
  const time = TIME.exec(text);
  if (time === null) return undefined;
  const [, date = '', clock = 'T00:00Z'] = time;
  const parsed = Date.parse(date + clock);
  // Date takes 30 February for 2 March.
  const calendarDay = new Date(`${date}T00:00Z`);
  if (Number.isNaN(parsed) || Number.isNaN(calendarDay.getTime())) return undefined;
  return calendarDay.toISOString().startsWith(date) ? parsed : undefined;
}
