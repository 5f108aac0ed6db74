import { NETWORK_KIND, type ObservedNetwork, type Resource, type ResourceFailure } from "@flotilla/protocol";
import type { ObservedPublisher } from "../state/observed-state.ts";
import type { Reconciler } from "../state/reconcilers.ts";

/** What it needs of the engine's networks. */
export type OverlayHost = {
  applyOverlays(bodies: ReadonlyMap<string, unknown>): Promise<Map<string, string>>;
  describeOverlay(networkId: string): ObservedNetwork | undefined;
  onOverlayChanged(listener: (networkId: string) => void): () => void;
};

const MAX_MESSAGE = 500;
const keyOf = (networkId: string): string => `${NETWORK_KIND}/${networkId}`;

/** The overlay networks of this host's desired state, and what the host tells of them. */
export class NetworkReconciler implements Reconciler {
  readonly #host: OverlayHost;
  readonly #observed: ObservedPublisher;
  #problems: ReadonlyMap<string, string> = new Map();
  #published = new Set<string>();
  #isApplying = false;

  /** @param retry asks for another `apply`: what kept a network from working, or from going, may be over. */
  constructor(host: OverlayHost, observed: ObservedPublisher, retry: () => void) {
    this.#host = host;
    this.#observed = observed;
    host.onOverlayChanged((networkId) => {
      this.#publish(networkId);
      if (!this.#isApplying && this.#problems.has(networkId)) retry();
    });
  }

  async apply(resources: readonly Resource[]): Promise<readonly ResourceFailure[]> {
    const bodies = new Map(resources.map(({ key, body }) => [key.slice(keyOf("").length), body] as const));
    this.#isApplying = true;
    try {
      this.#problems = await this.#host.applyOverlays(bodies);
    } finally {
      this.#isApplying = false;
    }
    for (const networkId of new Set([...bodies.keys(), ...this.#published])) this.#publish(networkId);
    return [...this.#problems].map(([networkId, message]) => ({ key: keyOf(networkId), message: message.slice(0, MAX_MESSAGE) }));
  }

  #publish(networkId: string): void {
    const found = this.#host.describeOverlay(networkId);
    if (found === undefined) {
      this.#observed.remove(keyOf(networkId));
      this.#published.delete(networkId);
      return;
    }
    this.#observed.set(keyOf(networkId), { ...found, problem: this.#problems.get(networkId) ?? found.problem });
    this.#published.add(networkId);
  }
}
