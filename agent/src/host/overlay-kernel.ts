// The door to the kernel for overlay networks: namespaces that route, each with its links, objects, sysctls and nftables.
import { forgetTranslatedFlows, translatedTargets, type TranslatedFlows, type TranslatedTarget } from "./conntrack.ts";
import type { KernelObject, ObjectChange } from "./kernel-objects.ts";
import type { Link, LinkOperation } from "./link-operations.ts";
import { createNetns, hasNetns, inNetns, listNetns, removeNetns } from "./netns.ts";
import { type Nft, openNftIn } from "./nft.ts";
import type { SetChange } from "./nft-messages.ts";
import { NftSocket } from "./nft-socket.ts";
import { type LinkPrograms, linkPrograms } from "./link-programs.ts";
import { RouteSocket } from "./rtnetlink.ts";
import { type Sysctls, writeSysctls } from "./sysctls.ts";

/** One network namespace, held open until it is closed: three descriptors, so none is kept for long. */
export type RouterStack = {
  /** In order, stopping at the first refusal. @throws FlotillaError `internal` with `details.errno`. */
  applyLinks(operations: readonly LinkOperation[]): void;
  links(): Link[];
  findLink(name: string): Link | undefined;
  applyObjects(changes: readonly ObjectChange[]): void;
  objects(): KernelObject[];
  /** One nftables transaction. @throws FlotillaError `internal` with nft's words. */
  nft(text: string): Promise<string>;
  /** Elements of sets of a table of family inet, one transaction: quicker than `nft`. @throws FlotillaError `internal`. */
  changeElements(table: string, changes: readonly SetChange[]): void;
  /** Whether there is a table of family inet. */
  hasTable(name: string): boolean;
  /** Names with slashes; a key that is not there is left out. */
  setSysctls(values: Sysctls): void;
  /** Forgets flows whose destination was translated; false where the kernel cannot. */
  forgetFlows(flows: readonly TranslatedFlows[]): boolean;
  /** Where tracked flows of a translated destination really go. */
  translatedTargets(): TranslatedTarget[];
  /** Gives links a program, in place of the one that they have. @param program its descriptor. @throws FlotillaError `internal`. */
  attachProgram(linkIndexes: readonly number[], program: number): void;
  /** Links that are gone have none. */
  detachPrograms(linkIndexes: readonly number[]): void;
  close(): void;
};

export type OverlayKernel = {
  programs: LinkPrograms;
  /** Opens the namespace kept under `path`, making it when it is not there. */
  openRouter(path: string): RouterStack;
  hasRouter(path: string): boolean;
  /** Idempotent. Whoever has it open closes it first, or it lives on. */
  removeRouter(path: string): void;
  listRouters(directory: string): string[];
};

export function openOverlayKernel(): OverlayKernel {
  return {
    programs: linkPrograms,
    openRouter,
    hasRouter: hasNetns,
    removeRouter: removeNetns,
    listRouters: listNetns,
  };
}

function openRouter(path: string): RouterStack {
  const open = (): RouteSocket => new RouteSocket();
  if (hasNetns(path)) return toStack(path, inNetns(path, open));
  // A file whose mount is gone, after a reboot with a durable run directory.
  removeNetns(path);
  return toStack(path, createNetns(path, open));
}

function toStack(path: string, links: RouteSocket): RouterStack {
  // Opened when it is first needed: a container's namespace never needs it.
  let nft: Nft | undefined;
  let tables: NftSocket | undefined;
  const openTables = (): NftSocket => (tables ??= inNetns(path, () => new NftSocket()));
  return {
    applyLinks: (operations) => links.apply(operations),
    links: () => links.links(),
    findLink: (name) => links.findLink(name),
    applyObjects: (changes) => links.applyObjects(changes),
    objects: () => links.objects(),
    nft: (text) => (nft ??= openNftIn(path)).apply(text),
    changeElements: (table, changes) => openTables().change(`inet ${table}`, changes),
    hasTable: (name) => openTables().hasTable(`inet ${name}`),
    setSysctls: (values) => inNetns(path, () => writeSysctls(values)),
    forgetFlows: (flows) => flows.length === 0 || inNetns(path, () => forgetTranslatedFlows(flows)),
    translatedTargets: () => inNetns(path, translatedTargets),
    attachProgram: (indexes, program) => links.attachProgram(indexes, program),
    detachPrograms: (indexes) => links.detachPrograms(indexes),
    close: () => {
      links.close();
      nft?.close();
      tables?.close();
    },
  };
}
