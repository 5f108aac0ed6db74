import { type ObservedMessage, type Resource } from "./desired-state.ts";

/**
 * The agent's half of observed state on one connection. One message is under way at a time; what changes meanwhile is sent
 * together after it, and only its newest value. The first is a snapshot, so that a new connection reports everything.
 */
export class ObservedFeed {
  readonly #current: ReadonlyMap<string, Resource>;
  readonly #send: (message: ObservedMessage) => void;
  readonly #isHeld: () => boolean;
  readonly #changed = new Set<string>();
  #sequence = 0;
  #isWaiting = false;
  #needsSnapshot = true;

  /**
   * @param current what is observed now; read when something is sent.
   * @param isHeld whether what changed meanwhile waits for the next {@link pump} when a message was acknowledged.
   */
  constructor(current: ReadonlyMap<string, Resource>, send: (message: ObservedMessage) => void, isHeld: () => boolean = () => false) {
    this.#current = current;
    this.#send = send;
    this.#isHeld = isHeld;
  }

  /** A resource was set or removed; nothing is sent before {@link pump}. */
  touch(key: string): void {
    this.#changed.add(key);
  }

  /** Sends what is to be sent, if nothing is under way. */
  pump(): void {
    if (this.#isWaiting || (!this.#needsSnapshot && this.#changed.size === 0)) return;
    this.#isWaiting = true;
    const sequence = ++this.#sequence;
    const changed = [...this.#changed];
    this.#changed.clear();
    if (this.#needsSnapshot) {
      this.#needsSnapshot = false;
      this.#send({ type: "observed_snapshot", sequence, resources: [...this.#current.values()] });
      return;
    }
    const set = changed.flatMap((key) => this.#current.get(key) ?? []);
    this.#send({ type: "observed_delta", sequence, set, remove: changed.filter((key) => !this.#current.has(key)) });
  }

  acknowledge(sequence: number): void {
    if (sequence !== this.#sequence) return;
    this.#isWaiting = false;
    if (!this.#isHeld()) this.pump();
  }

  /** The other end misses something. */
  restart(): void {
    this.#needsSnapshot = true;
    this.#isWaiting = false;
    this.pump();
  }
}

/** Whether the control plane can take a message after the one with sequence `last` (0: none yet on this connection). */
export function isNextObserved(last: number, message: ObservedMessage): boolean {
  return message.type === "observed_snapshot" || (last > 0 && message.sequence === last + 1);
}
