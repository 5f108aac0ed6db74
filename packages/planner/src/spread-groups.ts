import type { HostQueue } from "./host-queue.ts";
import type { HostUse } from "./host-use.ts";
import type { ServiceDemand } from "./schedule-types.ts";

type Group = {
  key: readonly string[];
  queue: HostQueue;
  /** Hosts that have more replicas of the service than the level at which hosts are taken now. */
  aside: HostUse[];
  level: number;
  isExhausted: boolean;
};

const SEPARATOR = "\u0000";

/**
 * Picks hosts for the replicas of one service so that they are spread: first over the values of the preferred labels, then
 * over the hosts of such a group, then by load. The queues belong to others too: `close` puts back what was taken out.
 */
export class SpreadGroups {
  readonly #service: ServiceDemand;
  readonly #groups: Group[];
  readonly #rejected: { use: HostUse; queue: HostQueue }[] = [];
  /** Replicas of the service by the values of the first labels. */
  readonly #counts = new Map<string, number>();

  constructor(queues: ReadonlyMap<string, HostQueue>, service: ServiceDemand) {
    this.#service = service;
    this.#groups = [...queues].map(([key, queue]) => ({ key: key.split(SEPARATOR), queue, aside: [], level: 0, isExhausted: false }));
    if (this.#groups.length > 1) this.#countAll();
  }

  /** Under which key a host is for a service: the values of its preferred labels. */
  static keyOf({ host }: HostUse, { preferences }: ServiceDemand): string {
    return preferences.map((label) => (Object.hasOwn(host.labels, label) ? (host.labels[label] ?? "") : "")).join(SEPARATOR);
  }

  /** The next host; undefined when none is left that fits. Call `placed` once the replica is on it. */
  pick(fits: (use: HostUse) => boolean, lookahead: number): HostUse | undefined {
    for (;;) {
      const group = this.#bestGroup();
      if (group === undefined) return undefined;
      const use = this.#pickFrom(group, { fits, lookahead });
      if (use !== undefined) return use;
      group.isExhausted = true;
    }
  }

  placed(use: HostUse): void {
    const key = SpreadGroups.keyOf(use, this.#service);
    const group = this.#groups.length === 1 ? this.#groups[0] : this.#groups.find((item) => item.key.join(SEPARATOR) === key);
    group?.aside.push(use);
    if (this.#groups.length > 1) this.#count(key.split(SEPARATOR), 1);
  }

  close(): void {
    for (const { use, queue } of this.#rejected) queue.push(use);
    for (const { aside, queue } of this.#groups) for (const use of aside) queue.push(use);
  }

  #pickFrom(group: Group, how: { fits: (use: HostUse) => boolean; lookahead: number }): HostUse | undefined {
    for (;;) {
      const use = this.#next(group, how.fits);
      if (use !== undefined) return use.hasImage(this.#service.image) ? use : this.#preferImage(group, use, how);
      if (group.aside.length === 0) return undefined;
      group.level = Math.min(...group.aside.map((item) => item.countOf(this.#service)));
      for (const item of group.aside.splice(0)) group.queue.push(item);
    }
  }

  #next(group: Group, fits: (use: HostUse) => boolean): HostUse | undefined {
    for (let use = group.queue.pop(); use !== undefined; use = group.queue.pop()) {
      if (!fits(use)) this.#rejected.push({ use, queue: group.queue });
      else if (use.countOf(this.#service) > group.level) group.aside.push(use);
      else return use;
    }
    return undefined;
  }

  /** Looks at some that are as good: one with the image saves a pull. */
  #preferImage(group: Group, first: HostUse, how: { fits: (use: HostUse) => boolean; lookahead: number }): HostUse {
    const others: HostUse[] = [];
    let chosen = first;
    while (others.length < how.lookahead) {
      const use = this.#next(group, how.fits);
      if (use === undefined) break;
      others.push(use);
      if (use.load !== first.load) break;
      if (!use.hasImage(this.#service.image)) continue;
      chosen = use;
      break;
    }
    for (const use of [first, ...others]) if (use !== chosen) group.queue.push(use);
    return chosen;
  }

  #bestGroup(): Group | undefined {
    let best: Group | undefined;
    for (const group of this.#groups) {
      if (!group.isExhausted && (best === undefined || this.#compare(group, best) < 0)) best = group;
    }
    return best;
  }

  /** By the replicas under the first label's value, then under the second's, …; of equals the first by name. */
  #compare(a: Group, b: Group): number {
    for (let depth = 1; depth <= a.key.length; depth += 1) {
      const [left, right] = [a.key.slice(0, depth).join(SEPARATOR), b.key.slice(0, depth).join(SEPARATOR)];
      if (left === right) continue;
      return (this.#counts.get(left) ?? 0) - (this.#counts.get(right) ?? 0) || (left < right ? -1 : 1);
    }
    return 0;
  }

  #countAll(): void {
    for (const { queue } of this.#groups) {
      const uses: HostUse[] = [];
      for (let use = queue.pop(); use !== undefined; use = queue.pop()) uses.push(use);
      for (const use of uses) {
        queue.push(use);
        const count = use.countOf(this.#service);
        if (count > 0) this.#count(SpreadGroups.keyOf(use, this.#service).split(SEPARATOR), count);
      }
    }
  }

  #count(key: readonly string[], more: number): void {
    for (let depth = 1; depth <= key.length; depth += 1) {
      const prefix = key.slice(0, depth).join(SEPARATOR);
      this.#counts.set(prefix, (this.#counts.get(prefix) ?? 0) + more);
    }
  }
}
