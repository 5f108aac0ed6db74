// Containers whose namespaces others join, and what a container's own namespaces are.
import { hostname as hostHostname } from "node:os";
import { FlotillaError } from "@flotilla/core";
import type { HostNamespace } from "../guard/guard-facts.ts";
import type { NamespaceChoice, SpecNamespaces } from "../runtime/spec-input.ts";
import type { EngineContext } from "./context.ts";
import { type ContainerRecord, isAlive } from "./record.ts";

export type Donors = { network?: ContainerRecord; pid?: ContainerRecord; ipc?: ContainerRecord };

/** The containers whose namespaces this one joins; they must run. @throws conflict, invalid. */
export function findDonors(context: EngineContext, record: ContainerRecord): Donors {
  const find = (mode: string, what: string): ContainerRecord | undefined => {
    if (!mode.startsWith("container:")) return undefined;
    const donor = context.store.get(record.namespace, mode.slice("container:".length));
    if (!isAlive(donor)) {
      throw new FlotillaError("conflict", `cannot join ${what} of a non running container: ${donor.id}`);
    }
    return donor;
  };
  const network = find(record.hostConfig.NetworkMode, "network namespace");
  const pid = find(record.hostConfig.PidMode, "PID namespace");
  const ipc = find(record.hostConfig.IpcMode, "IPC namespace");
  if (ipc !== undefined && !["shareable", "host"].includes(ipc.hostConfig.IpcMode)) {
    throw new FlotillaError(
      "invalid",
      `can't join IPC of container ${ipc.id}: non-shareable IPC (hint: use IpcMode:shareable for the donor container)`,
    );
  }
  return { ...(network && { network }), ...(pid && { pid }), ...(ipc && { ipc }) };
}

type Joining = Pick<ContainerRecord, "hostConfig">;

/** Namespaces of the host that a container gets by joining another one's, which may join a third one's. */
export function joinedOfHost(context: EngineContext, record: Joining): Set<HostNamespace> {
  const joined = new Set<HostNamespace>();
  const modes: readonly [HostNamespace, (each: Joining) => string][] = [
    ["network", (each) => each.hostConfig.NetworkMode],
    ["pid", (each) => each.hostConfig.PidMode],
    ["ipc", (each) => each.hostConfig.IpcMode],
  ];
  for (const [name, modeOf] of modes) {
    const donor = lastDonor(context, record, modeOf);
    if (donor === undefined) continue;
    if (modeOf(donor) === "host") joined.add(name);
    // The name comes with the network.
    if (name === "network" && (donor.hostConfig.UTSMode === "host" || modeOf(donor) === "host")) joined.add("uts");
  }
  return joined;
}

function lastDonor(context: EngineContext, record: Joining, modeOf: (each: Joining) => string): ContainerRecord | undefined {
  let last: ContainerRecord | undefined;
  // A container joins older ones only, so this ends; the bound is for records that nobody should have written.
  for (let depth = 0; depth < 100; depth += 1) {
    const mode = modeOf(last ?? record);
    // Names were made ids when the container was made.
    const next = mode.startsWith("container:") ? context.store.byId(mode.slice("container:".length)) : undefined;
    if (next === undefined) return last;
    last = next;
  }
  return last;
}

/** @param netnsPath of the container's own network namespace; undefined when it has none. */
export function planNamespaces(
  record: Pick<ContainerRecord, "config" | "hostConfig">,
  donors: Donors,
  netnsPath: string | undefined,
): SpecNamespaces {
  const { hostConfig } = record;
  const joined = (donor: ContainerRecord | undefined, file: string): NamespaceChoice | undefined =>
    donor === undefined ? undefined : { kind: "path", path: `/proc/${donor.pid}/ns/${file}` };
  const ownOrHost = (mode: string): NamespaceChoice => (mode === "host" ? { kind: "host" } : { kind: "private" });
  const isOnHostNetwork = hostConfig.NetworkMode === "host";
  return {
    network: joined(donors.network, "net") ?? (netnsPath === undefined ? { kind: "host" } : { kind: "path", path: netnsPath }),
    pid: joined(donors.pid, "pid") ?? ownOrHost(hostConfig.PidMode),
    ipc: joined(donors.ipc, "ipc") ?? ownOrHost(hostConfig.IpcMode),
    // As in Docker, a container on the host's network keeps a hostname of its own unless it asks for the host's.
    uts:
      joined(donors.network, "uts") ??
      (isOnHostNetwork && record.config.Hostname === hostHostname() ? { kind: "host" } : ownOrHost(hostConfig.UTSMode)),
    cgroup: ownOrHost(hostConfig.CgroupnsMode),
  };
}
