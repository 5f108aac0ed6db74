// Names and numbers of overlay networks in the kernel. H is a host's number, V a network's VNI:
//   namespace  $FLOTILLA_RUN/overlay/<V>   the network's router on this host
//   in it      vx0 (VXLAN), up0 (to the host), c<endpoint number> per container
//   here       fu1a2b3c-<V>                the host's end of up0; the digits are the instance's
//              fw1a2b3c-<slot>             a WireGuard device, for the encrypted networks of the host
//   table      inet flotilla in each router, inet flotilla_<instance>_underlay here
import { join } from "node:path";
import { canonicalIp } from "../host/ip-bytes.ts";

export const VXLAN_LINK = "vx0";
export const UPLINK = "up0";
export const ROUTER_TABLE = "flotilla";
/** The router's address on every container link, the same everywhere: a container that moves need not learn another. */
export const GATEWAY_MAC = "02:ee:ee:ee:ee:ee";
export const GATEWAY_V6 = "fe80::1";
/** Tables of routes back to the host that a published port was called on. */
const ENTRY_TABLES = 100_000;

const INSTANCE_DIGITS = 6;

export const routersDirectory = (runDir: string): string => join(runDir, "overlay");
export const routerPath = (runDir: string, vni: number): string => join(routersDirectory(runDir), String(vni));
export const uplinkPrefix = (instance: string): string => `fu${instance.slice(0, INSTANCE_DIGITS)}-`;
export const uplinkName = (instance: string, vni: number): string => `${uplinkPrefix(instance)}${vni.toString(36)}`;
export const containerLink = (endpointNumber: number): string => `c${endpointNumber.toString(36)}`;
export const tunnelPrefix = (instance: string): string => `fw${instance.slice(0, INSTANCE_DIGITS)}-`;
export const tunnelName = (instance: string, slot: number): string => `${tunnelPrefix(instance)}${slot}`;
export const underlayTable = (instance: string): string => `flotilla_${instance}_underlay`;
export const entryTable = (host: number): number => ENTRY_TABLES + host;

/** MAC address of a host's VXLAN device: a new host has a new one, so an old entry can fail but never misdeliver. */
export const vtepMac = (host: number): string =>
  `02:f1:${host
    .toString(16)
    .padStart(8, "0")
    .replace(/(..)(?=.)/g, "$1:")}`;

/** A host as next hop on vx0, for both families. */
export const nextHop = (host: number): string => canonicalIp(`fe80::${(host >>> 16).toString(16)}:${(host & 0xffff).toString(16)}`);
