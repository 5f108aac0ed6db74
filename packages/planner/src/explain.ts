import { satisfies, violation } from "./constraints.ts";
import type { HostUse } from "./host-use.ts";
import type { ServiceDemand } from "./schedule-types.ts";

/** Why a host does not take a replica, for one host and for several; undefined when it would. The gravest reason comes first. */
export function refusalOf(
  use: HostUse,
  service: ServiceDemand,
  volumeHosts: ReadonlySet<string> | undefined,
): readonly [string, string] | undefined {
  const { host } = use;
  if (host.isDown) return ["is down", "are down"];
  if (host.availability === "drain") return ["is drained", "are drained"];
  if (host.availability === "cordon") return ["is cordoned", "are cordoned"];
  const broken = service.constraints.find((constraint) => !satisfies(host, constraint));
  if (broken !== undefined) return violation(broken);
  if (volumeHosts !== undefined && !volumeHosts.has(host.id)) {
    const what = `not have the data of volume ${service.volumes.join(", ")}`;
    return [`does ${what}`, `do ${what}`];
  }
  return use.refusal(service);
}

/** One sentence over all hosts: `3 hosts: 1 is drained, 2 lack label disk=ssd`. */
export function explainRefusals(refusals: readonly (readonly [string, string])[]): string {
  if (refusals.length === 0) return "there is no host";
  const counts = new Map<string, { words: readonly [string, string]; count: number }>();
  for (const words of refusals) {
    const known = counts.get(words[0]);
    if (known === undefined) counts.set(words[0], { words, count: 1 });
    else known.count += 1;
  }
  const parts = [...counts.values()].map(({ words, count }) => `${count} ${count === 1 ? words[0] : words[1]}`);
  return `${refusals.length} ${refusals.length === 1 ? "host" : "hosts"}: ${parts.join(", ")}`;
}
