// Which address a new endpoint gets. Pure. The owner of a block gives addresses from it by itself, so that two hosts never
// give the same one and a host needs nobody to start a container.
import { FlotillaError, formatAddress } from "@flotilla/core";
import type { NetworkService, NetworkState } from "@flotilla/protocol";
import type { AddressCursor, ReleasedAddress } from "./overlay-store.ts";
import { contains, formatPrefix, fromNumber, parsePrefix, sizeOf, type Prefix } from "./prefixes.ts";
import { nodeAddress } from "./router-plan.ts";

/** An address that was given back may still be in other hosts' minds. */
export const QUARANTINE_MS = 120_000;

type Question = {
  state: NetworkState;
  /** Virtual addresses belong to nobody else. */
  services: Iterable<NetworkService>;
  isUsed: (address: string) => boolean;
};

export type AddressQuestion = Question & {
  /** When an address was given back last; undefined when it never was. */
  releasedAtMs: (address: string) => number | undefined;
  /** Addresses that the container gave back. */
  had: readonly string[];
  nowMs: number;
  cursor: AddressCursor;
};

/** The container's own last address when it is free, else one that has rested. @throws FlotillaError `exhausted`. */
export function chooseOverlayAddress(question: AddressQuestion): string {
  const { state, had, cursor } = question;
  const own = had.find((address) => !question.isUsed(address) && isOwn(state, address));
  if (own !== undefined) return own;
  const blocks = state.blocks.filter((block) => block.host === state.self).map((block) => parsePrefix(block.cidr));
  const count = blocks.reduce((sum, block) => sum + Number(sizeOf(block)), 0);
  const reserved = reservedAddresses(question);
  let resting = 0;
  for (let step = 0; step < count; step += 1) {
    const index = (cursor.next + step) % count;
    const address = addressAt(blocks, index);
    if (reserved.has(address) || question.isUsed(address)) continue;
    if (isResting(question.releasedAtMs(address), question.nowMs)) resting += 1;
    else {
      // Itself and not the one behind it: whoever asks may be refused something else, and then not have it.
      cursor.next = index;
      return address;
    }
  }
  const names = blocks.map(formatPrefix).join(", ");
  throw new FlotillaError(
    "exhausted",
    blocks.length === 0
      ? `no available IPv4 addresses on network ${state.name}: this host has no block of ${state.subnet} yet`
      : `no available IPv4 addresses on network ${state.name}: this host's blocks are full (${names}; ${resting} addresses rest)`,
  );
}

/** @param index counted through all blocks. */
function addressAt(blocks: readonly Prefix[], index: number): string {
  let offset = index;
  for (const block of blocks) {
    const size = Number(sizeOf(block));
    if (offset < size) return formatAddress(Number(block.first) + offset);
    offset -= size;
  }
  throw new RangeError(`no address ${index} in the blocks`);
}

const isResting = (releasedAtMs: number | undefined, nowMs: number): boolean =>
  releasedAtMs !== undefined && nowMs - releasedAtMs < QUARANTINE_MS;

/** An address that a user asks for. @throws FlotillaError `conflict` when it is in use, `invalid` when it is not this host's to give. */
export function checkOverlayAddress(question: Question, address: string): string {
  const { state, isUsed } = question;
  if (!contains(parsePrefix(state.subnet), address)) {
    throw new FlotillaError("invalid", `invalid address ${address}: it does not belong to subnet ${state.subnet} of network ${state.name}`);
  }
  if (isUsed(address) || reservedAddresses(question).has(address)) throw new FlotillaError("conflict", "Address already in use");
  if (isOwn(state, address)) return address;
  const owner = state.blocks.find((block) => contains(parsePrefix(block.cidr), address));
  throw new FlotillaError(
    "invalid",
    owner === undefined
      ? `invalid address ${address}: on network ${state.name} it has to be reserved for this host first`
      : `invalid address ${address}: on network ${state.name} another host gives it out`,
  );
}

/** Whether an address that a user asks for is one that the control plane would have to give: of nobody's block and no use of its own. */
export function needsPin({ state, services, isUsed }: Question, address: string): boolean {
  if (!contains(parsePrefix(state.subnet), address) || isUsed(address) || isOwn(state, address)) return false;
  // Another host's pin is for the control plane to move: it may be of a container that is gone.
  const reserved = reservedAddresses({ state: { ...state, pins: [] }, services });
  return !reserved.has(address) && !state.blocks.some((block) => contains(parsePrefix(block.cidr), address));
}

/** Those that were given back too short a time ago to be given to another container. */
export function restingAddresses(released: readonly ReleasedAddress[], nowMs: number): Set<string> {
  return new Set(released.filter((each) => isResting(each.releasedAtMs, nowMs)).map((each) => each.address));
}

/** Whether this host may give the address: of a block of its own, or pinned to it. */
export function isOwn(state: NetworkState, address: string): boolean {
  const pin = state.pins.find((each) => each.address === address);
  if (pin !== undefined) return pin.host === state.self;
  return state.blocks.some((block) => block.host === state.self && contains(parsePrefix(block.cidr), address));
}

/** Gateway, routers, virtual addresses, the subnet's first and last, and what is pinned to anybody. */
function reservedAddresses({ state, services }: Pick<Question, "state" | "services">): Set<string> {
  const subnet = parsePrefix(state.subnet);
  return new Set([
    state.gateway,
    fromNumber(subnet.first, 4),
    fromNumber(subnet.first + sizeOf(subnet) - 1n, 4),
    ...state.hosts.flatMap((host) => nodeAddress(state, host.number, 4) ?? []),
    ...[...services].flatMap((service) => service.addresses),
    ...state.pins.filter((pin) => pin.host !== state.self).map((pin) => pin.address),
  ]);
}
