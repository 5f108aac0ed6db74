import { HEARTBEAT_INTERVAL_MS } from "@flotilla/protocol";

/** Nomad's rule: a fleet makes so many heartbeats a second, however large it is. */
const PER_SECOND = 50;
const SLOWEST_MS = 300_000;
/** `last seen` is written no more often than this while a host is connected. */
const LAST_SEEN_MS = 15_000;

/** How often each of so many hosts sends its measurements. That it is there is told by pings, which cost next to nothing. */
export function heartbeatIntervalMs(hosts: number): number {
  return Math.min(SLOWEST_MS, Math.max(HEARTBEAT_INTERVAL_MS, Math.ceil((1_000 * hosts) / PER_SECOND)));
}

/** How old `last seen` of a connected host may be in the database; other control planes know it by that. */
export function lastSeenStepMs(hosts: number): number {
  return Math.max(LAST_SEEN_MS, heartbeatIntervalMs(hosts));
}
