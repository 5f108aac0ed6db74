import type { ContainerRow } from "../containers/read-containers.ts";
import { type Attention, bySeverity } from "./attention.ts";
import { ageOfStatus } from "./status-age.ts";

/** 0 is a good end; 130, 137 and 143 are what a program ends with when somebody stops or kills it. */
const ENDED_ON_REQUEST: ReadonlySet<number> = new Set([0, 130, 137, 143]);
/** What ended badly longer ago and was not cared about since is no news. */
const OLD_MS = 7 * 86_400_000;
/** More rows than this would hide everything else. */
const SHOWN = 8;

/** Containers that somebody should look at: the most urgent ones, and how many there are beside them. Pure. */
export function attentionOfContainers(rows: readonly ContainerRow[], nowMs: number): Attention[] {
  const found = bySeverity(rows.flatMap((row) => attentionOfContainer(row, nowMs)));
  const rest = found.slice(SHOWN);
  if (rest.length === 0) return found;
  const worst = rest[0]?.severity ?? "warning";
  const more: Attention = { code: "moreContainers", severity: worst, count: rest.length, href: "/containers?state=attention", since: null };
  return [...found.slice(0, SHOWN), more];
}

function attentionOfContainer(row: ContainerRow, nowMs: number): Attention[] {
  const container = (row.Names[0] ?? row.Id.slice(0, 12)).replace(/^\//, "");
  const href = `/containers/${encodeURIComponent(row.host.name)}/${encodeURIComponent(container)}`;
  const facts = { host: row.host.name, container, image: row.Image };
  const ageMs = ageOfStatus(row.Status);
  const since = ageMs === null ? null : new Date(nowMs - ageMs).toISOString();
  // How long it runs is not how long it is unhealthy.
  if (row.Status.includes("(unhealthy)")) return [{ code: "unhealthy", severity: "critical", ...facts, href, since: null }];
  const logs = `${href}?tab=logs`;
  if (row.State === "restarting") return [{ code: "restarting", severity: "warning", ...facts, href: logs, since }];
  if (row.State === "dead") return [{ code: "dead", severity: "warning", ...facts, href, since }];
  const exitCode = Number(/^Exited \((\d+)\)/.exec(row.Status)?.[1] ?? "0");
  if (row.State !== "exited" || ENDED_ON_REQUEST.has(exitCode) || (ageMs ?? 0) > OLD_MS) return [];
  return [{ code: "crashed", severity: "warning", ...facts, exitCode, href: logs, since }];
}
