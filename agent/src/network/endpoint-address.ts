import { FlotillaError, formatAddress, parseAddress, parseSubnet, toFlotillaError } from "@flotilla/core";
import { checkOverlayAddress, chooseOverlayAddress, needsPin } from "../overlay/choose-address.ts";
import type { OverlayStore } from "../overlay/overlay-store.ts";
import { embed } from "../overlay/prefixes.ts";
import { chooseAddress, isAssignable, type AddressSpace } from "./address-plan.ts";
import { chooseIpv6Address } from "./ipv6.ts";
import type { NetworkRow, NetworkStore } from "./network-store.ts";

export type AddressStores = { store: NetworkStore; overlayStore: OverlayStore };
export type AddressWish = { fixed: string | undefined; fixed6: string | undefined; containerId: string };

/** Addresses for a new endpoint; called within the transaction that adds it. @throws conflict, invalid, exhausted. */
export function chooseEndpointAddresses(
  stores: AddressStores,
  network: NetworkRow,
  wish: AddressWish,
): { address: string; address6: string } {
  const isOverlay = network.driver === "overlay";
  const address = formatAddress(isOverlay ? chooseOnOverlay(stores, network, wish) : chooseOnBridge(stores.store, network, wish.fixed));
  if (!isOverlay) return { address, address6: chooseIpv6OnBridge(stores.store, network, { address, fixed: wish.fixed6 }) };
  const address6 = network.subnet6 === "" ? "" : embed(network.subnet6, address);
  if (wish.fixed6 !== undefined && wish.fixed6 !== address6)
    throw new FlotillaError(
      "invalid",
      `invalid address ${wish.fixed6}: on an overlay network the IPv6 address follows from the IPv4 address`,
    );
  return { address, address6 };
}

/** Whether the control plane has to be asked for an address before an endpoint can have it. */
export function isToBePinned({ store, overlayStore }: AddressStores, network: NetworkRow, fixed: string | undefined): fixed is string {
  const state = network.driver === "overlay" ? overlayStore.find(network.id)?.state : undefined;
  if (state === undefined || fixed === undefined) return false;
  const isUsed = (address: string): boolean => store.isAddressUsed(network.id, address);
  return needsPin({ state, services: overlayStore.services(network.id).values(), isUsed }, fixed);
}

/** Whether this host has nothing left to give on a network, which is an overlay. */
export function isFull({ store, overlayStore }: AddressStores, network: NetworkRow): boolean {
  try {
    chooseOnOverlay({ store, overlayStore }, network, { fixed: undefined, fixed6: undefined, containerId: "" });
    return false;
  } catch (error) {
    return toFlotillaError(error).code === "exhausted";
  }
}

function chooseIpv6OnBridge(store: NetworkStore, network: NetworkRow, wish: { address: string; fixed: string | undefined }): string {
  const taken = store.endpointsIn(network.id).map(({ address6 }) => address6);
  const used = new Set([...taken, ...Object.values(network.reserved_addresses6)]);
  return chooseIpv6Address({ ...network, used }, wish.address, wish.fixed);
}

function chooseOnOverlay({ store, overlayStore }: AddressStores, network: NetworkRow, { fixed, containerId }: AddressWish): number {
  const row = overlayStore.find(network.id);
  if (row === undefined) throw new FlotillaError("not_found", `network ${network.name} not found`);
  const { state } = row;
  const services = overlayStore.services(network.id).values();
  const isUsed = (address: string): boolean => store.isAddressUsed(network.id, address);
  if (fixed !== undefined) return parseAddress(checkOverlayAddress({ state, services, isUsed }, fixed));
  return parseAddress(
    chooseOverlayAddress({
      state,
      services,
      isUsed,
      releasedAtMs: (address) => overlayStore.releasedAtMs(network.id, address),
      had: overlayStore.releasedBy(network.id, containerId),
      nowMs: Date.now(),
      cursor: overlayStore.cursor(network.id),
    }),
  );
}

function chooseOnBridge(store: NetworkStore, network: NetworkRow, fixed: string | undefined): number {
  const space: AddressSpace = {
    subnet: parseSubnet(network.subnet),
    range: parseSubnet(network.address_range === "" ? network.subnet : network.address_range),
    gateway: parseAddress(network.gateway),
    used: new Set(
      [...store.endpointsIn(network.id).map(({ address }) => address), ...Object.values(network.reserved_addresses)].map(parseAddress),
    ),
    cursor: parseAddress(network.last_address),
  };
  if (fixed === undefined) {
    const chosen = chooseAddress(space);
    store.setLastAddress(network.id, formatAddress(chosen));
    return chosen;
  }
  if (network.is_subnet_chosen) {
    throw new FlotillaError(
      "invalid",
      "user specified IP address is supported only when connecting to networks with user configured subnets",
    );
  }
  const address = parseAddress(fixed);
  if (space.used.has(address)) throw new FlotillaError("conflict", "Address already in use");
  if (!isAssignable(space, address)) {
    throw new FlotillaError("invalid", `invalid address: ${fixed} does not belong to network ${network.name} or is reserved there`);
  }
  return address;
}
