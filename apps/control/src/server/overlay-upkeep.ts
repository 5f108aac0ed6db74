import { toFlotillaError } from "@flotilla/core";
import { answerAllWishes, type ServiceContext, settleAllOverlays } from "@flotilla/services";

/** So often networks are settled, whatever was or was not noticed. */
const INTERVAL_MS = 10_000;

/**
 * Keeps overlay networks at rest while nothing happens: what rested is freed. Several control planes do it beside each other.
 */
export class OverlayUpkeep {
  readonly #services: ServiceContext;
  readonly #timer: NodeJS.Timeout;
  #running: Promise<void> | undefined;

  constructor(services: ServiceContext) {
    this.#services = services;
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
      await answerAllWishes(services);
      await settleAllOverlays(services);
    } catch (error) {
      services.logger.warn("overlay networks could not be looked after", { error: toFlotillaError(error).message });
    }
  }
}
