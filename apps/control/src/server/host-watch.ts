import { toFlotillaError } from "@flotilla/core";
import { judgeHosts, type ServiceContext } from "@flotilla/services";

/** Which hosts are there is looked at so often. While all are heard that is one small query. */
const INTERVAL_MS = 1_000;
/** After a start all hosts were away for as long as this program: they have so long to come back. */
const FIRST_JUDGED_AFTER_MS = 60_000;

export type HostWatchOptions = {
  services: ServiceContext;
  /** Pages and others hear of a host that stands otherwise than before. */
  tell: (hostId: string) => void;
  /** @default {@link FIRST_JUDGED_AFTER_MS} */
  judgeAfterMs?: number | undefined;
};

/** Judges hosts, one round after the other; control planes beside each other come to the same result. */
export class HostWatch {
  readonly #options: HostWatchOptions;
  readonly #judgeFromMs: number;
  readonly #timer: NodeJS.Timeout;
  #running: Promise<void> | undefined;
  #isFailing = false;

  constructor(options: HostWatchOptions) {
    this.#options = options;
    this.#judgeFromMs = performance.now() + (options.judgeAfterMs ?? FIRST_JUDGED_AFTER_MS);
    this.#timer = setInterval(() => void this.run(), INTERVAL_MS);
  }

  async run(): Promise<void> {
    if (performance.now() < this.#judgeFromMs) return;
    this.#running ??= this.#round().finally(() => (this.#running = undefined));
    await this.#running;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }

  async #round(): Promise<void> {
    const { services, tell } = this.#options;
    try {
      for (const hostId of await judgeHosts(services)) tell(hostId);
      this.#isFailing = false;
    } catch (error) {
      // A database that is away is away each second: said once.
      if (!this.#isFailing) services.logger.warn("hosts could not be judged", { error: toFlotillaError(error).message });
      this.#isFailing = true;
    }
  }
}
