// A container's end of an overlay network, as data. Pure.
import type { NetworkState } from "@flotilla/protocol";
import { canonicalIp } from "../host/ip-bytes.ts";
import type { KernelObject } from "../host/kernel-objects.ts";
import type { LinkOperation } from "../host/link-operations.ts";
import { GATEWAY_MAC, GATEWAY_V6 } from "./names.ts";
import { formatPrefix, hostPrefix, parsePrefix } from "./prefixes.ts";
import { route, type LocalEndpoint } from "./router-plan.ts";

/** Tables of routes for answers from an address that is not on the container's default route. */
const OWN_TABLES = 200;

export type ContainerEnd = {
  endpoint: LocalEndpoint;
  /** Number in its container: 0 is eth0. */
  position: number;
  isDefaultRoute: boolean;
  netnsPath: string;
  mtuBytes: number;
};

/** Makes both ends; performed in the router. */
export function planLink(end: ContainerEnd): LinkOperation[] {
  const { link, mac } = end.endpoint;
  return [
    {
      kind: "add-veth",
      name: link,
      mac: GATEWAY_MAC,
      master: "",
      mtuBytes: end.mtuBytes,
      peer: { name: `eth${end.position}`, mac, netnsPath: end.netnsPath },
    },
    { kind: "disable-ipv6-autoconfiguration", name: link },
    { kind: "set-up", name: link },
  ];
}

/** Performed in the container, before planContainerObjects. */
export function planContainerLink(end: ContainerEnd): LinkOperation[] {
  const name = `eth${end.position}`;
  return [
    { kind: "disable-ipv6-autoconfiguration", name },
    { kind: "set-up", name },
  ];
}

/** Nothing is ever asked for on the link: the gateway is a permanent neighbour and everything goes through it. */
export function planContainerObjects(state: NetworkState, end: ContainerEnd): KernelObject[] {
  const { address, address6 } = end.endpoint;
  const v4 = planFamily(end, { address, gateway: canonicalIp(state.gateway), subnet: state.subnet });
  if (address6 === "" || state.subnet6 === null) return v4;
  return [...v4, ...planFamily(end, { address: canonicalIp(address6), gateway: GATEWAY_V6, subnet: state.subnet6 })];
}

function planFamily(end: ContainerEnd, given: { address: string; gateway: string; subnet: string }): KernelObject[] {
  const link = `eth${end.position}`;
  const { address, gateway } = given;
  const subnet = parsePrefix(given.subnet);
  const anywhere = subnet.family === 4 ? "0.0.0.0/0" : "::/0";
  const table = OWN_TABLES + end.position;
  return [
    { kind: "address", link, address, prefixLength: subnet.length },
    { kind: "neighbour", link, address: gateway, mac: GATEWAY_MAC },
    ...(subnet.family === 4 ? [route({ destination: hostPrefix(gateway), link })] : []),
    route({ destination: formatPrefix(subnet), link, via: gateway, source: address }),
    ...(end.isDefaultRoute
      ? [route({ destination: anywhere, link, via: gateway })]
      : [
          route({ destination: anywhere, link, via: gateway, table }),
          { kind: "rule", family: subnet.family, mark: 0, from: address, table } as const,
        ]),
  ];
}
