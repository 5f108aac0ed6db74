import { toFlotillaError } from "@flotilla/core";
import { answerAllWishes, DOWN_AFTER_MS, judgeHosts, type ServiceContext, settleAllOverlays } from "@flotilla/services";

/** So often hosts are judged and networks settled, whatever was or was not noticed. */
const INTERVAL_MS = 10_000;

/**
 * Keeps overlay networks at rest while nothing happens: what rested is freed, who is away is marked. Several control planes
 * do it beside each other. Who is away is not judged at once: after a start all hosts were away for as long as this program.
 */
export class OverlayUpkeep {
  readonly #services: ServiceContext;
  readonly #judgeFromMs: number;
  readonly #timer: NodeJS.Timeout;
  #running: Promise<void> | undefined;

  constructor(services: ServiceContext) {
    this.#services = services;
    this.#judgeFromMs = services.nowMs() + DOWN_AFTER_MS;
    this.#timer = setInterval(() => void this.run(), INTERVAL_MS);
  }

  /** One round; a second one meanwhile is the same. */
  async run(): Promise<void> {
    this.#running ??= this.#round().finally(() => (this.#running = undefined));
    await this.#running;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }

  async #round(): Promise<void> {
    const services = this.#services;
    try {
      if (services.nowMs() >= this.#judgeFromMs) await judgeHosts(services);
      await answerAllWishes(services);
      await settleAllOverlays(services);
    } catch (error) {
      services.logger.warn("overlay networks could not be looked after", { error: toFlotillaError(error).message });
    }
  }
}
