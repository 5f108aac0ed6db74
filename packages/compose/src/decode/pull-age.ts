import { parseDurationMs } from "./scalars.ts";

const DAY_MS = 86_400_000;

/** Whether a pull policy speaks of the image's age: `daily`, `weekly`, `every_12h`. */
export const isPullAge = (policy: string): boolean => policy === "daily" || policy === "weekly" || policy.startsWith("every_");

/** The age in milliseconds; undefined when it is no duration. */
export function parsePullAge(policy: string): number | undefined {
  if (policy === "daily") return DAY_MS;
  if (policy === "weekly") return 7 * DAY_MS;
  return parseDurationMs(policy.slice("every_".length));
}
