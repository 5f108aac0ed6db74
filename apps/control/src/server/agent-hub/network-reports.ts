import { KeyedLock, toFlotillaError } from "@flotilla/core";
import { kindOf, NETWORK_WISH } from "@flotilla/protocol";
import { answerWishes, concernsNetworks, type ServiceContext, settleOverlays } from "@flotilla/services";

/** What hosts tell of their endpoints within this time is settled together. */
const SETTLE_MS = 500;
const SETTLING = "";

/** Does what follows from hosts' reports about networks: answers wishes at once, settles leases soon. */
export class NetworkReports {
  readonly #services: ServiceContext;
  readonly #lock = new KeyedLock();
  /** Hosts whose teams are to be settled. */
  readonly #changed = new Set<string>();
  #planned: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(services: ServiceContext) {
    this.#services = services;
  }

  /** A report of a host is stored; these keys were in it. */
  note(hostId: string, keys: readonly string[]): void {
    if (keys.some((key) => kindOf(key) === NETWORK_WISH)) void this.#run(hostId, () => answerWishes(this.#services, hostId));
    if (!keys.some(concernsNetworks)) return;
    this.#changed.add(hostId);
    this.#planned ??= setTimeout(() => {
      this.#planned = undefined;
      // One after the other: whoever waits for a team's lock holds a connection of the database.
      void this.#run(SETTLING, () => this.#settle());
    }, SETTLE_MS);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#planned);
  }

  async #settle(): Promise<void> {
    const hostIds = [...this.#changed];
    this.#changed.clear();
    const hosts = await this.#services.prisma.host.findMany({
      where: { id: { in: hostIds } },
      select: { teamId: true },
      distinct: ["teamId"],
    });
    for (const { teamId } of hosts) await settleOverlays(this.#services, teamId);
  }

  /** What fails here is done by the next round of the upkeep. */
  async #run(key: string, work: () => Promise<void>): Promise<void> {
    await this.#lock.run(key, async () => {
      if (this.#isClosed) return;
      try {
        await work();
      } catch (error) {
        this.#services.logger.warn("what a host told of its networks could not be worked on", {
          key,
          error: toFlotillaError(error).message,
        });
      }
    });
  }
}
