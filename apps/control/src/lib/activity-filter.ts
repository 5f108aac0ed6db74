import type { RouterInputs } from "@flotilla/api";

type Filter = Omit<NonNullable<RouterInputs["activity"]["list"]>, "cursor" | "limit">;
export type ActivityFilter = Given<Pick<Filter, "search" | "actor" | "action" | "object" | "outcome" | "scope" | "from" | "to">>;

export const OUTCOMES = ["ok", "refused", "failed", "started"] as const;
export const PERIODS = ["1h", "24h", "7d", "30d", "days"] as const;
export type Period = (typeof PERIODS)[number];

/** The values of the page's address that narrow the list. `q` is written letter by letter, as the three below are. */
export const FILTER_NAMES = ["q", "actor", "action", "object", "outcome", "scope", "period", "from", "to"] as const;
export const TEXT_NAMES = ["actor", "action", "object"] as const;

/** Nouns that actions begin with: `container` is all of its actions. */
export const ACTION_NOUNS = [
  "container", "image", "volume", "network", "stack", "secret", "config", "registry", "host", "grant", "guard", "joinToken",
  "team", "member", "invitation", "role", "person", "session", "token", "serviceAccount", "webhook", "activity", "instance",
] as const; // prettier-ignore

const HOUR_MS = 3_600_000;
const LENGTHS: Readonly<Record<Exclude<Period, "days">, number>> = { "1h": 1, "24h": 24, "7d": 168, "30d": 720 };

/**
 * What the list is asked for. What is no filter (an action that is none, a day that is none) is left out rather than refused.
 * @param nowMs the moment that periods end at; the page keeps one, else every look would be another question.
 */
export function readActivityFilter(get: (name: string) => string | null, nowMs: number): ActivityFilter {
  const text = (name: string): string | undefined => get(name)?.trim() || undefined;
  const action = text("action");
  const outcome = OUTCOMES.find((known) => known === get("outcome"));
  const period = PERIODS.find((known) => known === get("period"));
  const from = period === "days" ? dayStart(get("from"), 0) : period === undefined ? undefined : nowMs - LENGTHS[period] * HOUR_MS;
  const to = period === "days" ? dayStart(get("to"), 1) : undefined;
  return withoutEmpty({
    search: text("q"),
    actor: text("actor"),
    action: action !== undefined && /^[A-Za-z]+(\.[A-Za-z]*)?$/.test(action) ? action : undefined,
    object: text("object"),
    outcome,
    scope: get("scope") === "instance" ? ("instance" as const) : undefined,
    from: from === undefined ? undefined : new Date(from).toISOString(),
    to: to === undefined ? undefined : new Date(to).toISOString(),
  });
}

/** The first moment of a day (`2026-11-26`) in the reader's time zone, or of one some days later. */
function dayStart(text: string | null, laterDays: number): number | undefined {
  const [, year, month, day] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text ?? "") ?? [];
  if (year === undefined) return undefined;
  const time = new Date(Number(year), Number(month) - 1, Number(day) + laterDays).getTime();
  return Number.isNaN(time) ? undefined : time;
}

function withoutEmpty<T extends object>(filter: T): Given<T> {
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined)) as Given<T>;
}

/** Fields that may be missing, and never undefined: as they stand in an address. */
type Given<T> = { [Name in keyof T]?: Exclude<T[Name], undefined> };
