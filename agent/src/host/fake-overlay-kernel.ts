// Routers of overlay networks for unit tests: links, objects and tables as maps, everything asked of them as text.
import { FlotillaError } from "@flotilla/core";
import { formatChange, slotOf, type KernelObject, type ObjectChange } from "./kernel-objects.ts";
import { formatLinkOperation, type Link, type LinkOperation } from "./link-operations.ts";
import type { TranslatedTarget } from "./conntrack.ts";
import type { LinkProgram, LinkPrograms } from "./link-programs.ts";
import { formatSetChange, type SetChange } from "./nft-messages.ts";
import type { OverlayKernel, RouterStack } from "./overlay-kernel.ts";

class FakeRouter implements RouterStack {
  readonly #links = new Map<string, Link>();
  readonly #objects = new Map<string, KernelObject>();
  readonly tables = new Set<string>();
  /** Texts of all nftables transactions. */
  readonly nftTexts: string[] = [];
  /** Programs of links, by index. */
  readonly programs = new Map<number, number>();
  targets: TranslatedTarget[] = [];
  readonly #kernel: FakeOverlayKernel;
  readonly #name: string;

  constructor(kernel: FakeOverlayKernel, path: string) {
    this.#kernel = kernel;
    this.#name = path.split("/").slice(-2).join("/");
    this.addLink({ name: "lo", kind: "", mac: "", mtuBytes: 65_536 });
  }

  addLink(given: Pick<Link, "name" | "kind" | "mac" | "mtuBytes"> & Partial<Link>): void {
    if (this.#links.has(given.name))
      throw new FlotillaError("internal", `link add ${given.name}: EEXIST`, { details: { errno: "EEXIST" } });
    this.#links.set(given.name, { index: this.#links.size + 1, masterIndex: 0, isUp: false, ...given });
  }

  applyLinks(operations: readonly LinkOperation[]): void {
    for (const operation of operations) {
      this.#kernel.transcript.push(`${this.#name}: ${formatLinkOperation(operation)}`);
      const present = "name" in operation ? this.#links.get(operation.name) : undefined;
      if (operation.kind === "delete-link") this.#links.delete(operation.name);
      else if (operation.kind === "add-veth") {
        const { name, mac, mtuBytes, peer } = operation;
        this.addLink({ name, kind: "veth", mac, mtuBytes });
        this.#kernel.addPeer(peer.netnsPath, { name: peer.name, kind: "veth", mac: peer.mac, mtuBytes });
      } else if (present !== undefined && operation.kind === "set-up") this.#links.set(present.name, { ...present, isUp: true });
      else if (present?.vxlan !== undefined && operation.kind === "set-vxlan-local")
        this.#links.set(present.name, { ...present, vxlan: { ...present.vxlan, localAddress: operation.localAddress } });
      else if (present !== undefined && operation.kind === "set-mtu")
        this.#links.set(present.name, { ...present, mtuBytes: operation.mtuBytes });
    }
  }

  links(): Link[] {
    return [...this.#links.values()];
  }

  findLink(name: string): Link | undefined {
    return this.#links.get(name);
  }

  applyObjects(changes: readonly ObjectChange[]): void {
    for (const change of changes) {
      this.#kernel.transcript.push(`${this.#name}: ${formatChange(change)}`);
      if (change.verb === "delete") this.#objects.delete(slotOf(change.object));
      else this.#objects.set(slotOf(change.object), change.object);
    }
  }

  objects(): KernelObject[] {
    return [...this.#objects.values()];
  }

  async nft(text: string): Promise<string> {
    this.nftTexts.push(text);
    this.#kernel.transcript.push(`${this.#name}: nft ${text.split("\n")[0] ?? ""}`);
    for (const [, name = ""] of text.matchAll(/^table inet (\S+)/gm)) this.tables.add(name);
    return "";
  }

  changeElements(table: string, changes: readonly SetChange[]): void {
    if (!this.tables.has(table)) throw new FlotillaError("internal", "nft: ENOENT", { details: { errno: "ENOENT" } });
    const text = changes.map((change) => `${formatSetChange(`inet ${table}`, change)}\n`).join("");
    this.nftTexts.push(text);
    this.#kernel.transcript.push(`${this.#name}: nft ${text.split("\n")[0] ?? ""}`);
  }

  hasTable(name: string): boolean {
    return this.tables.has(name);
  }

  setSysctls(): void {}

  forgetFlows(): boolean {
    return true;
  }

  translatedTargets(): TranslatedTarget[] {
    return this.targets;
  }

  attachProgram(linkIndexes: readonly number[], program: number): void {
    for (const index of linkIndexes) this.programs.set(index, program);
  }

  detachPrograms(linkIndexes: readonly number[]): void {
    for (const index of linkIndexes) this.programs.delete(index);
  }

  close(): void {}
}

/** Tables of programs as maps; a program's descriptor and id are the same number, those of its tables ten times that and on. */
class FakePrograms implements LinkPrograms {
  readonly canReachPeer = true;
  /** By program. */
  readonly tables = new Map<number, Map<string, string>[]>();
  /** What the next call is refused with. */
  refusal: FlotillaError | undefined;

  load(...[, tables, attach]: Parameters<LinkPrograms["load"]>): LinkProgram {
    this.#mayRefuse();
    const id = this.tables.size + 1;
    this.tables.set(id, tables.map(({ entries }) => new Map(entries))); // prettier-ignore
    attach(id);
    return { programId: id, tables: tables.map(({ shape }, index) => ({ mapId: id * 10 + index, shape })) };
  }

  change(...[{ programId, tables }, changes]: Parameters<LinkPrograms["change"]>): void {
    this.#mayRefuse();
    for (const [index, { gone, come }] of changes.entries()) {
      const table = this.tables.get(programId)?.[index];
      const size = new Set([...(table?.keys() ?? []), ...come.keys()]).size;
      if (size > (tables[index]?.shape.capacity ?? 0))
        throw new FlotillaError("internal", "bpf 26: E2BIG", { details: { errno: "E2BIG" } });
      for (const key of gone) table?.delete(key);
      for (const [key, value] of come) table?.set(key, value);
    }
  }

  use(...[{ programId }, work]: Parameters<LinkPrograms["use"]>): void {
    work(programId);
  }

  #mayRefuse(): void {
    if (this.refusal !== undefined) throw this.refusal;
  }
}

export class FakeOverlayKernel implements OverlayKernel {
  readonly transcript: string[] = [];
  readonly programs = new FakePrograms();
  readonly #routers = new Map<string, FakeRouter>();

  router(path: string): FakeRouter {
    const present = this.#routers.get(path) ?? new FakeRouter(this, path);
    this.#routers.set(path, present);
    return present;
  }

  /** Where the far ends of containers' links go. */
  addPeer: (path: string, link: Pick<Link, "name" | "kind" | "mac" | "mtuBytes">) => void = (path, link) => this.router(path).addLink(link);

  openRouter(path: string): RouterStack {
    return this.router(path);
  }

  hasRouter(path: string): boolean {
    return this.#routers.has(path);
  }

  removeRouter(path: string): void {
    this.#routers.delete(path);
  }

  listRouters(directory: string): string[] {
    return [...this.#routers.keys()].filter((path) => path.startsWith(`${directory}/`)).map((path) => path.slice(directory.length + 1));
  }
}
