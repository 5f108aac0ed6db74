// The agent's copy of what the resolver answers from: what is said of names becomes the difference to what was said before. Pure.
import { networkKey, type StateRecord } from "./resolver-state.ts";

/** The group of all containers; every other group is a network's, by its id. */
export const CONTAINERS = "containers";

/** Records by key; undefined for one that is to go. `isWhole`: what is not named goes too, and with nothing named the group. */
export type GroupChange = { isWhole: boolean; records: ReadonlyMap<string, StateRecord | undefined> };

/** `isWhole`: groups that are not named go too. */
export type NamesChange = { isWhole: boolean; groups: ReadonlyMap<string, GroupChange> };

/** As JSON. */
type Texts = Map<string, string>;
export type Delta = { remove: ReadonlySet<string>; put: ReadonlyMap<string, string> };

/** Records as text, and what has changed since it was last asked. */
export class NamesState {
  readonly #groups = new Map<string, Texts>();
  #remove = new Set<string>();
  #put: Texts = new Map();

  /** @returns whether anything is another than before. */
  take({ isWhole, groups }: NamesChange): boolean {
    const gone = isWhole ? [...this.#groups.keys()].filter((group) => !groups.has(group)) : [];
    const changes = [
      ...gone.map((group) => this.#removeGroup(group)),
      ...[...groups].map(([group, change]) => this.#takeGroup(group, change)),
    ];
    return changes.includes(true);
  }

  hasContainers(): boolean {
    return this.#groups.has(CONTAINERS);
  }

  /** What is new since the last call. */
  takeDelta(): Delta {
    const delta = { remove: this.#remove, put: this.#put };
    this.#remove = new Set();
    this.#put = new Map();
    return delta;
  }

  /** All of it. */
  *records(): Generator<[key: string, text: string]> {
    for (const group of this.#groups.values()) yield* group;
  }

  #takeGroup(group: string, { isWhole, records }: GroupChange): boolean {
    if (isWhole && records.size === 0) return this.#removeGroup(group);
    const present = this.#groups.get(group) ?? new Map<string, string>();
    this.#groups.set(group, present);
    let isChanged = false;
    const gone = isWhole ? [...present.keys()].filter((key) => !records.has(key)) : [];
    for (const key of gone) isChanged = this.#set(present, key, undefined) || isChanged;
    for (const [key, record] of records) isChanged = this.#set(present, key, record) || isChanged;
    if (present.size === 0) this.#groups.delete(group);
    return isChanged;
  }

  /** A network takes its names with it. */
  #removeGroup(group: string): boolean {
    const present = this.#groups.get(group);
    if (present === undefined) return false;
    this.#groups.delete(group);
    for (const key of present.keys()) this.#put.delete(key);
    for (const key of group === CONTAINERS ? present.keys() : [networkKey(group)]) this.#remove.add(key);
    return true;
  }

  #set(group: Texts, key: string, record: StateRecord | undefined): boolean {
    const text = record === undefined ? undefined : JSON.stringify(record);
    if (group.get(key) === text) return false;
    if (text === undefined) {
      group.delete(key);
      this.#put.delete(key);
      this.#remove.add(key);
    } else {
      group.set(key, text);
      this.#put.set(key, text);
    }
    return true;
  }
}
