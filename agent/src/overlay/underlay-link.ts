import { networkInterfaces } from "node:os";
import { FlotillaError } from "@flotilla/core";
import type { NetworkState } from "@flotilla/protocol";
import { canonicalIp } from "../host/ip-bytes.ts";
import type { Link } from "../host/link-operations.ts";
import type { NetworkStack } from "../host/network-kernel.ts";
import { selfOf } from "./router-plan.ts";

/** For how long the name of the link that has an address is believed: asking reads all links, of which a host may have thousands. */
const BELIEVED_MS = 10_000;

/** Finds the links that packets of networks leave by. */
export class UnderlayLinks {
  readonly #stack: Pick<NetworkStack, "findLink">;
  readonly #nowMs: () => number;
  readonly #names = new Map<string, { name: string; readAtMs: number }>();

  constructor(stack: Pick<NetworkStack, "findLink">, nowMs: () => number = () => performance.now()) {
    this.#stack = stack;
    this.#nowMs = nowMs;
  }

  /** The link that a network's packets leave by, as it is now. @throws FlotillaError `invalid` when none that is up has the address. */
  find(state: NetworkState): Link {
    const { underlay } = selfOf(state);
    const name = this.#nameOf(canonicalIp(underlay));
    const link = name === undefined ? undefined : this.#stack.findLink(name);
    if (link === undefined) throw new FlotillaError("invalid", `network ${state.name}: ${underlay} is no address of this host that is up`);
    return link;
  }

  #nameOf(address: string): string | undefined {
    const known = this.#names.get(address);
    if (known !== undefined && this.#nowMs() - known.readAtMs < BELIEVED_MS) return known.name;
    const [name] = Object.entries(networkInterfaces()).find(([, held]) => held?.some((each) => each.address === address)) ?? [];
    if (name === undefined) this.#names.delete(address);
    else this.#names.set(address, { name, readAtMs: this.#nowMs() });
    return name;
  }
}
