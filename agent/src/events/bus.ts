/** One engine event, as Docker names them: Type, Action, Actor{ID, Attributes}, in one namespace. */
export type EngineEvent = {
  namespace: string;
  type: "container" | "image" | "volume" | "network" | "daemon" | "builder";
  /** `start`, `die`, `exec_create: sh -c x`, `health_status: healthy`, … */
  action: string;
  /** Id of the object; for volumes and images their name. */
  id: string;
  attributes: Readonly<Record<string, string>>;
  /** Nanoseconds since the epoch. */
  timeNano: bigint;
};

export type NewEvent = Omit<EngineEvent, "timeNano" | "attributes"> & { attributes?: Readonly<Record<string, string>> };

const RING_SIZE = 1024;
const NANOS_PER_MS = 1_000_000n;

/** Publishes engine events to live subscribers and keeps the last 1024 for `since`. Times strictly increase. */
export class EventBus {
  readonly #ring: EngineEvent[] = [];
  readonly #subscribers = new Set<(event: EngineEvent) => void>();
  readonly #nowMs: () => number;
  #lastNano = 0n;

  constructor(nowMs: () => number = Date.now) {
    this.#nowMs = nowMs;
  }

  publish(event: NewEvent): EngineEvent {
    const now = BigInt(Math.trunc(this.#nowMs())) * NANOS_PER_MS;
    this.#lastNano = now > this.#lastNano ? now : this.#lastNano + 1n;
    const full: EngineEvent = { ...event, attributes: event.attributes ?? {}, timeNano: this.#lastNano };
    this.#ring.push(full);
    if (this.#ring.length > RING_SIZE) this.#ring.shift();
    for (const subscriber of this.#subscribers) subscriber(full);
    return full;
  }

  /** Calls `listener` for each later event until the returned function is called. */
  subscribe(listener: (event: EngineEvent) => void): () => void {
    this.#subscribers.add(listener);
    return () => this.#subscribers.delete(listener);
  }

  /** Events still held, oldest first. */
  history(): readonly EngineEvent[] {
    return this.#ring;
  }
}
