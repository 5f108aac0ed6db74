import { FlotillaError, fullJitterMs, type Logger, toFlotillaError } from "@flotilla/core";
import { z } from "zod";
import { ENGINE_API } from "../engine/engine-call.ts";
import type { HostLinks } from "../engine/host-links.ts";
import { readJsonLines } from "../engine/json-lines.ts";

export type LiveEvent = {
  kind: "host" | "container" | "image" | "volume" | "network" | "stack" | "activity";
  /** Name of the host. */
  host?: string;
  id?: string;
  action: string;
};

const engineEvent = z.looseObject({
  Type: z.string(),
  Action: z.string(),
  Actor: z.looseObject({ ID: z.string(), Attributes: z.record(z.string(), z.string()).optional() }).optional(),
  id: z.string().optional(),
});

const KINDS = ["container", "image", "volume", "network"] as const;
const RETRY = { minMs: 250, maxMs: 10_000 };

/** A team that has something on a host, in a namespace of its own. */
export type LiveAudience = { teamId: string; namespace: string };
/** `audiences` are the host's own team and those that it is shared with. */
export type LiveHost = { id: string; name: string; audiences: readonly LiveAudience[] };
/** `host` is its name. */
export type DiedContainer = { teamId: string; hostId: string; host: string; id: string; name: string; image: string; exitCode: number };
export type LiveFeedOptions = {
  links: HostLinks;
  logger: Logger;
  /** The host with those who look at it, or undefined once it was removed. */
  findHost: (hostId: string) => Promise<LiveHost | undefined>;
  /** A container of a host that is connected here ended. */
  onDied?: (died: DiedContainer) => void;
};

/**
 * Reads the event streams of every connected host, one for each team that has something there, however many pages are open,
 * and hands the events to the pages of that team. Events are hints to ask again: none is kept for a page that is not there.
 */
export class LiveFeed {
  readonly #options: LiveFeedOptions;
  /** By host and namespace. */
  readonly #readers = new Map<string, Map<string, AbortController>>();
  readonly #listeners = new Map<string, Set<(event: LiveEvent) => void>>();
  readonly #stopLinks: () => void;

  constructor(options: LiveFeedOptions) {
    this.#options = options;
    this.#stopLinks = options.links.onChange(({ hostId, kind }) => {
      if (kind === "online") this.#restart(hostId);
      if (kind === "offline") this.#stopReading(hostId);
      void this.#publishHost(hostId, kind);
    });
  }

  /** Calls `listener` for each event of the team until the returned function is called. */
  subscribe(teamId: string, listener: (event: LiveEvent) => void): () => void {
    const listeners = this.#listeners.get(teamId) ?? new Set();
    this.#listeners.set(teamId, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#listeners.delete(teamId);
    };
  }

  /** Tells the pages of a team; "" is of all teams. */
  publish(teamId: string, event: LiveEvent): void {
    if (teamId === "") {
      for (const listeners of this.#listeners.values()) for (const listener of listeners) listener(event);
      return;
    }
    for (const listener of this.#listeners.get(teamId) ?? []) listener(event);
  }

  close(): void {
    this.#stopLinks();
    for (const hostId of this.#readers.keys()) this.#stopReading(hostId);
    this.#listeners.clear();
  }

  async #publishHost(hostId: string, action: string): Promise<void> {
    if (this.#listeners.size === 0) return;
    const host = await this.#find(hostId);
    for (const { teamId } of host?.audiences ?? []) this.publish(teamId, { kind: "host", host: host?.name ?? "", id: hostId, action });
  }

  /** Follows changes of who looks at a host: to be called when a grant was made or taken back. */
  async refresh(hostId: string): Promise<void> {
    const readers = this.#readers.get(hostId);
    if (readers === undefined) return;
    const host = await this.#find(hostId);
    // Another connection may have begun meanwhile.
    if (host === undefined || this.#readers.get(hostId) !== readers) return;
    const wanted = new Set(host.audiences.map(({ namespace }) => namespace));
    for (const [namespace, reader] of readers) {
      if (wanted.has(namespace)) continue;
      reader.abort();
      readers.delete(namespace);
    }
    for (const audience of host.audiences) {
      if (readers.has(audience.namespace)) continue;
      const stop = new AbortController();
      readers.set(audience.namespace, stop);
      void this.#readForEver(host, audience, stop.signal);
    }
  }

  #restart(hostId: string): void {
    this.#stopReading(hostId);
    this.#readers.set(hostId, new Map());
    void this.refresh(hostId);
  }

  #stopReading(hostId: string): void {
    for (const reader of this.#readers.get(hostId)?.values() ?? []) reader.abort();
    this.#readers.delete(hostId);
  }

  async #readForEver(host: LiveHost, audience: LiveAudience, signal: AbortSignal): Promise<void> {
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      // It may have another name by now.
      const current = (await this.#find(host.id)) ?? host;
      try {
        await this.#read(current, audience, signal);
        attempt = 0;
      } catch (error) {
        if (signal.aborted) return;
        this.#options.logger.debug("event stream ended", { hostId: host.id, error: toFlotillaError(error).message });
      }
      await delay(RETRY.minMs + fullJitterMs(attempt, RETRY, Math.random), signal);
    }
  }

  async #read(host: LiveHost, { teamId, namespace }: LiveAudience, signal: AbortSignal): Promise<void> {
    const link = this.#options.links.get(host);
    const response = await link.request({ method: "GET", path: `${ENGINE_API}/events`, namespace, signal });
    if (response.status !== 200) {
      response.body.destroy();
      throw new FlotillaError("unavailable", `events answered ${response.status}`);
    }
    for await (const document of readJsonLines(response.body)) {
      const parsed = engineEvent.safeParse(document);
      const kind = parsed.success ? KINDS.find((known) => known === parsed.data.Type) : undefined;
      if (!parsed.success || kind === undefined) continue;
      const id = parsed.data.Actor?.ID ?? parsed.data.id;
      if (kind === "container" && parsed.data.Action === "die" && id !== undefined) {
        const { name = "", image = "", exitCode = "0" } = parsed.data.Actor?.Attributes ?? {};
        this.#options.onDied?.({ teamId, hostId: host.id, host: host.name, id, name, image, exitCode: Number(exitCode) });
      }
      this.publish(teamId, { kind, host: host.name, action: parsed.data.Action, ...(id === undefined ? {} : { id }) });
    }
  }

  async #find(hostId: string): Promise<LiveHost | undefined> {
    try {
      return await this.#options.findHost(hostId);
    } catch (error) {
      this.#options.logger.warn("host could not be looked up for its events", { hostId, error: toFlotillaError(error).message });
      return undefined;
    }
  }
}

function delay(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done, { once: true });
  });
}
