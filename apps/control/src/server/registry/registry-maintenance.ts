import { isFlotillaError, toFlotillaError } from "@flotilla/core";
import { applyAllRetention, getCleanupStatus, type ServiceContext, startCleanup, SYSTEM } from "@flotilla/services";

const CHECK_MS = 10 * 60_000;
const DAY_MS = 86_400_000;

/** Once a day, and once for all control planes on one database: retention, then clean-up. */
export class RegistryMaintenance {
  readonly #services: ServiceContext;
  readonly #timer: NodeJS.Timeout;
  readonly #ended = new AbortController();
  #running: Promise<void> | undefined;

  constructor(services: ServiceContext) {
    this.#services = services;
    this.#timer = setInterval(() => this.#check(), CHECK_MS);
    this.#timer.unref();
  }

  /** Ends a run at its next step; what it has not done the next one does. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#ended.abort();
    await this.#running;
  }

  #check(): void {
    this.#running ??= this.#run()
      .catch((error: unknown) => {
        // Another control plane was faster, or the database is away: the next look is soon.
        if (!isFlotillaError(error, "conflict"))
          this.#services.logger.warn("registry maintenance did not run", { error: toFlotillaError(error).message });
      })
      .finally(() => (this.#running = undefined));
  }

  async #run(): Promise<void> {
    const last = await getCleanupStatus(this.#services);
    if (last !== null && this.#services.nowMs() - Date.parse(last.startedAt) < DAY_MS) return;
    await applyAllRetention(this.#services, SYSTEM);
    const job = await startCleanup(this.#services, SYSTEM, { signal: this.#ended.signal });
    await job.done;
  }
}
