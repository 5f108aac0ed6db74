import { toFlotillaError } from "@flotilla/core";
import type { NetworkService, NetworkState } from "@flotilla/protocol";
import type { LinkProgram, LinkPrograms } from "../host/link-programs.ts";
import type { RouterStack } from "../host/overlay-kernel.ts";
import type { RouterInput } from "./router-plan.ts";
import {
  diffEntries,
  planFacts,
  planNetworkEntries,
  planServiceKeys,
  planTargetKeys,
  THROUGH_STACK,
  type Entries,
} from "./shortcut-plan.ts";
import { KEY_BYTES, shortcutProgram, VALUE_BYTES, type ProgramFacts } from "./shortcut-program.ts";

/** What the router is to be. */
export type ShortcutWish = {
  input: RouterInput & { mtuBytes: number };
  vxlanIndex: number;
  /** False for a router that is new: to look for translated flows costs ten milliseconds. */
  mayHaveFlows: boolean;
  /** How its services differ from those of the last time. */
  gone: readonly NetworkService[];
  come: readonly NetworkService[];
};

const SPARE_ENTRIES = 256;

type Loaded = {
  program: LinkProgram;
  facts: string;
  capacity: number;
  network: Entries;
  /** Of services, those that are gone too: their flows may go on. */
  targets: Set<string>;
};

/** What follows from the network and its containers. */
type Plan = { state: NetworkState; basis: string; facts: ProgramFacts; factsText: string; network: Entries };

/**
 * A router's way past its own network stack for packets that need no flow. Level-triggered; what is in the kernel is made anew by
 * a new agent. Where the kernel will not have it, or something goes wrong, there is none, and packets go through the stack.
 */
export class Shortcut {
  readonly #programs: LinkPrograms;
  readonly #onRefusal: (reason: string) => void;
  #loaded: Loaded | undefined;
  #planned: Plan | undefined;
  /** Indexes of links that have the program, by name. */
  readonly #links = new Map<string, number>();
  #isRefused = false;

  constructor(programs: LinkPrograms, onRefusal: (reason: string) => void) {
    this.#programs = programs;
    this.#onRefusal = onRefusal;
  }

  /** Before the router's table is changed: what the table is to look at goes through the stack from now on. */
  ensure(wish: ShortcutWish, stack: RouterStack): void {
    if (this.#isRefused) return;
    const fresh = this.#findLinks(wish, stack);
    const plan = this.#plan(wish);
    try {
      if (!this.#tryChange(wish, { plan, fresh }, stack)) this.#replace(wish, plan, stack);
    } catch (error) {
      // A table that is not kept must not be looked at.
      this.#loaded = undefined;
      this.#isRefused = true;
      stack.detachPrograms([wish.vxlanIndex, ...this.#links.values()]);
      this.#onRefusal(toFlotillaError(error).message);
    }
  }

  /** A link of this name is another than before. */
  forgetLink(name: string): void {
    this.#links.delete(name);
  }

  /** Forgets what it thinks the kernel has. */
  distrust(): void {
    this.#loaded = undefined;
    this.#links.clear();
    this.#isRefused = false;
  }

  /** Looks only at links that are new. @returns their indexes. */
  #findLinks({ input }: ShortcutWish, stack: RouterStack): number[] {
    const names = new Set(input.endpoints.map(({ link }) => link));
    for (const name of this.#links.keys()) if (!names.has(name)) this.#links.delete(name);
    return [...names].flatMap((name) => {
      const link = this.#links.has(name) ? undefined : stack.findLink(name);
      if (link === undefined) return [];
      this.#links.set(name, link.index);
      return [link.index];
    });
  }

  /** Of ten thousand services one change is one of many: what follows from the network is kept while that is as it was. */
  #plan({ input, vxlanIndex }: ShortcutWish): Plan {
    const links = input.endpoints.map(({ link, address, mac }) => `${link} ${this.#links.get(link)} ${address} ${mac}`).join();
    const basis = `${vxlanIndex} ${input.mtuBytes} ${links}`;
    if (this.#planned?.state === input.state && this.#planned.basis === basis) return this.#planned;
    const facts = planFacts(input, input.mtuBytes, vxlanIndex);
    const network = planNetworkEntries(input, { vxlan: vxlanIndex, links: this.#links });
    this.#planned = { state: input.state, basis, facts, factsText: JSON.stringify(facts), network };
    return this.#planned;
  }

  /** @returns false when only another program or a larger table will do. */
  #tryChange(wish: ShortcutWish, { plan, fresh }: { plan: Plan; fresh: readonly number[] }, stack: RouterStack): boolean {
    const loaded = this.#loaded;
    if (loaded === undefined || loaded.facts !== plan.factsText) return false;
    try {
      return this.#change(wish, { loaded, network: plan.network }, () => {
        if (fresh.length > 0) this.#programs.use(loaded.program, (program) => stack.attachProgram(fresh, program));
      });
    } catch {
      // Not as it was left: another program took it away.
      return false;
    }
  }

  #change(wish: ShortcutWish, { loaded, network }: { loaded: Loaded; network: Entries }, attachFresh: () => void): boolean {
    // Most services have an address and a port; what has more is noticed when the table is full.
    if (network.size + loaded.targets.size + wish.input.services.size + wish.come.length > loaded.capacity) return false;
    const { gone, come } =
      loaded.network === network ? { gone: [], come: new Map<string, string>() } : diffEntries(loaded.network, network);
    for (const service of wish.gone) gone.push(...planServiceKeys(service).addresses);
    for (const service of wish.come) {
      const { addresses, targets } = planServiceKeys(service);
      for (const key of [...addresses, ...targets]) come.set(key, THROUGH_STACK);
      for (const key of targets) loaded.targets.add(key);
    }
    if (gone.length + come.size > 0) this.#programs.change(loaded.program, { gone, come });
    loaded.network = network;
    attachFresh();
    return true;
  }

  #replace(wish: ShortcutWish, { facts, factsText, network }: Plan, stack: RouterStack): void {
    const entries = new Map(network);
    // Flows to backends that are gone since go on as long as their callers like.
    const targets = new Set(wish.mayHaveFlows ? planTargetKeys(stack.translatedTargets()) : []);
    for (const service of wish.input.services.values()) {
      const own = planServiceKeys(service);
      for (const key of own.addresses) entries.set(key, THROUGH_STACK);
      for (const key of own.targets) targets.add(key);
    }
    for (const key of targets) entries.set(key, THROUGH_STACK);
    const capacity = 2 ** Math.ceil(Math.log2(entries.size * 2 + SPARE_ENTRIES));
    const links = [wish.vxlanIndex, ...this.#links.values()];
    const program = this.#programs.load(
      (map) => shortcutProgram(facts, map, this.#programs.canReachPeer),
      { shape: { keyBytes: KEY_BYTES, valueBytes: VALUE_BYTES, capacity }, entries },
      (loaded) => stack.attachProgram(links, loaded),
    );
    this.#loaded = { program, facts: factsText, capacity, network, targets };
  }
}
