// nftables tables of ours whose rules seldom change and whose sets do: a change costs what it changes, however much is there.
import { KeyedLock } from "@flotilla/core";

/** One element of a set or map. `set` names it in full, `ip flotilla_1a2b3c4d ports`; `text` is as nft(8) takes it. */
export type Element = { set: string; text: string };

/** Elements by who needs them: a bridge, a published port, a network. */
export type Owners = ReadonlyMap<string, readonly Element[]>;

/** Tables as they are to be, all of them. */
export type ElementPlan = {
  owners: Owners;
  /** `ip flotilla_1a2b3c4d` */
  tables: ReadonlySet<string>;
  /** Sets that the rules look into, by full name. */
  sets: ReadonlySet<string>;
};

export type ElementTableOptions = {
  /** One transaction. */
  nft: (text: string) => Promise<unknown>;
  /** What is wanted now. */
  plan: () => ElementPlan;
  /**
   * One transaction that puts the plan in place whatever was there.
   * @param stale tables that may be there and are not wanted.
   */
  format: (plan: ElementPlan, stale: readonly string[]) => string;
  /** All names that a table of this kind may have. */
  tables: readonly string[];
};

/**
 * Keeps tables as planned. What was loaded last is known, so that differences are elements in one transaction; at a start, for
 * rules of another form, and whenever nftables refuses (somebody flushed or changed the table) everything is replaced at once.
 */
export class ElementTable {
  readonly #options: ElementTableOptions;
  // One transaction at a time: a plan made before a change must not be applied after it.
  readonly #lock = new KeyedLock();
  #loaded: { owners: Map<string, readonly Element[]>; tables: ReadonlySet<string>; sets: ReadonlySet<string> } | undefined;

  constructor(options: ElementTableOptions) {
    this.#options = options;
  }

  /** Tables that this process has put in place; undefined before the first time and after a failure. */
  loadedTables(): ReadonlySet<string> | undefined {
    return this.#loaded?.tables;
  }

  /** Replaces everything. */
  replace(): Promise<void> {
    return this.#lock.run("table", () => this.#replace());
  }

  /** Compares everything that is wanted with what was loaded and changes the difference. */
  sync(): Promise<void> {
    return this.#lock.run("table", async () => {
      const { owners, tables } = this.#options.plan();
      const loaded = this.#loaded;
      if (loaded === undefined || !isEqual(tables, loaded.tables)) return await this.#replace();
      const gone = [...loaded.owners.keys()].filter((owner) => !owners.has(owner));
      await this.#change(new Map([...gone.map((owner) => [owner, []] as const), ...owners]));
    });
  }

  /** What these owners need from now on, nothing for an empty list; the plan says so already. */
  put(owners: Owners): Promise<void> {
    return owners.size === 0 ? Promise.resolve() : this.#lock.run("table", () => this.#change(owners));
  }

  async #change(owners: Owners): Promise<void> {
    const loaded = this.#loaded;
    if (loaded === undefined) return await this.#replace();
    const changes = [...owners].map(([owner, wanted]) => compare(loaded.owners.get(owner) ?? [], wanted));
    const come = changes.flatMap((change) => change.come);
    if (come.some(({ set }) => !loaded.sets.has(set))) return await this.#replace();
    // Removals first: a key that is another's now has another value.
    const gone = changes.flatMap((change) => change.gone);
    const text = formatElements("delete", gone) + formatElements("add", come);
    if (text === "") return undefined;
    try {
      await this.#options.nft(text);
    } catch {
      // Not as we left it: a firewall was reloaded, or an element is there or gone already. The whole settles it.
      return await this.#replace();
    }
    for (const [owner, wanted] of owners) {
      if (wanted.length === 0) loaded.owners.delete(owner);
      else loaded.owners.set(owner, wanted);
    }
    return undefined;
  }

  async #replace(): Promise<void> {
    const plan = this.#options.plan();
    const stale = this.#options.tables.filter((name) => !plan.tables.has(name) && this.#loaded?.tables.has(name) !== false);
    this.#loaded = undefined;
    const text = this.#options.format(plan, stale);
    if (text !== "") await this.#options.nft(text);
    this.#loaded = { owners: new Map(plan.owners), tables: plan.tables, sets: plan.sets };
  }
}

function compare(before: readonly Element[], after: readonly Element[]): { come: readonly Element[]; gone: readonly Element[] } {
  const has = (elements: readonly Element[], { set, text }: Element): boolean =>
    elements.some((each) => each.set === set && each.text === text);
  return {
    come: after.filter((element) => !has(before, element)),
    gone: before.filter((element) => !has(after, element)),
  };
}

const isEqual = (a: ReadonlySet<string>, b: ReadonlySet<string>): boolean => a.size === b.size && [...a].every((each) => b.has(each));

/** One line for each set. */
export function formatElements(verb: "add" | "delete", elements: readonly Element[]): string {
  return [...Map.groupBy(elements, ({ set }) => set)]
    .map(([set, own]) => `${verb} element ${set} { ${own.map(({ text }) => text).join(", ")} }\n`)
    .join("");
}

/** Elements of all owners by set, each once. */
export function gatherElements(owners: Owners): Map<string, string[]> {
  const bySet = Map.groupBy([...owners.values()].flat(), ({ set }) => set);
  return new Map([...bySet].map(([set, own]) => [set, [...new Set(own.map(({ text }) => text))]]));
}
