import { satisfies, violation } from "./constraints.ts";
import type { HostUse } from "./host-use.ts";
import { type Reason, reason } from "./reason.ts";
import type { ServiceDemand } from "./schedule-types.ts";

export type RefusalScene = {
  /** Where the data of its volumes is; without it nobody looks. */
  volumeHosts?: ReadonlySet<string> | undefined;
  /** Of hosts, by id: for the words. */
  names?: ReadonlyMap<string, string>;
};

/** Why a host does not take a replica; undefined when it would. The gravest reason comes first. */
export function refusalOf(use: HostUse, service: ServiceDemand, { volumeHosts, names = new Map() }: RefusalScene = {}): Reason | undefined {
  const { host } = use;
  if (host.isDown) return reason("is_down");
  if (host.availability === "drain") return reason("is_drained");
  if (host.availability === "cordon") return reason("is_cordoned");
  const broken = service.constraints.find((constraint) => !satisfies(host, constraint));
  if (broken !== undefined) return violation(broken, names);
  if (volumeHosts !== undefined && !volumeHosts.has(host.id)) return reason("no_volume_data", { volumes: service.volumes.join(", ") });
  return use.refusal(service);
}

/** One reason over all hosts: `3 hosts: 1 is drained, 2 lack label disk=ssd`. */
export function explainRefusals(refusals: readonly Reason[]): Reason {
  if (refusals.length === 0) return reason("no_host");
  const groups = Map.groupBy(refusals, ({ code, values }) => JSON.stringify([code, values]));
  const parts = [...groups.values()].flatMap((group) => group.slice(0, 1).map((first) => counted(first, group.length)));
  return { ...reason("hosts", { total: refusals.length }), parts };
}

/** Of so many hosts. */
export function counted({ code, values }: Reason, count: number): Reason {
  return reason(code, { ...values, count });
}
