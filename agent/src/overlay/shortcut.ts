import { toFlotillaError } from "@flotilla/core";
import type { NetworkService, NetworkState } from "@flotilla/protocol";
import type { LinkProgram, LinkPrograms } from "../host/link-programs.ts";
import type { RouterStack } from "../host/overlay-kernel.ts";
import type { RouterInput } from "./router-plan.ts";
import {
  planFacts,
  planGuarded,
  planLocalPlaces,
  planRemotePlaces,
  planServiceKeys,
  planShape,
  planTargets,
  roomFor,
  withTargets,
  type Entries,
} from "./shortcut-plan.ts";
import { shortcutProgram, TARGET, type ProgramFacts } from "./shortcut-program.ts";

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

/** What a target says. */
const IS_TARGET = "\x01\0\0\0";

/** What the kernel has. */
type Loaded = {
  program: LinkProgram;
  facts: string;
  capacity: { places: number; targets: number };
  plan: Plan;
  places: Map<string, string>;
  /** Those of services that are gone too: their flows may go on. */
  targets: Set<string>;
};

/** What follows from the network, and from the containers that are there. */
type Remote = { state: NetworkState; basis: string; facts: ProgramFacts; factsText: string; places: Entries; guarded: ReadonlySet<string> };
type Plan = { remote: Remote; links: string; local: Entries };
type Changes = { gone: string[]; come: Map<string, string> };

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
  /** Keys of services' addresses, and of places that have targets. */
  #virtual = new Set<string>();
  #targeted = new Set<string>();
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
    const { state, endpoints } = input;
    const links = endpoints
      .map(({ link, address, address6, mac }) => `${link} ${this.#links.get(link)} ${address} ${address6} ${mac}`)
      .join();
    const basis = `${vxlanIndex} ${input.mtuBytes}`;
    const before = this.#planned;
    const remote =
      before?.remote.state === state && before.remote.basis === basis ? before.remote : planRemote(input, { basis, vxlanIndex });
    if (before?.remote === remote && before.links === links) return before;
    this.#planned = { remote, links, local: planLocalPlaces(input, this.#links) };
    return this.#planned;
  }

  /** What a place is to say; undefined for the stack. */
  #valueOf(key: string, { remote, local }: Plan): string | undefined {
    if (remote.guarded.has(key) || this.#virtual.has(key)) return undefined;
    const value = local.get(key) ?? remote.places.get(key);
    return value !== undefined && this.#targeted.has(key) ? withTargets(value) : value;
  }

  /** @returns false when only another program or larger tables will do. */
  #tryChange(wish: ShortcutWish, { plan, fresh }: { plan: Plan; fresh: readonly number[] }, stack: RouterStack): boolean {
    const loaded = this.#loaded;
    if (loaded === undefined || loaded.facts !== plan.remote.factsText) return false;
    const targets = this.#takeServices(wish, loaded);
    const places = this.#changePlaces(loaded, plan, targets.places);
    if (loaded.places.size > loaded.capacity.places || loaded.targets.size > loaded.capacity.targets) return false;
    try {
      if (places.gone.length + places.come.size + targets.come.size > 0)
        this.#programs.change(loaded.program, [places, { gone: [], come: targets.come }]);
      if (fresh.length > 0) this.#programs.use(loaded.program, (program) => stack.attachProgram(fresh, program));
      return true;
    } catch {
      // Not as it was left: another program took it away.
      return false;
    }
  }

  /** @returns targets that come, and the places that may have changed by it. */
  #takeServices({ input, gone, come }: ShortcutWish, loaded: Loaded): { come: Map<string, string>; places: Set<string> } {
    const places = new Set<string>();
    const targets = new Map<string, string>();
    for (const service of gone) {
      for (const key of planServiceKeys(input.state, service).addresses) if (this.#virtual.delete(key)) places.add(key);
    }
    for (const service of come) {
      const keys = planServiceKeys(input.state, service);
      for (const key of keys.addresses) {
        this.#virtual.add(key);
        places.add(key);
      }
      for (const [key, place] of keys.targets) {
        if (!loaded.targets.has(key)) targets.set(key, IS_TARGET);
        loaded.targets.add(key);
        if (!this.#targeted.has(place)) places.add(place);
        this.#targeted.add(place);
      }
    }
    return { come: targets, places };
  }

  /** @param touched those that may be others with the network as it was. */
  #changePlaces(loaded: Loaded, plan: Plan, touched: Set<string>): Changes {
    const before = loaded.plan;
    if (before.local !== plan.local) for (const key of [...before.local.keys(), ...plan.local.keys()]) touched.add(key);
    const all = before.remote === plan.remote ? touched : new Set([...touched, ...loaded.places.keys(), ...plan.remote.places.keys()]);
    const changes: Changes = { gone: [], come: new Map() };
    for (const key of all) {
      const value = this.#valueOf(key, plan);
      if (value === loaded.places.get(key)) continue;
      if (value === undefined) changes.gone.push(key);
      else changes.come.set(key, value);
      if (value === undefined) loaded.places.delete(key);
      else loaded.places.set(key, value);
    }
    loaded.plan = plan;
    return changes;
  }

  #replace(wish: ShortcutWish, plan: Plan, stack: RouterStack): void {
    const { facts, factsText, places: remote } = plan.remote;
    const { state } = wish.input;
    // Flows to backends that are gone since go on as long as their callers like.
    const targets = new Map(wish.mayHaveFlows ? planTargets(state, stack.translatedTargets()) : []);
    this.#virtual = new Set();
    for (const service of wish.input.services.values()) {
      const own = planServiceKeys(state, service);
      for (const key of own.addresses) this.#virtual.add(key);
      for (const [key, place] of own.targets) targets.set(key, place);
    }
    this.#targeted = new Set(targets.values());
    const places = new Map<string, string>();
    for (const key of new Set([...remote.keys(), ...plan.local.keys()])) {
      const value = this.#valueOf(key, plan);
      if (value !== undefined) places.set(key, value);
    }
    const shapes = [planShape(state, places.size), { kind: "hash", ...TARGET, capacity: roomFor(targets.size) }] as const;
    const entries = [places, new Map([...targets.keys()].map((key) => [key, IS_TARGET]))];
    const links = [wish.vxlanIndex, ...this.#links.values()];
    const program = this.#programs.load(
      ([placesMap = -1, targetsMap = -1]) =>
        shortcutProgram(facts, { places: placesMap, targets: targetsMap }, this.#programs.canReachPeer),
      shapes.map((shape, index) => ({ shape, entries: entries[index] ?? new Map<string, string>() })),
      (loaded) => stack.attachProgram(links, loaded),
    );
    const capacity = { places: shapes[0].capacity, targets: shapes[1].capacity };
    this.#loaded = { program, facts: factsText, capacity, plan, places, targets: new Set(targets.keys()) };
  }
}

function planRemote(input: ShortcutWish["input"], { basis, vxlanIndex }: { basis: string; vxlanIndex: number }): Remote {
  const { state } = input;
  const facts = planFacts(input, input.mtuBytes, vxlanIndex);
  return {
    state,
    basis,
    facts,
    factsText: JSON.stringify(facts),
    places: planRemotePlaces(state, vxlanIndex),
    guarded: planGuarded(state),
  };
}
