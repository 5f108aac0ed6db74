// What is on the way from a container to an address, from what this host knows. Pure.
import { type NetworkService, type NetworkState, overlayOverheadBytes } from "@flotilla/protocol";
import { canonicalIp } from "../host/ip-bytes.ts";
import { findHosts } from "../overlay/leave-out.ts";
import { contains, familyOf, parsePrefix } from "../overlay/prefixes.ts";
import { nodeAddress } from "../overlay/router-plan.ts";

/** An overlay as a container on this host meets it: what is balanced over from here, and the largest packet that is sent. */
export type OverlayPlace = { state: NetworkState; services: readonly NetworkService[]; mtuBytes: number };

/** One of A's networks. */
export type ReachNetwork = {
  id: string;
  name: string;
  driver: string;
  /** A's own address there. */
  address: string;
  address6: string;
  gateway: string;
  overlay: (OverlayPlace & { routerPath: string }) | undefined;
};

export type ReachTrial = { protocol: "tcp" | "udp"; port: number | null; source: string; target: string };

/** The network that an address is sent from; undefined: the host's own. */
export function networkOfSource(networks: readonly ReachNetwork[], source: string): ReachNetwork | undefined {
  return networks.find(({ address, address6 }) => address === source || (address6 !== "" && canonicalIp(address6) === source));
}

export type OverlayWay = {
  service: { id: string; backends: number } | null;
  remote: { host: number; needsBytes: number; routerAddress: string | null } | null;
  policy: "open" | "closed";
};

/** On an overlay: whose address it is and what lies between. */
export function planOverlayWay({ state, services, mtuBytes }: OverlayPlace, trial: ReachTrial): OverlayWay {
  const target = canonicalIp(trial.target);
  const found = services.find(({ addresses }) => addresses.map(canonicalIp).includes(target));
  const service = found === undefined ? null : { id: found.id, backends: found.backends.filter(({ weight }) => weight > 0).length };
  const policy = isClosed(state, trial) ? "closed" : "open";
  const host = isInside(state, target) ? findHosts(state)(target) : undefined;
  if (service !== null || host === undefined || host === state.self) return { service, remote: null, policy };
  const underlay = state.hosts.find(({ number }) => number === host)?.underlay ?? "";
  const needsBytes = mtuBytes + overlayOverheadBytes(familyOf(underlay), state.isEncrypted);
  return { service, remote: { host, needsBytes, routerAddress: nodeAddress(state, host, 4) ?? null }, policy };
}

function isInside(state: NetworkState, address: string): boolean {
  return [state.subnet, state.subnet6].some((subnet) => subnet !== null && contains(parsePrefix(subnet), address));
}

/** As the router's table has it: isolated addresses take what is allowed, by name of both ends, protocol and port. */
function isClosed(state: NetworkState, { protocol, port, source, target }: ReachTrial): boolean {
  if (!state.isolated.includes(target)) return false;
  return !state.allow.some((rule) => rule.from === source && rule.to === target && rule.protocol === protocol && rule.port === port);
}
