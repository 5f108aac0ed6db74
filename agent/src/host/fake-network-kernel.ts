// A kernel for unit tests of the network folder: it keeps links, addresses and namespaces as maps, refuses what the real
// one refuses, and writes down everything asked of it as text.
import { FlotillaError } from "@flotilla/core";
import type { UdpPort } from "./conntrack.ts";
import { formatChange, slotOf, type KernelObject, type ObjectChange } from "./kernel-objects.ts";
import { formatLinkOperation, type Link, type LinkAddress, type LinkOperation, type Route } from "./link-operations.ts";
import type { NetlinkRequest } from "./netlink.ts";
import type { NetworkKernel, NetworkStack } from "./network-kernel.ts";
import type { HostPort } from "./port-reservation.ts";

const refuse = (errno: string, attempt: string): FlotillaError =>
  new FlotillaError("internal", `${attempt}: ${errno}`, { details: { errno } });

class FakeStack implements NetworkStack {
  readonly linksByName = new Map<string, Link>();
  readonly held: LinkAddress[] = [];
  readonly table: Route[] = [];
  /** Objects by their slots. */
  readonly kept = new Map<string, KernelObject>();
  readonly #label: string;
  readonly #kernel: FakeNetworkKernel;

  constructor(kernel: FakeNetworkKernel, label: string) {
    this.#kernel = kernel;
    this.#label = label;
  }

  apply(operations: readonly LinkOperation[]): void {
    for (const operation of operations) {
      const line = `${this.#label}: ${formatLinkOperation(operation)}`;
      if (this.#kernel.failOn?.test(line) === true) throw refuse("ENOMEM", line);
      this.#applyOne(operation, line);
      this.#kernel.transcript.push(line);
    }
  }

  links(): Link[] {
    return [...this.linksByName.values()];
  }

  /** Links that gather what they receive. */
  readonly gathering = new Set<string>();

  hasReceiveOffload(name: string): boolean {
    return this.gathering.has(name);
  }

  findLink(name: string): Link | undefined {
    return this.linksByName.get(name);
  }

  addresses(): LinkAddress[] {
    return [...this.held];
  }

  routes(): Route[] {
    return [...this.table];
  }

  applyObjects(changes: readonly ObjectChange[]): void {
    for (const change of changes) {
      this.#kernel.transcript.push(`${this.#label}: ${formatChange(change)}`);
      if (change.verb === "delete") this.kept.delete(slotOf(change.object));
      else this.kept.set(slotOf(change.object), change.object);
    }
  }

  objects(): KernelObject[] {
    return [...this.kept.values()];
  }

  close(): void {}

  addLink(name: string, link: Partial<Link>): void {
    if (this.linksByName.has(name)) throw refuse("EEXIST", `link add ${name}`);
    const index = this.#kernel.nextIndex();
    this.linksByName.set(name, { name, kind: "", mac: "", mtuBytes: 1500, masterIndex: 0, isUp: false, ...link, index });
  }

  #applyOne(operation: LinkOperation, line: string): void {
    switch (operation.kind) {
      case "add-bridge":
        this.addLink(operation.name, { kind: "bridge", mac: operation.mac, mtuBytes: operation.mtuBytes });
        break;
      case "add-veth":
        this.addLink(operation.name, {
          kind: "veth",
          mac: operation.mac,
          masterIndex: operation.master === "" ? 0 : this.#get(operation.master, line).index,
        });
        this.#kernel.stack(operation.peer.netnsPath).addLink(operation.peer.name, { kind: "veth", mac: operation.peer.mac });
        break;
      case "add-vxlan":
        this.#kernel
          .stack(operation.netnsPath)
          .addLink(operation.name, { kind: "vxlan", mac: operation.mac, mtuBytes: operation.mtuBytes });
        break;
      case "set-mtu":
        this.#set(operation.name, { mtuBytes: operation.mtuBytes }, line);
        break;
      case "set-up":
        this.#set(operation.name, { isUp: true }, line);
        break;
      case "set-master":
        this.#set(operation.name, { masterIndex: this.#get(operation.master, line).index }, line);
        break;
      case "add-address":
        this.held.push({
          linkIndex: this.#get(operation.name, line).index,
          address: operation.address,
          prefixLength: operation.prefixLength,
        });
        break;
      case "replace-default-route":
      case "add-default-route":
        // As the real one: a second default route is refused as being there already, which the caller ignores.
        if (operation.gateway.includes(":")) break;
        if (operation.kind === "add-default-route" && this.table.some((route) => route.prefixLength === 0)) break;
        this.table.splice(0, this.table.length, ...this.table.filter((route) => route.prefixLength > 0));
        this.table.push({
          destination: "0.0.0.0",
          prefixLength: 0,
          gateway: operation.gateway,
          linkIndex: this.#get(operation.link, line).index,
          metric: 0,
          table: 254,
        });
        break;
      case "delete-link":
        this.linksByName.delete(operation.name);
        break;
      case "enable-hairpin":
      case "isolate-port":
      case "set-vxlan-local":
      case "set-receive-offload":
      case "disable-ipv6-autoconfiguration":
        this.#get(operation.name, line);
    }
  }

  #get(name: string, line: string): Link {
    const link = this.linksByName.get(name);
    if (link === undefined) throw refuse("ENODEV", line);
    return link;
  }

  #set(name: string, change: Partial<Link>, line: string): void {
    this.linksByName.set(name, { ...this.#get(name, line), ...change });
  }
}

export class FakeNetworkKernel implements NetworkKernel {
  /** Every operation in order: `host: link add …`, `<namespace>: …`, `nft: …` (each transaction's first line), `netns …`. */
  readonly transcript: string[] = [];
  /** Texts of all nftables transactions. */
  readonly nftTexts: string[] = [];
  readonly sysctls = new Map<string, string>();
  readonly reserved = new Set<string>();
  /** Ports that "programs" of the machine have: `tcp 0.0.0.0:80`. */
  readonly foreignPorts = new Set<string>();
  /** Tables that "somebody" took away. */
  readonly missingTables = new Set<string>();
  /** The operation whose line matches fails. */
  failOn: RegExp | undefined;
  readonly host = new FakeStack(this, "host");
  readonly #namespaces = new Map<string, FakeStack>();
  #lastIndex = 0;

  constructor() {
    this.host.addLink("lo", { isUp: true });
  }

  nextIndex(): number {
    this.#lastIndex += 1;
    return this.#lastIndex;
  }

  stack(path: string): FakeStack {
    const stack = this.#namespaces.get(path);
    if (stack === undefined) throw refuse("ENOENT", `open ${path}`);
    return stack;
  }

  createNetns(path: string): NetworkStack {
    if (this.#namespaces.has(path)) throw refuse("EEXIST", `netns add ${path}`);
    const stack = new FakeStack(this, path.split("/").at(-1) ?? "");
    stack.addLink("lo", {});
    this.#namespaces.set(path, stack);
    this.transcript.push(`netns add ${path}`);
    return stack;
  }

  openNetns(path: string): NetworkStack {
    return this.stack(path);
  }

  hasNetns(path: string): boolean {
    return this.#namespaces.has(path);
  }

  removeNetns(path: string): void {
    if (this.#namespaces.delete(path)) this.transcript.push(`netns delete ${path}`);
  }

  listNetns(directory: string): string[] {
    return [...this.#namespaces.keys()].filter((path) => path.startsWith(`${directory}/`)).map((path) => path.slice(directory.length + 1));
  }

  async nftInside(path: string, text: string): Promise<string> {
    this.transcript.push(`nft in ${path}: ${text.split("\n")[0] ?? ""}`);
    return "";
  }

  nftRequestsInside(path: string, requests: readonly NetlinkRequest[]): void {
    const line = `nft in ${path}: ${requests[0]?.attempt.replace("nft: ", "") ?? ""}`;
    if (this.failOn?.test(line) === true) throw refuse("EEXIST", line);
    this.transcript.push(line);
  }

  async nft(text: string): Promise<string> {
    const [first = ""] = text.split("\n");
    if (this.failOn?.test(`nft: ${first}`) === true) throw refuse("ENOENT", `nft: ${first}`);
    this.transcript.push(`nft: ${first}`);
    this.nftTexts.push(text);
    return "";
  }

  hasTable(name: string): boolean {
    return !this.missingTables.has(name);
  }

  setSysctl(name: string, value: string): boolean {
    this.sysctls.set(name, value);
    return true;
  }

  forwardIpv6(): void {
    this.sysctls.set("net/ipv6/conf/all/forwarding", "1");
  }

  reservePort(port: HostPort): { release(): void } {
    const key = `${port.protocol} ${port.address}:${port.port}`;
    if (this.foreignPorts.has(key)) {
      throw new FlotillaError("conflict", `listen ${port.protocol}4 ${port.address}:${port.port}: bind: address already in use`);
    }
    this.reserved.add(key);
    return { release: () => void this.reserved.delete(key) };
  }

  forgetUdpFlows(ports: readonly UdpPort[]): boolean {
    for (const { address, port } of ports) this.transcript.push(`forget udp ${address}:${port}`);
    return true;
  }

  async restrictiveForwardChains(): Promise<string[]> {
    return [];
  }

  close(): void {}
}
