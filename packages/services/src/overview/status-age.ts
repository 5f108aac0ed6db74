// How long ago something was, from the words of Docker's own lists: "Exited (1) 5 minutes ago", "Up About an hour (unhealthy)".

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const UNITS: Readonly<Record<string, number>> = {
  second: SECOND,
  minute: MINUTE,
  hour: HOUR,
  day: DAY,
  week: 7 * DAY,
  month: 30 * DAY,
  year: 365 * DAY,
};

/**
 * How long it is in the state that `docker ps` says, in ms; null for a state without a time, such as "Created". Docker rounds: two
 * hours may be anything up to three.
 */
export function ageOfStatus(status: string): number | null {
  if (/less than a second/i.test(status)) return 0;
  const about = /about an? (minute|hour)/i.exec(status)?.[1]?.toLowerCase();
  if (about !== undefined) return UNITS[about] ?? null;
  const [, count, unit] = /\b(\d+) (second|minute|hour|day|week|month|year)s?\b/i.exec(status) ?? [];
  if (count === undefined || unit === undefined) return null;
  return Number(count) * (UNITS[unit.toLowerCase()] ?? 0);
}
