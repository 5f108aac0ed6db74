import { hostFacts } from "@flotilla/protocol";
import type { HostLiveState } from "../engine/host-links.ts";
import type { VisibleHost } from "./find-host.ts";
import type { HostRow } from "./schemas.ts";

/** Joins what the database knows of a host with what its connection says now. */
export function toHostRow(host: VisibleHost, live: HostLiveState): HostRow {
  const stored = hostFacts.safeParse(host.facts);
  const facts = live.facts ?? (stored.success ? stored.data : null);
  // Whichever is newer: it may have been connected to another control plane since it was here.
  const lastSeenMs = Math.max(live.lastSeenAtMs ?? 0, host.lastSeenAt?.getTime() ?? 0);
  const lastSeen = lastSeenMs === 0 ? null : new Date(lastSeenMs);
  const isShared = host.teamId !== host.seenBy;
  const offline = lastSeen === null ? "never" : "offline";
  return {
    id: host.id,
    name: host.name,
    state: live.isOnline ? "online" : offline,
    isLocal: host.isLocal,
    version: facts?.agentVersion ?? null,
    os: facts?.os ?? null,
    kernel: facts?.kernel ?? null,
    architecture: facts?.architecture ?? null,
    cpus: facts?.cpus ?? null,
    memoryBytes: facts?.memoryBytes ?? null,
    lastSeenAt: lastSeen?.toISOString() ?? null,
    addedAt: host.addedAt.toISOString(),
    address: isShared ? null : host.address,
    // Why its administrators should look at it is not for those whom it is only lent to.
    flag: isShared ? null : host.flag,
    isShared,
    stats: live.isOnline ? live.stats : null,
    availability: host.availability === "cordon" || host.availability === "drain" ? host.availability : "active",
  };
}
