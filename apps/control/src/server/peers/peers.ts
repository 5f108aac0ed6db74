import { setTimeout as sleep } from "node:timers/promises";
import { FlotillaError, type Logger, toFlotillaError } from "@flotilla/core";
import type { ControlDatabase, Transaction } from "@flotilla/db";
import { DROP_PATH, type SigningKey, YIELD_PATH, yieldAnswer } from "@flotilla/protocol";
import { z } from "zod";
import type { AgentHub } from "../agent-hub/agent-hub.ts";
import type { Ownership } from "../agent-hub/register-host.ts";
import { PeerLink } from "./peer-link.ts";
import { type HeldConnection, mustProveOwnership, planFencing } from "./plan-fencing.ts";
import { LEASE_MS, parseNews, type Plane, PLANES_CHANNEL, PlaneRegistry } from "./plane-registry.ts";
import type { RemoteHost, RosterChange } from "./roster.ts";

const RENEW_MS = 3_000;
/** A host that dials waits so long for a control plane that is being dialled for the first time. */
const FIRST_REACH_MS = 2_000;

export type PeersOptions = {
  database: ControlDatabase;
  hub: Pick<AgentHub, "connections" | "fence">;
  logger: Logger;
  version: string;
  /** The identity that all control planes of the database share. */
  key: SigningKey;
  /** Random id of this process. */
  ownId: string;
};

/**
 * The other control planes of this database: who they are, a connection to each, and which hosts they hold. INVARIANT: a
 * connection of a host that is here and that has a lower epoch than the host is ended as soon as this process hears of the newer
 * one: from the database's notification, from the other one's roster, at the latest from the next {@link sync}.
 */
export class Peers implements Ownership {
  readonly #options: PeersOptions;
  readonly #links = new Map<string, PeerLink>();
  readonly #listeners = new Set<(change: RosterChange) => void>();
  #registry: PlaneRegistry | undefined;
  /** Hosts that the database says are held by a control plane that is not reached. */
  #unreached = new Map<string, Plane>();
  #leaseUntilMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #stopListening: (() => Promise<void>) | undefined;
  #running: Promise<void> | undefined;
  #isDirty = false;
  #isFailing = false;
  #isClosed = false;

  constructor(options: PeersOptions) {
    this.#options = options;
  }

  /** How many others are reached. */
  get reached(): number {
    return [...this.#links.values()].filter(({ session }) => session !== undefined).length;
  }

  /** Takes a place among the control planes, and reaches for the others. @throws conflict for another identity. */
  async start(url: string): Promise<void> {
    const { logger, version, database, key, ownId } = this.#options;
    const registry = new PlaneRegistry(database.prisma, { id: ownId, url, publicKey: key.publicKey, version });
    await registry.enter();
    this.#registry = registry;
    this.#stopListening = database.listen({
      channel: PLANES_CHANNEL,
      onPayload: (payload) => this.#hear(payload),
      onListening: () => void this.sync(),
      onLost: (error) => logger.warn("notifications of control planes were lost for a moment", { error: error.message }),
    });
    this.#timer = setInterval(() => void this.sync(), RENEW_MS);
    await this.sync();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    await this.#stopListening?.();
    await this.#running;
    await Promise.all([...this.#links.values()].map((link) => link.close()));
    this.#links.clear();
    await this.#registry?.leave().catch(() => undefined);
  }

  /** Renews the lease, ends connections that are not ours any more, and looks who else is there. */
  async sync(): Promise<void> {
    this.#isDirty = true;
    this.#running ??= this.#rounds().finally(() => (this.#running = undefined));
    await this.#running;
  }

  onChange(listener: (change: RosterChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The newest connection of a host elsewhere, of those that can be reached. */
  find(hostId: string): { link: PeerLink; host: RemoteHost } | undefined {
    let newest: { link: PeerLink; host: RemoteHost } | undefined;
    for (const link of this.#links.values()) {
      const host = link.session === undefined ? undefined : link.roster.get(hostId);
      if (host !== undefined && host.epoch > (newest?.host.epoch ?? -1)) newest = { link, host };
    }
    return newest;
  }

  /** The control plane that holds a host by the database, and does not answer. */
  findUnreached(hostId: string): Plane | undefined {
    return this.#unreached.get(hostId);
  }

  /** Makes sure that a connection here is still the host's, before it is used. @throws unavailable when it is not. */
  async prove({ hostId, epoch }: HeldConnection, name: string): Promise<void> {
    const unreachable = this.#links.size - this.reached;
    if (!mustProveOwnership({ leaseLeftMs: this.#leaseUntilMs - performance.now(), unreachable })) return;
    const [stored] = (await this.#registry?.readStored([hostId])) ?? [];
    if (stored?.hostEpoch === epoch) return;
    this.#options.hub.fence(hostId, stored?.hostEpoch ?? Infinity, "the host has a newer connection");
    throw new FlotillaError("unavailable", `host ${name} is connected to another control plane now`);
  }

  async makeRoom(hostId: string, processId: string): Promise<boolean> {
    const holder = await this.#registry?.readHolder(hostId);
    if (holder !== undefined) await this.#untilTried(holder);
    const links = [...this.#links.values()].filter(({ plane, roster }) => plane.id === holder || roster.get(hostId) !== undefined);
    const answers = await Promise.all(links.map((link) => this.#askToYield(link, { hostId, processId })));
    return answers.every((isFree) => isFree);
  }

  async hold(tx: Transaction, held: HeldConnection): Promise<void> {
    await this.#registry?.hold(tx, held);
  }

  async release(held: HeldConnection): Promise<void> {
    await this.#registry?.release(held);
  }

  /** Ends a host's connection at whoever holds it. One that cannot be told finds out from the database. */
  drop(hostId: string, reason: string): void {
    const holder = this.find(hostId);
    holder?.link.ask(DROP_PATH, { hostId, reason }, z.unknown()).catch(() => undefined);
  }

  /** One that does not answer has no say: the higher epoch wins. */
  async #askToYield(link: PeerLink, request: { hostId: string; processId: string }): Promise<boolean> {
    try {
      return (await link.ask(YIELD_PATH, request, yieldAnswer)).isFree;
    } catch (error) {
      const { logger } = this.#options;
      logger.warn("a control plane was not asked about a host", { planeId: link.plane.id, error: toFlotillaError(error).message });
      return true;
    }
  }

  /** A control plane that runs, but has not been dialled yet, has a say too. */
  async #untilTried(planeId: string): Promise<void> {
    if (!this.#links.has(planeId)) await this.sync();
    await Promise.race([this.#links.get(planeId)?.tried, sleep(FIRST_REACH_MS)]);
  }

  #hear(payload: string): void {
    const news = parseNews(payload);
    if (news.kind === "planes") void this.sync();
    else this.#options.hub.fence(news.hostId, news.epoch, "the host has a newer connection");
  }

  /** What came during a round may have come too late for it. */
  async #rounds(): Promise<void> {
    while (this.#isDirty) {
      this.#isDirty = false;
      await this.#round();
    }
  }

  async #round(): Promise<void> {
    const { logger } = this.#options;
    const registry = this.#registry;
    if (registry === undefined || this.#isClosed) return;
    try {
      const renewedAtMs = performance.now();
      const planes = await registry.renew();
      this.#leaseUntilMs = renewedAtMs + LEASE_MS;
      await this.#fence(registry);
      await this.#reach(planes);
      await this.#learnUnreached(registry);
      this.#isFailing = false;
    } catch (error) {
      // A database that is away is away each time: said once.
      if (!this.#isFailing) logger.warn("the lease of this control plane was not renewed", { error: toFlotillaError(error).message });
      this.#isFailing = true;
    }
  }

  async #fence(registry: PlaneRegistry): Promise<void> {
    const { hub } = this.#options;
    const held = [...hub.connections()].map(({ hostId, epoch }) => ({ hostId, epoch }));
    if (held.length === 0) return;
    const plan = planFencing(held, await registry.readStored(held.map(({ hostId }) => hostId)));
    for (const { hostId, below, reason } of plan.drop) hub.fence(hostId, below, reason);
    await registry.claim(plan.claim);
  }

  async #reach(planes: readonly Plane[]): Promise<void> {
    const there = new Set(planes.map(({ id }) => id));
    for (const [id, link] of this.#links) {
      if (there.has(id)) continue;
      this.#links.delete(id);
      await link.close();
    }
    if (this.#isClosed) return;
    for (const plane of planes) if (!this.#links.has(plane.id)) this.#links.set(plane.id, this.#open(plane));
  }

  #open(plane: Plane): PeerLink {
    const { logger, key, ownId } = this.#options;
    return new PeerLink({
      ownId,
      plane,
      key,
      logger,
      onChange: (change) => this.#take(change),
      onReach: () => void this.sync(),
    });
  }

  #take(change: RosterChange): void {
    for (const listener of this.#listeners) listener(change);
    const newest = change.kind === "online" ? this.find(change.hostId) : undefined;
    if (newest !== undefined) this.#options.hub.fence(change.hostId, newest.host.epoch, "the host has a newer connection");
  }

  async #learnUnreached(registry: PlaneRegistry): Promise<void> {
    const planes = new Map([...this.#links].flatMap(([id, { session, plane }]) => (session === undefined ? [[id, plane] as const] : [])));
    const held = await registry.readHeldBy([...planes.keys()]);
    this.#unreached = new Map(
      held.flatMap(({ hostId, planeId }) => {
        const plane = planes.get(planeId);
        return plane === undefined ? [] : [[hostId, plane] as const];
      }),
    );
  }
}
