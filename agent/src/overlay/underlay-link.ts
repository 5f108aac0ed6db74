import { networkInterfaces } from "node:os";
import { FlotillaError } from "@flotilla/core";
import type { NetworkState } from "@flotilla/protocol";
import { canonicalIp } from "../host/ip-bytes.ts";
import type { Link } from "../host/link-operations.ts";
import type { NetworkStack } from "../host/network-kernel.ts";
import { selfOf } from "./router-plan.ts";

/** For how long the name of the link that has an address is believed: asking reads all links, of which a host may have thousands. */
const BELIEVED_MS = 10_000;

type Known = { name: string; isGathered: boolean; readAtMs: number };

/** Finds the links that packets of networks leave by. */
export class UnderlayLinks {
  readonly #stack: Pick<NetworkStack, "findLink" | "hasReceiveOffload">;
  readonly #nowMs: () => number;
  readonly #known = new Map<string, Known>();

  constructor(stack: Pick<NetworkStack, "findLink" | "hasReceiveOffload">, nowMs: () => number = () => performance.now()) {
    this.#stack = stack;
    this.#nowMs = nowMs;
  }

  /** The link that a network's packets leave by, as it is now. @throws FlotillaError `invalid` when none that is up has the address. */
  find(state: NetworkState): Link {
    const { underlay } = selfOf(state);
    const known = this.#knownOf(canonicalIp(underlay));
    const link = known === undefined ? undefined : this.#stack.findLink(known.name);
    if (link === undefined) throw new FlotillaError("invalid", `network ${state.name}: ${underlay} is no address of this host that is up`);
    return link;
  }

  /**
   * Whether packets of a network come gathered to larger ones. A veth has what a link of the machine's own gathered, or what was never
   * cut; of an encrypted network none come so out of a tunnel of wireguard-go.
   */
  isGathered(state: NetworkState): boolean {
    return !state.isEncrypted && this.#knownOf(canonicalIp(selfOf(state).underlay))?.isGathered === true;
  }

  #knownOf(address: string): Known | undefined {
    const known = this.#known.get(address);
    if (known !== undefined && this.#nowMs() - known.readAtMs < BELIEVED_MS) return known;
    this.#known.delete(address);
    const [name] = Object.entries(networkInterfaces()).find(([, held]) => held?.some((each) => each.address === address)) ?? [];
    const link = name === undefined ? undefined : this.#stack.findLink(name);
    if (name === undefined || link === undefined) return undefined;
    const isGathered = link.kind === "veth" || this.#stack.hasReceiveOffload(name);
    const found = { name, isGathered, readAtMs: this.#nowMs() };
    this.#known.set(address, found);
    return found;
  }
}
