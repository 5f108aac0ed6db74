import { FlotillaError } from "@flotilla/core";
import type { Attempt, ListenFacts, ListenQuestion, ReachFacts, ReachQuestion } from "@flotilla/protocol";
import { isIP } from "node:net";
import { canonicalIp } from "../host/ip-bytes.ts";
import type { PortTarget } from "../host/try-port.ts";
import type { PeerView } from "../mesh/peer-watch.ts";
import { listensAt, parseListening } from "./listening-sockets.ts";
import { networkOfSource, planOverlayWay, type ReachNetwork } from "./reach-plan.ts";

export type ReachDeps = {
  /** @throws not_found. */
  getContainer(namespace: string, ref: string): { id: string; name: string; pid: number };
  networksOf(containerId: string): ReachNetwork[];
  peers(): PeerView[];
  resolve(netnsPath: string, name: string): Promise<ReachFacts["name"]>;
  findSource(target: { netnsPath: string; address: string }): Promise<string | undefined>;
  tryPort(protocol: "tcp" | "udp", target: PortTarget): Promise<Attempt>;
  /** The four tables of proc_net(5) of a process, of one protocol, as one text each. */
  readSockets(pid: number, protocol: "tcp" | "udp"): string[];
};

/** Nobody listens there on a router, and who has the address says so: an answer is all that is wanted. */
const CLOSED_PORT = 9;
/** Long enough for one repetition of a lost SYN (RFC 6298: after a second). */
const TIMEOUT_MS = 2_500;

/** What the two routes of packages/protocol/src/reach.ts answer. Nothing of it is run in a container, and nothing is changed. */
export class Reach {
  readonly #deps: ReachDeps;

  constructor(deps: ReachDeps) {
    this.#deps = deps;
  }

  /** @throws not_found, conflict when the container does not run. */
  async from(namespace: string, ref: string, question: ReachQuestion): Promise<ReachFacts> {
    const container = this.#running(namespace, ref);
    const netnsPath = `/proc/${container.pid}/ns/net`;
    const name = await this.#resolve(netnsPath, question.target);
    const [first] = name.addresses;
    const address = first === undefined ? null : canonicalIp(first);
    const none = { source: null, router: null, service: null, remote: null, policy: "open", port: null } as const;
    if (address === null) return { name, address, ...none };
    const networks = this.#deps.networksOf(container.id);
    const source = await this.#deps.findSource({ netnsPath, address });
    const network = source === undefined ? undefined : networkOfSource(networks, source);
    const { protocol, port } = question;
    // With no port to ask for, one that is refused is as good an answer as any.
    const trial = { netnsPath, address, port: port ?? CLOSED_PORT, timeoutMs: TIMEOUT_MS };
    const [attempt, router, way] = await Promise.all([
      this.#deps.tryPort(port === null ? "tcp" : protocol, trial),
      network === undefined || network.gateway === "" ? null : this.#tryRouter(netnsPath, network.gateway),
      network === undefined ? undefined : this.#lookAlong(network, { protocol, port, source: source ?? "", target: address }),
    ]);
    const seen = network === undefined ? null : { id: network.id, name: network.name, driver: network.driver };
    const from = source === undefined ? null : { address: source, network: seen };
    return { name, address, ...none, ...way, source: from, router, port: attempt };
  }

  /** How it looks at B itself. @throws as `from`. */
  async at(namespace: string, ref: string, question: ListenQuestion): Promise<ListenFacts> {
    const container = this.#running(namespace, ref);
    const address = canonicalIp(question.address);
    const network = networkOfSource(this.#deps.networksOf(container.id), address);
    const { protocol, port } = question;
    const sockets = this.#deps.readSockets(container.pid, protocol).flatMap((text) => parseListening(text, protocol));
    const routerPath = network?.overlay?.routerPath;
    return {
      hasAddress: network !== undefined,
      listens: port === null ? null : listensAt(sockets, { address, port }),
      fromRouter: routerPath === undefined ? null : await this.#deps.tryPort("tcp", { netnsPath: routerPath, address, port: port ?? CLOSED_PORT, timeoutMs: TIMEOUT_MS }), // prettier-ignore
    };
  }

  #running(namespace: string, ref: string): { id: string; pid: number } {
    const container = this.#deps.getContainer(namespace, ref);
    if (container.pid === 0) throw new FlotillaError("conflict", `container ${container.name} is not running`);
    return container;
  }

  async #resolve(netnsPath: string, target: string): Promise<ReachFacts["name"]> {
    if (isIP(target) !== 0) return { outcome: "given", addresses: [target] };
    return this.#deps.resolve(netnsPath, target);
  }

  async #tryRouter(netnsPath: string, address: string): Promise<ReachFacts["router"]> {
    return { address, attempt: await this.#deps.tryPort("tcp", { netnsPath, address, port: CLOSED_PORT, timeoutMs: TIMEOUT_MS }) };
  }

  async #lookAlong(
    network: ReachNetwork,
    trial: { protocol: "tcp" | "udp"; port: number | null; source: string; target: string },
  ): Promise<Pick<ReachFacts, "service" | "remote" | "policy"> | undefined> {
    if (network.overlay === undefined) return undefined;
    const { routerPath } = network.overlay;
    const { service, remote, policy } = planOverlayWay(network.overlay, trial);
    if (remote === null) return { service, remote, policy };
    const peer = this.#deps.peers().find(({ number }) => number === remote.host);
    const router = remote.routerAddress === null ? null : await this.#tryRouter(routerPath, remote.routerAddress);
    const { host, needsBytes } = remote;
    const seen = { state: peer?.state ?? "unknown", rttMicros: peer?.rttP50Micros ?? null, pathMtuBytes: peer?.pathMtuBytes ?? null };
    return { service, policy, remote: { host, needsBytes, router, ...seen } };
  }
}
