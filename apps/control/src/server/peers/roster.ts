import type { HostFacts, HostStats, RosterMessage } from "@flotilla/protocol";
import type { HostChangeKind } from "@flotilla/services";

/** A host that another control plane holds, as that one says. */
export type RemoteHost = { epoch: number; facts: HostFacts; stats: HostStats | null; heardAtMs: number };

export type RosterChange = { hostId: string; kind: HostChangeKind };

/** The hosts that one other control plane holds. Empty until its first line has come. */
export class Roster {
  readonly #hosts = new Map<string, RemoteHost>();
  readonly #nowMs: () => number;

  constructor(nowMs: () => number = Date.now) {
    this.#nowMs = nowMs;
  }

  get(hostId: string): RemoteHost | undefined {
    return this.#hosts.get(hostId);
  }

  entries(): Iterable<[string, RemoteHost]> {
    return this.#hosts;
  }

  /** Takes what the other one says; returns for which hosts that is another state than before. */
  apply(message: RosterMessage): RosterChange[] {
    const heardAtMs = this.#nowMs();
    switch (message.type) {
      case "snapshot": {
        const changes = this.clear();
        for (const { hostId, ...host } of message.hosts) this.#hosts.set(hostId, { ...host, heardAtMs });
        return [...changes, ...message.hosts.map(({ hostId }) => ({ hostId, kind: "online" as const }))];
      }
      case "set": {
        const { hostId, ...host } = message.host;
        this.#hosts.set(hostId, { ...host, heardAtMs });
        return [{ hostId, kind: "online" }];
      }
      case "stats":
        return this.#update(message.hostId, { stats: message.stats, heardAtMs }) ? [{ hostId: message.hostId, kind: "stats" }] : [];
      case "remove":
        return this.#hosts.delete(message.hostId) ? [{ hostId: message.hostId, kind: "offline" }] : [];
      case "news":
        return [{ hostId: message.hostId, kind: "state" }];
      case "heard":
        for (const [hostId, host] of this.#hosts) host.heardAtMs = Math.max(host.heardAtMs, heardAtMs - (message.silent[hostId] ?? 0));
        return [];
    }
  }

  /** Nothing is known any more. */
  clear(): RosterChange[] {
    const changes = [...this.#hosts.keys()].map((hostId) => ({ hostId, kind: "offline" as const }));
    this.#hosts.clear();
    return changes;
  }

  #update(hostId: string, change: Partial<RemoteHost>): boolean {
    const host = this.#hosts.get(hostId);
    if (host === undefined) return false;
    Object.assign(host, change);
    return true;
  }
}
