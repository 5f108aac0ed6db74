import type { ContainerRecord } from "./record.ts";

type StatusFacts = Pick<ContainerRecord, "status" | "startedAtMs" | "finishedAtMs" | "exitCode" | "health">;

/** The STATUS column of `docker ps`: `Up 3 seconds (healthy)`, `Exited (0) 2 minutes ago`. */
export function formatStatus(record: StatusFacts, nowMs: number): string {
  const up = `Up ${humanDuration(nowMs - record.startedAtMs)}`;
  switch (record.status) {
    case "created":
      return "Created";
    case "running":
      return record.health === null || record.health.Status === "none" ? up : `${up} (${healthText(record.health.Status)})`;
    case "paused":
      return `${up} (Paused)`;
    case "restarting":
      return `Restarting (${record.exitCode}) ${humanDuration(nowMs - record.finishedAtMs)} ago`;
    case "exited":
      return `Exited (${record.exitCode}) ${humanDuration(nowMs - record.finishedAtMs)} ago`;
    case "dead":
      return "Dead";
    case "removing":
      return "Removal In Progress";
  }
}

const healthText = (status: string): string => (status === "starting" ? "health: starting" : status);

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** docker/go-units HumanDuration: coarse, for reading. */
export function humanDuration(durationMs: number): string {
  const seconds = Math.trunc(Math.max(0, durationMs) / 1000);
  const minutes = Math.trunc(seconds / MINUTE);
  const hours = Math.trunc(seconds / HOUR + 0.5);
  if (seconds < 1) return "Less than a second";
  if (seconds === 1) return "1 second";
  if (seconds < MINUTE) return `${seconds} seconds`;
  if (minutes === 1) return "About a minute";
  if (minutes < 60) return `${minutes} minutes`;
  if (hours === 1) return "About an hour";
  if (hours < 48) return `${hours} hours`;
  if (hours < 24 * 7 * 2) return `${Math.trunc(hours / 24)} days`;
  if (hours < 24 * 30 * 2) return `${Math.trunc(hours / 24 / 7)} weeks`;
  if (hours < 24 * 365 * 2) return `${Math.trunc(hours / 24 / 30)} months`;
  return `${Math.trunc(seconds / DAY / 365)} years`;
}
