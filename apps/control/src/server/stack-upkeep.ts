import { toFlotillaError } from "@flotilla/core";
import { orphanNetworks, type ServiceContext, settleStacks } from "@flotilla/services";

/** So often all teams with stacks are looked at, whatever was or was not noticed: also hosts that went down or came back. */
const SWEEP_MS = 5_000;
/** Rounds of a team begin at most so often: a host that starts ten containers is many reports. The first one begins at once. */
const DEBOUNCE_MS = 100;
const RETRY_MS = 1_000;
/** So long somebody waits at most for a round that is under way, or begins so soon. */
const MAX_WAIT_MS = 250;
const SOON_MS = 5;

type Team = {
  /** By the clock that nobody sets. */
  startedAt: number;
  timer: NodeJS.Timeout | undefined;
  dueAtMs: number;
  running: Promise<void> | undefined;
  isDirty: boolean;
  /** The end of the round that is under way or comes next. */
  over: PromiseWithResolvers<void>;
};

/**
 * Brings stacks on: when something changed (NOTIFY), when a round said that it is time, and in a sweep. Several control planes do it beside each
 * other; each round is one transaction under the team's lock. One round of a team at a time here.
 */
export class StackUpkeep {
  readonly #services: ServiceContext;
  readonly #settle: typeof settleStacks;
  readonly #teams = new Map<string, Team>();
  readonly #sweep: NodeJS.Timeout;
  #isClosed = false;

  /** @param settle a round. */
  constructor(services: ServiceContext, settle = settleStacks) {
    this.#services = services;
    this.#settle = settle;
    this.#sweep = setInterval(() => void this.wakeAll(), SWEEP_MS);
  }

  /** Looks at a team soon. */
  wake(teamId: string): void {
    const { startedAt = -Infinity } = this.#teams.get(teamId) ?? {};
    this.#plan(teamId, this.#services.nowMs() + Math.max(0, startedAt + DEBOUNCE_MS - performance.now()));
  }

  /** Looks at every team that has stacks, or something that is left of one. */
  async wakeAll(): Promise<void> {
    try {
      const teams = await this.#services.prisma.team.findMany({
        where: { OR: [{ stacks: { some: {} } }, { overlayNetworks: { some: orphanNetworks } }] },
        select: { id: true },
      });
      for (const { id } of teams) this.wake(id);
    } catch (error) {
      this.#services.logger.warn("stacks could not be looked at", { error: toFlotillaError(error).message });
    }
  }

  /**
   * Until the round of a team that is under way, or about to begin, is over: what it decides can be told together with what woke it. A moment at
   * most, and none at all for a round that comes later.
   */
  async settled(teamId: string): Promise<void> {
    const team = this.#teams.get(teamId);
    const isDue = team?.timer !== undefined && team.dueAtMs <= this.#services.nowMs() + SOON_MS;
    if (team === undefined || (team.running === undefined && !isDue)) return;
    const patience = Promise.withResolvers<void>();
    const timer = setTimeout(patience.resolve, MAX_WAIT_MS);
    await Promise.race([team.over.promise, patience.promise]);
    clearTimeout(timer);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#sweep);
    for (const { timer } of this.#teams.values()) clearTimeout(timer);
    await Promise.all([...this.#teams.values()].map(async ({ running }) => running));
  }

  #plan(teamId: string, atMs: number): void {
    if (this.#isClosed) return;
    const team = this.#teams.get(teamId) ?? {
      startedAt: -Infinity,
      timer: undefined,
      dueAtMs: Infinity,
      running: undefined,
      isDirty: false,
      over: Promise.withResolvers<void>(),
    };
    this.#teams.set(teamId, team);
    if (team.running !== undefined) {
      team.isDirty = true;
      return;
    }
    if (team.timer !== undefined && team.dueAtMs <= atMs) return;
    clearTimeout(team.timer);
    team.dueAtMs = atMs;
    team.timer = setTimeout(() => this.#start(teamId, team), Math.max(0, atMs - this.#services.nowMs()));
  }

  #start(teamId: string, team: Team): void {
    Object.assign(team, { startedAt: performance.now(), timer: undefined, dueAtMs: Infinity, isDirty: false });
    team.running = this.#round(teamId).then((nextAtMs) => {
      team.running = undefined;
      team.over.resolve();
      team.over = Promise.withResolvers<void>();
      if (team.isDirty) this.wake(teamId);
      else if (nextAtMs !== null) this.#plan(teamId, nextAtMs);
    });
  }

  async #round(teamId: string): Promise<number | null> {
    try {
      const { wakeAtMs } = await this.#settle(this.#services, teamId);
      return wakeAtMs;
    } catch (error) {
      this.#services.logger.warn("stacks of a team could not be settled", { teamId, error: toFlotillaError(error).message });
      return this.#services.nowMs() + RETRY_MS;
    }
  }
}
