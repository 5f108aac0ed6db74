import { networkInterfaces } from "node:os";
import { FlotillaError } from "@flotilla/core";
import type { NetworkState } from "@flotilla/protocol";
import { canonicalIp } from "../host/ip-bytes.ts";
import type { Link } from "../host/link-operations.ts";
import type { NetworkStack } from "../host/network-kernel.ts";
import { selfOf } from "./router-plan.ts";

/** The link that a network's packets leave by. @throws FlotillaError `invalid` when none that is up has the address. */
export function findUnderlayLink(stack: Pick<NetworkStack, "findLink">, state: NetworkState): Link {
  const { underlay } = selfOf(state);
  const wanted = canonicalIp(underlay);
  const [name] = Object.entries(networkInterfaces()).find(([, addresses]) => addresses?.some((each) => each.address === wanted)) ?? [];
  const link = name === undefined ? undefined : stack.findLink(name);
  if (link === undefined) throw new FlotillaError("invalid", `network ${state.name}: ${underlay} is no address of this host that is up`);
  return link;
}
