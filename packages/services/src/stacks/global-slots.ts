import { satisfies, type ScheduleHost, type ServiceDemand } from "@flotilla/planner";

/**
 * The slots of a global service: the ids of the hosts that it shall be on. A host that is away for a moment, or cordoned, keeps what it has.
 * Pure. @param present ids of the hosts that have a replica.
 */
export function globalSlots(hosts: readonly ScheduleHost[], demand: ServiceDemand, present: ReadonlySet<string>): string[] {
  return hosts
    .filter((host) => demand.constraints.every((constraint) => satisfies(host, constraint)))
    .filter(({ share }) => share === undefined || (share.mayRun && !demand.needsNetworks))
    .filter(({ id, availability, isDown }) => availability !== "drain" && (present.has(id) || (availability === "active" && !isDown)))
    .map(({ id }) => id);
}
