// What a host leaves out of a network because it does not reach the hosts that have it. Pure. Never all of something: when
// every backend is out of reach, it is this host that is cut off, and an attempt is better than a refusal. And what it refuses.
import type { NetworkService, NetworkState } from "@flotilla/protocol";
import { canonicalIp, packIp } from "../host/ip-bytes.ts";
import { contains, familyOf, fromNumber, parsePrefix, type Prefix } from "./prefixes.ts";

/** Numbers of hosts. */
export type Unreachable = ReadonlySet<number>;

export type Services = ReadonlyMap<string, NetworkService>;

/** The services of a network without backends on hosts that are out of reach; the same map when there are none. */
export function leaveOut(state: Pick<NetworkState, "blocks" | "pins">, services: Services, unreachable: Unreachable): Services {
  if (unreachable.size === 0 || services.size === 0) return services;
  const hostOf = findHosts(state);
  const isOut = (address: string): boolean => unreachable.has(hostOf(address) ?? 0);
  const left = new Map([...services].map(([id, service]) => [id, leaveOutOf(service, isOut)]));
  return [...left].every(([id, service]) => service === services.get(id)) ? services : left;
}

function leaveOutOf(service: NetworkService, isOut: (address: string) => boolean): NetworkService {
  const backends = service.backends.filter(({ address }) => !isOut(address));
  if (backends.length === service.backends.length) return service;
  const takesNew = backends.filter(({ weight }) => weight > 0);
  // Per family: a service must not lose its IPv6 address because only IPv4 backends are in reach.
  const families = new Set(service.backends.filter(({ weight }) => weight > 0).map(({ address }) => familyOf(address)));
  const lost = [...families].filter((family) => !takesNew.some(({ address }) => familyOf(address) === family));
  const kept = service.backends.filter((backend) => backends.includes(backend) || lost.includes(familyOf(backend.address)));
  return kept.length === service.backends.length ? service : { ...service, backends: kept };
}

/**
 * The network as a host that does not reach others is to have it: what hosts that count as down had is dead, so that its callers are refused
 * and do not hang. A host that only counts as down, while this one reaches it, is talked to: whoever says so may be away by now.
 * @returns the same state when that changes nothing, and the same one again for the same hosts.
 */
export function refuseDown(state: NetworkState, unreachable: Unreachable): NetworkState {
  const lost = state.down.filter(({ host }) => unreachable.has(host));
  if (lost.length === 0) return state;
  const hosts = lost.map(({ host }) => host).join();
  const known = refusing.get(state);
  if (known?.hosts === hosts) return known.state;
  const made = { ...state, dead: [...state.dead, ...lost.flatMap(({ addresses }) => addresses)] };
  refusing.set(state, { hosts, state: made });
  return made;
}
const refusing = new WeakMap<NetworkState, { hosts: string; state: NetworkState }>();

/** Which host has an address: a pin says it, else the block. IPv6 addresses are those of the IPv4 address that they end in. */
export function findHosts(state: Pick<NetworkState, "blocks" | "pins">): (address: string) => number | undefined {
  const pins = new Map(state.pins.map(({ host, address }) => [address, host]));
  const blocks = state.blocks.map(({ host, cidr }): { host: number; prefix: Prefix } => ({ host, prefix: parsePrefix(cidr) }));
  return (address) => {
    const own = familyOf(address) === 4 ? canonicalIp(address) : fromNumber(BigInt(packIp(address).readUInt32BE(12)), 4);
    return pins.get(own) ?? blocks.find(({ prefix }) => contains(prefix, own))?.host;
  };
}
