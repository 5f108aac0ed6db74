import { formatLine, type RosterHost, type RosterMessage } from "@flotilla/protocol";
import type { HostChangeKind } from "@flotilla/services";

/** A host that was silent for longer is named: others were heard at their last ping. */
const SILENT_FROM_MS = 6_000;

export type RosterSource = {
  hosts(): RosterHost[];
  find(hostId: string): RosterHost | undefined;
  /** How long each host has been silent. */
  silences(): { hostId: string; silentMs: number }[];
};

/** Where lines go: a stream that says whether it takes more. */
export type RosterSink = { write(line: string): boolean };

type Dirt = "host" | "stats";

/**
 * Tells one peer which hosts are here. The first line says all; afterwards what changed, each host in its newest state: a peer
 * that reads slowly gets fewer lines, and after the last one it knows the same.
 */
export class RosterFeed {
  readonly #source: RosterSource;
  readonly #sink: RosterSink;
  readonly #dirty = new Map<string, Dirt>();
  readonly #news = new Set<string>();
  #isReady: boolean;

  constructor(source: RosterSource, sink: RosterSink) {
    this.#source = source;
    this.#sink = sink;
    this.#isReady = this.#send({ type: "snapshot", hosts: source.hosts() });
  }

  /** Something changed about a host that is here, or was. */
  note(hostId: string, kind: HostChangeKind): void {
    if (kind === "state") this.#news.add(hostId);
    else if (kind !== "stats") this.#dirty.set(hostId, "host");
    else if (!this.#dirty.has(hostId)) this.#dirty.set(hostId, "stats");
    this.#flush();
  }

  /** Says that all are still there; to be called at each heartbeat. */
  tick(): void {
    if (!this.#isReady) return;
    const silent = this.#source.silences().filter(({ silentMs }) => silentMs > SILENT_FROM_MS);
    this.#isReady = this.#send({ type: "heard", silent: Object.fromEntries(silent.map(({ hostId, silentMs }) => [hostId, silentMs])) });
  }

  /** The sink takes more. */
  drain(): void {
    this.#isReady = true;
    this.#flush();
  }

  #flush(): void {
    for (const [hostId, dirt] of this.#dirty) {
      if (!this.#isReady) return;
      this.#dirty.delete(hostId);
      this.#isReady = this.#send(this.#describe(hostId, dirt));
    }
    for (const hostId of this.#news) {
      if (!this.#isReady) return;
      this.#news.delete(hostId);
      this.#isReady = this.#send({ type: "news", hostId });
    }
  }

  #describe(hostId: string, dirt: Dirt): RosterMessage {
    const host = this.#source.find(hostId);
    if (host === undefined) return { type: "remove", hostId };
    return dirt === "host" || host.stats === null ? { type: "set", host } : { type: "stats", hostId, stats: host.stats };
  }

  #send(message: RosterMessage): boolean {
    return this.#sink.write(formatLine(message));
  }
}
