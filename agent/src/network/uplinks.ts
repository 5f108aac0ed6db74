// Overlay networks as the host's own table sees them: each uplink is a bridge with two addresses, so the same rules hold for
// what leaves it, what may enter it and what is published through it.
import { parseAddress, subnetOf, toFlotillaError } from "@flotilla/core";
import type { IngressPort } from "../overlay/overlay-networks.ts";
import { isOwn, restingAddresses } from "../overlay/choose-address.ts";
import type { OverlayDriver } from "../overlay/overlay-driver.ts";
import type { OverlayStore } from "../overlay/overlay-store.ts";
import type { ObservedNetwork } from "@flotilla/protocol";
import { embed } from "../overlay/prefixes.ts";
import type { NetworkStore } from "./network-store.ts";
import type { PublishedPort } from "./nft-table.ts";
import type { BridgePlan } from "./plan.ts";

/** Uplinks of the overlay networks that this host takes part in. */
export function planUplinks(store: NetworkStore, overlay: OverlayDriver): BridgePlan[] {
  const inUse = store.networksInUse();
  return store.networks().flatMap((network) => {
    if (network.driver !== "overlay" || !(inUse.has(network.id) || overlay.isPublishing(network.id))) return [];
    return planUplink(overlay, network.id) ?? [];
  });
}

/** That of one network; undefined for an internal one. */
export function planUplink(overlay: OverlayDriver, networkId: string): BridgePlan | undefined {
  const uplink = overlay.uplink(networkId);
  if (uplink === undefined) return undefined;
  const gateway = parseAddress(uplink.hostAddress);
  return { linkName: uplink.hostLink, subnet: subnetOf(gateway, 31), gateway, isInternal: false };
}

/** A service's port on every address of this host; the router knows it by the same number. */
export const toPublishedIngress = (port: IngressPort): PublishedPort => ({
  hostAddress: "0.0.0.0",
  hostPort: port.port,
  protocol: port.protocol,
  containerAddress: port.routerAddress,
  containerPort: port.port,
});

/** IPv4 addresses that containers ask for in a network, whether they run or not. */
export type RequestedAddresses = (namespace: string, networkName: string) => ReadonlySet<string>;

type Described = {
  store: NetworkStore;
  overlayStore: OverlayStore;
  overlay: OverlayDriver;
  requested?: RequestedAddresses | undefined;
};

/** A network as this host tells of it. */
export function describeOverlay({ store, overlayStore, overlay, requested }: Described, networkId: string): ObservedNetwork {
  const { state } = overlay.row(networkId);
  const held = overlay.pinsOf(networkId);
  const asked = held.length === 0 ? new Set() : requested?.(state.namespace, state.name);
  const pins = asked === undefined ? {} : { pins: held.filter((address) => asked.has(address)) };
  const endpoints = store.endpointsIn(networkId).map((endpoint) => ({
    id: endpoint.id,
    containerId: endpoint.container_id,
    containerName: store.findAttachment(endpoint.container_id)?.container_name ?? "",
    address: endpoint.address,
    address6: state.subnet6 === null ? null : embed(state.subnet6, endpoint.address),
    macAddress: endpoint.mac,
    aliases: endpoint.aliases,
  }));
  const used = new Set(endpoints.map(({ address }) => address));
  const released = overlayStore.released(networkId).filter(({ address }) => !used.has(address) && isOwn(state, address));
  const resting = restingAddresses(released, Date.now()).size;
  try {
    return { mtuBytes: overlay.mtuBytes(state), endpoints, ...pins, resting, problem: null };
  } catch (error) {
    return { mtuBytes: 0, endpoints, ...pins, resting, problem: toFlotillaError(error).message };
  }
}
