// Where this host's VXLAN packets go, told to the control plane: the address by which the control plane, and so the other
// hosts, are reached, the MTU of its link and the routes that a network's subnet would hide.
import { createSocket } from "node:dgram";
import { HOST_UNDERLAY, type HostUnderlay } from "@flotilla/protocol";
import type { NetworkStack } from "../host/network-kernel.ts";
import type { ObservedPublisher } from "../state/observed-state.ts";

/** Addresses of a machine change rarely; a look costs less than a millisecond. */
const INTERVAL_MS = 10_000;
/** TEST-NET-1 (RFC 5737): routed like any address of the internet. Nothing is sent to it. */
const ANYWHERE = "192.0.2.1";
const MAIN_TABLE = 254;
const MAX_ROUTES = 1_000;

export type UnderlayQuestion = {
  stack: Pick<NetworkStack, "links" | "addresses" | "routes">;
  /** The address that packets to the others leave from. */
  address: string;
  /** Beginnings of the names of Flotilla's own links: their subnets are no obstacle. */
  ownLinks: readonly string[];
} & EncryptionFacts;

/** How this host encrypts, and where. */
export type EncryptionFacts = Pick<HostUnderlay, "encryption" | "encryptionLack" | "tunnels">;

/** Pure but for what it reads. undefined when no link has the address. */
export function describeUnderlay(question: UnderlayQuestion): Omit<HostUnderlay, "probePort"> | undefined {
  const { stack, address, ownLinks, encryption, encryptionLack, tunnels } = question;
  const links = new Map(stack.links().map((link) => [link.index, link]));
  const holder = stack.addresses().find((held) => held.address === address);
  const link = holder === undefined ? undefined : links.get(holder.linkIndex);
  if (link === undefined) return undefined;
  const isOwn = (index: number): boolean => ownLinks.some((prefix) => links.get(index)?.name.startsWith(prefix) === true);
  const routes = stack
    .routes()
    .filter(({ table, prefixLength, linkIndex }) => table === MAIN_TABLE && prefixLength > 0 && !isOwn(linkIndex))
    .map(({ destination, prefixLength }) => `${destination}/${prefixLength}`);
  // Loopback carries 64 KiB and a byte: only one host can be there, and its packets stay on it.
  const mtuBytes = Math.min(link.mtuBytes, 65_535);
  return { address, mtuBytes, routes: [...new Set(routes)].toSorted().slice(0, MAX_ROUTES), encryption, encryptionLack, tunnels };
}

export type UnderlayReporterOptions = {
  stack: NetworkStack;
  observed: ObservedPublisher;
  ownLinks: readonly string[];
  /** `https://control.example:7420`; undefined on a host that has not joined. */
  controlUrl: () => string | undefined;
  /** Answers peers' probes at an address of this host from now on; its ports, or null when it does not. */
  answerProbes: (at: { address: string; linkMtuBytes: number }) => Promise<Pick<HostUnderlay, "probePort" | "envelopePort">>;
  encryption: () => EncryptionFacts;
};

/** Publishes the underlay at the start and whenever it is another. */
export class UnderlayReporter {
  readonly #options: UnderlayReporterOptions;
  readonly #timer: NodeJS.Timeout;
  #isClosed = false;

  constructor(options: UnderlayReporterOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.look(), INTERVAL_MS);
    this.#timer.unref();
  }

  async look(): Promise<void> {
    const { stack, observed, ownLinks, controlUrl, answerProbes, encryption } = this.#options;
    const routed = await findSource(controlHost(controlUrl()));
    if (this.#isClosed) return;
    // Without a route: any address that is not loopback, else loopback itself.
    const held = stack.addresses().map((each) => each.address);
    const address = routed ?? held.find((each) => !each.startsWith("127.")) ?? held[0];
    const found = address === undefined ? undefined : describeUnderlay({ stack, address, ownLinks, ...encryption() });
    // Without one what was said last stays: an interface that is down for a moment is no reason to leave all networks.
    if (found === undefined) return;
    // A host that has joined nobody has no peers.
    const ports = controlUrl() === undefined ? { probePort: null } : await answerProbes({ address: found.address, linkMtuBytes: found.mtuBytes }); // prettier-ignore
    if (!this.#isClosed) observed.set(HOST_UNDERLAY, { ...found, ...ports });
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#options.stack.close();
  }
}

/** A control plane on this very machine says nothing of where the others are: then it is where the internet is. */
export function controlHost(url: string | undefined): string {
  const host = url === undefined ? "" : new URL(url).hostname.replace(/^\[|\]$/g, "");
  return host === "" || host === "localhost" || host === "::1" || host.startsWith("127.") ? ANYWHERE : host;
}

/** The source address that the routing table gives for packets to a host. */
function findSource(target: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket(target.includes(":") ? "udp6" : "udp4");
    const end = (address: string | undefined): void => {
      socket.removeAllListeners();
      socket.on("error", () => undefined);
      socket.close();
      resolve(address);
    };
    socket.once("error", () => end(undefined));
    // Connecting a datagram socket asks the routing table and sends nothing.
    socket.connect(9, target, () => end(socket.address().address));
  });
}
